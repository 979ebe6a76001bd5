//! How a command fails, and the one place that prints failures and returns the exit code.

use std::process::ExitCode;

use crate::document::Located;
use crate::types::{Diagnostic, Event, Failure, FailureKind, ProblemKind, Severity, Source};

use super::progress;

/// The exit code for wrong usage.
pub(super) const USAGE: u8 = 2;
/// The exit code for our own bugs.
pub(super) const BUG: u8 = 70;

/// Why a command failed.
#[derive(Debug)]
pub(super) enum Failed {
    /// The arguments do not fit together.
    Usage(String),
    /// Texts are invalid: the mistakes in each of them.
    Invalid(Vec<Located>),
    /// Everything was already printed.
    Reported(FailureKind),
    /// Things failed while they were done; places in the recipe are shown with its text.
    Doing {
        /// The recipe, if there is one.
        source: Option<Source>,
        /// The failures; never empty.
        failures: Vec<Failure>,
    },
}

impl Failed {
    /// Arguments that are not understood.
    pub(super) fn usage(error: impl std::fmt::Display) -> Self {
        Self::Usage(error.to_string())
    }

    /// A failure without a better type.
    pub(super) fn doing(message: impl Into<String>) -> Self {
        Failure::new(FailureKind::Failed, message).into()
    }

    /// The diagnostics of one source text.
    pub(super) fn invalid(source: &Source, diagnostics: Vec<Diagnostic>) -> Self {
        let located = |diagnostic| Located { source: source.clone(), diagnostic };
        Self::Invalid(diagnostics.into_iter().map(located).collect())
    }

    /// The process's exit code.
    pub(super) fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => USAGE,
            Self::Reported(kind) => kind.exit_code(),
            Self::Invalid(_) => FailureKind::Invalid.exit_code(),
            Self::Doing { failures, .. } => {
                failures.iter().map(|failure| failure.kind).max().unwrap_or(FailureKind::Failed).exit_code()
            }
        }
    }

    /// The failures as events of the JSON progress.
    fn events(&self) -> Vec<Event> {
        match self {
            Self::Usage(message) => vec![problem(ProblemKind::Usage, message)],
            Self::Reported(_) => Vec::new(),
            Self::Invalid(diagnostics) => diagnostics.iter().map(diagnostic).collect(),
            Self::Doing { failures, .. } => {
                let failed = |failure: &Failure| {
                    let Failure { kind, place, message, causes, help } = failure.clone();
                    Event::Failed { kind: kind.into(), place, message, causes, help }
                };
                failures.iter().map(failed).collect()
            }
        }
    }

    /// Prints the failure on stderr and returns the exit code.
    pub(super) fn report(&self, color: bool) -> ExitCode {
        if progress::is_json() {
            self.events().iter().for_each(progress::say_json);
            return ExitCode::from(self.exit_code());
        }
        match self {
            Self::Usage(message) => progress::note(&format!("error: {message}")),
            Self::Reported(_) => {}
            Self::Invalid(diagnostics) => print_diagnostics(diagnostics, color),
            Self::Doing { source, failures } => {
                for (index, failure) in failures.iter().enumerate() {
                    if index > 0 {
                        progress::note("");
                    }
                    progress::note(failure.render(source.as_ref(), color).trim_end());
                }
            }
        }
        ExitCode::from(self.exit_code())
    }
}

impl<F: Into<Failure>> From<F> for Failed {
    fn from(failure: F) -> Self {
        vec![failure.into()].into()
    }
}

impl From<Vec<Failure>> for Failed {
    fn from(failures: Vec<Failure>) -> Self {
        Self::Doing { source: None, failures }
    }
}

/// A failure without a place.
pub(super) fn problem(kind: ProblemKind, message: &str) -> Event {
    Event::Failed { kind, place: None, message: message.to_owned(), causes: Vec::new(), help: Vec::new() }
}

fn diagnostic(located: &Located) -> Event {
    let Diagnostic { severity, span, message, notes, help, .. } = located.diagnostic.clone();
    Event::Diagnostic { severity, place: located.source.place(span), message, notes, help }
}

/// Prints messages on stderr, and the number of errors if there are several.
pub(super) fn print_diagnostics(diagnostics: &[Located], color: bool) {
    print_each(diagnostics, color);
    let errors = diagnostics.iter().filter(|located| located.diagnostic.severity == Severity::Error).count();
    if errors > 1 && !progress::is_json() {
        progress::note(&format!("\n{errors} errors"));
    }
}

/// Prints messages on stderr, a blank line between them.
pub(super) fn print_each(diagnostics: &[Located], color: bool) {
    if progress::is_json() {
        diagnostics.iter().map(diagnostic).for_each(|event| progress::say_json(&event));
        return;
    }
    for (index, located) in diagnostics.iter().enumerate() {
        if index > 0 {
            progress::note("");
        }
        progress::note(located.render(color).trim_end());
    }
}
