//! What the checks of an image are given.

use super::super::{Finding, Verdict};
use super::asks::Asks;
use super::finding::ImageFinding;
use super::layers::Layers;
use super::registry::Registry;
use crate::rootfs::{Contents, Place};
use crate::types::{ContextPath, SealerName};

/// A check of what the layers hold together.
pub(super) type Check = fn(&Examined<'_>) -> Vec<ImageFinding>;

/// What is known of an image whose layers are all there.
pub(super) struct Examined<'a> {
    /// Its name.
    pub(super) name: &'a SealerName,
    /// Its layers, and their merged tree.
    pub(super) layers: &'a Layers,
    /// What its registry's storage holds, by name.
    pub(super) contents: &'a Contents,
    /// The registry's storage, read.
    pub(super) registry: &'a Registry<'a>,
    /// What its files ask of the registry.
    pub(super) asks: &'a Asks,
}

impl Examined<'_> {
    /// A finding about a path of the merged tree: it names the file and its layer.
    pub(super) fn finding(
        &self,
        verdict: Verdict,
        check: &'static str,
        path: &ContextPath,
        found: &str,
        remedy: &str,
    ) -> ImageFinding {
        let (subject, layer) = match self.layers.merged.place(path) {
            Ok(Place::Here(file, layer)) => (file.display().to_string(), self.layers.all().get(layer)),
            Ok(Place::Hidden { .. } | Place::Absent) | Err(_) => (path.to_string(), None),
        };
        let found = layer.map_or(found.to_owned(), |layer| format!("{found}, in {}", layer.label()));
        let finding = Finding::new(verdict, check, subject, found).remedy(remedy);
        match layer {
            Some(layer) => ImageFinding::of_layer(finding, layer.id),
            None => finding.into(),
        }
    }
}
