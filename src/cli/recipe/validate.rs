//! `sealer recipe validate`

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::cli::failure::{Failed, print_diagnostics};
use crate::cli::globals::Globals;
use crate::cli::output::{self, OutputForm};
use crate::recipe::Located;
use crate::words::{Diagnostic, Failure, FailureKind, Place, Severity};

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

impl<'a> Message<'a> {
    fn of(located: &'a Located) -> Self {
        Self { place: located.source.place(located.diagnostic.span), diagnostic: &located.diagnostic }
    }
}

/// Checks every file; all mistakes of all files are reported before the exit code says that there were some.
pub(super) fn run(args: &ValidateArgs, globals: &Globals) -> Result<(), Failed> {
    let mut messages: Vec<Located> = Vec::new();
    let mut unread: Vec<Failure> = Vec::new();
    for file in &args.files {
        let checked =
            Input::read(file, &args.input).and_then(|input| input.plan(&args.input).map(|plan| input.warnings(&plan)));
        let found = match checked {
            Ok(warnings) => warnings,
            Err(Failed::Invalid(mistakes)) => mistakes,
            // A file that cannot be read does not keep the others from being checked.
            Err(Failed::Doing { failures, .. }) => {
                unread.extend(failures);
                continue;
            }
            Err(other @ (Failed::Usage(_) | Failed::Reported(_))) => return Err(other),
        };
        if found.is_empty() && args.output == OutputForm::Text && !globals.quiet {
            output::data(&format!("{}: valid\n", file.display()))?;
        }
        messages.extend(found);
    }
    match args.output {
        OutputForm::Json => output::json(&messages.iter().map(Message::of).collect::<Vec<_>>())?,
        OutputForm::Text => print_diagnostics(&messages, globals.color_on_stderr()),
    }
    let worst = messages.iter().map(|located| located.diagnostic.severity).max();
    let failed = worst == Some(Severity::Error) || (args.strict && worst.is_some());
    if !unread.is_empty() {
        return Err(Failed::Doing { source: None, failures: unread });
    }
    // Everything was said above.
    if failed { Err(Failed::Reported(FailureKind::Invalid)) } else { Ok(()) }
}
