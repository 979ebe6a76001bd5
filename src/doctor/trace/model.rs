//! What was found, for people and machines.

use std::path::PathBuf;

use serde::Serialize;

use super::Known;
use crate::image::model::ImageId;
use crate::transport::EngineImage;
use crate::types::{ContextPath, Digest, Failure, FailureKind, ImageRef, Platform, SealerName};

/// An engine's image and where its layers are in sealer images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Trace {
    /// The image's name, as the engine shows it.
    pub image: String,
    /// The platform of the engine's image.
    pub platform: Platform,
    /// Its id in the engine.
    pub id: Digest,
    /// What registries call it, as far as the engine knows.
    pub repo_digests: Vec<String>,
    /// The engine.
    pub engine: EngineSide,
    /// Its layers, from the lowest.
    pub layers: Vec<EngineLayer>,
    /// The sealer images that were searched.
    pub images: Vec<TracedImage>,
    /// Whether one of them has every layer.
    pub found: bool,
}

/// The engine, and its information.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EngineSide {
    /// Where it listens.
    pub place: String,
    /// The folder of the files with its digests; `None` if there are no files to read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digests: Option<PathBuf>,
    /// Why there are none to read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_digests: Option<String>,
    /// Whether the layers were taken out of it, and hash to its diff ids.
    pub hashed: bool,
}

/// A layer of the engine's image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EngineLayer {
    /// The digest of its tar stream.
    pub diff_id: Digest,
    /// Its digests in registries, as far as the engine knows: one entry per repository.
    pub known: Vec<Known>,
    /// Why the engine's file on it cannot be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// A sealer image that was searched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TracedImage {
    /// Its complete name.
    pub name: SealerName,
    /// Its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<ImageId>,
    /// The platform of the sealer image.
    pub platform: Platform,
    /// Its layers that have content; the numbers elsewhere count these from 0.
    pub image_layers: Vec<ImageLayer>,
    /// What its registry has under the name of the engine's image.
    pub named: Named,
    /// Where the layers of the engine's image are, in its order.
    pub layers: Vec<TracedLayer>,
    /// Blobs of its registry that no config in it describes: any layer may be among them.
    pub unmapped: Vec<Digest>,
    /// Whether every layer is there.
    pub found: bool,
}

/// A layer of a sealer image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ImageLayer {
    /// Its id.
    pub id: Digest,
    /// The instruction that made it: `COPY`, `BASE`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The text after it.
    pub value: String,
}

/// What a registry has under a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Named {
    /// The name, without a registry: `calico/node:v3.8.2`.
    pub name: String,
    /// How it compares to the engine's image.
    pub state: NamedState,
    /// Where the name's link is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<Spot>,
    /// The digest of the manifest or list that it leads to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// The digest of the config for the platform: the image's id in most engines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<Digest>,
    /// What a registry lacks to serve it by that name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<String>,
}

/// How what a registry has under a name compares to the engine's image of the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum NamedState {
    /// There is nothing under that name.
    Absent,
    /// The same image.
    Same,
    /// The same layers, but another config.
    SameLayers,
    /// Another image.
    Other,
    /// The name leads to nothing that could be read for the platform.
    Broken,
}

/// A layer of the engine's image in a sealer image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TracedLayer {
    /// The digest of its tar stream.
    pub diff_id: Digest,
    /// The blobs of this layer; several if it was compressed in several ways.
    pub blobs: Vec<Blob>,
    /// Whether one of them is there, with its data and a link.
    pub found: bool,
}

/// A compressed layer in a registry's storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Blob {
    /// Its digest.
    pub digest: Digest,
    /// Why it is taken for the layer; never empty.
    pub basis: Vec<Basis>,
    /// Where its bytes are; `None` if they are missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Spot>,
    /// The repositories that it is part of, that of the image's own name first.
    pub links: Vec<Link>,
    /// Why its bytes cannot be used, if they cannot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// Why a blob is taken for a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Basis {
    /// The engine knows the layer by this digest.
    Engine,
    /// The config of an image in the sealer image's registry has the diff id in the blob's place.
    Config,
    /// It was decompressed, and hashes to the diff id.
    Content,
}

/// Where a file is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Spot {
    /// Its path in the root file system.
    pub path: ContextPath,
    /// The number of the sealer image's layer that has it, from 1.
    pub layer: usize,
}

/// The link that makes a blob part of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Link {
    /// The repository, without a registry.
    pub repository: String,
    /// Where the link is.
    #[serde(flatten)]
    pub spot: Spot,
    /// Why it does not lead to the blob, if it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

impl Blob {
    /// Whether a registry can give it: its data and a link are there, and nothing is known to be wrong with them.
    #[must_use]
    pub(crate) fn is_there(&self) -> bool {
        self.data.is_some() && self.fault.is_none() && self.links.iter().any(|link| link.fault.is_none())
    }
}

impl TracedImage {
    /// The layers that are not there.
    pub(crate) fn lacks(&self) -> impl Iterator<Item = Digest> {
        self.layers.iter().filter(|layer| !layer.found).map(|layer| layer.diff_id)
    }
}

impl Trace {
    /// The failure for scripts: no sealer image has every layer. The causes name each image and what it lacks.
    #[must_use]
    pub(crate) fn failure(&self) -> Option<Failure> {
        if self.found {
            return None;
        }
        let images = match &self.images[..] {
            [one] => format!("`{}`", one.name.familiar()),
            several => format!("any of {} sealer images", several.len()),
        };
        let message = format!("the layers of `{}` are not all in {images}", self.image);
        let mut failure = Failure::new(FailureKind::Verification, message);
        failure.causes = self.images.iter().map(|image| self.lacking(image)).collect();
        let is_unsure = !self.engine.hashed && self.images.iter().any(|image| !image.unmapped.is_empty());
        if is_unsure {
            failure = failure.with_help("`--deep` also decompresses the layers that no config there describes");
        }
        let help =
            format!("to cache the engine's own image, list `docker-daemon:{}` in manifests/imageList", self.image);
        Some(failure.with_help(help))
    }

    fn lacking(&self, image: &TracedImage) -> String {
        let (name, platform) = (image.name.familiar(), &image.platform);
        let lacks: Vec<String> = image.lacks().map(|diff_id| diff_id.to_string()).collect();
        match lacks.len() {
            count if count == self.layers.len() => format!("`{name}` ({platform}) has none of its layers"),
            _ => format!("`{name}` ({platform}) lacks {}", lacks.join(", ")),
        }
    }
}

/// The image that is looked for, with all known facts.
pub(super) struct Asked {
    pub(super) reference: ImageRef,
    pub(super) image: EngineImage,
    pub(super) layers: Vec<EngineLayer>,
}
