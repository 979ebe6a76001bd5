//! Replacing text in files that are neither JSON nor YAML.

use regex::bytes::{NoExpand, Regex, RegexBuilder, Replacer};

use crate::types::{FailureKind, Reportable};

/// What is looked for in a file: a text or a regular expression.
///
/// Files are bytes and need not be UTF-8. In an expression `^` and `$` match at every line, whose end is `\n` or
/// `\r\n`, and `.` does not match these.
#[derive(Debug, Clone)]
pub(crate) struct TextPattern {
    regex: Regex,
    is_literal: bool,
}

/// Why a text could not be replaced.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TextError {
    /// It is not a regular expression.
    #[error("`{pattern}` is not a valid regular expression: {reason}")]
    Regex {
        /// The text.
        pattern: String,
        /// The error of the regular expression.
        reason: String,
    },
    /// The result would be too long.
    #[error("the file would become longer than {0} bytes")]
    TooLong(usize),
}

impl Reportable for TextError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Regex { .. } => FailureKind::Invalid,
            Self::TooLong(_) => FailureKind::Failed,
        }
    }
}

/// A group that a replacement names and the expression does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`find` has no group `{group}`")]
pub(crate) struct UnknownGroup {
    /// Its name.
    pub group: String,
}

impl UnknownGroup {
    /// How to write the replacement so that it works.
    #[must_use]
    pub(crate) fn help(&self) -> String {
        let rest = self.group.trim_start_matches(|c: char| c.is_ascii_digit());
        let number = &self.group[..self.group.len() - rest.len()];
        if number.is_empty() || rest.is_empty() {
            "for a dollar sign, write `$$`".to_owned()
        } else {
            format!("a group's name includes all following letters, digits and `_`: write `${{{number}}}{rest}`")
        }
    }
}

impl TextPattern {
    /// Looks for exactly this text.
    pub(crate) fn literal(text: &str) -> Result<Self, TextError> {
        Ok(Self { regex: compile(&regex::escape(text), text)?, is_literal: true })
    }

    /// Looks for what a regular expression matches.
    pub(crate) fn regex(expression: &str) -> Result<Self, TextError> {
        Ok(Self { regex: compile(expression, expression)?, is_literal: false })
    }

    /// The first group that `replacement` names and there is not: it would silently become nothing.
    #[must_use]
    pub(crate) fn unknown_group(&self, replacement: &str) -> Option<UnknownGroup> {
        if self.is_literal {
            return None;
        }
        let is_there = |group: &str| match group.parse::<usize>() {
            Ok(number) => number < self.regex.captures_len(),
            Err(_) => self.regex.capture_names().any(|name| name == Some(group)),
        };
        let unknown = groups_in(replacement).into_iter().find(|group| !is_there(group))?;
        Some(UnknownGroup { group: unknown.to_owned() })
    }

    /// The text with all that fits replaced, and how often that was. For an expression `$1` and `${name}` in
    /// `replacement` are what its groups matched.
    pub(crate) fn replace_all(
        &self,
        text: &[u8],
        replacement: &str,
        most: usize,
    ) -> Result<(Vec<u8>, usize), TextError> {
        let (mut new, mut done, mut count) = (Vec::with_capacity(text.len()), 0, 0);
        for captures in self.regex.captures_iter(text) {
            let Some(whole) = captures.get(0) else { continue };
            new.extend_from_slice(&text[done..whole.start()]);
            if self.is_literal {
                NoExpand(replacement.as_bytes()).replace_append(&captures, &mut new);
            } else {
                captures.expand(replacement.as_bytes(), &mut new);
            }
            if new.len() > most {
                return Err(TextError::TooLong(most));
            }
            done = whole.end();
            count += 1;
        }
        new.extend_from_slice(&text[done..]);
        if new.len() > most { Err(TextError::TooLong(most)) } else { Ok((new, count)) }
    }
}

fn compile(expression: &str, written: &str) -> Result<Regex, TextError> {
    RegexBuilder::new(expression).multi_line(true).crlf(true).build().map_err(|error| {
        // The last line says what is wrong, those before draw where.
        let text = error.to_string();
        let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ").trim_end_matches('.');
        let ours = REASONS.iter().find(|(theirs, _)| reason.starts_with(theirs)).map(|(_, ours)| *ours);
        TextError::Regex { pattern: written.to_owned(), reason: ours.unwrap_or(reason).to_owned() }
    })
}

/// Starts of error messages of the crate `regex`, with our own wording.
const REASONS: [(&str, &str); 14] = [
    ("unclosed group", "a `(` is not closed"),
    ("unopened group", "a `)` closes nothing"),
    ("unclosed character class", "a `[` is not closed"),
    ("invalid character class range", "in a range of characters, the first one comes after the last one"),
    ("repetition operator missing expression", "there is nothing to repeat before a `*`, `+`, `?` or `{`"),
    ("invalid repetition count range", "in `{from,to}`, the first number is larger than the second"),
    ("unclosed counted repetition", "a `{` is not closed"),
    ("repetition quantifier expects", "a `{` is not followed by a number; for the character itself, write `\\{`"),
    ("look-around", "look-arounds are not supported (`(?=…)`, `(?<=…)`)"),
    ("backreferences", "backreferences are not supported (`\\1`)"),
    ("unrecognized escape sequence", "a `\\` is followed by a letter that has no meaning there"),
    ("incomplete escape sequence", "a `\\` is at the end"),
    ("duplicate capture group name", "two groups have the same name"),
    ("Compiled regex exceeds size limit", "it is too large"),
];

