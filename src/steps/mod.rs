//! Each changes the context folder as a plan says; one file a step.
//!
//! A step that would do nothing is a failure, unless it is optional. A failure says, by a [`Route`] relative to the step,
//! which field of the recipe it belongs to.

mod beside;
mod chmod;
mod context;
mod copy_file;
mod download;
mod image_list;
mod move_path;
mod patch;
mod recipe_file;
mod remove;
mod replace_archive;
mod replace_image;
mod replace_text;
mod rewrite_images;
mod symlink;
#[cfg(test)]
mod tests;
mod write_file;

use std::collections::BTreeSet;
use std::error::Error;

use crate::closure::listed_images;
use crate::manifests::{self, Finding, Form, Scan, Scanned};
use crate::plan::{PlannedStep, Route};
use crate::sources::Sources;
use crate::types::{ContextPath, Event, Failure, FailureKind, ImageRef, Observer, Platform};

pub use beside::{Beside, BesideContent, BesideFile};
pub use context::{Bits, Context, ContextError, Matching, Topmost, glob_set};

/// What steps work with.
pub struct Tools<'a> {
    /// Images and files from outside.
    pub sources: &'a Sources,
    /// The platform that the stage is for.
    pub platform: &'a Platform,
    /// How the cluster calls the image's own registry.
    pub cluster_registry: &'a str,
    /// All steps of the stage.
    pub stage_steps: &'a [PlannedStep],
    /// What lies beside the recipe.
    pub beside: &'a Beside,
    /// Nobody is asked, and what is not known is taken for what it looks like.
    pub is_preview: bool,
    /// How many threads may work.
    pub threads: usize,
    /// Who listens.
    pub observer: &'a dyn Observer,
}

impl Tools<'_> {
    fn warn(&self, message: String) {
        self.observer.event(Event::Warning { message });
    }
}

/// What a step did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It changed the context; a line for people.
    Changed(String),
    /// The context was already as the step makes it.
    Unchanged(String),
    /// There was nothing to do and the step is optional; why.
    Skipped(String),
}

impl Outcome {
    /// Changed or not, with a line for people.
    fn of(changed: bool, line: String) -> Self {
        if changed { Self::Changed(line) } else { Self::Unchanged(line) }
    }
}

/// A failure and the field of the step that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepFailure {
    /// The field, relative to the step.
    pub at: Route,
    /// What failed.
    pub failure: Failure,
}

impl StepFailure {
    fn new(field: &str, message: impl Into<String>) -> Self {
        Self { at: Route::stage().then(field), failure: Failure::new(FailureKind::Failed, message) }
    }

    /// Globs of a field that match nothing: the first of them is the place.
    fn unmatched(field: &str, globs: &[String], unmatched: &[String]) -> Self {
        Self::nothing_matches("no file", field, globs, unmatched)
    }

    fn nothing_matches(nothing: &str, field: &str, globs: &[String], unmatched: &[String]) -> Self {
        let quoted: Vec<String> = unmatched.iter().map(|glob| format!("`{glob}`")).collect();
        let mut failed = Self::new(field, format!("{nothing} of the context matches {}", quoted.join(", ")));
        if let Some(index) = globs.iter().position(|glob| Some(glob) == unmatched.first()) {
            failed.at = failed.at.then(index);
        }
        failed
    }

