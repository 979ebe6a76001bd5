//! From bytes of a scalar's content back to bytes of the text.

use std::ops::Range;

use super::Text;
use crate::types::{Source, Span};

/// The bytes of `source` where a part of a text's content was written.
///
/// They are exact for plain and quoted scalars on one line without escapes, for `|` blocks, and if the scalar has the
/// part's text exactly once. Otherwise they are the scalar's first line.
pub(crate) fn content_span(source: &Source, text: &Text, content: Range<usize>) -> Span {
    let Some(raw) = source.text().get(text.span.range()) else { return text.span };
    let start = content.start.min(text.len());
    let content = start..content.end.clamp(start, text.len());
    let offset = text.span.start;
    let at = |range: Range<usize>| Span::new(offset + range.start, offset + range.end);
    let simple = match raw.as_bytes().first() {
        Some(b'|') => return block(raw, text, &content).map_or_else(|| first_line(raw, text.span), at),
        Some(b'"') if !raw.contains('\\') => raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"')),
        Some(b'\'') => raw.strip_prefix('\'').and_then(|raw| raw.strip_suffix('\'')).filter(|raw| !raw.contains('\'')),
        Some(b'"' | b'>') | None => None,
        Some(_) => Some(raw),
    };
    // A scalar without its pasted `- ` still has the same end.
    if let Some(inner) = simple
        && inner.ends_with(&text.value)
    {
        let quote = usize::from(inner.len() < raw.len());
        let before = quote + inner.len() - text.len();
        return at(content.start + before..content.end + before);
    }
    let part = &text.value[content];
    let mut places = raw.match_indices(part).map(|(place, _)| place);
    match (places.next(), places.next()) {
        (Some(place), None) if !part.is_empty() => at(place..place + part.len()),
        _ => first_line(raw, text.span),
    }
}

fn first_line(raw: &str, span: Span) -> Span {
    let length = raw.find(['\n', '\r']).unwrap_or(raw.len());
    Span::new(span.start, span.start + length)
}

/// A part of a `|` block: its lines are those of the text without the indentation. A part of several lines ends with
/// the first.
fn block(raw: &str, text: &str, content: &Range<usize>) -> Option<Range<usize>> {
    let before = &text[..content.start];
    let line = before.matches('\n').count();
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let written = text[line_start..].split('\n').next()?;
    let mut position = raw.find('\n')? + 1;
    for _ in 0..line {
        position += raw[position..].find('\n')? + 1;
    }
    let source_line = raw[position..].split('\n').next()?.trim_end_matches('\r');
    let indent = source_line.strip_suffix(written)?.len();
    let start = position + indent + content.start - line_start;
    let end = position + indent + (content.end - line_start).min(written.len());
    Some(start..end.max(start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::{Limits, parse_yaml};

    /// The marked text for `part` of the content of the scalar under `a`.
    fn marked(yaml: &str, part: &str) -> String {
        let source = Source::new("x", yaml);
        let root = parse_yaml(yaml, Limits::recipe()).unwrap().remove(0).root;
        let node = root.get("a").unwrap();
        let text = Text::new(node.span, node.scalar().unwrap().to_owned());
        let start = text.find(part).unwrap();
        let span = content_span(&source, &text, start..start + part.len());
        yaml[span.range()].to_owned()
    }

    #[test]
    fn marks_lie_on_what_is_meant() {
        for yaml in [
            "a: x {{ y }} z\n",
            "a: 'x {{ y }} z'\n",
            "a: \"x {{ y }} z\"\n",
            "a: |\n  x\n\n    {{ y }} z\n",
            "a: |2-\r\n     x\r\n   {{ y }} z\r\n",
            "a: >\n  x\n  {{ y }} z\n",
            "a: x\n  {{ y }} z\n",
            "a: \"\\u00e4 {{ y }}\"\n",
            "a: 'it''s {{ y }}'\n",
        ] {
            assert_eq!(marked(yaml, "{{ y }}"), "{{ y }}", "{yaml}");
        }
        assert_eq!(marked("a: |\n  ä\n  x x\n", "x"), "x");
        assert_eq!(marked("a: \"x\\tx\"\n", "x\tx"), "\"x\\tx\"");
        assert_eq!(marked("a: |\n  ab\n  cd\n", "b\nc"), "b");
    }

    #[test]
    fn a_mark_in_the_last_line_of_a_block_is_exact() {
        let yaml = "a: |\n  one\n  one\n";
        let source = Source::new("x", yaml);
        let text = Text::new(Span::new(3, 16), "one\none\n".to_owned());
        assert_eq!(content_span(&source, &text, 4..7), Span::new(13, 16));
    }
}
