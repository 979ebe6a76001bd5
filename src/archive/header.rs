//! One 512-byte header of a tar, read strictly.
//!
//! Formats: POSIX.1-2008 `pax` ("ustar Interchange Format"), GNU tar's manual ("Basic Tar Format"). Parsed here and
//! not by `tar`, which takes sizes and names that two readers would understand in two ways.

/// Bytes of a header and of the unit in which content is padded.
pub(super) const BLOCK: usize = 512;

/// A header's fields as they stand, checked each for itself.
pub(super) struct Header {
    /// What the entry is; NUL is an old file.
    pub(super) kind: u8,
    /// Name, with the prefix where the format has one.
    pub(super) name: Vec<u8>,
    /// Target of a link.
    pub(super) link: Vec<u8>,
    /// Permission bits and the three above.
    pub(super) mode: u32,
    /// Bytes of content, none where the field is no size.
    pub(super) size: Option<u64>,
}

/// Where the format puts a name's prefix.
enum Format {
    /// No magic: no prefix.
    V7,
    /// POSIX: 155 bytes.
    Ustar,
    /// Schilling's star: 131 bytes, then times.
    Star,
    /// GNU before POSIX: other things stand there.
    Gnu,
}

impl Header {
    /// Reads a block that is not all zero; the error says what is wrong with it.
    pub(super) fn parse(block: &[u8; BLOCK]) -> Result<Self, &'static str> {
        let sum = number(&block[148..156]).ok_or("no checksum")?;
        let spaces = 8 * i64::from(b' ');
        let found = block.iter().map(|byte| i64::from(*byte)).sum::<i64>()
            - block[148..156].iter().map(|byte| i64::from(*byte)).sum::<i64>()
            + spaces;
        if sum != found {
            return Err("a wrong checksum");
        }
        let format = match (&block[257..265], &block[508..512]) {
            (b"ustar\x0000", b"tar\0") => Format::Star,
            (b"ustar\x0000", _) => Format::Ustar,
            (b"ustar  \0", _) => Format::Gnu,
            (magic, _) if magic.iter().all(|byte| *byte == 0) => Format::V7,
            _ => return Err("an unknown magic"),
        };
        let mode = number(&block[100..108]).and_then(|mode| u32::try_from(mode).ok()).ok_or("a malformed mode")?;
        // Owners and times are replaced, but a field that is no number means that this is no header.
        for field in [&block[108..116], &block[116..124], &block[136..148]] {
            number(field).ok_or("a malformed owner or time")?;
        }
        let prefix = match format {
            Format::V7 | Format::Gnu => Vec::new(),
            Format::Ustar => text(&block[345..500])?,
            Format::Star => text(&block[345..476])?,
        };
        let mut name = text(&block[..100])?;
        if !prefix.is_empty() {
            name = [prefix, b"/".to_vec(), name].concat();
        }
        let size = number(&block[124..136]).and_then(|size| u64::try_from(size).ok());
        // The upper bits of the mode repeat the kind of file in archives of old writers.
        Ok(Self { kind: block[156], name, link: text(&block[157..257])?, mode: mode & 0o7777, size })
    }
}

/// Up to the first NUL, after which nothing else may stand.
fn text(field: &[u8]) -> Result<Vec<u8>, &'static str> {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    if field[end..].iter().any(|byte| *byte != 0) {
        return Err("a NUL within a name");
    }
    Ok(field[..end].to_vec())
}

/// Octal digits between blanks and NULs, or GNU's base 256; an empty field is 0.
fn number(field: &[u8]) -> Option<i64> {
    match field[0] {
        0x80 | 0xff => {
            let negative = field[0] == 0xff;
            let (high, low) = field.split_at(field.len().saturating_sub(8).max(1));
            if high[1..].iter().any(|byte| *byte != if negative { 0xff } else { 0 }) {
                return None;
            }
            let mut value = if negative { -1i64 } else { 0 };
            for byte in low {
                value = value << 8 | i64::from(*byte);
            }
            ((value < 0) == negative).then_some(value)
        }
        _ => {
            let blank = |byte: &u8| *byte == b' ' || *byte == 0;
            let digits: &[u8] = field.trim_ascii_start();
            let end = digits.iter().position(blank).unwrap_or(digits.len());
            if !digits[end..].iter().all(blank) {
                return None;
            }
            digits[..end].iter().try_fold(0i64, |value, digit| {
                matches!(digit, b'0'..=b'7').then(|| value << 3 | i64::from(digit - b'0'))
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_are_octal_or_base_256() {
        for (field, value) in [
            (&b"0000644\0"[..], Some(0o644)),
            (b"   644 \0", Some(0o644)),
            (b"\0\0\0\0\0\0\0\0", Some(0)),
            (b"77777777", Some(0o77_777_777)),
            (b"0000648\0", None),
            (b"-000644\0", None),
            (b"0644 755", None),
            (b"0x000644", None),
            (b"\x80\0\0\0\0\0\0\0\0\0\x01\0", Some(256)),
            (b"\x80\0\0\x01\0\0\0\0\0\0\0\0", None),
            (b"\x80\0\0\0\x80\0\0\0\0\0\0\0", None),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", Some(-1)),
            (b"\x80\0\0\0\0\0\x02\0", Some(512)),
            (b"\x81\0\0\0\0\0\0\0", None),
        ] {
            assert_eq!(number(field), value, "{field:?}");
        }
    }
}
