//! Bytes in place of other bytes, and where lines begin and end.

use crate::types::Span;

/// Bytes of a text that are replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Splice {
    pub(crate) span: Span,
    pub(crate) text: String,
}

impl Splice {
    pub(crate) fn new(start: usize, end: usize, text: impl Into<String>) -> Self {
        Self { span: Span::new(start, end), text: text.into() }
    }

    pub(super) fn insert(at: usize, text: impl Into<String>) -> Self {
        Self::new(at, at, text)
    }

    pub(super) fn delete(start: usize, end: usize) -> Self {
        Self::new(start, end, "")
    }
}

/// The text with all splices done; `None` if they overlap or cut a character.
pub(crate) fn apply(text: &str, splices: &mut [Splice]) -> Option<String> {
    // Stable: what is inserted at one place keeps its order.
    splices.sort_by_key(|splice| (splice.span.start, splice.span.end));
    let grown: usize = splices.iter().map(|splice| splice.text.len()).sum();
    let mut out = String::with_capacity(text.len() + grown);
    let mut at = 0;
    for splice in splices {
        out.push_str(text.get(at..splice.span.start)?);
        text.get(splice.span.range())?;
        out.push_str(&splice.text);
        at = splice.span.end;
    }
    out.push_str(text.get(at..)?);
    Some(out)
}

/// The first byte of the line that `at` is in.
pub(super) fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind(['\n', '\r']).map_or(0, |newline| newline + 1)
}

/// The byte where the line that `at` is in has its line end, or the text's end.
pub(super) fn line_end(text: &str, at: usize) -> usize {
    text[at..].find(['\n', '\r']).map_or(text.len(), |newline| at + newline)
}

/// The byte after the line end at `end`, `end` itself where the text ends there.
pub(super) fn after_line_end(text: &str, end: usize) -> usize {
    let rest = &text.as_bytes()[end..];
    end + match rest {
        [b'\r', b'\n', ..] => 2,
        [b'\r' | b'\n', ..] => 1,
        _ => 0,
    }
}

/// The byte before the line end that `start`, a line's first byte, comes after.
pub(super) fn before_line_end(text: &str, start: usize) -> usize {
    let before = &text[..start];
    before.strip_suffix("\r\n").or_else(|| before.strip_suffix(['\n', '\r'])).unwrap_or(before).len()
}

/// The line end that a text uses around `at`: that of the line before, else that of the line, else a newline.
pub(super) fn line_end_style(text: &str, at: usize) -> &'static str {
    let before = line_start(text, at);
    let end = line_end(text, at);
    [&text[before_line_end(text, before)..before], &text[end..after_line_end(text, end)]]
        .into_iter()
        .find_map(|found| ["\r\n", "\n", "\r"].into_iter().find(|style| *style == found))
        .unwrap_or("\n")
}

/// The next byte that is neither blank, line end nor in a comment, or the text's end. `at` is after some content.
pub(super) fn next_content(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = at;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => at += 1,
            b'#' if at == 0 || matches!(bytes[at - 1], b' ' | b'\t' | b'\n' | b'\r') => at = line_end(text, at),
            _ => break,
        }
    }
    at
}

/// Whether only spaces are before `at` in its line.
pub(super) fn is_first_in_line(text: &str, at: usize) -> bool {
    text[line_start(text, at)..at].bytes().all(|b| b == b' ')
}

/// Whether after `at` its line holds nothing but blanks and a comment.
pub(super) fn is_last_in_line(text: &str, at: usize) -> bool {
    let rest = &text[at..line_end(text, at)];
    let content = rest.trim_start_matches([' ', '\t']);
    content.is_empty() || (content.starts_with('#') && content.len() < rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splices_are_done_in_the_order_of_the_text() {
        let mut splices =
            [Splice::insert(2, "x"), Splice::delete(0, 1), Splice::insert(2, "y"), Splice::new(2, 3, "z")];
        assert_eq!(apply("abc", &mut splices).unwrap(), "bxyz");
        assert_eq!(apply("abc", &mut [Splice::delete(0, 2), Splice::delete(1, 3)]), None);
        assert_eq!(apply("é", &mut [Splice::delete(0, 1)]), None);
        assert_eq!(apply("a", &mut [Splice::delete(0, 2)]), None);
    }

    #[test]
    fn lines_end_in_any_of_three_ways() {
        let text = "ab\r\ncd\nef\rgh";
        assert_eq!((line_start(text, 5), line_end(text, 5)), (4, 6));
        assert_eq!((after_line_end(text, 2), after_line_end(text, 6), after_line_end(text, 9)), (4, 7, 10));
        assert_eq!((after_line_end(text, 12), before_line_end(text, 4), before_line_end(text, 0)), (12, 2, 0));
        assert_eq!(line_end_style(text, 5), "\r\n");
        assert_eq!(line_end_style(text, 8), "\n");
        assert_eq!(line_end_style("a\r\n", 0), "\r\n");
        assert_eq!(line_end_style("a", 0), "\n");
    }
}
