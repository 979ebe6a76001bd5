//! Messages about problems with files of a registry's storage.

use std::collections::BTreeSet;

use crate::rootfs::{Fault, Place};
use crate::types::{ContextPath, SealerName};

use super::super::{Finding, Verdict};
use super::finding::ImageFinding;
use super::layers::{Layer, Layers};
use super::report::names;

/// Something wrong with a file of the storage.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) verdict: Verdict,
    pub(super) check: &'static str,
    /// Tag, list, manifest, config, layer or blob.
    pub(super) what: &'static str,
    /// A verb with its object: `is missing`.
    pub(super) fault: String,
    /// The images that need it, `calico/cni:v3.19.1`.
    pub(super) images: BTreeSet<String>,
    /// The layer with the file that refers to it.
    pub(super) near: Option<usize>,
}

impl Problem {
    /// The finding; the path is that of the file.
    pub(super) fn finding(&self, layers: &Layers, name: &SealerName, path: &ContextPath) -> ImageFinding {
        let all = layers.all();
        let (layer, subject, place) = match layers.merged.place(path) {
            Ok(Place::Here(file, layer)) => {
                let label = all.get(layer).map(|layer| format!("; {} has it", layer.label()));
                (all.get(layer), file, label.unwrap_or_default())
            }
            Ok(Place::Hidden { below, by }) => {
                let place = format!("; {} has it, but {} hides it", all[below].label(), all[by].label());
                (all.get(by), all[below].folder.join(path.as_path()), place)
            }
            Ok(Place::Absent) | Err(_) => {
                let near = self.near.and_then(|near| all.get(near));
                let layer = near.filter(|layer| !layer.is_whole()).or_else(|| layers.suspect()).or(near);
                let folder = near.or(layer).map(|layer| layer.folder.join(path.as_path()));
                let place = near.map(|near| format!("; {} refers to it", near.label())).unwrap_or_default();
                (layer, folder.unwrap_or_else(|| path.as_path().to_owned()), place)
            }
        };
        let part = if self.what.contains('\'') {
            self.what.to_owned()
        } else if path.file_name() == Some("data") {
            format!("{}'s data", self.what)
        } else {
            format!("{}'s link", self.what)
        };
        let of = if self.images.is_empty() { String::new() } else { format!(" of {}", names(self.images.iter())) };
        let found = format!("the {part}{of} {}{place}", self.fault);
        let finding = Finding::new(self.verdict, self.check, subject.display().to_string(), found)
            .remedy(remedy(name, layer, self));
        layer.map_or(finding.clone().into(), |layer| ImageFinding::of_layer(finding, layer.id))
    }
}

/// How to fix a storage: pulling a layer again only restores its own contents.
fn remedy(name: &SealerName, layer: Option<&Layer>, problem: &Problem) -> String {
    let name = name.familiar();
    match (problem.verdict, problem.check) {
        (Verdict::Note, _) => return "nothing: no cluster needs it".to_owned(),
        (_, "platform") => {
            return "if clusters need it, list it in manifests/imageList and build the image again".to_owned();
        }
        _ => {}
    }
    match layer {
        Some(layer) if !layer.is_whole() => {
            format!("`sealer doctor image {name} --repair` pulls {} again, or load the image again", layer.label())
        }
        _ => format!("`{name}` was built like that: list the images in manifests/imageList and build it again"),
    }
}

/// The check name of a fault.
pub(super) fn check_of(fault: &Fault, path: &ContextPath) -> &'static str {
    let is_data = path.file_name() == Some("data");
    match fault {
        Fault::Absent if is_data => "blob-missing",
        Fault::Absent => "link-missing",
        Fault::NoFile(_) if is_data => "blob-no-file",
        Fault::NoFile(_) => "link-no-file",
        Fault::Size { .. } => "blob-size",
        Fault::Content { .. } => "blob-content",
        Fault::Link { .. } | Fault::NoDigest(_) => "link-wrong",
        Fault::TooLarge(_) | Fault::NoManifest(_) | Fault::ListInList => "manifest",
        Fault::Unreadable(_) => "unreadable",
    }
}
