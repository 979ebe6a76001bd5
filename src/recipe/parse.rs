//! Text → recipe, with all mistakes at once.

use std::sync::LazyLock;

use super::{Recipe, check};
use crate::document::{Required, Sink, Uses, one_document, read};
use crate::types::{Diagnostic, Severity, Source, Span};

/// A recipe that can be worked with.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// The recipe as written.
    pub recipe: Recipe,
    /// What works but is probably not meant.
    pub warnings: Vec<Diagnostic>,
}

/// All that could be understood of a recipe's text, however wrong it is.
#[derive(Debug)]
pub(crate) struct Reading {
    /// The recipe, with stand-ins for what is missing or of the wrong kind: each of those has an error in `diagnostics`.
    /// None where the text is no YAML.
    pub recipe: Option<Recipe>,
    /// All that is said about its form, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
    /// Which values its templates name.
    pub uses: Uses,
}

/// Reads a recipe as far as it can be read.
#[must_use]
pub(crate) fn read_leniently(source: &Source) -> Reading {
    static REQUIRED: LazyLock<Required> = LazyLock::new(Required::of::<Recipe>);
    let failed = |diagnostics| Reading { recipe: None, diagnostics, uses: Uses::default() };
    let root = match one_document(source, "recipe") {
        Ok(Some(root)) => root,
        Ok(None) => return failed(vec![Diagnostic::error(Span::default(), "the recipe is empty")]),
        Err(mistakes) => return failed(mistakes),
    };
    let sink = Sink::default();
    let mut recipe = read::<Recipe>(&root, "recipe", &REQUIRED, &sink);
    if let Some(recipe) = &mut recipe {
        check::recipe(recipe, &sink);
    }
    Reading { recipe, diagnostics: sink.into_sorted(), uses: Uses::of(source, &root) }
}

/// Reads a recipe.
///
/// The error is all that is wrong with its form, in the order of the text, warnings among it.
pub fn parse(source: &Source) -> Result<Parsed, Vec<Diagnostic>> {
    let Reading { recipe, diagnostics, .. } = read_leniently(source);
    match recipe {
        Some(recipe) if diagnostics.iter().all(|found| found.severity != Severity::Error) => {
            Ok(Parsed { recipe, warnings: diagnostics })
        }
        Some(_) | None => Err(diagnostics),
    }
}
