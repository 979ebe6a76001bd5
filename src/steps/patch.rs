//! `patch`: edits a JSON or YAML file and leaves every other byte as it was.

use crate::edit::{self, DocumentSelector, EditError, Format, Operation, Refusal};
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
    // Nothing to remove is fine where the step is optional: such operations are left out, the others are done.
    let mut ops = ops.to_vec();
    let new = loop {
        match edit::patch(&old, format, document, &ops) {
            Err(EditError::Operation { index, reason, .. })
                if optional && is_nothing_to_remove(&ops[index], &reason) =>
            {
                ops.remove(index);
                if ops.is_empty() {
                    return Ok(Outcome::Skipped(format!("`{path}`: {reason}")));
                }
            }
            patched => break patched,
        }
    };
    let new = new.map_err(|error| {
        let at = match &error {
            EditError::Operation { index, .. } => Route::stage().then("ops").then(index).then("path"),
            EditError::Unselected { .. } | EditError::Selection { .. } => Route::stage().then("document"),
            EditError::Encoding { .. }
            | EditError::Syntax { .. }
            | EditError::Empty
            | EditError::Registry(_)
            | EditError::Reference { .. } => Route::stage().then("path"),
        };
        let failure = Failure::from_error(FailureKind::Failed, &error);
        StepFailure { at, failure: Failure { message: format!("`{path}`: {}", failure.message), ..failure } }
    })?;
    let done = ops.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    Ok(if context.put(path, &new)? { Outcome::Changed(done) } else { Outcome::Unchanged(done) })
}

fn is_nothing_to_remove(operation: &Operation, reason: &Refusal) -> bool {
    matches!(operation, Operation::Remove { .. }) && matches!(reason, Refusal::NoKey { .. } | Refusal::NoIndex { .. })
}
