//! A stage as far as it could be understood.

use crate::kubefile::Kubefile;
use crate::plan::{ContextSource, PlannedStage};
use crate::steps::PlannedStep;
use crate::types::{BaseSource, Places, Platform, SealerName, Span};

/// A stage for one platform, as far as it could be understood.
#[derive(Debug)]
pub(crate) struct StageSketch {
    /// The platform.
    pub platform: Platform,
    /// The image that it makes.
    pub image: Option<SealerName>,
    /// The images that it builds on or takes files from, each with its place.
    pub bases: Vec<(Span, BaseSource)>,
    /// Its context entries, each with its place.
    pub context: Vec<(Span, Option<ContextSource>)>,
    /// Its steps, each with its place.
    pub steps: Vec<(Span, Option<PlannedStep>)>,
    /// Its Kubefile.
    pub kubefile: Option<Kubefile>,
    /// The place of each part in the recipe.
    pub places: Places,
    /// The whole stage, if it has no mistakes.
    pub planned: Option<PlannedStage>,
}

impl StageSketch {
    /// The sealer images that it builds on or takes files from, each with its place.
    pub(crate) fn needs(&self) -> impl Iterator<Item = (Span, &SealerName)> {
        self.bases.iter().filter_map(|(span, base)| Some((*span, base.sealer()?)))
    }
}
