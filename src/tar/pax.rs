//! Records of PAX headers, read strictly: a record that another reader could read differently is refused.

use std::collections::HashSet;

use super::error::Refusal;
use super::error::shown;
use crate::disk::FileTime;

/// Names and values.
pub(super) type Attributes = Vec<(Vec<u8>, Vec<u8>)>;

/// What a PAX header says about the next entry.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Pax {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) uid: Option<i64>,
    pub(super) gid: Option<i64>,
    pub(super) mtime: Option<FileTime>,
    /// Extended attributes and other records that an entry has no field for.
    pub(super) attributes: Attributes,
}

impl Pax {
    /// Reads `<length> <key>=<value>\n`, again and again. Format: POSIX.1-2008 `pax`, "pax Extended Header".
    pub(super) fn parse(mut data: &[u8]) -> Result<Self, Refusal> {
        let mut pax = Self::default();
        let mut seen = HashSet::new();
        while !data.is_empty() {
            let (key, value, rest) = record(data)?;
            if !seen.insert(key) {
                return Err(Refusal::Pax("a key is there twice"));
            }
            pax.take(key, value)?;
            data = rest;
        }
        Ok(pax)
    }

    fn take(&mut self, key: &[u8], value: &[u8]) -> Result<(), Refusal> {
        let name = || {
            let good = !value.is_empty() && !value.contains(&0);
            good.then(|| value.to_vec()).ok_or(Refusal::Pax("a name is empty or contains a NUL"))
        };
        let bad = || Refusal::PaxValue { key: shown(key), value: shown(value) };
        let owner = || decimal(value).and_then(|number| i64::try_from(number).ok()).ok_or_else(bad);
        match key {
            b"path" => self.path = Some(name()?),
            b"linkpath" => self.link = Some(name()?),
            b"size" => self.size = Some(decimal(value).ok_or(Refusal::Size)?),
            b"uid" => self.uid = Some(owner()?),
            b"gid" => self.gid = Some(owner()?),
            b"mtime" => self.mtime = Some(time(value).ok_or_else(bad)?),
            // Both mean the raw bytes; with any other character set, two readers would see two names.
            b"hdrcharset" if !matches!(value, b"BINARY" | b"ISO-IR 10646 2000 UTF-8") => return Err(bad()),
            // Other times, owners' names in addition to their numbers, comments, and where the file was.
            b"atime"
            | b"ctime"
            | b"uname"
            | b"gname"
            | b"comment"
            | b"hdrcharset"
            | b"LIBARCHIVE.creationtime"
            | b"SCHILY.dev"
            | b"SCHILY.ino"
            | b"SCHILY.nlink" => {}
            _ if key.starts_with(b"GNU.sparse.") || key.starts_with(b"SCHILY.realsize") => return Err(Refusal::Sparse),
            _ => self.attributes.push((key.to_vec(), value.to_vec())),
        }
        Ok(())
    }
}

/// Key and value of the first record, and what follows it.
type Record<'a> = (&'a [u8], &'a [u8], &'a [u8]);

fn record(data: &[u8]) -> Result<Record<'_>, Refusal> {
    let space = data.iter().take(20).position(|byte| *byte == b' ').ok_or(Refusal::Pax("a record has no length"))?;
    let length = decimal(&data[..space]).and_then(|length| usize::try_from(length).ok());
    let length = length.ok_or(Refusal::Pax("a length is not a number"))?;
    if length <= space + 1 || length > data.len() || data[length - 1] != b'\n' {
        return Err(Refusal::Pax("a record does not end where its length says"));
    }
    let (record, rest) = data.split_at(length);
    let record = &record[space + 1..length - 1];
    let equals = record.iter().position(|byte| *byte == b'=').ok_or(Refusal::Pax("a record has no `=`"))?;
    if equals == 0 {
        return Err(Refusal::Pax("a key is empty"));
    }
    Ok((&record[..equals], &record[equals + 1..], rest))
}

/// Only decimal digits.
fn decimal(text: &[u8]) -> Option<u64> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    if digits { str::from_utf8(text).ok()?.parse().ok() } else { None }
}

