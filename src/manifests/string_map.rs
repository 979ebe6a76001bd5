//! Maps bytes of a string to the bytes of the text that it is written in.

use std::ops::Range;

use crate::edit::{double_quoted, single_quoted};
use crate::syntax::{Node, Style, Value};

/// Bytes of a string, and the bytes that they are written in.
#[derive(Debug, Clone)]
pub(super) struct StringMap {
    /// In order; those of equal length are the same bytes.
    runs: Vec<Run>,
}

#[derive(Debug, Clone)]
struct Run {
    inner: Range<usize>,
    outer: Range<usize>,
}

impl StringMap {
    /// The map of a scalar of `text`; `None` if the two cannot be laid side by side.
    pub(super) fn of(node: &Node, text: &str) -> Option<Self> {
        let (Value::Plain(inner) | Value::Text(inner)) = &node.value else { return None };
        let written = &text[node.span.range()];
        let body = match node.style {
            Style::Plain => 0..written.len(),
            Style::SingleQuoted | Style::DoubleQuoted => 1..written.len().checked_sub(1)?,
            Style::Literal | Style::Folded => written.find(['\n', '\r'])?..written.len(),
            Style::Block | Style::Flow | Style::Pair | Style::Alias => return None,
        };
        let aligner = Aligner { inner, written, style: node.style, at: 0, from: body.start, runs: Vec::new() };
        let mut runs = aligner.run(body.end)?;
        for run in &mut runs {
            run.outer = run.outer.start + node.span.start..run.outer.end + node.span.start;
        }
        Some(Self { runs })
    }

    /// Where the byte `at` of the string is written.
    pub(super) fn start(&self, at: usize) -> usize {
        let Some(run) = self.run(at) else { return self.runs.last().map_or(0, |run| run.outer.end) };
        if run.inner.len() == run.outer.len() { run.outer.start + (at - run.inner.start) } else { run.outer.start }
    }

    /// The end of what the bytes of the string before `at` are written in.
    pub(super) fn end(&self, at: usize) -> usize {
        let Some(last) = at.checked_sub(1) else { return self.start(0) };
        let Some(run) = self.run(last) else { return self.start(at) };
        if run.inner.len() == run.outer.len() { run.outer.start + (at - run.inner.start) } else { run.outer.end }
    }

    fn run(&self, at: usize) -> Option<&Run> {
        let behind = self.runs.partition_point(|run| run.inner.end <= at);
        self.runs.get(behind).filter(|run| run.inner.start <= at)
    }
}

/// Aligns a string with the bytes that it is written in.
struct Aligner<'t> {
    inner: &'t str,
    written: &'t str,
    style: Style,
    /// In the string.
    at: usize,
    /// In what is written.
    from: usize,
    runs: Vec<Run>,
}

impl Aligner<'_> {
    fn run(mut self, end: usize) -> Option<Vec<Run>> {
        while self.from < end {
            let rest = &self.written[self.from..end];
            let inner = &self.inner[self.at..];
            let blanks = rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
            let has_line_end = rest[..blanks].contains(['\n', '\r']);
            if has_line_end && matches!(self.style, Style::Literal | Style::Folded) {
                let blank = inner.len() - inner.trim_start_matches([' ', '\t', '\n', '\r']).len();
                self.push(blank, blanks);
            } else if has_line_end {
                let ends = rest[..blanks].replace("\r\n", "\n").matches(['\n', '\r']).count();
                let folded = if ends == 1 { " ".to_owned() } else { "\n".repeat(ends - 1) };
                inner.starts_with(&folded).then(|| self.push(folded.len(), blanks))?;
            } else if self.style == Style::SingleQuoted && rest.starts_with("''") {
                inner.starts_with('\'').then(|| self.push(1, 2))?;
            } else if self.style == Style::DoubleQuoted && rest.starts_with('\\') {
                self.escape(rest)?;
            } else {
                let c = rest.chars().next()?;
                inner.starts_with(c).then(|| self.push(c.len_utf8(), c.len_utf8()))?;
            }
        }
        self.inner[self.at..].trim_matches(['\n', ' ']).is_empty().then_some(self.runs)
    }

    fn escape(&mut self, rest: &str) -> Option<()> {
        let kind = rest[1..].chars().next()?;
        let length = match kind {
            '\n' | '\r' => {
                // The line goes on after the next one's indentation.
                let ends = if rest[1..].starts_with("\r\n") { 3 } else { 2 };
                let blanks = rest[ends..].len() - rest[ends..].trim_start_matches([' ', '\t']).len();
                self.push(0, ends + blanks);
                return Some(());
            }
            'x' => 4,
            'u' if rest.len() >= 12 && rest[6..].starts_with("\\u") && is_high_half(&rest[2..6]) => 12,
            'u' => 6,
            'U' => 10,
            other => 1 + other.len_utf8(),
        };
        let meant = self.inner[self.at..].chars().next()?.len_utf8();
        (length <= rest.len()).then(|| self.push(meant, length))
    }

    fn push(&mut self, inner: usize, outer: usize) {
        let run = Run { inner: self.at..self.at + inner, outer: self.from..self.from + outer };
        (self.at, self.from) = (run.inner.end, run.outer.end);
        match self.runs.last_mut() {
            Some(last) if inner == outer && last.inner.len() == last.outer.len() => {
                (last.inner.end, last.outer.end) = (run.inner.end, run.outer.end);
            }
            _ => self.runs.push(run),
        }
    }
}

/// Whether four hex digits are the first half of a surrogate pair.
fn is_high_half(digits: &str) -> bool {
    u32::from_str_radix(digits, 16).is_ok_and(|code| (0xd800..0xdc00).contains(&code))
}

/// How a piece of a string is written in a scalar of a style; `None` if it cannot be.
pub(super) fn encoded(style: Style, piece: &str) -> Option<String> {
    match style {
        Style::DoubleQuoted => {
            let quoted = double_quoted(piece);
            Some(quoted[1..quoted.len() - 1].to_owned())
        }
        Style::SingleQuoted => {
            let quoted = single_quoted(piece)?;
            Some(quoted[1..quoted.len() - 1].to_owned())
        }
        Style::Plain | Style::Literal | Style::Folded => Some(piece.to_owned()),
        Style::Block | Style::Flow | Style::Pair | Style::Alias => None,
    }
}
