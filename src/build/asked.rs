//! What the lite build would ask for if an image's files were new.

use std::path::Path;

use crate::rootfs::Overlay;
use crate::words::{ImageSource, Observer};

use super::BuildFailure;
use super::images::{Helm, Search};

/// What `manifests/` and `charts/` of an image ask for.
#[derive(Debug, Default)]
pub struct AskedImages {
    /// The container images, of any registry, each with who asks: `manifests/imageList:1`, `charts/app (templates/pod.yaml)`.
    pub images: Vec<(ImageSource, String)>,
    /// What cannot be understood, or not be searched.
    pub failures: Vec<BuildFailure>,
}

/// Searches all layers as a build searches its new ones. `scratch` is an empty folder for what helm needs; doubts go to
/// `observer`.
pub fn asked_images(layers: &Overlay, cluster_registry: &str, scratch: &Path, observer: &dyn Observer) -> AskedImages {
    let search = Search {
        private: &[],
        new: layers,
        all: layers,
        own_registry: cluster_registry,
        helm: &Helm::on_path(std::env::var_os("PATH").as_deref()),
        scratch,
        observer,
    };
    let (wants, failures) = search.run();
    let images = wants.outside.into_iter().chain(wants.own).map(|wanted| (wanted.image, wanted.origin)).collect();
    AskedImages { images, failures }
}
