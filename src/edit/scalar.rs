//! What unquoted scalars mean, and how strings are written so that every reader takes them for strings.

use std::fmt::Write as _;

use crate::syntax::{Node, Value};

/// What an unquoted scalar is by YAML 1.2's core schema (of which JSON's literals are a part).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number,
    /// Anything else.
    String,
}

/// The meaning of an unquoted scalar.
pub(super) fn meaning(plain: &str) -> Meaning {
    match plain {
        "" | "~" | "null" | "Null" | "NULL" => Meaning::Null,
        "true" | "True" | "TRUE" => Meaning::Bool(true),
        "false" | "False" | "FALSE" => Meaning::Bool(false),
        _ if is_number(plain) => Meaning::Number,
        _ => Meaning::String,
    }
}

fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let digits = |text: &str, radix| !text.is_empty() && text.chars().all(|c| c.is_digit(radix));
    if let Some(hex) = text.strip_prefix("0x") {
        return digits(hex, 16);
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return digits(octal, 8);
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let exponent_is_good =
        exponent.is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent), 10));
    let mantissa_is_good = match mantissa.split_once('.') {
        None => digits(mantissa, 10),
        Some(("", fraction)) => digits(fraction, 10),
        Some((whole, fraction)) => digits(whole, 10) && (fraction.is_empty() || digits(fraction, 10)),
    };
    exponent_is_good && mantissa_is_good
}

/// The text of a string, aliases followed; `None` for anything else.
pub(crate) fn string_of(node: &Node) -> Option<&str> {
    match &node.followed().value {
        Value::Text(text) => Some(text),
        Value::Plain(text) if meaning(text) == Meaning::String => Some(text),
        Value::Plain(_) | Value::Map(_) | Value::List(_) | Value::Alias(_) => None,
    }
}

/// Whether a scalar without quotes is something else than a string to a reader of YAML 1.1 or 1.2.
///
/// It errs on the safe side: it includes texts that only look like a number, a date or a keyword.
pub(crate) fn is_special(text: &str) -> bool {
    const WORDS: [&str; 14] = ["", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n", "<<", "=", ".nan"];
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
        || unsigned.eq_ignore_ascii_case(".inf")
        || meaning(text) != Meaning::String
        || is_number_of_yaml_1_1(unsigned)
        || is_date(text)
}

/// Underscores between digits, `0b1`, `0x_f`, `0o7`, `1_000.5`, `190:20:30`.
fn is_number_of_yaml_1_1(unsigned: &str) -> bool {
    let plain: String = unsigned.chars().filter(|c| *c != '_').collect();
    let starts_well = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    let radix = |prefix: &str, radix| {
        plain.strip_prefix(prefix).is_some_and(|digits| !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix)))
    };
    let sexagesimal = plain.contains(':')
        && plain.split(':').all(|part| {
            let part = part.split('.').next().unwrap_or(part);
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit())
        });
    starts_well && (is_number(&plain) || radix("0b", 2) || radix("0x", 16) || radix("0o", 8) || sexagesimal)
}

/// `2001-12-14`, with or without a time after it.
fn is_date(text: &str) -> bool {
    let date_end = text.find(['T', 't', ' ', '\t']).unwrap_or(text.len());
    let parts: Vec<&str> = text[..date_end].split('-').collect();
    let digits =
        |part: &str, longest: usize| (1..=longest).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    matches!(parts[..], [year, month, day] if year.len() == 4 && digits(year, 4) && digits(month, 2) && digits(day, 2))
}

/// Whether a string can stand without quotes and be that string to every reader of YAML.
pub(crate) fn is_plain(text: &str, in_flow: bool) -> bool {
    let starts_well = text.starts_with(|c: char| !"-?:,[]{}#&*!|>'\"%@` \t=".contains(c))
        || text.strip_prefix('-').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '-'));
    let goes_on_well = !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with([':', ' '])
        && !text.starts_with("---")
        && !text.starts_with("...")
        && !text.chars().any(is_unprintable)
        && !(in_flow && text.contains([',', '[', ']', '{', '}']));
    starts_well && goes_on_well && !is_special(text)
}

