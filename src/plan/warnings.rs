//! What is doubtful about a plan without being wrong.

use crate::kubefile;
use crate::words::Diagnostic;

use super::{Plan, Route};

impl Plan {
    /// What a person should know before the plan is carried out, each at its place in the recipe and once, whatever the
    /// number of platforms.
    #[must_use]
    pub fn warnings(&self) -> Vec<Diagnostic> {
        let mut warnings: Vec<Diagnostic> = Vec::new();
        for stage in &self.stages {
            // A plan is made only of Kubefiles that are understood.
            let Ok(kubefile) = kubefile::parse(&stage.work.kubefile) else { continue };
            for (index, _) in kubefile.runs() {
                let Some(place) = stage.places.find(&Route::stage().then("kubefile").then(index)) else { continue };
                let message = "RUN ends reproducibility: what it makes depends on the build machine and on the moment";
                let warning = Diagnostic::warning(place.span, message).with_label("runs on the build machine, as root");
                if !warnings.contains(&warning) {
                    warnings.push(warning);
                }
            }
        }
        warnings
    }
}
