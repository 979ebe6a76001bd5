//! Failures, and their kinds, which decide the exit code.

use std::error::Error;
use std::fmt::Write;
use std::io;

use serde::Serialize;

use super::{Diagnostic, Place, Source, masked, printable};

/// What kind of failure an error is; the command line maps it to its exit code.
///
/// Ordered by importance for scripts: if several things failed, the greatest kind decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum FailureKind {
    /// No answer, busy, cut short: the same command may succeed later.
    Retry,
    /// Something failed while it was done: disk full, no permission, a step that does not fit.
    Failed,
    /// A digest, a lock or an image that its registry says it does not have.
    Verification,
    /// The recipe, its values or the Kubefile are invalid.
    Invalid,
}

impl FailureKind {
    /// Of content that could not be read to its end: what fails a digest or a size on the way is a failed verification.
    pub(crate) fn of_read(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::InvalidData { Self::Verification } else { Self::Failed }
    }

    /// The process's exit code.
    #[must_use]
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Invalid => 3,
            Self::Verification => 4,
            Self::Retry => 5,
        }
    }
}

/// An error that may end a command: it becomes a [`Failure`] by `?`.
pub trait Reportable: Error + 'static {
    /// What kind of failure it is.
    fn kind(&self) -> FailureKind {
        FailureKind::Failed
    }

    /// What to do next, if there is more to say than the message does.
    fn help(&self) -> Option<String> {
        None
    }
}

impl Reportable for io::Error {}

/// One thing that failed, with the place in the recipe that asked for it if there is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// The kind, which decides the exit code.
    pub kind: FailureKind,
    /// The place that asked for it.
    pub place: Option<Place>,
    /// The action that failed, and why.
    pub message: String,
    /// Why, from the near to the far.
    pub causes: Vec<String>,
    /// What to do next.
    pub help: Vec<String>,
}

impl Failure {
    /// A failure without a place.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, place: None, message: masked(&message.into()).into_owned(), causes: Vec::new(), help: Vec::new() }
    }

    /// An error with its kind, the chain of its sources and its help.
    pub fn of(error: &impl Reportable) -> Self {
        error.help().into_iter().fold(Self::from_error(error.kind(), error), Self::with_help)
    }

    /// An error and the chain of its sources.
    pub(crate) fn from_error(kind: FailureKind, error: &(dyn Error + 'static)) -> Self {
        let mut causes = Vec::new();
        let mut next = error.source();
        while let Some(cause) = next {
            causes.push(masked(&cause.to_string()).into_owned());
            next = cause.source();
        }
        Self { causes, ..Self::new(kind, error.to_string()) }
    }

    /// With the place that asked for it.
    #[must_use]
    pub fn at(self, place: Option<&Place>) -> Self {
        Self { place: place.cloned(), ..self }
    }

    /// With one more piece of advice.
    #[must_use]
    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help.push(masked(&help.into()).into_owned());
        self
    }

    /// The message as people read it, with the final newline; `source` is the recipe's text if it is available.
    #[must_use]
    pub fn render(&self, source: Option<&Source>, color: bool) -> String {
        match (&self.place, source) {
            (Some(place), Some(source)) if place.file == source.name() && place.span.end <= source.text().len() => {
                let mut diagnostic = Diagnostic::error(place.span, &self.message);
                diagnostic.help.clone_from(&self.help);
                diagnostic.notes.clone_from(&self.causes);
                diagnostic.render(source, color)
            }
            (place, _) => {
                let mut text = match place {
                    Some(place) => format!("{place}: error: {}\n", self.message),
                    None => format!("error: {}\n", self.message),
                };
                for (word, lines) in [("caused by", &self.causes), ("help", &self.help)] {
                    for line in lines {
                        writeln!(text, "  {word}: {line}").expect("a String takes all that is written");
                    }
                }
                printable(&text).into_owned()
            }
        }
    }
}

impl<E: Reportable> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::of(&error)
    }
}

impl From<Failure> for Vec<Failure> {
    fn from(failure: Failure) -> Self {
        vec![failure]
    }
}

/// An error and its sources on one line, for messages that list several errors.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut message = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        message = format!("{message}: {error}");
        next = error.source();
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Span;

    #[test]
    fn a_failure_shows_place_causes_and_help() {
        let source = Source::new("r.yaml", "a: 1\nb: 2\n");
        let failure = Failure {
            causes: vec!["connection refused".to_owned()],
            ..Failure::new(FailureKind::Retry, "cannot fetch `x`")
        };
        let failure = failure.at(Some(&source.place(Span::new(5, 6)))).with_help("try again");
        insta::assert_snapshot!(failure.render(Some(&source), false), @"
        r.yaml:2:1: error: cannot fetch `x`
          |
        2 | b: 2
          | ^
          |
          = caused by: connection refused
          = help: try again
        ");
        insta::assert_snapshot!(failure.render(None, false), @"
        r.yaml:2:1: error: cannot fetch `x`
          caused by: connection refused
          help: try again
        ");
    }

    #[test]
    fn what_strangers_say_is_no_order_to_a_terminal() {
        let source = Source::new("r.yaml", "a: 1\n");
        let failure =
            Failure { causes: vec!["\x1b[2J".to_owned()], ..Failure::new(FailureKind::Failed, "x \x1b]0;y\x07") };
        let failure = failure.with_help("\x1b[31m");
        for text in
            [failure.render(None, false), failure.at(Some(&source.place(Span::new(0, 1)))).render(Some(&source), false)]
        {
            assert!(!text.contains('\x1b') && text.contains("\\u{1b}[2J") && text.contains("\\u{1b}[31m"), "{text}");
        }
    }
}
