//! The preview of a plan.

use serde::Serialize;

use crate::types::{Digest, Failure, Platform};

use super::{Change, Input, Totals};

/// What applying a plan would do. Serialised, it is `preview` in `recipe plan -o json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Preview {
    /// The lock's file next to the recipe, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock: Option<String>,
    /// The stages in the plan's order.
    pub stages: Vec<StagePreview>,
    /// The bytes to fetch, and the needed and the free disk space.
    pub totals: Totals,
    /// The warnings that apply would print.
    pub warnings: Vec<String>,
    /// The known failures: apply would fail.
    pub problems: Vec<Failure>,
}

/// The preview of a stage for one platform.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StagePreview {
    /// The stage's name.
    pub stage: String,
    /// The platform.
    pub platform: Platform,
    /// The image's complete name.
    pub image: String,
    /// The image as people write it.
    #[serde(skip)]
    pub familiar: String,
    /// Where the files of the context come from.
    pub context: Vec<EntryPreview>,
    /// The preview of its steps.
    pub steps: Vec<StepPreview>,
    /// The preview of its build.
    pub build: BuildPreview,
}

/// The preview of a context entry.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EntryPreview {
    /// The entry in words.
    pub source: String,
    /// The image that it takes files from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<Input>,
    /// The layers that it takes files from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<TakenLayer>,
    /// The number of files that it brings, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<u64>,
    /// How many bytes these have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Its result.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// A layer that files are taken from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TakenLayer {
    /// Its number in the image, from 0; only layers with content count.
    pub index: usize,
    /// Its id.
    pub id: Digest,
}

/// What is known about something that apply would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "verdict", content = "detail")]
pub(crate) enum Verdict {
    /// It changes something; a line for people.
    Changes(String),
    /// Everything is already as it would make it.
    Unchanged(String),
    /// It is optional and has nothing to do; the text says why.
    Skipped(String),
    /// It fails; the text says why.
    Fails(String),
    /// It is not reached, because something before it fails.
    NotReached,
    /// It is not known yet; the text says when it will be.
    Later(String),
}

/// The preview of a step.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StepPreview {
    /// The step in the recipe's words.
    pub step: String,
    /// Its number in the stage, from 0.
    pub index: usize,
    /// What it needs from outside.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<Input>,
    /// Its result.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// Its changes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
}

/// The preview of a build.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BuildPreview {
    /// The base image; `None` if it builds from scratch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<Input>,
    /// The Kubefile's instructions after FROM.
    pub instructions: Vec<InstructionPreview>,
    /// The container images that come into the image's registry, if they are known.
    pub images: Vec<CachedPreview>,
    /// The reason why there may be more layers or images, if there may be more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub later: Option<String>,
}

/// The preview of an instruction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InstructionPreview {
    /// Its text.
    pub text: String,
    /// The file that it fetches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<Input>,
    /// The number of files in its layer, if it makes one and the number is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<u64>,
    /// How many bytes these have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// If it is not known yet: when it will be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub later: Option<String>,
}

/// A container image that comes into the image's registry.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CachedPreview {
    /// The image.
    #[serde(flatten)]
    pub input: Input,
    /// The place that asks for it: `manifests/imageList:1`.
    pub origin: String,
    /// The base's registry already has it under the same name.
    pub is_in_base: bool,
}
