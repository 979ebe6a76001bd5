//! Whether sealer's YAML 1.1 reader takes an unquoted text as a string, and not as a number, a time or a boolean.

/// Whether `text` without quotes would be read as something other than this string.
///
/// The rules are those of go-yaml v2, which differ from YAML 1.1's in places: `<<` is a string, and base 60 is a number
/// when reading, but not when writing.
pub(super) fn needs_quotes(text: &str) -> bool {
    is_word(text) || is_number(text) || is_time(text) || is_base_60(text)
}

fn is_word(text: &str) -> bool {
    let forms = |word: &str| {
        let mut capital = word.to_owned();
        capital[..1].make_ascii_uppercase();
        text == word || text == capital || text == word.to_ascii_uppercase()
    };
    let number = text.strip_prefix(['+', '-']).unwrap_or(text);
    matches!(text, "" | "~" | ".nan" | ".NaN" | ".NAN")
        || matches!(number, ".inf" | ".Inf" | ".INF")
        || ["y", "yes", "true", "on", "n", "no", "false", "off", "null"].into_iter().any(forms)
}

fn is_number(text: &str) -> bool {
    if text.starts_with('.') {
        // Go's float takes an underscore between two digits.
        let bytes = text.as_bytes();
        let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
        let between = |at: usize| digit(at.checked_sub(1)) && digit(Some(at + 1));
        return text.match_indices('_').all(|(at, _)| between(at)) && is_float(&text.replace('_', ""));
    }
    if !text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '-')) {
        return false;
    }
    let text = text.replace('_', "");
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(&text)),
    };
    let signed = digits.len() < text.len();
    let (radix, digits) = match digits.get(..2).map(str::to_ascii_lowercase).as_deref() {
        Some("0x") => (16, &digits[2..]),
        Some("0b") => (2, &digits[2..]),
        Some("0o") => (8, &digits[2..]),
        _ if digits.len() > 1 && digits.starts_with('0') => (8, &digits[1..]),
        _ => (10, digits),
    };
    let number = if digits.starts_with(['+', '-']) { None } else { u64::from_str_radix(digits, radix).ok() };
    let fits = match (number, negative, signed) {
        (Some(number), true, _) => number <= 1 << 63,
        (Some(number), false, true) => i64::try_from(number).is_ok(),
        (Some(_), false, false) => true,
        (None, ..) => false,
    };
    // `0b-1` is a number to Go, for it reads what follows `0b` as a signed one.
    let odd_binary = || {
        let digits = text.strip_prefix("0b").or_else(|| text.strip_prefix("-0b").filter(|rest| !rest.starts_with('-')));
        digits.is_some_and(|digits| i64::from_str_radix(digits, 2).is_ok() && !digits.is_empty())
    };
    fits || is_float(&text) || odd_binary()
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?` and not too large for a float.
fn is_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let good_mantissa = match mantissa.split_once('.') {
        Some(("", fraction)) => !fraction.is_empty() && digits(fraction),
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => !mantissa.is_empty() && digits(mantissa),
    };
    let good_exponent = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    good_mantissa && good_exponent && unsigned.parse::<f64>().is_ok_and(f64::is_finite)
}

/// `[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?`
fn is_base_60(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (text, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits_or_bars = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let mut parts = text.split(':');
    let first = parts.next().unwrap_or_default();
    let mut minutes = parts.peekable();
    first.starts_with(|digit: char| digit.is_ascii_digit())
        && digits_or_bars(first)
        && digits_or_bars(fraction)
        && minutes.peek().is_some()
        && minutes.all(|part| match part.as_bytes() {
            [digit] => digit.is_ascii_digit(),
            [tens, digit] => matches!(tens, b'0'..=b'5') && digit.is_ascii_digit(),
            _ => false,
        })
}

/// `2006-1-2`, `2006-1-2 15:4:5.9`, `2006-1-2T15:4:5.9Z` or with an offset, as Go's time reads it.
fn is_time(text: &str) -> bool {
    let mut rest = Scan(text.as_bytes());
    let Some(year) = rest.digits(4, 4) else { return false };
    let Some(day_is_good) = date(&mut rest, year) else { return false };
    if rest.0.is_empty() {
        return day_is_good;
    }
    let zoned = match rest.0[0] {
        b'T' | b't' => true,
        b' ' => false,
        _ => return false,
    };
    rest.0 = &rest.0[1..];
    clock(&mut rest).is_some() && (!zoned || zone(&mut rest).is_some()) && rest.0.is_empty() && day_is_good
}

struct Scan<'a>(&'a [u8]);

impl Scan<'_> {
    fn take(&mut self, byte: u8) -> Option<()> {
        self.0 = self.0.strip_prefix(&[byte])?;
        Some(())
    }

    fn digits(&mut self, least: usize, most: usize) -> Option<u32> {
        let count = self.0.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
        if count < least {
            return None;
        }
        let (digits, rest) = self.0.split_at(count);
        self.0 = rest;
        Some(digits.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0')))
    }
}

/// Whether the day is one of its month; `None` if it is not a date.
fn date(rest: &mut Scan<'_>, year: u32) -> Option<bool> {
    rest.take(b'-')?;
    let month = rest.digits(1, 2).filter(|month| (1..=12).contains(month))?;
    rest.take(b'-')?;
    let day = rest.digits(1, 2)?;
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    Some((1..=days).contains(&day))
}

fn clock(rest: &mut Scan<'_>) -> Option<()> {
    rest.digits(1, 2).filter(|hour| *hour < 24)?;
    rest.take(b':')?;
    rest.digits(1, 2).filter(|minute| *minute < 60)?;
    rest.take(b':')?;
    rest.digits(1, 2).filter(|second| *second < 60)?;
    if matches!(rest.0, [b'.' | b',', digit, ..] if digit.is_ascii_digit()) {
        let fraction = rest.0[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        rest.0 = &rest.0[1 + fraction..];
    }
    Some(())
}

fn zone(rest: &mut Scan<'_>) -> Option<()> {
    if rest.take(b'Z').is_some() {
        return Some(());
    }
    rest.0 = rest.0.strip_prefix(b"+").or_else(|| rest.0.strip_prefix(b"-"))?;
    rest.digits(2, 2)?;
    rest.take(b':')?;
    rest.digits(2, 2)?;
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_is_quoted() {
        for text in [
            "",
            "~",
            "y",
            "Yes",
            "ON",
            "off",
            "null",
            "NULL",
            "True",
            "n",
            ".inf",
            "-.INF",
            "+.Inf",
            ".NaN",
            "1",
            "-1",
            "+1",
            "0",
            "0x1F",
            "0b101",
            "0o17",
            "017",
            "1_000",
            "18446744073709551615",
            "1.5",
            ".5",
            "1e3",
            "-1.",
            "1.e5",
            "0b-1",
            ".1_0",
            "2020-01-02",
            "2020-1-2",
            "2020-01-02T03:04:05Z",
            "2020-1-2 3:4:5.6",
            "2020-01-02t03:04:05,5+01:00",
            "12:30",
            "1:2:3",
            "-1_0:59.5_",
            "9223372036854775808",
        ] {
            assert!(needs_quotes(text), "{text}");
        }
    }

    #[test]
    fn texts_are_not_quoted() {
        for text in [
            "yEs",
            "Nan",
            ".nAn",
            "inf",
            "-",
            "+",
            ".",
            "1a",
            "0x",
            "0b2",
            "08x",
            "1.2.3",
            "v1.19.8",
            "<<",
            "1e400",
            "--1",
            "20-01-02",
            "2020-13-02",
            "2020-02-30",
            "2020-01-02T03:04:05",
            "2020-01-02T25:04:05Z",
            "12:60",
            "12:",
            ":12",
            "12:345",
            "-0x8000000000000001",
            "._5",
            ".5_",
            ".1__0",
            "kubectl apply",
            "2020-01-02 x",
            "=",
            "e5",
            "1e",
        ] {
            assert!(!needs_quotes(text), "{text}");
        }
    }
}
