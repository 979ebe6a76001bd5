//! `sealer doctor`: the FAQ as commands.

mod host;
mod image;
mod trace;

use clap::Subcommand;

use crate::cli::failure::Failed;
use crate::cli::globals::Globals;

#[derive(Debug, Subcommand)]
pub(super) enum DoctorCommand {
    /// Check this machine for sealer, its builder and the engine of its clusters
    Host(host::HostArgs),
    /// Check an image of the store: every layer, and every container image in its registry
    Image(image::ImageArgs),
    /// Find an engine's image in a sealer image's registry, layer by layer
    Trace(trace::TraceArgs),
}

pub(super) fn run(command: &DoctorCommand, globals: &Globals) -> Result<(), Failed> {
    match command {
        DoctorCommand::Host(args) => host::run(args, globals),
        DoctorCommand::Image(args) => image::run(args, globals),
        DoctorCommand::Trace(args) => trace::run(args, globals),
    }
}
