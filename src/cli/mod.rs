//! Floor 10, the command line: arguments in, exit code out; one file a command. No logic lives here.

mod build;
mod failure;
mod globals;
mod images;
mod inspect;
mod load;
mod output;
mod progress;
mod recipe;
mod world;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::mount;

use failure::Failed;
use globals::Globals;

/// Derives Kubernetes base images from recipes, and builds, loads and shows sealer images.
#[derive(Debug, Parser)]
#[command(name = "sealer", version, propagate_version = true, arg_required_else_help = true, max_term_width = 120)]
struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Derive base images from a recipe, and look after recipes
    #[command(subcommand)]
    Recipe(recipe::RecipeCommand),
    /// Build an image from a Kubefile and a folder
    Build(build::BuildArgs),
    /// Load images from an archive that `save` made
    Load(load::LoadArgs),
    /// List the images of the store
    Images(images::ImagesArgs),
    /// Show an image's document
    Inspect(inspect::InspectArgs),
}

/// The whole program: reads the arguments, runs the command, prints what failed, gives the exit code.
///
/// | code | meaning |
/// |---|---|
/// | 0 | done |
/// | 1 | failed while doing |
/// | 2 | usage |
/// | 3 | recipe or Kubefile invalid |
/// | 4 | verification failed: digest, lock, an image that its registry says it does not have |
/// | 5 | worth a retry: no answer, busy |
/// | 70 | our bug |
#[must_use]
pub fn main() -> ExitCode {
    // What RUN starts this program for is no command of the user's, so it is in no help and no completion.
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == mount::CHILD_COMMAND) {
        return mount::child_main(&arguments.collect::<Vec<_>>());
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { failure::USAGE } else { 0 };
            // Nowhere is left to say that the terminal is gone.
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    cli.globals.install_logging();
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(&cli)));
    match result {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(failed)) => failed.report(&cli.globals),
        // The panic's message was printed where it happened.
        Err(_) => {
            output::note("this is a bug in sealer: please report it with the message above");
            ExitCode::from(failure::BUG)
        }
    }
}

fn run(cli: &Cli) -> Result<(), Failed> {
    let globals = &cli.globals;
    match &cli.command {
        Command::Recipe(command) => recipe::run(command, globals),
        Command::Build(args) => build::run(args, globals),
        Command::Load(args) => load::run(args, globals),
        Command::Images(args) => images::run(args, globals),
        Command::Inspect(args) => inspect::run(args, globals),
    }
}
