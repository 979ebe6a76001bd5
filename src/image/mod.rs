//! Floor 4, image: sealer's image document, layers, the registry's storage layout, container images.

mod container;
mod docker_archive;
pub mod layer;
mod manifest;
pub mod model;
pub mod pushed;
mod registry_tree;

pub use container::{Blobs, ContainerImage, Descriptor, Document, diff_ids};
pub use docker_archive::{DockerArchive, DockerArchiveError, DockerArchiveReadError, write_docker_archive};
pub use manifest::{
    MANIFEST_TYPES, Manifest, ManifestError, ManifestKind, PlatformManifest, check_config, choose, config_platform,
    runs_on,
};
pub use registry_tree::{
    Fault, Missing, RegistryTreeError, RepositoryPaths, Written, blob_data_path, check_registry_tree, content_fault,
    link_fault, read_registry_tree, write_registry_tree,
};
