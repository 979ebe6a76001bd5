//! `sealer recipe validate`

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::cli::failure::{Failed, print_each};
use crate::cli::globals::Globals;
use crate::cli::output::{self, OutputForm};
use crate::cli::progress;
use crate::document::Located;
use crate::types::{Failure, FailureKind, Position, Severity, Span};
use crate::validate::strictly;

use super::input::{self, InputArgs};

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

/// One message in the JSON of `-o json`. Lines and columns count from 1, columns in characters; the end is the place
/// after the last character.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the fields are called as in the JSON")]
struct Message<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    /// The same in bytes of the file, from 0.
    span: Span,
    severity: Severity,
    message: &'a str,
    label: &'a str,
    notes: &'a [String],
    help: &'a [String],
}

impl<'a> Message<'a> {
    fn of(located: &'a Located) -> Self {
        let Located { source, diagnostic } = located;
        let span = diagnostic.span;
        let (start, end) = (source.position(span.start), source.position(span.end.max(span.start)));
        let (Position { line, column }, Position { line: end_line, column: end_column }) = (start, end);
        Self {
            file: source.name(),
            line,
            column,
            end_line,
            end_column,
            span,
            severity: diagnostic.severity,
            message: &diagnostic.message,
            label: &diagnostic.label,
            notes: &diagnostic.notes,
            help: &diagnostic.help,
        }
    }
}

/// Checks every file and reports all mistakes of all files.
pub(super) fn run(args: &ValidateArgs, globals: &Globals) -> Result<(), Failed> {
    let mut messages: Vec<Located> = Vec::new();
    let mut unread: Vec<Failure> = Vec::new();
    for file in &args.files {
        let mut found = match input::checked(file, &args.input) {
            Ok(found) => found,
            // A file that cannot be read does not keep the others from being checked.
            Err(Failed::Doing { failures, .. }) => {
                unread.extend(failures);
                continue;
            }
            Err(other @ (Failed::Usage(_) | Failed::Reported(_) | Failed::Invalid(_))) => return Err(other),
        };
        if args.strict {
            strictly(&mut found);
        }
        if errors(&found) == 0 && args.output == OutputForm::Text && !globals.quiet {
            output::data(&format!("{}: valid\n", file.display()))?;
        }
        // Mistakes in a file of values that several recipes share are reported once.
        for message in found {
            if !messages.contains(&message) {
                messages.push(message);
            }
        }
    }
    match args.output {
        OutputForm::Json => output::json(&messages.iter().map(Message::of).collect::<Vec<_>>())?,
        OutputForm::Text => {
            print_each(&messages, globals.color_on_stderr());
            if messages.len() > 1 && !progress::is_json() {
                progress::note(&format!("\n{}", summary(&messages)));
            }
        }
    }
    if !unread.is_empty() {
        return Err(unread.into());
    }
    // Everything was already printed.
    if errors(&messages) > 0 { Err(Failed::Reported(FailureKind::Invalid)) } else { Ok(()) }
}

fn errors(messages: &[Located]) -> usize {
    messages.iter().filter(|message| message.diagnostic.severity == Severity::Error).count()
}

/// `3 errors and 1 warning in 2 files`
fn summary(messages: &[Located]) -> String {
    let count = |number: usize, noun: &str| format!("{number} {noun}{}", if number == 1 { "" } else { "s" });
    let errors = errors(messages);
    let kinds = [(errors, "error"), (messages.len() - errors, "warning")];
    let kinds: Vec<String> =
        kinds.iter().filter(|(number, _)| *number > 0).map(|(number, noun)| count(*number, noun)).collect();
    let mut files: Vec<&str> = messages.iter().map(|message| message.source.name()).collect();
    files.sort_unstable();
    files.dedup();
    let place = if files.len() > 1 { format!(" in {}", count(files.len(), "file")) } else { String::new() };
    format!("{}{place}", kinds.join(" and "))
}
