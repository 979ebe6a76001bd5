//! Messages that point at a place in a text: `FILE:LINE:COLUMN`, the line, a mark under the place.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{masked, printable};

/// A text and the name that people know it by. Cloning is cheap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    name: Arc<str>,
    text: Arc<str>,
    index: Arc<Index>,
}

/// Where lines start and how many characters are before every so many bytes: a large recipe asks for thousands of
/// positions.
#[derive(Debug, PartialEq, Eq)]
struct Index {
    /// The first byte of each line.
    lines: Vec<usize>,
    /// The number of characters that begin before byte `n * BLOCK`.
    characters: Vec<usize>,
}

const BLOCK: usize = 256;

impl Index {
    fn new(text: &str) -> Self {
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = std::iter::once(0).chain(newlines.map(|(at, _)| at + 1)).collect();
        let mut characters = vec![0];
        let mut count = 0;
        for block in text.as_bytes().chunks(BLOCK) {
            count += characters_in(block);
            characters.push(count);
        }
        Self { lines, characters }
    }

    fn characters_before(&self, text: &str, byte: usize) -> usize {
        let block = byte / BLOCK;
        self.characters[block] + characters_in(&text.as_bytes()[block * BLOCK..byte])
    }
}

/// How many characters begin in a piece of UTF-8.
fn characters_in(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0b1100_0000 != 0b1000_0000).count()
}

impl Source {
    /// A text with its name for messages, a path as the user typed it.
    #[must_use]
    pub fn new(name: &str, text: &str) -> Self {
        Self { name: name.into(), text: text.into(), index: Arc::new(Index::new(text)) }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Line and column of a byte of the text.
    #[must_use]
    pub fn position(&self, byte: usize) -> Position {
        let byte = self.text.floor_char_boundary(byte);
        let line = self.index.lines.partition_point(|start| *start <= byte);
        let start = self.index.lines[line - 1];
        // A byte order mark is not a column.
        let start = if self.text[start..byte].starts_with('\u{feff}') { start + '\u{feff}'.len_utf8() } else { start };
        let before = |byte| self.index.characters_before(&self.text, byte);
        Position { line, column: before(byte) - before(start) + 1 }
    }

    /// The place of a span, for data that outlives the text.
    #[must_use]
    pub fn place(&self, span: Span) -> Place {
        Place { file: self.name.to_string(), position: self.position(span.start), span }
    }
}

/// Bytes `start..end` of a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
}

impl Span {
    /// A span from its ends.
    #[must_use]
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// The span as a range, to index a text.
    #[must_use]
    pub fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

/// Line and column, both from 1; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Position {
    /// Line from 1.
    pub line: usize,
    /// Column from 1, in characters.
    pub column: usize,
}

/// A place in a text: a file's name with a position, and the span for callers that have the text.
///
/// Plans carry it, so that a 404 at run time still points at the recipe's line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    /// The name of the source.
    pub file: String,
    /// Where it starts.
    #[serde(flatten)]
    pub position: Position,
    /// Its bytes in the source.
    pub span: Span,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.position.line, self.position.column)
    }
}

/// How serious it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// It works, but probably not as meant.
    Warning,
    /// It cannot work.
    Error,
}

/// One message about one place of a text. The text is joined in only when it is [rendered](Self::render).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnostic {
    /// How serious it is.
    pub severity: Severity,
    /// The place, in bytes of the text.
    pub span: Span,
    /// What is wrong; lower case, no full stop, the user's words in backticks.
    pub message: String,
    /// What is at the mark: mostly what was expected. May be empty.
    pub label: String,
    /// Why, if something outside the text is the reason: a sentence each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What to do about it, a sentence each.
    pub help: Vec<String>,
}

