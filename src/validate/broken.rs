//! Finds the places where a recipe's form is wrong, and the mistakes that only follow from them.

use crate::plan::StageSketch;
use crate::recipe::Recipe;
use crate::types::{Diagnostic, Severity, Span};

/// The places of all mistakes in the form.
pub(super) struct Broken(Vec<Span>);

fn within(inner: Span, outer: Span) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

impl Broken {
    pub(super) fn of(diagnostics: &[Diagnostic]) -> Self {
        let errors = diagnostics.iter().filter(|found| found.severity == Severity::Error);
        Self(errors.map(|found| found.span).collect())
    }

    /// Whether a mistake in the meaning only follows from one in the form: it is about a stand-in, or about something
    /// with a wrong part.
    pub(super) fn explains(&self, mistake: &Diagnostic) -> bool {
        // Stand-ins for what is missing have no place.
        mistake.span == Span::default() || self.spoils(mistake.span)
    }

    /// Whether this place is a stand-in or has a wrong part.
    pub(super) fn spoils(&self, span: Span) -> bool {
        span == Span::default()
            || self.touches(span)
            // Parts of an empty text have no width, wherever they are.
            || self.0.iter().any(|error| within(span, *error) && (error.start == span.start || span.start == span.end))
    }

    /// Whether something here is wrong.
    pub(super) fn touches(&self, span: Span) -> bool {
        self.0.iter().any(|error| within(*error, span))
    }

    /// Whether the stages have unknown parts: a list of steps that is not a list, or an unknown field of a stage. A
    /// single wrong step does not count.
    pub(super) fn hides_parts(&self, recipe: &Recipe, sketches: &[StageSketch]) -> bool {
        let stages = recipe.stages.span;
        let known = |error: Span| {
            let parts = sketches.iter().flat_map(|sketch| {
                sketch.context.iter().map(|(span, _)| *span).chain(sketch.steps.iter().map(|(span, _)| *span))
            });
            let texts = recipe.stages.iter().flat_map(|stage| [stage.name.span, stage.image.span, stage.kubefile.span]);
            parts.chain(texts).any(|part| part != Span::default() && within(error, part))
        };
        stages == Span::default() || self.0.iter().any(|error| within(*error, stages) && !known(*error))
    }
}
