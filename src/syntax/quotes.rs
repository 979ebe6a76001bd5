//! Quoted texts of several lines whose lines are not indented, as Kubernetes' own tools write them.
//!
//! ```yaml
//! description: 'The specification asks for more indentation
//! than this, but libyaml and all that is built on it never did.'
//! ```
//!
//! `granit-parser` follows the specification. So if it reports an error, the text is parsed again with the line ends
//! inside such quotes replaced by blanks, which moves no byte; the content of the quotes is then read from the original
//! text.

use std::collections::HashMap;

use crate::types::Span;

/// A text without line ends inside quotes.
pub(super) struct Blanked {
    /// As long as the text, and the same except for the line ends.
    pub(super) text: String,
    /// The quoted texts of several lines, where they start and end.
    pub(super) quotes: HashMap<usize, usize>,
}

/// Blanks the line ends of all quoted texts outside brackets; `None` if there are none.
///
/// Finds quotes by the first bytes of lines, keys and elements, which is good enough to be right or to be noticed: each of
/// `quotes` must turn out to be a quoted node.
pub(super) fn blank(text: &str) -> Option<Blanked> {
    let mut finder = Finder { text, quotes: HashMap::new() };
    let mut line = 0;
    while line < text.len() {
        line = finder.line(line);
    }
    let quotes = finder.quotes;
    if quotes.is_empty() {
        return None;
    }
    let mut spans: Vec<_> = quotes.iter().map(|(start, end)| Span::new(*start, *end)).collect();
    spans.sort_unstable();
    let mut blanked = String::with_capacity(text.len());
    let mut at = 0;
    for span in spans {
        blanked.push_str(&text[at..span.start]);
        blanked.extend(text[span.range()].chars().map(|c| if matches!(c, '\n' | '\r') { ' ' } else { c }));
        at = span.end;
    }
    blanked.push_str(&text[at..]);
    Some(Blanked { text: blanked, quotes })
}

struct Finder<'t> {
    text: &'t str,
    quotes: HashMap<usize, usize>,
}

impl Finder<'_> {
    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    fn is_blank_or_end(&self, at: usize) -> bool {
        matches!(self.byte(at), None | Some(b' ' | b'\t' | b'\n' | b'\r'))
    }

    fn line_end(&self, at: usize) -> usize {
        self.text[at..].find(['\n', '\r']).map_or(self.text.len(), |end| at + end)
    }

    fn next_line(&self, at: usize) -> usize {
        let end = self.line_end(at);
        let is_windows = self.text[end..].starts_with("\r\n");
        (end + if is_windows { 2 } else { 1 }).min(self.text.len())
    }

    fn skip_blanks(&self, at: usize) -> usize {
        at + self.text[at..].bytes().take_while(|b| matches!(b, b' ' | b'\t')).count()
    }

    /// Looks through the line that starts at `start` and through what goes on below it; the start of the next.
    fn line(&mut self, start: usize) -> usize {
        let mut at = start;
        // The columns that a block scalar's lines must have more of; at the top they need none.
        let mut owner = 0;
        if self.text[start..].starts_with("---") && self.is_blank_or_end(start + 3) {
            at += 3;
        }
        loop {
            at = self.skip_blanks(at);
            let column = at - start;
            let behind = match self.byte(at) {
                None | Some(b'#' | b'\n' | b'\r') => return self.next_line(at),
                Some(b'-' | b'?' | b':') if self.is_blank_or_end(at + 1) => {
                    owner = column + 1;
                    at += 1;
                    continue;
                }
                Some(b'&' | b'!') => {
                    at += self.text[at..].find([' ', '\t', '\n', '\r']).unwrap_or(self.text.len() - at);
                    continue;
                }
                Some(b'|' | b'>') => return self.behind_block(at, owner),
                Some(quote @ (b'\'' | b'"')) => {
                    let end = self.quote_end(at, quote);
                    if self.text[at..end].contains(['\n', '\r']) {
                        self.quotes.insert(at, end);
                    }
                    end
                }
                Some(b'[' | b'{') => self.brackets_end(at),
                Some(_) => match self.key_end(at) {
                    Some(colon) => colon,
                    None => return self.next_line(at),
                },
            };
            let colon = self.skip_blanks(behind);
            if self.byte(colon) != Some(b':') || !self.is_blank_or_end(colon + 1) {
                return self.next_line(behind);
            }
            owner = column + 1;
            at = colon + 1;
        }
    }

    /// The `:` behind a key without quotes.
    fn key_end(&self, at: usize) -> Option<usize> {
        let line = &self.text[at..self.line_end(at)];
        let mut places = line.match_indices([':', '#']);
        let (colon, mark) = places.find(|(place, mark)| match *mark {
            ":" => self.is_blank_or_end(at + place + 1),
            _ => line[..*place].ends_with([' ', '\t']),
        })?;
        (mark == ":").then_some(at + colon)
    }

    /// The line below a block scalar whose lines are indented by at least `owner`.
    fn behind_block(&self, at: usize, owner: usize) -> usize {
        let mut line = self.next_line(at);
        while line < self.text.len() {
            let indent = self.text[line..].bytes().take_while(|b| *b == b' ').count();
            let is_blank = matches!(self.byte(self.skip_blanks(line)), None | Some(b'\n' | b'\r'));
            if !is_blank && indent < owner {
                break;
            }
            line = self.next_line(line);
        }
        line
    }

    /// The byte after the closing quote, or the text's end.
    fn quote_end(&self, start: usize, quote: u8) -> usize {
        let mut at = start + 1;
        while let Some(byte) = self.byte(at) {
            if byte == b'\\' && quote == b'"' {
                at += 1;
            } else if byte == quote {
                if quote == b'"' || self.byte(at + 1) != Some(quote) {
                    return at + 1;
                }
                at += 1;
            }
            at += 1;
        }
        self.text.len()
    }

    /// The byte after the bracket that closes the one at `start`, or the text's end.
    fn brackets_end(&self, start: usize) -> usize {
        let (mut at, mut depth) = (start, 0_usize);
        while let Some(byte) = self.byte(at) {
            let begins = matches!(
                self.text.as_bytes()[at.saturating_sub(1)],
                b' ' | b'\t' | b'\n' | b'\r' | b'[' | b'{' | b',' | b':'
            );
            match byte {
                b'[' | b'{' => depth += 1,
                b']' | b'}' => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return at + 1;
                    }
                }
                b'\'' | b'"' if begins => at = self.quote_end(at, byte) - 1,
                b'#' if begins => at = self.line_end(at),
                _ => {}
            }
            at += 1;
        }
        self.text.len()
    }
}
