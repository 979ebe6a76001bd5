//! What can be wrong with sealer's documents.

use crate::types::Reportable;

/// Why a document of sealer's could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// It is not YAML, or not an image's.
    #[error("the image's document cannot be read; is it from a sealer between v0.7 and v0.8?")]
    Yaml(#[source] serde_yaml::Error),
    /// It is not JSON, or not an image's config.
    #[error("the image's config cannot be read; is it from a sealer between v0.7 and v0.8?")]
    Json(#[source] serde_json::Error),
    /// It is another kind of document.
    #[error("the document's kind is `{0}`; expected `Image`")]
    Kind(String),
    /// It is larger than any image's.
    #[error("the image's document has {0} bytes; at most 4194304 are read")]
    Size(usize),
    /// It has no id.
    #[error("the image's document has no `spec.id`")]
    NoId,
    /// Something else than an id.
    #[error("`{0}` is not an image id: expected 64 hex digits")]
    Id(String),
    /// The list of images is damaged.
    #[error("the list of images cannot be read; is it from a sealer between v0.7 and v0.8?")]
    Metadata(#[source] serde_json::Error),
    /// The list of images is one of a sealer up to v0.6.1.
    #[error("a sealer up to v0.6.1 wrote the list of images, in a format that later versions cannot read")]
    OldMetadata,
}

impl Reportable for ModelError {}
