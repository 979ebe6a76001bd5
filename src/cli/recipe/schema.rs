//! `sealer recipe schema`

use crate::cli::failure::Failed;
use crate::cli::output;
use crate::recipe::schema;

/// Prints the very text of `schemas/recipe.schema.json`.
pub(super) fn run() -> Result<(), Failed> {
    output::json(&schema())
}
