//! The plan: what will be done, concrete.

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};

use super::{ContextSource, Lock};
use crate::kubefile::Kubefile;
use crate::steps::PlannedStep;
use crate::types::{Digest, Epoch, Places, Platform, SealerName};

/// Pins every choice that changes bytes: releases with the same number give the same ids.
pub const FORMAT_VERSION: u32 = 1;

/// What applying a recipe does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Plan {
    /// [`FORMAT_VERSION`] of the program that made the plan.
    pub format_version: u32,
    /// `metadata.name` of the recipe.
    pub recipe: String,
    /// The recipe's file as the user typed it.
    pub file: String,
    /// The time of everything that sealer makes.
    pub source_date_epoch: Epoch,
    /// The name that the cluster uses for the image's own registry.
    pub cluster_registry: String,
    /// The stages in the order of the recipe, each for every platform.
    pub stages: Vec<PlannedStage>,
    /// The recipe's lock: the known digests of inputs. It is next to the work and not in it, because it does not change
    /// the work.
    #[serde(default, skip_serializing_if = "Lock::is_empty")]
    pub inputs: Lock,
    /// What `recipe plan -o json` foresees; it is not part of the work.
    #[serde(default, skip_serializing)]
    pub preview: PassedOver,
}

/// Something in a document that is only for readers; it is ignored when the document is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PassedOver;

impl<'de> Deserialize<'de> for PassedOver {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

/// A stage for one platform.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedStage {
    /// The work to do.
    #[serde(flatten)]
    pub work: StageWork,
    /// The digest of the resolved stage, [`StageWork::digest`]; the image carries it.
    pub digest: Digest,
    /// The place of each part in the recipe.
    pub places: Places,
}

/// The work of a stage. [`StageWork::digest`] is the digest of its canonical JSON, so a new field needs a default that
/// is not written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StageWork {
    /// The stage's name.
    pub stage: String,
    /// The platform.
    pub platform: Platform,
    /// The name of the image.
    pub image: SealerName,
    /// Where the files of the context come from, in order.
    pub context: Vec<ContextSource>,
    /// The changes, in order.
    pub steps: Vec<PlannedStep>,
    /// The Kubefile to build.
    pub kubefile: Kubefile,
}

impl StageWork {
    /// The sha256 of the work's compact JSON.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let json = serde_json::to_vec(self).expect("a plan has only string keys and no floating point numbers");
        Digest::of(&json)
    }
}
