//! Diagnostics of several texts.

use crate::types::{Diagnostic, Source};

/// A diagnostic and the text that it is about: the recipe, a file of values or a `--set`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The text.
    pub source: Source,
    /// The diagnostic about it.
    pub diagnostic: Diagnostic,
}

impl Located {
    /// All diagnostics of one text.
    pub(super) fn all(source: &Source, diagnostics: Vec<Diagnostic>) -> Vec<Self> {
        diagnostics.into_iter().map(|diagnostic| Self { source: source.clone(), diagnostic }).collect()
    }

    /// The message as people read it.
    #[must_use]
    pub fn render(&self, color: bool) -> String {
        self.diagnostic.render(&self.source, color)
    }
}
