//! What applying a recipe did, for people and machines.

use serde::Serialize;

use crate::words::{Digest, Platform};

/// What was made and done. Serialised, it is `recipe apply -o json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The recipe's name.
    pub recipe: String,
    /// The images, in the order of the stages.
    pub images: Vec<ImageReport>,
    /// The steps, in the order in which they ran.
    pub steps: Vec<StepReport>,
    /// Bytes that came over the network.
    pub downloaded_bytes: u64,
}

/// An image that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageReport {
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
}

/// A layer of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LayerReport {
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
pub struct CachedReport {
    /// The complete reference.
    pub reference: String,
    /// The digest that its tag stands for.
    pub digest: Digest,
}

/// A step that ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepReport {
    /// The stage's name.
    pub stage: String,
    /// The platform.
    pub platform: Platform,
    /// The step in the recipe's words.
    pub step: String,
    /// Its number in the stage, from 0.
    pub index: usize,
    /// What became of it.
    pub status: StepStatus,
    /// What it did, for people.
    pub detail: String,
}

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum StepStatus {
    /// It changed the context.
    Changed,
    /// The context was already so.
    Unchanged,
    /// It is optional and had nothing to do.
    Skipped,
}
