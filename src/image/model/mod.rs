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

pub(crate) use clusterfile::{CLUSTERFILE_ANNOTATION, default_clusterfile};
pub use document::ImageDocument;
pub(crate) use error::ModelError;
pub(crate) use image::Commands;
pub(crate) use image::inspect;
pub use image::{Image, ImageConfig, Layer, LayerKind};
pub(crate) use image_id::ImageId;
pub(crate) use metadata::Manifest;
pub(crate) use metadata::{ManifestList, Metadata};
pub(crate) use yaml::to_go_yaml;
