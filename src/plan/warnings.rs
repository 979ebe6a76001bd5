//! What is doubtful about a plan without being wrong.

use crate::kubefile::{self, Kubefile};
use crate::words::{Diagnostic, Place};

use super::{Places, Plan, Route};

impl Plan {
    /// What a person should know before the plan is carried out, each at its place in the recipe and once, whatever the
    /// number of platforms.
    #[must_use]
    pub fn warnings(&self) -> Vec<Diagnostic> {
        let mut warnings: Vec<Diagnostic> = Vec::new();
        for stage in &self.stages {
            // A plan is made only of Kubefiles that are understood.
            let Ok(kubefile) = kubefile::parse(&stage.work.kubefile) else { continue };
            for warning in doubtful_runs(&kubefile, &stage.places) {
                if !warnings.contains(&warning) {
                    warnings.push(warning);
                }
            }
        }
        warnings
    }
}

/// A warning for each RUN of a stage's Kubefile.
#[must_use]
pub fn doubtful_runs(kubefile: &Kubefile, places: &Places) -> Vec<Diagnostic> {
    let place = |(index, _)| places.find(&Route::stage().then("kubefile").then(index));
    let warning = |place: &Place| {
        let message = "RUN ends reproducibility: what it makes depends on the build machine and on the moment";
        Diagnostic::warning(place.span, message).with_label("runs on the build machine, as root")
    };
    kubefile.runs().filter_map(place).map(warning).collect()
}
