//! Text → recipe, with all mistakes at once.

use std::sync::LazyLock;

use super::{Recipe, check};
use crate::document::{Required, Sink, Uses, one_document, read};
use crate::types::{Diagnostic, Severity, Source, Span};

/// A recipe without errors in its form.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// The recipe as written.
    pub recipe: Recipe,
    /// Things that work but are probably not meant.
    pub warnings: Vec<Diagnostic>,
}

/// Everything that could be understood of a recipe's text, even if it has mistakes.
#[derive(Debug)]
pub(crate) struct Reading {
    /// The recipe, with stand-ins for what is missing or of the wrong kind: each of those has an error in
    /// `diagnostics`. `None` if the text is not YAML.
    pub recipe: Option<Recipe>,
    /// All diagnostics about its form, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
    /// The values that its templates name.
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
/// The error has all mistakes in its form and the warnings, in the order of the text.
pub fn parse(source: &Source) -> Result<Parsed, Vec<Diagnostic>> {
    let Reading { recipe, diagnostics, .. } = read_leniently(source);
    match recipe {
        Some(recipe) if diagnostics.iter().all(|found| found.severity != Severity::Error) => {
            Ok(Parsed { recipe, warnings: diagnostics })
        }
        Some(_) | None => Err(diagnostics),
    }
}
