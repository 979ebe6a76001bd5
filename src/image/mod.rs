//! Floor 4, image: sealer's image document, layers, the registry's storage layout, container images.

mod container;
pub mod layer;
pub mod model;

pub use container::{Blobs, ContainerImage, Descriptor, Document};
