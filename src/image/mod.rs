//! Floor 4, image: sealer's image document, layers, the registry's storage layout, container images.

mod container;
mod merged;

pub use container::{Blobs, ContainerImage, Descriptor, Document};
pub use merged::Merged;
