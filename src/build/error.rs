//! Failures of a build, with the place in the Kubefile or the image that caused them.

use std::error::Error;

use super::Origin;
use crate::types::{ContextPath, Failure, FailureKind, ImageSource, Span};

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
    pub fn headed(self) -> Failure {
        match self.at {
            BuildPlace::Origin(origin) => {
                Failure { message: format!("{origin}: {}", self.failure.message), ..self.failure }
            }
            BuildPlace::Kubefile(_) | BuildPlace::Image(_) | BuildPlace::File(_) | BuildPlace::Whole => self.failure,
        }
    }

    /// An error of another module, caused by an instruction.
    pub(super) fn instruction(span: Span, kind: FailureKind, error: &(dyn Error + 'static)) -> Self {
        Self { at: BuildPlace::Kubefile(span), failure: Failure::from_error(kind, error) }
    }

    /// A mistake in an instruction.
    pub(super) fn at_instruction(span: Span, kind: FailureKind, message: impl Into<String>) -> Self {
        Self { at: BuildPlace::Kubefile(span), failure: Failure::new(kind, message) }
    }

    /// An error of the build itself.
    pub(super) fn whole(kind: FailureKind, error: &(dyn Error + 'static)) -> Self {
        Self { at: BuildPlace::Whole, failure: Failure::from_error(kind, error) }
    }
}
