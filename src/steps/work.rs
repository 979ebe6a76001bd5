//! The tools of steps, and the results that they report.

use std::collections::BTreeSet;

use super::beside::Beside;
use super::context::{Context, ContextError};
use crate::closure::listed_images;
use crate::sources::Sources;
use crate::types::{ContextPath, Event, Failure, FailureKind, ImageRef, Observer, Platform, Route};

/// The tools of steps.
pub(crate) struct Tools<'a> {
    /// Images and files from outside.
    pub sources: &'a Sources,
    /// The platform that the stage is for.
    pub platform: &'a Platform,
    /// The name that the cluster uses for the image's own registry.
    pub cluster_registry: &'a str,
    /// The image lists of the stage: the path of each, and the images that the recipe names for it.
    pub lists: &'a [(ContextPath, Vec<ImageRef>)],
    /// The recipe's folder.
    pub beside: &'a Beside,
    /// Whether this is a preview: no registry is asked, and strings that look like images count as images.
    pub is_preview: bool,
    /// The number of threads.
    pub threads: usize,
    /// The receiver of events.
    pub observer: &'a dyn Observer,
}

impl Tools<'_> {
    pub(super) fn warn(&self, message: String) {
        self.observer.event(Event::Warning { message });
    }

    /// The images of the stage's lists: those that the recipe names, and those of lists that are written already.
    pub(super) fn listed(&self, context: &Context) -> BTreeSet<ImageRef> {
        let mut listed = BTreeSet::new();
        for (path, images) in self.lists {
            listed.extend(images.iter().cloned());
            let written = context.read(path).ok().flatten().unwrap_or_default();
            listed.extend(listed_images(&written).iter().filter_map(|line| line.reference.parse::<ImageRef>().ok()));
        }
        listed
    }
}

/// What a step did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It changed the context; a line for people.
    Changed(String),
    /// The context was already as the step makes it.
    Unchanged(String),
    /// There was nothing to do, and the step is optional; the text says why.
    Skipped(String),
}

impl Outcome {
    /// Changed or not, with a line for people.
    pub(super) fn of(changed: bool, line: String) -> Self {
        if changed { Self::Changed(line) } else { Self::Unchanged(line) }
    }
}

/// A failure and the field of the step that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StepFailure {
    /// The field, relative to the step.
    pub at: Route,
    /// What failed.
    pub failure: Failure,
}

impl StepFailure {
    pub(super) fn new(field: &str, message: impl Into<String>) -> Self {
        Self { at: Route::stage().then(field), failure: Failure::new(FailureKind::Failed, message) }
    }

    /// The failure for globs of a field that match nothing; it points at the first of them.
    pub(super) fn unmatched(field: &str, globs: &[String], unmatched: &[String]) -> Self {
        Self::nothing_matches("no file", field, globs, unmatched)
    }

    pub(super) fn nothing_matches(nothing: &str, field: &str, globs: &[String], unmatched: &[String]) -> Self {
        let quoted: Vec<String> = unmatched.iter().map(|glob| format!("`{glob}`")).collect();
        let mut failed = Self::new(field, format!("{nothing} of the context matches {}", quoted.join(", ")));
        if let Some(index) = globs.iter().position(|glob| Some(glob) == unmatched.first()) {
            failed.at = failed.at.then(index);
        }
        failed
    }

    pub(super) fn of(field: &str, error: impl Into<Failure>) -> Self {
        Self { at: Route::stage().then(field), failure: error.into() }
    }

    pub(super) fn with_help(mut self, help: Option<String>) -> Self {
        self.failure.help.extend(help);
        self
    }
}

impl From<ContextError> for StepFailure {
    fn from(error: ContextError) -> Self {
        Self::of("path", error)
    }
}

/// A result whose error belongs to a field of the step.
pub(super) trait InField<T> {
    /// The error as a failure at this field.
    fn in_field(self, field: &str) -> Result<T, StepFailure>;
}

impl<T, E: Into<Failure>> InField<T> for Result<T, E> {
    fn in_field(self, field: &str) -> Result<T, StepFailure> {
        self.map_err(|error| StepFailure::of(field, error))
    }
}

/// The failure for a `path` that is not in the context, or a skip if the step is optional.
pub(super) fn not_there(path: &ContextPath, optional: bool, context: &Context) -> Result<Outcome, StepFailure> {
    missing_at("path", path, optional, context)
}

/// The same for another field than `path`.
pub(super) fn missing_at(
    field: &str,
    path: &ContextPath,
    optional: bool,
    context: &Context,
) -> Result<Outcome, StepFailure> {
    let message = format!("`{path}` is not in the context");
    if optional {
        return Ok(Outcome::Skipped(message));
    }
    let near = context.nearest(path).map(|near| format!("did you mean `{near}`?"));
    Err(StepFailure::new(field, message).with_help(near))
}
