//! What applying a recipe did, for people and machines.

use serde::Serialize;

use crate::build::ImageReport;
use crate::words::Platform;

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
