//! The meaning of a scalar without quotes, and whether it is what it looks like.

use serde_json::Number;

/// How readers of YAML 1.1 and 1.2 understand a plain scalar.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar {
    /// It is empty.
    Missing,
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number in the form in which JSON would write it.
    Number(Number),
    /// A text.
    Text,
    /// It is not what it looks like; this is how some reader understands it.
    Deceptive(&'static str),
}

impl Scalar {
    /// Classifies the text of a plain scalar.
    pub(super) fn of(text: &str) -> Self {
        match text {
            "" => return Self::Missing,
            "null" => return Self::Null,
            "true" => return Self::Bool(true),
            "false" => return Self::Bool(false),
            "~" => return Self::Deceptive("null"),
            _ => {}
        }
        let lower = text.to_ascii_lowercase();
        match lower.as_str() {
            "null" => return Self::Deceptive("null"),
            "true" | "false" | "yes" | "no" | "on" | "off" | "y" | "n" => return Self::Deceptive("a boolean"),
            _ => {}
        }
        if !text.starts_with(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '-', '+', '.']) {
            return Self::Text;
        }
        if let Some(number) = canonical_number(text) {
            return Self::Number(number);
        }
        let unsigned = lower.strip_prefix(['-', '+']).unwrap_or(&lower);
        if is_integer(unsigned) || is_float(unsigned) || is_clock(unsigned) {
            Self::Deceptive("a number")
        } else if is_date(text) {
            Self::Deceptive("a date")
        } else {
            Self::Text
        }
    }
}

/// A number in the form that JSON writers give it.
fn canonical_number(text: &str) -> Option<Number> {
    let number: Number = serde_json::from_str(text).ok()?;
    (number.to_string() == text).then_some(number)
}

fn is_integer(text: &str) -> bool {
    let all = |digits: &str, allowed: fn(u8) -> bool| {
        !digits.is_empty() && digits != "_" && digits.bytes().all(|b| b == b'_' || allowed(b))
    };
    let digits = |b: u8| b.is_ascii_digit();
    match text.get(..2) {
        Some("0x") => all(&text[2..], |b| b.is_ascii_hexdigit()),
        Some("0o") => all(&text[2..], |b| matches!(b, b'0'..=b'7')),
        Some("0b") => all(&text[2..], |b| matches!(b, b'0' | b'1')),
        _ => text.starts_with(|c: char| c.is_ascii_digit()) && all(text, digits),
    }
}

fn is_float(text: &str) -> bool {
    if matches!(text, ".inf" | ".nan") {
        return true;
    }
    let (mantissa, exponent) = match text.split_once('e') {
        None => (text, None),
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))),
    };
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    digits(whole)
        && digits(fraction)
        && mantissa.bytes().any(|b| b.is_ascii_digit())
        && !mantissa.starts_with('_')
        && exponent.is_none_or(|e| !e.is_empty() && e.bytes().all(|b| b.is_ascii_digit()))
}

/// Numbers to base 60, as YAML 1.1 reads `12:30:45`.
fn is_clock(text: &str) -> bool {
    let text = text.split_once('.').map_or(text, |(text, _)| text);
    let mut parts = text.split(':');
    let first = parts.next().unwrap_or_default();
    let mut rest = parts.peekable();
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    rest.peek().is_some()
        && digits(first)
        && rest.all(|part| part.len() <= 2 && digits(part) && part.parse::<u8>().is_ok_and(|n| n < 60))
}

/// `2020-01-31`, also with a time after it.
fn is_date(text: &str) -> bool {
    let date = text.split(['T', 't', ' ', '\t']).next().unwrap_or_default();
    let parts: Vec<&str> = date.split('-').collect();
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let [year, month, day] = parts[..] else { return false };
    year.len() == 4 && month.len() <= 2 && day.len() <= 2 && digits(year) && digits(month) && digits(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shows_what_it_means_is_taken() {
        for text in [
            "19.03.15",
            "v1",
            "1.2.3",
            "a",
            "1a",
            "linux/amd64",
            "sea.hub:5000",
            "80:80",
            "-",
            "1.20-rc1",
            "2.7.1",
            "..",
            "+",
            "0x",
            "1-2-3",
            "._",
            "e3",
        ] {
            assert_eq!(Scalar::of(text), Scalar::Text, "{text}");
        }
        for text in ["0", "1", "-1", "5000", "18446744073709551615", "1.5", "-0.25"] {
            assert!(matches!(Scalar::of(text), Scalar::Number(_)), "{text}");
        }
        assert_eq!(Scalar::of("true"), Scalar::Bool(true));
        assert_eq!(Scalar::of("null"), Scalar::Null);
        assert_eq!(Scalar::of(""), Scalar::Missing);
    }

    #[test]
    fn what_some_reader_takes_for_something_else_is_deceptive() {
        for (text, meaning) in [
            ("1.20", "a number"),
            ("010", "a number"),
            ("0x1f", "a number"),
            ("0o17", "a number"),
            ("0b11", "a number"),
            ("1_000", "a number"),
            ("1e3", "a number"),
            ("1.5e+3", "a number"),
            ("+1", "a number"),
            ("-0", "a number"),
            (".5", "a number"),
            ("1.", "a number"),
            (".inf", "a number"),
            ("-.Inf", "a number"),
            (".NaN", "a number"),
            ("12:30:45", "a number"),
            ("1:20", "a number"),
            ("99999999999999999999", "a number"),
            ("2020-01-01", "a date"),
            ("2020-1-1 10:00:00", "a date"),
            ("yes", "a boolean"),
            ("No", "a boolean"),
            ("on", "a boolean"),
            ("y", "a boolean"),
            ("TRUE", "a boolean"),
            ("~", "null"),
            ("Null", "null"),
        ] {
            assert_eq!(Scalar::of(text), Scalar::Deceptive(meaning), "{text}");
        }
    }
}