impl Diagnostic {
    /// An error at `span`.
    pub fn error(span: Span, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            span,
            message: masked(&message.into()).into_owned(),
            label: String::new(),
            notes: Vec::new(),
            help: Vec::new(),
        }
    }

    /// A warning at `span`.
    pub fn warning(span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(span, message) }
    }

    /// With the text at the mark.
    #[must_use]
    pub(crate) fn with_label(mut self, label: impl Into<String>) -> Self {
        self.label = masked(&label.into()).into_owned();
        self
    }

    /// With one more piece of advice.
    #[must_use]
    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help.push(masked(&help.into()).into_owned());
        self
    }

    /// The message as people read it, with the final newline: a headline `FILE:LINE:COLUMN: error: …`, the line with
    /// a mark, the advice. Secrets in URLs are masked.
    #[must_use]
    pub fn render(&self, source: &Source, color: bool) -> String {
        let text = source.text();
        let start = text.floor_char_boundary(self.span.start);
        let end = text.ceil_char_boundary(self.span.end).max(start);
        // A mark over many lines hides the message: it ends where its first line does.
        let line_end = text[start..].find(['\n', '\r']).map_or(text.len(), |newline| start + newline);
        let mark = start..end.min(line_end);
        let Position { line, column } = source.position(start);
        let (level, word) = match self.severity {
            Severity::Error => (Level::ERROR, "error"),
            Severity::Warning => (Level::WARNING, "warning"),
        };
        let head = format!("{}:{line}:{column}: {word}", printable(source.name()));
        let mut annotation = AnnotationKind::Primary.span(mark);
        if !self.label.is_empty() {
            annotation = annotation.label(printable(&self.label));
        }
        // Only the line of the mark is shown.
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let shown = format!("{}{}{}", &text[..line_start], masked(&text[line_start..line_end]), &text[line_end..]);
        let snippet = Snippet::source(&shown).annotation(annotation);
        let mut group =
            Group::with_title(level.with_name(head.as_str()).primary_title(printable(&self.message))).element(snippet);
        for note in &self.notes {
            group = group.element(Level::NOTE.with_name("caused by").message(printable(note)));
        }
        for help in &self.help {
            group = group.element(Level::HELP.message(printable(help)));
        }
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let mut message = renderer.render(&[group]);
        message.push('\n');
        message
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rendered_message_has_place_line_mark_and_help() {
        let source = Source::new("r.yaml", "a: 1\nstäges:\n  - imge: x\n");
        let span = Span::new(18, 22);
        let diagnostic = Diagnostic::error(span, "unknown field `imge`")
            .with_label("expected `image` or `name`")
            .with_help("did you mean `image`?");
        insta::assert_snapshot!(diagnostic.render(&source, false), @"
        r.yaml:3:5: error: unknown field `imge`
          |
        3 |   - imge: x
          |     ^^^^ expected `image` or `name`
          |
          = help: did you mean `image`?
        ");
    }

    #[test]
    fn what_urls_hold_of_secrets_is_masked_and_marks_stay() {
        let text = "b:\n- {url: \"https://u:hunter2@h/x?token=hunter3\", size: x}\n";
        let source = Source::new("r.yaml", text);
        let at = text.find("x}").unwrap();
        let diagnostic = Diagnostic::error(Span::new(at, at + 1), "cannot fetch `https://u:hunter2@h/x?token=hunter3`")
            .with_label("of `https://hunter4@h/`")
            .with_help("not `https://h/?hunter5`");
        insta::assert_snapshot!(diagnostic.render(&source, false), @r#"
        r.yaml:2:54: error: cannot fetch `https://u:*******@h/x?*************`
          |
        2 | - {url: "https://u:*******@h/x?*************", size: x}
          |                                                      ^ of `https://*******@h/`
          |
          = help: not `https://h/?*******`
        "#);
        assert!(!serde_json::to_string(&diagnostic).unwrap().contains("hunter"));
    }

    #[test]
    fn a_mark_over_several_lines_ends_with_the_first() {
        let source = Source::new("r.yaml", "a:\n  b: 1\n");
        insta::assert_snapshot!(Diagnostic::warning(Span::new(0, 10), "odd").render(&source, false), @"
        r.yaml:1:1: warning: odd
          |
        1 | a:
          | ^^
        ");
    }

    #[test]
    fn positions_count_characters_and_skip_the_mark_of_byte_order() {
        let source = Source::new("x", "\u{feff}äb\nc");
        assert_eq!(source.position(5), Position { line: 1, column: 2 });
        assert_eq!(source.position(7), Position { line: 2, column: 1 });
        assert_eq!(source.place(Span::new(7, 8)).to_string(), "x:2:1");
        let long = format!("{}\n{}x", "é".repeat(1000), "日".repeat(999));
        let source = Source::new("x", &long);
        assert_eq!(source.position(long.len() - 1), Position { line: 2, column: 1000 });
        assert_eq!(source.position(2000), Position { line: 1, column: 1001 });
        assert_eq!(source.position(usize::MAX), Position { line: 2, column: 1001 });
    }
}
