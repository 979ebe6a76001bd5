//! Sealer's image document: what the store keeps as YAML and a registry as JSON.
//!
//! Its id is the sha256 of its YAML, so the YAML is written byte for byte as sealer's Go libraries print it.

mod clusterfile;
mod document;
mod error;
mod image;
mod image_id;
mod metadata;
mod plain;
mod scalar;
#[cfg(test)]
mod tests;
mod yaml;

pub use clusterfile::{CLUSTERFILE_ANNOTATION, default_clusterfile};
pub use document::ImageDocument;
pub use error::ModelError;
pub use image::{Arguments, Commands, Image, ImageConfig, Layer, LayerKind};
pub use image_id::ImageId;
pub use metadata::{Manifest, ManifestList, ManifestPlatform, Metadata};
pub use yaml::{inspect, to_go_yaml};
