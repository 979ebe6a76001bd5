//! What `recipe diff` says: the shape of its JSON.

use serde::Serialize;

use super::change::Mode;
use super::{CachedDiff, Difference, Kind};
use crate::types::{Digest, Platform};

/// Two images, or two sets of images for several platforms, compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    /// The first image, as it was asked for.
    pub old: Asked,
    /// The second.
    pub new: Asked,
    /// Whether nothing differs but names and ids.
    pub is_same: bool,
    /// Each platform that both have.
    pub images: Vec<ImageDiff>,
    /// Platforms that only the first has.
    pub only_old: Vec<Platform>,
    /// Platforms that only the second has.
    pub only_new: Vec<Platform>,
}

/// What was asked for, and where it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Asked {
    /// The user's words.
    pub image: String,
    /// Where it is from.
    pub from: Origin,
}

/// Where an image is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Origin {
    /// The store.
    Store,
    /// A saved archive.
    Archive,
    /// Its registry.
    Registry,
}

/// Two images compared: all lists are empty if they are the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ImageDiff {
    /// The first image.
    pub old: ImageState,
    /// The second.
    pub new: ImageState,
    /// Keys of their own documents.
    pub document: Vec<Difference>,
    /// All layers of both, from the lowest; empty if they have the same ones in the same order.
    pub layers: Vec<LayerDiff>,
    /// Paths of the root file systems that a cluster sees, by their bytes. What an image's registry holds is in
    /// `cachedImages`.
    pub files: Vec<FileDiff>,
    /// Container images in their registries.
    pub cached_images: Vec<CachedDiff>,
}

/// One of the two images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ImageState {
    /// Its complete name.
    pub name: String,
    /// Its id, if it has one.
    pub id: Option<String>,
    /// Its platform.
    pub platform: Platform,
    /// How many layers have content.
    pub layers: usize,
    /// Bytes of all files of all layers, as `sealer images` counts.
    pub size: u64,
}

/// On which side something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Sides {
    /// In both images.
    Both,
    /// In the first only.
    Old,
    /// In the second only.
    New,
}

/// A layer of one image or of both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LayerDiff {
    /// Which image has it.
    #[serde(rename = "in")]
    pub sides: Sides,
    /// Its number in the first image, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<usize>,
    /// Its number in the second image, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<usize>,
    /// Its id.
    pub id: Digest,
    /// `COPY`, `RUN` or `BASE`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The text after the Kubefile's keyword.
    pub value: String,
    /// Bytes of all its files.
    pub size: u64,
}

/// A path that differs, or what is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FileDiff {
    /// The path; what is not text in it is escaped.
    pub path: String,
    /// The file in the first image; `None` if it is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<FileState>,
    /// What the second image has there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<FileState>,
    /// The differences between the two.
    pub differences: Vec<Difference>,
    /// What could not be compared in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// A file on one side of the comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FileState {
    /// File, folder, link or device.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Bytes of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Permission bits.
    pub mode: Mode,
    /// `UID:GID`
    pub owner: String,
    /// Where a symlink leads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The layer that it is of, from 1.
    pub layer: usize,
}

impl Origin {
    /// The state in one word.
    #[must_use]
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Archive => "archive",
            Self::Registry => "registry",
        }
    }
}

impl ImageDiff {
    /// Whether nothing differs but name and id.
    #[must_use]
    pub(crate) fn is_same(&self) -> bool {
        self.document.is_empty() && self.layers.is_empty() && self.files.is_empty() && self.cached_images.is_empty()
    }
}
