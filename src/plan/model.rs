//! The plan: what will be done, concrete.

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};

use super::{ContextSource, Lock};
use crate::kubefile::Kubefile;
use crate::steps::PlannedStep;
use crate::types::{Digest, Epoch, Places, Platform, SealerName};

/// Pins every choice that changes bytes: a release with the same number gives the same ids.
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
    /// The time that everything of our making carries.
    pub source_date_epoch: Epoch,
    /// How the cluster calls the image's own registry.
    pub cluster_registry: String,
    /// The stages in the order of the recipe, each for every platform.
    pub stages: Vec<PlannedStage>,
    /// What inputs are known to be: the recipe's lock. It stands beside the work, as it changes nothing of what is done.
    #[serde(default, skip_serializing_if = "Lock::is_empty")]
    pub inputs: Lock,
    /// What `recipe plan -o json` foresees; no part of what is done.
    #[serde(default, skip_serializing)]
    pub preview: PassedOver,
}

/// Something that a document may hold for those who look at it, and that is passed over when the document is read.
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
    /// What is done.
    #[serde(flatten)]
    pub work: StageWork,
    /// The digest of the resolved stage, [`StageWork::digest`]; the image carries it.
    pub digest: Digest,
    /// Where each part was written.
    pub places: Places,
}

/// The work of a stage. Its canonical JSON is what [`StageWork::digest`] is over, so a field may be added only with a
/// default that is not written out.
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
    /// What is changed, in order.
    pub steps: Vec<PlannedStep>,
    /// The Kubefile that is built.
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
