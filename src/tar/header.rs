//! One 512-byte header of a tar, read strictly.
//!
//! Formats: POSIX.1-2008 `pax` ("ustar Interchange Format"), GNU tar's manual ("Basic Tar Format"). The `tar` crate
//! gives the positions of the fields; their contents are parsed here, because the crate accepts numbers and names that
//! two readers could read differently.

/// A header's raw fields, each checked on its own.
pub(super) struct RawHeader {
    /// What the entry is; NUL is an old file.
    pub(super) kind: u8,
    /// Name, with the prefix if the format has one.
    pub(super) name: Vec<u8>,
    /// Target of a link.
    pub(super) link: Vec<u8>,
    /// Permission bits and the three above.
    pub(super) mode: u32,
    pub(super) uid: i64,
    pub(super) gid: i64,
    /// Seconds since 1970.
    pub(super) mtime: i64,
    /// Bytes of content, or `None` if the field is not a size.
    pub(super) size: Option<u64>,
    /// Whether its device numbers are 0:0.
    pub(super) is_device_zero: bool,
}

impl RawHeader {
    /// Reads a block that is not all zero; the error says what is wrong with it.
    pub(super) fn parse(block: &::tar::Header) -> Result<Self, &'static str> {
        let (bytes, old) = (block.as_bytes(), block.as_old());
        let sum = |bytes: &[u8]| bytes.iter().map(|byte| i64::from(*byte)).sum::<i64>();
        let expected = sum(bytes) - sum(&old.cksum) + 8 * i64::from(b' ');
        if number(&old.cksum).ok_or("no checksum")? != expected {
            return Err("a wrong checksum");
        }
        let prefix = match (block.as_ustar(), block.as_gnu()) {
            // Schilling's star has times in the place of the end of POSIX's prefix.
            (Some(ustar), _) if bytes.ends_with(b"tar\0") => text(&ustar.prefix[..131])?,
            (Some(ustar), _) => text(&ustar.prefix)?,
            (None, Some(_)) => Vec::new(),
            (None, None) if bytes[257..265] == [0; 8] => Vec::new(),
            (None, None) => return Err("an unknown magic"),
        };
        let mode = number(&old.mode).filter(|mode| *mode >= 0).ok_or("a malformed mode")?;
        let other = |field: &[u8]| number(field).ok_or("a malformed owner or time");
        let name = text(&old.name)?;
        Ok(Self {
            kind: old.linkflag[0],
            name: if prefix.is_empty() { name } else { [prefix, b"/".to_vec(), name].concat() },
            link: text(&old.linkname)?,
            // In archives of old writers, the upper bits of the mode repeat the kind of file.
            mode: u32::try_from(mode & 0o7777).expect("12 bits"),
            uid: other(&old.uid)?,
            gid: other(&old.gid)?,
            mtime: other(&old.mtime)?,
            size: number(&old.size).and_then(|size| u64::try_from(size).ok()),
            is_device_zero: number(&bytes[329..337]) == Some(0) && number(&bytes[337..345]) == Some(0),
        })
    }
}

/// Up to the first NUL, which nothing else may follow.
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
