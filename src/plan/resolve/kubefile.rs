//! The Kubefile of a stage: its mistakes point at their own lines of the recipe.

use crate::document::Text;
use crate::kubefile::{self, Kubefile};
use crate::types::{Diagnostic, Route, Span};

use super::stage::StageResolver;

impl StageResolver<'_> {
    /// Parses a stage's Kubefile, and finds the place of its base image in the recipe.
    pub(super) fn kubefile(&mut self, written: &Text, rendered: &str) -> Option<(Span, Kubefile)> {
        match kubefile::parse(rendered) {
            Ok(kubefile) => {
                let route = Route::stage().then("kubefile");
                for (index, (span, _)) in kubefile.instructions.iter().enumerate() {
                    let span = self.in_recipe(written, rendered, *span);
                    self.resolver.mark(&route.then(index), span);
                }
                let base_span = self.in_recipe(written, rendered, kubefile.base_span);
                self.resolver.mark(&route.then("from"), base_span);
                Some((base_span, kubefile))
            }
            Err(mistakes) => {
                let is_folded = self.resolver.source.text()[written.span.range()].starts_with('>');
                for mistake in mistakes {
                    let span = self.in_recipe(written, rendered, mistake.span);
                    let mistake = Diagnostic { span, ..mistake };
                    let help = "`>` joins all lines into one: write `kubefile: |`";
                    self.resolver.mistakes.push(if is_folded { mistake.with_help(help) } else { mistake });
                }
                None
            }
        }
    }

    /// Bytes of the rendered Kubefile → bytes of the recipe: the same line, and the same columns if no template moved
    /// them.
    fn in_recipe(&self, written: &Text, rendered: &str, span: Span) -> Span {
        let line_of = |text: &str, byte: usize| text[..text.floor_char_boundary(byte)].matches('\n').count();
        let line = line_of(rendered, span.start);
        let bounds = |text: &str| {
            let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
            let length = text[start..].split_inclusive('\n').next().map_or(0, |line| line.trim_end().len());
            (start, start + length)
        };
        let (rendered_start, rendered_end) = bounds(rendered);
        let (written_start, written_end) = bounds(&written.value);
        let same = rendered.get(rendered_start..rendered_end) == written.value.get(written_start..written_end);
        let range = if same {
            let shift = |byte: usize| (byte.min(rendered_end) - rendered_start) + written_start;
            shift(span.start)..shift(span.end)
        } else {
            written_start..written_end
        };
        self.resolver.content_span(written, range)
    }
}
