//! `sealer recipe validate`

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::cli::failure::{Failed, print_diagnostics};
use crate::cli::globals::Globals;
use crate::cli::output::{self, OutputForm};
use crate::words::{Diagnostic, Place, Severity, Source};

use super::input::{Input, InputArgs};

#[derive(Debug, Args)]
pub(in crate::cli) struct ValidateArgs {
    /// The recipes
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    input: InputArgs,
    /// Warnings are errors
    #[arg(long)]
    strict: bool,
    /// The form of the result
    #[arg(short, long, value_enum, default_value = "text", value_name = "FORM")]
    output: OutputForm,
}

/// One message in the JSON of `-o json`.
#[derive(Serialize)]
struct Message<'a> {
    #[serde(flatten)]
    place: Place,
    #[serde(flatten)]
    diagnostic: &'a Diagnostic,
}

/// Checks every file; all mistakes of all files are reported before the exit code says that there were some.
pub(super) fn run(args: &ValidateArgs, globals: &Globals) -> Result<(), Failed> {
    let mut reports: Vec<(Source, Vec<Diagnostic>)> = Vec::new();
    for file in &args.files {
        let checked = Input::read(file, &args.input).and_then(|input| {
            input.plan(&args.input)?;
            Ok((input.source, input.warnings))
        });
        match checked {
            Ok(report) => reports.push(report),
            Err(Failed::Invalid { source, diagnostics }) => reports.push((source, diagnostics)),
            Err(other) => return Err(other),
        }
    }
    let worst = reports.iter().flat_map(|(_, diagnostics)| diagnostics).map(|diagnostic| diagnostic.severity).max();
    match args.output {
        OutputForm::Json => {
            let messages: Vec<Message<'_>> = reports
                .iter()
                .flat_map(|(source, diagnostics)| {
                    diagnostics.iter().map(|diagnostic| Message { place: source.place(diagnostic.span), diagnostic })
                })
                .collect();
            output::json(&messages)?;
        }
        OutputForm::Text => {
            for (source, diagnostics) in &reports {
                print_diagnostics(source, diagnostics, globals.color_on_stderr());
                if diagnostics.is_empty() && !globals.quiet {
                    output::data(&format!("{}: valid\n", source.name()))?;
                }
            }
        }
    }
    let failed = worst == Some(Severity::Error) || (args.strict && worst.is_some());
    // Everything was said above.
    if failed { Err(Failed::Reported(crate::words::FailureKind::Invalid)) } else { Ok(()) }
}
