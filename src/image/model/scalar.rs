//! In which style go-yaml v2 writes a text.

use super::plain::needs_quotes;

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Single,
    Double,
    /// `|`
    Literal,
}

/// The style of `text`, as a simple key or not.
pub(super) fn style(text: &str, simple_key: bool) -> Style {
    let found = Features::of(text);
    let wanted = if text.contains('\n') {
        Style::Literal
    } else if needs_quotes(text) {
        Style::Double
    } else {
        Style::Plain
    };
    let wanted = if simple_key && found.breaks { Style::Double } else { wanted };
    match wanted {
        Style::Plain if found.plain => Style::Plain,
        Style::Plain | Style::Single if found.single => Style::Single,
        Style::Literal if found.block && !simple_key => Style::Literal,
        Style::Plain | Style::Single | Style::Double | Style::Literal => Style::Double,
    }
}

/// Whether YAML 1.1 takes the character for a line break.
pub(super) fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// What go-yaml writes unescaped; no tab, and nothing beyond U+FFFD.
pub(super) fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}') && c != '\u{feff}'
}

/// Which styles a text could be written in.
#[expect(clippy::struct_excessive_bools, reason = "four answers about one text, no states")]
struct Features {
    breaks: bool,
    plain: bool,
    single: bool,
    block: bool,
}

impl Features {
    fn of(text: &str) -> Self {
        let mut indicators = text.starts_with("---") || text.starts_with("...");
        let (mut breaks, mut special, mut break_space, mut space_break) = (false, false, false, false);
        let (mut after_blank, mut after_space, mut after_break) = (true, false, false);
        let mut rest = text.chars().peekable();
        let mut first = true;
        while let Some(c) = rest.next() {
            let before_blank = rest.peek().is_none_or(|next| matches!(next, ' ' | '\t'));
            indicators |= match c {
                ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => first,
                '?' | '-' => first && before_blank,
                ':' => before_blank,
                '#' => after_blank,
                _ => false,
            };
            special |= !is_printable(c);
            break_space |= c == ' ' && after_break;
            space_break |= is_break(c) && after_space;
            breaks |= is_break(c);
            after_space = c == ' ';
            after_break = is_break(c);
            after_blank = matches!(c, ' ' | '\t' | '\0') || is_break(c);
            first = false;
        }
        let edge = |c: char| c == ' ' || is_break(c);
        let edges = text.starts_with(edge) || text.ends_with(edge);
        let hard = space_break || special;
        Self {
            breaks,
            plain: !(edges || break_space || hard || breaks || indicators),
            single: !(break_space || hard),
            block: !(text.is_empty() || text.ends_with(' ') || hard),
        }
    }
}
