//! The images that the lite build would cache if an image's files were new.

use std::path::Path;

use crate::rootfs::Overlay;
use crate::types::ImageSource;

use super::images::{Helm, Search, Wanted};
use super::{BuildFailure, Origin};

pub(crate) use super::images::Doubt;

/// A container image that a file asks for.
#[derive(Debug)]
pub(crate) struct AskedImage {
    /// The image.
    pub image: ImageSource,
    /// The client for requests.
    pub origin: Origin,
    /// It only looks like an image.
    pub is_likely: bool,
}

/// What `manifests/` and `charts/` of an image ask for.
#[derive(Debug, Default)]
pub(crate) struct AskedImages {
    /// The container images, of any registry.
    pub images: Vec<AskedImage>,
    /// Files and references that cannot be understood or searched.
    pub failures: Vec<BuildFailure>,
    /// Places where it is not certain that they name an image.
    pub doubts: Vec<Doubt>,
}

/// Searches all layers as a build searches its new ones. `scratch` is an empty folder for what helm needs.
pub(crate) fn asked_images(layers: &Overlay, cluster_registry: &str, scratch: &Path) -> AskedImages {
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
    let asked = |Wanted { image, origin, is_likely, .. }| AskedImage { image, origin, is_likely };
    let images = wants.outside.into_iter().chain(wants.own).map(asked).collect();
    AskedImages { images, failures, doubts: wants.doubts }
}
