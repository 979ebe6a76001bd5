//! `patch`: edits a JSON or YAML file and leaves every other byte as it was.

use crate::edit::{self, DocumentSelector, EditError, Format, Operation};
use crate::plan::Route;
use crate::words::{ContextPath, Failure, FailureKind};

use super::{Context, Outcome, StepFailure, not_there};

pub(super) fn run(
    path: &ContextPath,
    document: Option<&DocumentSelector>,
    ops: &[Operation],
    optional: bool,
    context: &Context,
) -> Result<Outcome, StepFailure> {
    let Some(format) = Format::of_path(path) else {
        let help = "the name must end in .json, .yaml or .yml".to_owned();
        return Err(StepFailure::new("path", format!("`{path}` is neither JSON nor YAML")).with_help(Some(help)));
    };
    let Some(old) = context.read(path)? else { return not_there(path, optional, context) };
    let new = edit::patch(&old, format, document, ops).map_err(|error| {
        let at = match &error {
            EditError::Operation { index, .. } => Route::stage().then("ops").then(index).then("path"),
            EditError::Unselected { .. } | EditError::Selection { .. } => Route::stage().then("document"),
            _other => Route::stage().then("path"),
        };
        let failure = Failure::from_error(FailureKind::Failed, &error);
        StepFailure { at, failure: Failure { message: format!("`{path}`: {}", failure.message), ..failure } }
    })?;
    let done = ops.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    Ok(if context.put(path, &new)? { Outcome::Changed(done) } else { Outcome::Unchanged(done) })
}