    fn from_error(field: &str, kind: FailureKind, error: &(dyn Error + 'static)) -> Self {
        Self { at: Route::stage().then(field), failure: Failure::from_error(kind, error) }
    }

    /// What went wrong with the path of a field.
    fn at(field: &str, error: &ContextError) -> Self {
        Self::from_error(field, FailureKind::Failed, error)
    }

    fn with_help(mut self, help: Option<String>) -> Self {
        self.failure.help.extend(help);
        self
    }
}

impl From<ContextError> for StepFailure {
    fn from(error: ContextError) -> Self {
        Self::at("path", &error)
    }
}

/// Carries out one step on the context.
pub fn run(step: &PlannedStep, context: &Context, tools: &Tools<'_>) -> Result<Outcome, StepFailure> {
    match step {
        PlannedStep::ReplaceArchive { path, source, sha256, root, allow_missing, optional } => {
            let replace = replace_archive::ReplaceArchive { path, source, sha256: *sha256, root, allow_missing };
            replace.run(*optional, context, tools)
        }
        PlannedStep::ReplaceImage { path, image, tag, optional } => {
            replace_image::run(path, image, tag, *optional, context, tools)
        }
        PlannedStep::Patch { path, document, ops, merge, optional } => {
            let patch = patch::Patch { path, document: document.as_ref(), ops, merge: merge.as_ref() };
            patch.run(*optional, context)
        }
        PlannedStep::RewriteImages { paths, to, from, ignore, expect, optional } => {
            let rewrite = rewrite_images::RewriteImages { paths, to, from, ignore, expect: *expect };
            rewrite.run(*optional, context, tools)
        }
        PlannedStep::ImageList { path, images, from, ignore, optional } => {
            let list = image_list::List { images, from, ignore };
            list.run(path, *optional, context, tools)
        }
        PlannedStep::ReplaceText(step) => replace_text::run(step, context),
        PlannedStep::Write(step) => write_file::run(step, context),
        PlannedStep::Copy(step) => copy_file::run(step, context, tools),
        PlannedStep::Download(step) => download::run(step, context, tools),
        PlannedStep::Remove(step) => remove::run(step, context),
        PlannedStep::Move(step) => move_path::run(step, context),
        PlannedStep::Chmod(step) => chmod::run(step, context),
        PlannedStep::Symlink(step) => symlink::run(step, context),
    }
}

/// What the stage's image lists name: as the recipe says, and as those that are written already have it.
fn listed(steps: &[PlannedStep], context: &Context) -> BTreeSet<ImageRef> {
    let mut listed = BTreeSet::new();
    for step in steps {
        let PlannedStep::ImageList { path, images, .. } = step else { continue };
        listed.extend(images.iter().map(|entry| entry.image.reference().clone()));
        let written = context.read(path).ok().flatten().unwrap_or_default();
        listed.extend(listed_images(&written).iter().filter_map(|line| line.reference.parse::<ImageRef>().ok()));
    }
    listed
}

/// What a file of the context says of images.
fn scan(file: &ContextPath, bytes: &[u8], registry: &str, listed: &BTreeSet<ImageRef>) -> Scanned {
    let is_template = file.as_path().extension().is_some_and(|extension| extension == "tmpl");
    let form = if is_template { Form::Template } else { Form::Document };
    manifests::scan(bytes, &Scan { form, registry, listed })
}

/// Warns of strings that stand where an image does and that cannot be used; `then` says what becomes of them.
fn warn_of(scanned: &Scanned, file: &ContextPath, then: &str, tools: &Tools<'_>) {
    for Finding { place, problem } in &scanned.findings {
        if let Some(doubt) = problem.doubt(then) {
            tools.warn(format!("{file}:{}: {doubt}", place.line));
        }
    }
}

/// The failure for a manifest that cannot be used.
fn bad_manifest(field: &str, file: &ContextPath, error: &manifests::ManifestError) -> StepFailure {
    let mut failed = StepFailure::from_error(field, FailureKind::Failed, error);
    failed.failure.message = format!("`{file}`: {}", failed.failure.message);
    failed
}

/// The failure for a `path` that is not in the context, or the skip where the step is optional.
fn not_there(path: &ContextPath, optional: bool, context: &Context) -> Result<Outcome, StepFailure> {
    missing_at("path", path, optional, context)
}

/// The same for another field.
fn missing_at(field: &str, path: &ContextPath, optional: bool, context: &Context) -> Result<Outcome, StepFailure> {
    let message = format!("`{path}` is not in the context");
    if optional {
        return Ok(Outcome::Skipped(message));
    }
    let near = context.nearest(path).map(|near| format!("did you mean `{near}`?"));
    Err(StepFailure::new(field, message).with_help(near))
}
