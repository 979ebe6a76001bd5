//! Arguments in, exit code out; one file a command. No logic lives here.

mod build;
mod completion;
mod doctor;
mod failure;
mod globals;
mod images;
mod inspect;
mod load;
mod login;
mod logout;
mod out_file;
mod output;
mod platforms;
mod progress;
mod prompt;
mod prune;
mod pull;
mod push;
mod recipe;
mod rmi;
mod save;
mod sources;
mod tag;
mod upstream;
mod version;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::mount;
use crate::process;
use crate::types::{Event, ProblemKind};

use failure::{Failed, problem};
use globals::Globals;
use progress::ProgressChoice;
use upstream::Split;

/// Derives Kubernetes base images from recipes, and builds, loads and shows sealer images.
#[derive(Debug, Parser)]
#[command(
    name = "sealer",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    max_term_width = 120,
    after_help = upstream::list()
)]
struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Derive base images from a recipe, and manage recipes
    #[command(subcommand)]
    Recipe(recipe::RecipeCommand),
    /// Build an image from a Kubefile and a folder
    Build(build::BuildArgs),
    /// Load images from an archive that `save` made
    Load(load::LoadArgs),
    /// Save platforms of an image as an archive
    Save(save::SaveArgs),
    /// Pull an image from its registry into the store
    Pull(pull::PullArgs),
    /// Push platforms of an image to its registry
    Push(push::PushArgs),
    /// Log in to a registry and store the login, if the registry accepts it
    Login(login::LoginArgs),
    /// Remove the login for a registry
    Logout(logout::LogoutArgs),
    /// Give an image another name
    Tag(tag::TagArgs),
    /// Remove images, and the layers that nothing needs any more
    Rmi(rmi::RmiArgs),
    /// Delete what no image needs
    Prune(prune::PruneArgs),
    /// List the images of the store
    Images(images::ImagesArgs),
    /// Show an image's document
    Inspect(inspect::InspectArgs),
    /// Check a machine or an image, and say how to fix it
    #[command(subcommand)]
    Doctor(doctor::DoctorCommand),
    /// Show the version
    Version(version::VersionArgs),
    /// Print a script that completes commands in a shell
    Completion(completion::CompletionArgs),
    #[command(flatten)]
    Cluster(upstream::ClusterCommand),
}

/// The whole program: reads the arguments, runs the command, prints failures, returns the exit code.
///
/// | code | meaning |
/// |---|---|
/// | 0 | done |
/// | 1 | the work failed |
/// | 2 | wrong usage |
/// | 3 | recipe or Kubefile invalid |
/// | 4 | verification failed: digest, lock, an image that its registry does not have |
/// | 5 | no answer or busy: try again |
/// | 70 | a bug in this program |
#[must_use]
pub fn main() -> ExitCode {
    // The commands that RUN and helm use internally are not for users, so they are not in help and completion.
    let mut arguments = std::env::args_os().skip(1);
    match arguments.next() {
        Some(first) if first == mount::CHILD_COMMAND => return mount::child_main(&arguments.collect::<Vec<_>>()),
        Some(first) if first == process::TETHER_COMMAND => return process::tether_main(&arguments.collect::<Vec<_>>()),
        Some(_) | None => {}
    }
    // Arguments of cluster commands belong to another program: they are not parsed.
    let arguments: Vec<_> = std::env::args_os().collect();
    let (program, rest) = arguments.split_at(arguments.len().min(1));
    let split =
        upstream::split(rest, &Cli::command()).unwrap_or_else(|| Split { ours: rest.to_vec(), ..Split::default() });
    let cli = match Cli::try_parse_from(program.iter().chain(&split.ours)) {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    if cli.globals.progress == ProgressChoice::Json {
        progress::speak_json();
        // A panic's message is a line like any other.
        std::panic::set_hook(Box::new(|panic| progress::say_json(&problem(ProblemKind::Bug, &panic.to_string()))));
    }
    cli.globals.install_logging();
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(&cli, &split)));
    let (code, exit_code) = match result {
        Ok(Ok(())) => (ExitCode::SUCCESS, 0),
        Ok(Err(failed)) => (failed.report(cli.globals.color_on_stderr()), failed.exit_code()),
        // The panic's message was printed where it happened.
        Err(_) => {
            progress::note("this is a bug in sealer: please report it with the message above");
            (ExitCode::from(failure::BUG), failure::BUG)
        }
    };
    if progress::is_json() {
        progress::say_json(&Event::Ended { exit_code });
    }
    code
}

/// Prints what is wrong with the arguments, or the help that they ask for.
fn refuse(error: &clap::Error) -> ExitCode {
    let code = if error.use_stderr() { failure::USAGE } else { 0 };
    // The arguments did not parse, so they are searched.
    let arguments: Vec<_> = std::env::args_os().collect();
    let asks = arguments.windows(2).any(|pair| pair[0] == "--progress" && pair[1] == "json");
    if error.use_stderr() && (asks || arguments.iter().any(|argument| argument == "--progress=json")) {
        progress::speak_json();
        let text = error.render().to_string();
        progress::say_json(&problem(ProblemKind::Usage, text.trim_start_matches("error: ").trim_end()));
        progress::say_json(&Event::Ended { exit_code: code });
    } else {
        // If the terminal is gone, there is no place to report it.
        let _ = error.print();
    }
    ExitCode::from(code)
}

fn run(cli: &Cli, split: &Split) -> Result<(), Failed> {
    let globals = &cli.globals;
    match &cli.command {
        Command::Recipe(command) => recipe::run(command, globals),
        Command::Build(args) => build::run(args, globals),
        Command::Load(args) => load::run(args, globals),
        Command::Save(args) => save::run(args, globals),
        Command::Pull(args) => pull::run(args, globals),
        Command::Push(args) => push::run(args, globals),
        Command::Login(args) => login::run(args, globals),
        Command::Logout(args) => logout::run(args, globals),
        Command::Tag(args) => tag::run(args, globals),
        Command::Rmi(args) => rmi::run(args, globals),
        Command::Prune(args) => prune::run(args, globals),
        Command::Images(args) => images::run(args, globals),
        Command::Inspect(args) => inspect::run(args, globals),
        Command::Doctor(command) => doctor::run(command, globals),
        Command::Version(args) => version::run(args),
        Command::Completion(args) => completion::run(args, Cli::command()),
        Command::Cluster(_) => upstream::run(split, globals),
    }
}
