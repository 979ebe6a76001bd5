//! What a build made, for people and machines.

use serde::Serialize;

use crate::image::model::Layer;
use crate::types::{Digest, Platform};

use super::images::HelmProgram;
use super::request::Built;
use super::{Workspace, WorkspaceError};

/// An image that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ImageReport {
    /// The complete name.
    pub name: String,
    /// The image id, 64 hex digits.
    pub id: String,
    /// The platform.
    pub platform: Platform,
    /// The layers that have content, from the lowest.
    pub layers: Vec<LayerReport>,
    /// The container images that this stage put into the image's registry.
    pub cached_images: Vec<CachedReport>,
    /// The helm that rendered its charts, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub helm: Option<HelmProgram>,
}

/// A layer of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LayerReport {
    /// The layer id.
    pub id: Digest,
    /// `COPY`, `RUN` or `BASE`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The instruction's value.
    pub value: String,
    /// The length of the layer's tar stream in bytes.
    pub size: u64,
}

/// A container image in an image's registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CachedReport {
    /// The complete reference.
    pub reference: String,
    /// The digest that its tag stands for.
    pub digest: Digest,
}

impl ImageReport {
    /// Describes what was built; the workspace says how large its layers are.
    pub(crate) fn new(built: &Built, workspace: &Workspace<'_>) -> Result<Self, WorkspaceError> {
        let image = &built.image;
        let mut layers = Vec::new();
        for Layer { id, kind, value } in &image.layers {
            let Some(id) = *id else { continue };
            let size = workspace.layer_size(&id)?;
            layers.push(LayerReport { id, kind: kind.as_str(), value: value.clone(), size });
        }
        let cached = built.cached.iter();
        Ok(Self {
            name: image.name.to_string(),
            id: image.id.map(|id| id.to_string()).unwrap_or_default(),
            platform: image.platform.clone(),
            layers,
            cached_images: cached
                .map(|cached| CachedReport { reference: cached.reference.to_string(), digest: cached.digest })
                .collect(),
            helm: built.helm.clone(),
        })
    }
}
