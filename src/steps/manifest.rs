//! Manifests of the context, searched for images.

use std::collections::BTreeSet;

use super::work::{StepFailure, Tools};
use crate::manifests::{self, Finding, Form, ManifestError, Scan, Scanned};
use crate::types::{ContextPath, ImageRef};

/// What a file of the context says about images.
pub(super) fn scan(file: &ContextPath, bytes: &[u8], registry: &str, listed: &BTreeSet<ImageRef>) -> Scanned {
    let is_template = file.as_path().extension().is_some_and(|extension| extension == "tmpl");
    let form = if is_template { Form::Template } else { Form::Document };
    manifests::scan(bytes, &Scan { form, registry, listed })
}

/// Warns about strings in the place of an image that cannot be used; `then` says what happens to them.
pub(super) fn warn_of(scanned: &Scanned, file: &ContextPath, then: &str, tools: &Tools<'_>) {
    for Finding { place, problem } in &scanned.findings {
        if let Some(doubt) = problem.doubt(then) {
            tools.warn(format!("{file}:{}: {doubt}", place.line));
        }
    }
}

/// The failure for a manifest that cannot be used.
pub(super) fn bad_manifest(field: &str, file: &ContextPath, error: ManifestError) -> StepFailure {
    let mut failed = StepFailure::of(field, error);
    failed.failure.message = format!("`{file}`: {}", failed.failure.message);
    failed
}
