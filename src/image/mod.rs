//! Sealer's image document, layers, container images.

mod container;
mod docker_archive;
pub mod layer;
mod manifest;
pub mod model;
pub mod pushed;

pub use container::{Blobs, ContainerImage, Descriptor, Document, diff_ids};
pub use docker_archive::{DockerArchive, DockerArchiveError, DockerArchiveReadError, write_docker_archive};
pub use manifest::{
    MANIFEST_TYPES, Manifest, ManifestError, ManifestKind, PlatformManifest, check_config, choose, config_platform,
    runs_on,
};
