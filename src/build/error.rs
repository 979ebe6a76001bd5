//! Failures of a build, with the place in the Kubefile or the image that caused them.

use super::Origin;
use crate::types::{ContextPath, Failure, ImageSource, Span};

/// One thing that failed in a build. A build can fail for several reasons at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildFailure {
    /// The place that caused it.
    pub at: BuildPlace,
    /// The cause, with advice.
    pub failure: Failure,
}

/// A place in a build that something belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildPlace {
    /// An instruction of the Kubefile: its bytes.
    Kubefile(Span),
    /// A container image that a list or manifest names.
    Image(ImageSource),
    /// A file of the root file system.
    File(ContextPath),
    /// A line of a list or manifest, or a chart.
    Origin(Origin),
    /// The build itself.
    Whole,
}

impl BuildFailure {
    /// The failure, with the place in its message if there is no place in a Kubefile or recipe.
    #[must_use]
    pub(crate) fn headed(self) -> Failure {
        match self.at {
            BuildPlace::Origin(origin) => {
                Failure { message: format!("{origin}: {}", self.failure.message), ..self.failure }
            }
            BuildPlace::Kubefile(_) | BuildPlace::Image(_) | BuildPlace::File(_) | BuildPlace::Whole => self.failure,
        }
    }

    /// What failed for an instruction.
    pub(super) fn instruction(span: Span, failure: impl Into<Failure>) -> Self {
        Self { at: BuildPlace::Kubefile(span), failure: failure.into() }
    }

    /// What failed for the build itself.
    pub(super) fn whole(failure: impl Into<Failure>) -> Self {
        Self { at: BuildPlace::Whole, failure: failure.into() }
    }
}

impl From<BuildFailure> for Vec<BuildFailure> {
    fn from(failure: BuildFailure) -> Self {
        vec![failure]
    }
}
