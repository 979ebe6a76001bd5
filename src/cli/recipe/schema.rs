//! `sealer recipe schema`

use crate::cli::failure::Failed;
use crate::cli::output;
use crate::recipe::schema_text;

/// Prints the very text of `schemas/recipe.schema.json`.
pub(super) fn run() -> Result<(), Failed> {
    output::data(&schema_text())
}
