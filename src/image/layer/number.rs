//! Numbers as tar headers and PAX records hold them; what is no clean number is none.

use crate::disk::FileTime;

/// Octal digits between blanks and NULs, or GNU's base 256 where the first bit is set. Not negative.
pub(super) fn header_number(field: &[u8]) -> Option<u64> {
    match field {
        [0x80, rest @ ..] => base_256(rest),
        [first, ..] if first & 0x80 != 0 => None,
        _ => octal(field),
    }
}

/// As [`header_number`], but base 256 may be negative: times before 1970.
pub(super) fn header_time(field: &[u8]) -> Option<i64> {
    if let [0xff, rest @ ..] = field {
        let inverted: Vec<u8> = rest.iter().map(|byte| !byte).collect();
        let below = i64::try_from(base_256(&inverted)?).ok()?;
        return (-1_i64).checked_sub(below);
    }
    i64::try_from(header_number(field)?).ok()
}

fn base_256(bytes: &[u8]) -> Option<u64> {
    let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    let bytes = &bytes[start..];
    (bytes.len() <= 8).then(|| bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

fn octal(field: &[u8]) -> Option<u64> {
    let start = field.iter().position(|byte| *byte != b' ').unwrap_or(field.len());
    let field = &field[start..];
    let end = field.iter().position(|byte| matches!(byte, b' ' | 0)).unwrap_or(field.len());
    let (digits, rest) = field.split_at(end);
    if !rest.iter().all(|byte| matches!(byte, b' ' | 0)) {
        return None;
    }
    digits.iter().try_fold(0_u64, |sum, digit| match digit {
        b'0'..=b'7' => sum.checked_mul(8)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    })
}

/// Decimal digits alone.
pub(super) fn decimal(text: &[u8]) -> Option<u64> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    if digits { str::from_utf8(text).ok()?.parse().ok() } else { None }
}

/// PAX time: seconds, a minus before them, a fraction after them.
pub(super) fn pax_time(text: &[u8]) -> Option<FileTime> {
    let (negative, text) = text.strip_prefix(b"-").map_or((false, text), |rest| (true, rest));
    let mut halves = text.splitn(2, |byte| *byte == b'.');
    let seconds = i64::try_from(decimal(halves.next()?)?).ok()?;
    let fraction = halves.next().unwrap_or(b"");
    if !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digits = fraction.iter().copied().chain(std::iter::repeat(b'0')).take(9);
    let nanos = digits.fold(0, |sum: u32, digit| sum * 10 + u32::from(digit - b'0'));
    Some(match (negative, nanos) {
        (false, nanos) => FileTime { seconds, nanos },
        (true, 0) => FileTime { seconds: -seconds, nanos },
        (true, nanos) => FileTime { seconds: -seconds - 1, nanos: 1_000_000_000 - nanos },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_numbers() {
        for (field, number) in [
            (&b"0000644\0"[..], Some(0o644)),
            (b"   644 \0", Some(0o644)),
            (b"\0\0\0\0\0\0\0\0", Some(0)),
            (b"77777777777\0", Some(0o77_777_777_777)),
            (b"\x80\0\0\0\0\0\0\0\0\0\x01\x02", Some(0x102)),
            (b"\x80\xff\0\0\0\0\0\0\0\0\x01\x02", None),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff", None),
            (b"-000001\0", None),
            (b"0000 01\0", None),
            (b"0000008\0", None),
        ] {
            assert_eq!(header_number(field), number, "{}", field.escape_ascii());
        }
        assert_eq!(header_time(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe"), Some(-2));
    }

    #[test]
    fn pax_times() {
        let time = |seconds, nanos| Some(FileTime { seconds, nanos });
        for (text, expected) in [
            ("12", time(12, 0)),
            ("12.5", time(12, 500_000_000)),
            ("-1.25", time(-2, 750_000_000)),
            ("-86400", time(-86400, 0)),
            ("1.1234567891", time(1, 123_456_789)),
            ("", None),
            ("1.x", None),
            ("--1", None),
            ("+1", None),
        ] {
            assert_eq!(pax_time(text.as_bytes()), expected, "{text}");
        }
    }
}
