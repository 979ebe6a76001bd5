//! What is foreseen of a plan.

use serde::Serialize;

use crate::types::{Digest, Failure, Platform};

use super::{Change, Input, Totals};

/// What applying a plan would do. Serialised, it is `preview` in `recipe plan -o json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Preview {
    /// The lock's file beside the recipe, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock: Option<String>,
    /// The stages in the plan's order.
    pub stages: Vec<StagePreview>,
    /// Bytes to fetch, disk needed and free.
    pub totals: Totals,
    /// What apply would say on the way.
    pub warnings: Vec<String>,
    /// What is known to stand in the way: apply would fail.
    pub problems: Vec<Failure>,
}

/// What is foreseen of a stage for one platform.
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
    /// What is changed.
    pub steps: Vec<StepPreview>,
    /// What is built of it.
    pub build: BuildPreview,
}

/// What is foreseen of a context entry.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EntryPreview {
    /// The entry in words.
    pub source: String,
    /// The image that it takes files of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<Input>,
    /// The layers that it takes files of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<TakenLayer>,
    /// How many files it brings, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<u64>,
    /// How many bytes these have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// What became of it.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// A layer that files are taken of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TakenLayer {
    /// Its number in the image, from 0, of those that have content.
    pub index: usize,
    /// Its id.
    pub id: Digest,
}

/// What is known of something that apply would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "verdict", content = "detail")]
pub(crate) enum Verdict {
    /// It changes something; a line for people.
    Changes(String),
    /// It finds everything as it makes it.
    Unchanged(String),
    /// It is optional and has nothing to do; why.
    Skipped(String),
    /// It fails; why.
    Fails(String),
    /// It is not reached, for something before it fails.
    NotReached,
    /// It cannot be known yet; when it can be.
    Later(String),
}

/// What is foreseen of a step.
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
    /// What becomes of it.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// What it changes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
}

/// What is foreseen of a build.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BuildPreview {
    /// The base image; none from scratch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<Input>,
    /// The Kubefile's instructions after FROM.
    pub instructions: Vec<InstructionPreview>,
    /// The container images that come into the image's registry, as far as they are known.
    pub images: Vec<CachedPreview>,
    /// Why there may be more layers or images than are known, where that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub later: Option<String>,
}

/// What is foreseen of an instruction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InstructionPreview {
    /// Its text.
    pub text: String,
    /// The file that it fetches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<Input>,
    /// How many files its layer has, where it makes one and that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<u64>,
    /// How many bytes these have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// When it is known, where it is not.
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
    /// Who asks for it: `manifests/imageList:1`.
    pub origin: String,
    /// The base's registry holds it already under the same name.
    pub is_in_base: bool,
}
