//! What the lite build would ask for if an image's files were new.

use std::path::Path;

use crate::rootfs::Overlay;
use crate::words::ImageSource;

use super::images::{Helm, Search};
use super::{BuildFailure, Origin};

pub use super::images::Doubt;

/// What `manifests/` and `charts/` of an image ask for.
#[derive(Debug, Default)]
pub struct AskedImages {
    /// The container images, of any registry, each with who asks.
    pub images: Vec<(ImageSource, Origin)>,
    /// What cannot be understood, or not be searched.
    pub failures: Vec<BuildFailure>,
    /// What is doubtful.
    pub doubts: Vec<Doubt>,
}

/// Searches all layers as a build searches its new ones. `scratch` is an empty folder for what helm needs.
pub fn asked_images(layers: &Overlay, cluster_registry: &str, scratch: &Path) -> AskedImages {
    let search = Search {
        private: &[],
        new: layers,
        all: layers,
        own_registry: cluster_registry,
        ignore: &[],
        helm: &Helm::on_path(std::env::var_os("PATH").as_deref()),
        scratch,
    };
    let (wants, failures) = search.run();
    let images = wants.outside.into_iter().chain(wants.own).map(|wanted| (wanted.image, wanted.origin)).collect();
    AskedImages { images, failures, doubts: wants.doubts }
}
