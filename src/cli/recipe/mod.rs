//! `sealer recipe …`: derive images, and look after recipes.

mod apply;
mod diff;
mod explain;
mod fetch;
mod init;
mod input;
mod lock;
mod lock_file;
mod plan;
mod schema;
mod validate;
mod verify;
mod why;

use clap::Subcommand;

pub(in crate::cli) use input::{epoch, read_source};

use super::failure::Failed;
use super::globals::Globals;

#[derive(Debug, Subcommand)]
pub(super) enum RecipeCommand {
    /// Derive the images of a recipe
    Apply(apply::ApplyArgs),
    /// Check recipes, without a network
    Validate(validate::ValidateArgs),
    /// Show what apply would do
    Plan(plan::PlanArgs),
    /// Pin the inputs of a recipe in the lock next to it
    Lock(lock::LockArgs),
    /// Fill the cache, so that the recipe can be applied without a network
    Fetch(fetch::FetchArgs),
    /// Explain recipes, or one step or context entry, with an example
    Explain(explain::ExplainArgs),
    /// Write a first recipe to edit
    Init(init::InitArgs),
    /// Show which list, manifest and step brought a container image into an image
    Why(why::WhyArgs),
    /// Compare two images: layers, files, members of archives, keys, image references
    Diff(diff::DiffArgs),
    /// Apply a recipe again from scratch, and compare the result with the existing images
    Verify(verify::VerifyArgs),
    /// Print the JSON Schema of recipes
    Schema,
}

pub(super) fn run(command: &RecipeCommand, globals: &Globals) -> Result<(), Failed> {
    match command {
        RecipeCommand::Apply(args) => apply::run(args, globals),
        RecipeCommand::Validate(args) => validate::run(args, globals),
        RecipeCommand::Plan(args) => plan::run(args, globals),
        RecipeCommand::Lock(args) => lock::run(args, globals),
        RecipeCommand::Fetch(args) => fetch::run(args, globals),
        RecipeCommand::Explain(args) => explain::run(args),
        RecipeCommand::Init(args) => init::run(args, globals),
        RecipeCommand::Why(args) => why::run(args, globals),
        RecipeCommand::Diff(args) => diff::run(args, globals),
        RecipeCommand::Verify(args) => verify::run(args, globals),
        RecipeCommand::Schema => schema::run(),
    }
}
