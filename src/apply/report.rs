//! The report of applying a recipe, for people and machines.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::build::ImageReport;
use crate::plan::{Lock, LockChange};
use crate::sources::MovedTag;
use crate::steps::BesideFile;
use crate::types::Platform;

/// The images and the steps of a run. Serialised, it is `recipe apply -o json`.
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
    /// Inputs that differ from the lock.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub moved: Vec<Moved>,
    /// The new lock, to be written next to the recipe.
    #[serde(skip)]
    pub inputs: Lock,
    /// The part of the lock that this run used.
    #[serde(skip)]
    pub used: Lock,
    /// The files that it read in the recipe's folder.
    #[serde(skip)]
    pub beside: BTreeSet<BesideFile>,
}

/// The report of fetching a recipe's inputs. Serialised, it is part of `recipe fetch -o json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Fetched {
    /// The recipe's name.
    pub recipe: String,
    /// Inputs that differ from the lock.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub moved: Vec<Moved>,
    /// Bytes that came over the network.
    pub downloaded_bytes: u64,
    /// The new lock, to be written next to the recipe.
    #[serde(skip)]
    pub inputs: Lock,
}

/// An input that differs from the lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Moved {
    /// The locked input and the current one.
    #[serde(flatten)]
    pub change: LockChange,
    /// Whether the current one was used, and is locked now; otherwise the locked one was used.
    pub taken: bool,
}

impl Moved {
    /// A moved tag; the locked image was used.
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
    /// Its result.
    pub status: StepStatus,
    /// What it did, for people.
    pub detail: String,
}

/// The result of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum StepStatus {
    /// It changed the context.
    Changed,
    /// The context did not need the change.
    Unchanged,
    /// It is optional and had nothing to do.
    Skipped,
}