/// The groups that a replacement names, as the crate `regex` reads it: `$name`, `${name}`; `$$` is not a group.
fn groups_in(replacement: &str) -> Vec<&str> {
    let mut groups = Vec::new();
    let mut rest = replacement;
    while let Some(dollar) = rest.find('$') {
        rest = &rest[dollar + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            rest = after;
        } else if let Some(inner) = rest.strip_prefix('{') {
            let Some(end) = inner.find('}') else { continue };
            groups.push(&inner[..end]);
            rest = &inner[end + 1..];
        } else {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            groups.extend((end > 0).then_some(&rest[..end]));
            rest = &rest[end..];
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(pattern: &TextPattern, text: &[u8], replacement: &str) -> (String, usize) {
        let (new, count) = pattern.replace_all(text, replacement, 1 << 10).unwrap();
        (new.escape_ascii().to_string(), count)
    }

    #[test]
    fn texts_are_taken_literally() {
        for (find, replace, text, new, count) in [
            ("a.b", "$1", &b"a.b axb a.b"[..], "$1 axb $1", 2),
            ("x", "", b"axbx", "ab", 2),
            ("\u{e9}", "e", b"caf\xc3\xa9 \xff", "cafe \\xff", 1),
            ("a\nb", "c", b"a\nb", "c", 1),
            ("aa", "a", b"aaaa", "aa", 2),
            ("no", "x", b"\0\xff", "\\x00\\xff", 0),
        ] {
            assert_eq!(
                replaced(&TextPattern::literal(find).unwrap(), text, replace),
                (new.to_owned(), count),
                "{find}"
            );
        }
    }

    #[test]
    fn expressions_know_lines_and_groups() {
        for (find, replace, text, new, count) in [
            ("^key=.*$", "key=1", &b"a\r\nkey=old\r\nkey=x\n"[..], "a\\r\\nkey=1\\r\\nkey=1\\n", 2),
            (r"(\w+)=(?<value>\w+)", "${value}=$1, $$", b"a=b", "b=a, $", 1),
            ("(?s)begin.*end", "", b"x begin\n\xe4 end y", "x begin\\n\\xe4 end y", 0),
            ("(?s-u)begin.*end", "", b"x begin\n\xe4 end y", "x  y", 1),
            ("^", "# ", b"a\nb", "# a\\n# b", 2),
            ("caf\u{e9}", "x", b"caf\xc3\xa9 caf\xe9", "x caf\\xe9", 1),
        ] {
            assert_eq!(replaced(&TextPattern::regex(find).unwrap(), text, replace), (new.to_owned(), count), "{find}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (expression, message) in [
            ("(", "`(` is not a valid regular expression: a `(` is not closed"),
            ("(?=x)", "`(?=x)` is not a valid regular expression: look-arounds are not supported (`(?=…)`, `(?<=…)`)"),
            ("a{1000}{1000}", "`a{1000}{1000}` is not a valid regular expression: it is too large"),
        ] {
            assert_eq!(TextPattern::regex(expression).unwrap_err().to_string(), message);
        }
        let pattern = TextPattern::regex("(a)(?<b>c)").unwrap();
        for (replacement, unknown) in
            [("$0$1$2${b}$$9", None), ("$3", Some("3")), ("$1x", Some("1x")), ("${c}", Some("c"))]
        {
            let found = pattern.unknown_group(replacement).map(|unknown| unknown.group);
            assert_eq!(found.as_deref(), unknown, "{replacement}");
        }
        assert_eq!(TextPattern::literal("a").unwrap().unknown_group("$3"), None);
        let help = |group: &str| UnknownGroup { group: group.to_owned() }.help();
        assert_eq!(help("1x"), "a group's name includes all following letters, digits and `_`: write `${1}x`");
        assert_eq!(help("HOME"), "for a dollar sign, write `$$`");
    }

    #[test]
    fn results_have_a_limit() {
        let pattern = TextPattern::literal("a").unwrap();
        assert_eq!(pattern.replace_all(b"aaaa", "bbbb", 16), Ok((b"b".repeat(16), 4)));
        assert_eq!(pattern.replace_all(b"aaaa", "bbbb", 15), Err(TextError::TooLong(15)));
        assert_eq!(pattern.replace_all(b"cccc", "", 3), Err(TextError::TooLong(3)));
    }

    #[test]
    fn groups_are_those_that_the_crate_sees() {
        for (replacement, groups) in [
            ("no", vec![]),
            ("$1 ${a_b} $$x $$$2", vec!["1", "a_b", "2"]),
            ("$1x", vec!["1x"]),
            ("cost: $ 5, 5$", vec![]),
            ("${open", vec![]),
            ("${}", vec![""]),
        ] {
            assert_eq!(groups_in(replacement), groups, "{replacement}");
        }
    }
}
