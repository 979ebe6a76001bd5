//! Floor 4, image: sealer's image document, layers, the registry's storage layout, container images.

mod container;
mod merged;
pub mod layer;
pub mod model;

pub use container::{Blobs, ContainerImage, Descriptor, Document};
pub use merged::Merged;