/// What YAML must escape, or what readers treat as a line end: controls, tabs, separators, marks of byte order.
fn is_unprintable(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// A string in double quotes, which both YAML and JSON read.
pub(crate) fn double_quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_unprintable(c) => write!(out, "\\u{:04x}", u32::from(c)).expect("a string can be written to"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A string in single quotes; `None` if it cannot be.
pub(crate) fn single_quoted(text: &str) -> Option<String> {
    (!text.chars().any(is_unprintable)).then(|| format!("'{}'", text.replace('\'', "''")))
}

/// Whether a string of several lines can be written as a literal block without an indentation indicator.
pub(super) fn is_literal(text: &str) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    body.contains('\n')
        && !body.ends_with('\n')
        && !body.starts_with([' ', '\n'])
        && !body.chars().any(|c| c != '\n' && is_unprintable(c))
        && !body.lines().any(|line| !line.is_empty() && line.trim_matches(' ').is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_quoted_where_a_reader_would_take_them_otherwise() {
        for text in [
            "",
            "~",
            "null",
            "Null",
            "true",
            "False",
            "yes",
            "No",
            "ON",
            "off",
            "y",
            "N",
            "010",
            "0",
            "-1",
            "+12",
            "1_000",
            "0x1F",
            "0b101",
            "0o17",
            "1e3",
            "1.5",
            ".5",
            "5.",
            "1E-3",
            ".inf",
            "-.INF",
            ".NaN",
            "12:30",
            "190:20:30",
            "2001-12-14",
            "2001-12-14T21:59:43Z",
            "2001-12-14 21:59:43",
            "<<",
            "=",
            "- a",
            "-",
            "? a",
            ": a",
            "a: b",
            "a:",
            "a #b",
            "#a",
            "&a",
            "*a",
            "!a",
            "|",
            ">",
            "'a",
            "\"a",
            "%a",
            "@a",
            "`a",
            "{a}",
            "[a]",
            ",a",
            " a",
            "a ",
            "a\tb",
            "a\nb",
            "---",
            "--- a",
            "...",
            "a\u{85}b",
            "a\u{2028}b",
            "\u{feff}a",
            "a\u{7}",
            "{{ x }}",
            "-.5",
            "+.1e5",
            "1__0",
        ] {
            assert!(!is_plain(text, false), "{text:?}");
        }
    }

    #[test]
    fn strings_that_all_readers_take_for_strings_have_no_quotes() {
        for text in [
            "sea.hub:5000",
            "a",
            "nginx:1.19",
            "quay.io/tigera/operator:v1.17.4",
            "100.64.0.0/10",
            "all()",
            "1.17.4",
            "--flag=x",
            "-x",
            "a#b",
            "http://x/y?z=1&a",
            "it's",
            "VXLANCrossSubnet",
            "é",
            "v1",
            "10m",
            "1Gi",
            "a b",
            "x{y}",
            "a, b",
            "yess",
            "0xg",
            "1e",
            "2001-12",
            "é ü",
        ] {
            assert!(is_plain(text, false), "{text:?}");
        }
        assert!(!is_plain("a, b", true) && !is_plain("x{y}", true) && is_plain("sea.hub:5000", true));
    }

    #[test]
    fn quotes_hold_everything() {
        let all: String = (0..0x300).chain([0x2028, 0xfeff, 0x1_f600]).filter_map(char::from_u32).collect();
        assert_eq!(serde_json::from_str::<String>(&double_quoted(&all)).unwrap(), all);
        assert_eq!(serde_yaml::from_str::<String>(&double_quoted(&all)).unwrap(), all);
        assert_eq!(single_quoted("it's \"x\\").unwrap(), "'it''s \"x\\'");
        assert_eq!(single_quoted("a\n"), None);
    }

    #[test]
    fn only_the_core_schema_gives_meaning() {
        for (text, expected) in [
            ("", Meaning::Null),
            ("true", Meaning::Bool(true)),
            ("yes", Meaning::String),
            ("010", Meaning::Number),
            ("1_0", Meaning::String),
            ("-0.5e+10", Meaning::Number),
            ("0xAf", Meaning::Number),
            ("-0x1", Meaning::String),
            ("e5", Meaning::String),
            (".", Meaning::String),
            ("1.", Meaning::Number),
        ] {
            assert_eq!(meaning(text), expected, "{text}");
        }
    }
}
