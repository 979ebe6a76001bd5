//! Sealer's image document, layers, container images.

mod container;
mod docker_archive;
pub(crate) mod layer;
mod manifest;
pub(crate) mod model;
pub(crate) mod pushed;

pub use container::Descriptor;
pub(crate) use container::{Blobs, ContainerImage, Document, diff_ids};
pub(crate) use docker_archive::{DockerArchive, DockerArchiveReadError, write_docker_archive};
pub use manifest::{MANIFEST_TYPES, Manifest, ManifestKind};
pub(crate) use manifest::{ManifestError, check_config, choose, config_platform, runs_on};
