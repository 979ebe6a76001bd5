//! Floor 4, image: sealer's image document, layers, the registry's storage layout, container images.

mod container;
pub mod layer;
mod manifest;
mod merged;
pub mod model;

pub use container::{Blobs, ContainerImage, Descriptor, Document};
pub use manifest::{MANIFEST_TYPES, Manifest, ManifestError, ManifestKind, PlatformManifest, check_config, choose};
pub use merged::Merged;