/// Seconds, a minus before them, a fraction after them.
fn time(text: &[u8]) -> Option<FileTime> {
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
    fn known_records_are_read() {
        let pax =
            Pax::parse(b"12 path=a/b\n14 linkpath=c\n11 size=42\n19 mtime=1600000.5\n29 SCHILY.xattr.user.a=x=y\0z\n");
        let attributes = vec![(b"SCHILY.xattr.user.a".to_vec(), b"x=y\0z".to_vec())];
        let mtime = Some(FileTime { seconds: 1_600_000, nanos: 500_000_000 });
        let (path, link, size) = (Some(b"a/b".into()), Some(b"c".into()), Some(42));
        assert_eq!(pax, Ok(Pax { path, link, size, mtime, attributes, ..Pax::default() }));
    }

    #[test]
    fn what_changes_nothing_that_an_entry_holds_is_passed_over() {
        for record in [
            &b"11 atime=1\n"[..],
            b"11 ctime=1\n",
            b"14 uname=root\n",
            b"14 gname=root\n",
            b"13 comment=x\n",
            b"29 LIBARCHIVE.creationtime=1\n",
            b"16 SCHILY.dev=1\n",
            b"16 SCHILY.ino=1\n",
            b"21 hdrcharset=BINARY\n",
            b"38 hdrcharset=ISO-IR 10646 2000 UTF-8\n",
        ] {
            assert_eq!(Pax::parse(record), Ok(Pax::default()), "{}", record.escape_ascii());
        }
    }

    #[test]
    fn others_are_refused_with_the_reason() {
        for (data, why) in [
            (&b"path=a\n"[..], "its PAX header is malformed: a record has no length"),
            (b"\0\0\0\0", "its PAX header is malformed: a record has no length"),
            (b"x path=a\n", "its PAX header is malformed: a length is not a number"),
            (b"-1 path=a\n", "its PAX header is malformed: a length is not a number"),
            (b"99999999999999999999 path=a\n", "its PAX header is malformed: a record has no length"),
            (b"99 path=a\n", "its PAX header is malformed: a record does not end where its length says"),
            (b"8 path=a\n", "its PAX header is malformed: a record does not end where its length says"),
            (b"12 path=a/b", "its PAX header is malformed: a record does not end where its length says"),
            (b"0 ", "its PAX header is malformed: a record does not end where its length says"),
            (b"8 patha\n", "its PAX header is malformed: a record has no `=`"),
            (b"5 =a\n", "its PAX header is malformed: a key is empty"),
            (b"8 path=\n", "its PAX header is malformed: a name is empty or contains a NUL"),
            (b"12 path=a\0b\n", "its PAX header is malformed: a name is empty or contains a NUL"),
            (b"10 path=a\n10 path=b\n", "its PAX header is malformed: a key is there twice"),
            (b"11 size=-1\n", "its size is not a valid size of a file"),
            (b"11 size=+1\n", "its size is not a valid size of a file"),
            (b"11 size=1 \n", "its size is not a valid size of a file"),
            (b"9 uid=-1\n", "its PAX record `uid` has the value `-1`"),
            (b"11 mtime=x\n", "its PAX record `mtime` has the value `x`"),
            (b"33 hdrcharset=ISO-IR 8859 1 1998\n", "its PAX record `hdrcharset` has the value `ISO-IR 8859 1 1998`"),
            (b"22 GNU.sparse.major=1\n", "it is a sparse file"),
            (b"21 SCHILY.realsize=1\n", "it is a sparse file"),
        ] {
            assert_eq!(Pax::parse(data).unwrap_err().to_string(), why, "{}", data.escape_ascii());
        }
    }

    #[test]
    fn times_are_decimal_with_a_fraction() {
        let at = |seconds, nanos| Some(FileTime { seconds, nanos });
        for (text, expected) in [
            ("12", at(12, 0)),
            ("12.5", at(12, 500_000_000)),
            ("-1.25", at(-2, 750_000_000)),
            ("-86400", at(-86400, 0)),
            ("1.1234567891", at(1, 123_456_789)),
            ("", None),
            ("1.x", None),
            ("--1", None),
            ("+1", None),
        ] {
            assert_eq!(time(text.as_bytes()), expected, "{text}");
        }
    }
}
