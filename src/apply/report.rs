//! What applying a recipe did, for people and machines.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::build::ImageReport;
use crate::plan::{Lock, LockChange};
use crate::sources::MovedTag;
use crate::steps::BesideFile;
use crate::types::Platform;

/// What was made and done. Serialised, it is `recipe apply -o json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    /// The recipe's name.
    pub recipe: String,
    /// The images, in the order of the stages.
    pub images: Vec<ImageReport>,
    /// The steps, in the order in which they ran.
    pub steps: Vec<StepReport>,
    /// Bytes that came over the network.
    pub downloaded_bytes: u64,
    /// Inputs that are no longer what the lock says.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub moved: Vec<Moved>,
    /// The lock as it shall be kept beside the recipe.
    #[serde(skip)]
    pub inputs: Lock,
    /// Of that, what this run used.
    #[serde(skip)]
    pub used: Lock,
    /// What it read beside the recipe.
    #[serde(skip)]
    pub beside: BTreeSet<BesideFile>,
}

/// What fetching a recipe's inputs did. Serialised, it is part of `recipe fetch -o json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Fetched {
    /// The recipe's name.
    pub recipe: String,
    /// Inputs that are no longer what the lock says.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub moved: Vec<Moved>,
    /// Bytes that came over the network.
    pub downloaded_bytes: u64,
    /// The lock as it shall be kept beside the recipe.
    #[serde(skip)]
    pub inputs: Lock,
}

/// An input that is no longer what the lock says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Moved {
    /// What was locked and what there is now.
    #[serde(flatten)]
    pub change: LockChange,
    /// Whether the new one was used, and is locked now; else the locked one was.
    pub taken: bool,
}

impl Moved {
    /// A tag whose locked image was used.
    pub(super) fn of_tag(tag: MovedTag) -> Self {
        let MovedTag { image, platform, pinned, current } = tag;
        let (name, platform) = (image.to_string(), Some(platform));
        let change = LockChange { name, platform, old: Some(pinned.to_string()), new: Some(current.to_string()) };
        Self { change, taken: false }
    }
}

/// A step that ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StepReport {
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
pub(crate) enum StepStatus {
    /// It changed the context.
    Changed,
    /// The context was already so.
    Unchanged,
    /// It is optional and had nothing to do.
    Skipped,
}
