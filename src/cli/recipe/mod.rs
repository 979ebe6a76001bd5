//! `sealer recipe …`: derive images, and look after recipes.

mod apply;
mod diff;
mod input;
mod plan;
mod schema;
mod validate;

use clap::Subcommand;

pub(in crate::cli) use input::{epoch, read_source};

use super::failure::Failed;
use super::globals::Globals;

#[derive(Debug, Subcommand)]
pub(super) enum RecipeCommand {
    /// Derive the images of a recipe
    Apply(apply::ApplyArgs),
    /// Check recipes as far as that goes without a network
    Validate(validate::ValidateArgs),
    /// Show what apply would do
    Plan(plan::PlanArgs),
    /// Compare two images: layers, files, members of archives, keys, image references
    Diff(diff::DiffArgs),
    /// Print the JSON Schema of recipes
    Schema,
}

pub(super) fn run(command: &RecipeCommand, globals: &Globals) -> Result<(), Failed> {
    match command {
        RecipeCommand::Apply(args) => apply::run(args, globals),
        RecipeCommand::Validate(args) => validate::run(args, globals),
        RecipeCommand::Plan(args) => plan::run(args, globals),
        RecipeCommand::Diff(args) => diff::run(args, globals),
        RecipeCommand::Schema => schema::run(),
    }
}
