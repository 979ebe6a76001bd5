//! Text of strangers, fit for a terminal.

use std::borrow::Cow;

/// The text with control characters (other than line ends and tabs) written as escapes: names and documents come from
/// strangers, and a terminal would obey them.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    let is_order = |c: char| c.is_control() && c != '\n' && c != '\t';
    if !text.contains(is_order) {
        return Cow::Borrowed(text);
    }
    let escaped = text.chars().map(|c| if is_order(c) { c.escape_default().to_string() } else { c.to_string() });
    Cow::Owned(escaped.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_to_a_terminal_are_shown_and_not_given() {
        assert_eq!(printable("a\x1b]0;x\x07\n\tä"), "a\\u{1b}]0;x\\u{7}\n\tä");
        assert!(matches!(printable("plain\n"), Cow::Borrowed(_)));
    }
}
