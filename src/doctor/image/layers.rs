//! The layers of an image: whether they exist, hash to their ids, and have correct entries in the store.

use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::image::layer::LayerId;
use crate::image::model::{Image, LayerKind};
use crate::rootfs::Overlay;
use crate::store::{LayerState, Store};
use crate::types::{Digest, SealerName, chain};

use super::super::{Finding, Verdict};
use super::finding::ImageFinding;

/// A layer that has content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Layer {
    /// Its number, from 1.
    pub number: usize,
    /// Its id.
    pub id: Digest,
    /// The instruction that made it: `COPY`, `BASE`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The text after the Kubefile's keyword.
    pub value: String,
    /// `whole`, `missing`, `unverified`, `different`, `changed` or `unreadable`.
    pub state: &'static str,
    /// Its folder.
    #[serde(skip)]
    pub(super) folder: PathBuf,
    #[serde(skip)]
    pub(super) known: Known,
    /// The id that its files hash to; `None` if there are none.
    #[serde(skip)]
    pub(super) found: Option<LayerId>,
    /// What the store says about it is not as it should be.
    #[serde(skip)]
    pub(super) is_misdescribed: bool,
}

/// What is known of a layer's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// It was read.
    State(LayerState),
    /// There is something other than a folder.
    NoFolder,
    /// It could not be read.
    Unreadable,
}

impl Layer {
    /// `layer 4 (BASE rootfs cache)`.
    pub(super) fn label(&self) -> String {
        let value = self.value.split_whitespace().collect::<Vec<_>>().join(" ");
        let short: String = value.chars().take(40).collect();
        let more = if short == value { "" } else { "…" };
        format!("layer {} ({} {short}{more})", self.number, self.kind)
    }

    pub(super) fn is_whole(&self) -> bool {
        self.known == Known::State(LayerState::Whole)
    }
}

/// All layers of an image, the lowest first.
#[derive(Debug)]
pub(super) struct Layers {
    all: Vec<Layer>,
    pub(super) merged: Overlay,
}

impl Layers {
    pub(super) fn examine(store: &Store, name: &SealerName, image: &Image) -> (Self, Vec<ImageFinding>) {
        let (mut all, mut findings) = (Vec::new(), Vec::new());
        for layer in &image.layers {
            let Some(id) = layer.id else { continue };
            let mut one = Layer {
                number: all.len() + 1,
                id,
                kind: LayerKind::as_str(layer.kind),
                value: layer.value.clone(),
                state: "whole",
                folder: store.layer_dir(&id),
                known: Known::Unreadable,
                found: None,
                is_misdescribed: false,
            };
            let found = one.read(store, name);
            findings.extend(found.map(|finding| ImageFinding::of_layer(finding, id)));
            if !matches!(one.known, Known::State(LayerState::Missing) | Known::NoFolder) {
                let found = one.description(store, name);
                findings.extend(found.into_iter().map(|finding| ImageFinding::of_layer(finding, id)));
            }
            all.push(one);
        }
        let merged = Overlay::new(all.iter().map(|layer| layer.folder.clone()).collect());
        (Self { all, merged }, findings)
    }

    pub(super) fn all(&self) -> &[Layer] {
        &self.all
    }

    pub(super) fn into_all(self) -> Vec<Layer> {
        self.all
    }

    /// Whether their merged contents can be checked.
    pub(super) fn are_all_there(&self) -> bool {
        !self.all.iter().any(|layer| matches!(layer.known, Known::State(LayerState::Missing) | Known::NoFolder))
    }

    /// The layer that a file is in.
    pub(super) fn of(&self, file: &Path) -> Option<&Layer> {
        self.all.iter().find(|layer| file.starts_with(&layer.folder))
    }

    /// The layer that may have had a missing file: the worst of those with unproven content, if any.
    pub(super) fn suspect(&self) -> Option<&Layer> {
        let of = |known| self.all.iter().rev().find(move |layer| layer.known == known);
        let states = [LayerState::Changed, LayerState::Different, LayerState::Unverified];
        states.into_iter().map(Known::State).chain([Known::Unreadable]).find_map(of)
    }
}

