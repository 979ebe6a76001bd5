//! `sealer doctor`: the FAQ as commands.

mod host;
mod image;
mod trace;

use clap::Subcommand;

use crate::cli::failure::Failed;
use crate::cli::globals::Globals;
use crate::cli::output;
use crate::doctor::{Finding, Verdict};

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

/// All findings for people, including the good ones, then a line that counts them.
fn findings(findings: &[Finding]) -> Result<(), Failed> {
    let text: String = findings.iter().map(Finding::text).collect();
    let count = |verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
    let counted: Vec<String> = [(Verdict::Error, "error"), (Verdict::Warning, "warning"), (Verdict::Note, "note")]
        .into_iter()
        .filter(|(verdict, _)| count(*verdict) > 0)
        .map(|(verdict, what)| super::prune::count(count(verdict), what))
        .collect();
    let summary = if counted.is_empty() { "all is well".to_owned() } else { counted.join(", ") };
    output::data(&format!("{text}{summary}\n"))
}
