//! Makes text from outside safe for a terminal.

use std::borrow::Cow;

/// The text with control characters (other than line ends and tabs) and what turns the direction of writing written as
/// escapes: names and documents come from outside, and a terminal would obey such characters.
#[must_use]
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    let is_order = |c: char| obeyed(c) && c != '\n' && c != '\t';
    if !text.contains(is_order) {
        return Cow::Borrowed(text);
    }
    let escaped = text.chars().map(|c| if is_order(c) { c.escape_default().to_string() } else { c.to_string() });
    Cow::Owned(escaped.collect())
}

/// Whether a terminal obeys a character instead of showing it: control characters, and what turns the direction of writing.
#[must_use]
pub(crate) fn obeyed(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_to_a_terminal_are_shown_and_not_given() {
        assert_eq!(printable("a\x1b]0;x\x07\n\tä"), "a\\u{1b}]0;x\\u{7}\n\tä");
        assert_eq!(printable("txt\u{202e}gpj"), "txt\\u{202e}gpj");
        assert!(matches!(printable("plain\n"), Cow::Borrowed(_)));
    }
}