impl Layer {
    /// Reads all of the layer's files.
    fn read(&mut self, store: &Store, name: &SealerName) -> Option<Finding> {
        let (label, path) = (self.label(), self.folder.display().to_string());
        let repair =
            format!("`sealer doctor image {} --repair` pulls it again, or load the image again", name.familiar());
        let say = |verdict, check, found: String| Finding::new(verdict, check, path.clone(), found);
        if fs_err::symlink_metadata(&self.folder).is_ok_and(|about| !about.is_dir()) {
            (self.known, self.state) = (Known::NoFolder, "unreadable");
            return Some(say(Verdict::Error, "layer-no-folder", format!("{label} is not a folder")).remedy(repair));
        }
        let reading = match store.read_layer(&self.id) {
            Ok(reading) => reading,
            Err(error) => {
                (self.known, self.state) = (Known::Unreadable, "unreadable");
                let found = format!("{label} cannot be read: {}", chain(&error));
                return Some(say(Verdict::Error, "layer-unreadable", found).remedy(repair));
            }
        };
        (self.known, self.found) = (Known::State(reading.state), reading.found);
        let hash =
            reading.found.map_or_else(|| "it is empty".to_owned(), |id| format!("its files hash to {}", id.digest));
        match reading.state {
            LayerState::Whole => None,
            LayerState::Missing => {
                self.state = "missing";
                let found = format!("{label} is missing, so the contents of all layers together cannot be checked");
                Some(say(Verdict::Error, "layer-missing", found).remedy(repair))
            }
            LayerState::Changed => {
                self.state = "changed";
                let found = format!("{label} was changed on disk: {hash}");
                Some(say(Verdict::Error, "layer-changed", found).expected(self.id.to_string()).remedy(repair))
            }
            LayerState::Unverified => {
                self.state = "unverified";
                let found = format!("{label} was never verified against its id: {hash}");
                let remedy = "nothing: this is normal for layers with symlinks that a real sealer made";
                Some(say(Verdict::Note, "layer-unverified", found).remedy(remedy))
            }
            LayerState::Different if store.is_real_sealers(&self.id).unwrap_or(false) => {
                self.state = "different";
                let found = format!("{label} does not hash to its id, because a real sealer unpacked it: {hash}");
                let remedy = "if that matters, load or pull the image again with this program";
                Some(say(Verdict::Note, "layer-different", found).remedy(remedy))
            }
            // For example in a copied store, which has no valid marks. Save and push refuse it.
            LayerState::Different => {
                self.state = "different";
                let found = format!("{label} does not hash to its id: {hash}; it is not known who changed it");
                Some(say(Verdict::Warning, "layer-doubtful", found).expected(self.id.to_string()).remedy(repair))
            }
        }
    }

    /// What the store says about the layer.
    fn description(&mut self, store: &Store, name: &SealerName) -> Vec<Finding> {
        let folder = store.layerdb_dir(&self.id);
        let label = self.label();
        let remedy = format!("`sealer doctor image {} --repair` writes it again", name.familiar());
        let mut findings = Vec::new();
        let mut warn = |check, path: &Path, found: String, expected: Option<String>| {
            let mut finding = Finding::new(Verdict::Warning, check, path.display().to_string(), found);
            finding.expected = expected;
            findings.push(finding.remedy(remedy.clone()));
        };
        let expected = self.id.to_string();
        if !fs_err::symlink_metadata(&folder).is_ok_and(|about| about.is_dir()) {
            warn(
                "layerdb-missing",
                &folder,
                format!("it is missing, and a real sealer needs it to find {label}"),
                None,
            );
            self.is_misdescribed = true;
            return findings;
        }
        match small(&folder.join("id")) {
            Ok(text) if text == expected => {}
            Ok(text) => {
                let found = format!("it says that {label} has the id `{}`", text.escape_debug());
                warn("layerdb-id", &folder.join("id"), found, Some(expected));
            }
            Err(error) => {
                warn("layerdb-id", &folder.join("id"), format!("the id of {label} cannot be read: {error}"), None);
            }
        }
        // The exact size depends on the program that wrote it, but it must be a number.
        match small(&folder.join("size")) {
            Ok(text) if text.parse::<u64>().is_ok() => {}
            Ok(text) => {
                let found = format!("it says that {label} has `{}` bytes", text.escape_debug());
                warn("layerdb-size", &folder.join("size"), found, Some("a number".to_owned()));
            }
            Err(error) => {
                warn(
                    "layerdb-size",
                    &folder.join("size"),
                    format!("the size of {label} cannot be read: {error}"),
                    None,
                );
            }
        }
        self.is_misdescribed = !findings.is_empty();
        findings
    }
}

/// The text of a file with less than one line.
fn small(file: &Path) -> Result<String, String> {
    let about = fs_err::symlink_metadata(file).map_err(|error| kind(&error))?;
    if !about.is_file() || about.len() > 200 {
        return Err("it is not a small file".to_owned());
    }
    Ok(String::from_utf8_lossy(&fs_err::read(file).map_err(|error| kind(&error))?).into_owned())
}

/// What the system said, without the path.
fn kind(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::NotFound { "there is no such file".to_owned() } else { error.to_string() }
}
