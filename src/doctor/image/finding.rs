//! A finding about an image, with the layer that it is about.

use serde::Serialize;

use super::super::Finding;
use crate::types::Digest;

/// A finding about an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ImageFinding {
    /// The finding.
    #[serde(flatten)]
    pub finding: Finding,
    /// The layer that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer: Option<Digest>,
}

impl From<Finding> for ImageFinding {
    fn from(finding: Finding) -> Self {
        Self { finding, layer: None }
    }
}

impl ImageFinding {
    pub(super) fn of_layer(finding: Finding, layer: Digest) -> Self {
        Self { finding, layer: Some(layer) }
    }
}
