//! Collects mistakes while reading goes on.

use std::cell::RefCell;

use crate::types::{Diagnostic, Severity, Span};

/// The most errors that are kept.
const MOST: usize = 100;

/// Collects diagnostics; the first hundred errors are kept.
#[derive(Debug, Default)]
pub(crate) struct Sink {
    diagnostics: RefCell<Vec<Diagnostic>>,
}

impl Sink {
    /// Adds a diagnostic.
    pub(crate) fn add(&self, diagnostic: Diagnostic) {
        let mut diagnostics = self.diagnostics.borrow_mut();
        if diagnostics.len() < MOST {
            diagnostics.push(diagnostic);
        }
    }

    /// Whether there was an error.
    pub(crate) fn has_errors(&self) -> bool {
        self.diagnostics.borrow().iter().any(|d| d.severity == Severity::Error)
    }

    /// Whether there was an error at exactly this place.
    pub(crate) fn has_error_at(&self, span: Span) -> bool {
        self.diagnostics.borrow().iter().any(|d| d.severity == Severity::Error && d.span == span)
    }

    /// Whether there was an error inside this place.
    pub(crate) fn has_error_in(&self, span: Span) -> bool {
        let inside = |d: &Diagnostic| span.start <= d.span.start && d.span.end <= span.end;
        self.diagnostics.borrow().iter().any(|d| d.severity == Severity::Error && inside(d))
    }

    /// All diagnostics, in the order of the text.
    pub(crate) fn into_sorted(self) -> Vec<Diagnostic> {
        let mut diagnostics = self.diagnostics.into_inner();
        diagnostics.sort_by_key(|diagnostic| diagnostic.span);
        diagnostics
    }
}
