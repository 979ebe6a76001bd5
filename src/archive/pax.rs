//! Records of PAX headers: those that are understood, and a refusal for all that would be lost.

use super::error::Refusal;

/// What a PAX header says of the next entry.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Records {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
}

impl Records {
    /// Reads `<length> <key>=<value>\n`, again and again. Format: POSIX.1-2008 `pax`, "pax Extended Header".
    pub(super) fn parse(mut data: &[u8]) -> Result<Self, Refusal> {
        let mut records = Self::default();
        let mut seen: Vec<&[u8]> = Vec::new();
        while !data.is_empty() {
            let (key, value, rest) = record(data)?;
            if seen.contains(&key) {
                return Err(Refusal::Pax("a key stands there twice"));
            }
            // A list of unknown length from a stranger is searched: bounded, as there are few keys that mean anything.
            if seen.len() >= 64 {
                return Err(Refusal::Pax("too many records"));
            }
            seen.push(key);
            records.take(key, value)?;
            data = rest;
        }
        Ok(records)
    }

    fn take(&mut self, key: &[u8], value: &[u8]) -> Result<(), Refusal> {
        let name = || {
            let good = !value.is_empty() && !value.contains(&0);
            good.then(|| value.to_vec()).ok_or(Refusal::Pax("a name is empty or holds a NUL"))
        };
        match key {
            b"path" => self.path = Some(name()?),
            b"linkpath" => self.link = Some(name()?),
            b"size" => {
                let digits = std::str::from_utf8(value).ok().filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
                self.size = Some(digits.and_then(|text| text.parse().ok()).ok_or(Refusal::Size)?);
            }
            // Times and owners are replaced, whatever they are; names are bytes here, in any character set.
            b"mtime"
            | b"atime"
            | b"ctime"
            | b"uid"
            | b"gid"
            | b"uname"
            | b"gname"
            | b"comment"
            | b"hdrcharset"
            | b"LIBARCHIVE.creationtime"
            | b"SCHILY.dev"
            | b"SCHILY.ino"
            | b"SCHILY.nlink" => {}
            _ if key.starts_with(b"GNU.sparse.") || key.starts_with(b"SCHILY.realsize") => return Err(Refusal::Sparse),
            _ => return Err(Refusal::Attribute(super::entry_path::shown(key))),
        }
        Ok(())
    }

    /// Whether it changes how the entry is read: a global header must not.
    pub(super) fn names_something(&self) -> bool {
        *self != Self::default()
    }
}

/// Key and value of the first record, and what follows it.
type Record<'a> = (&'a [u8], &'a [u8], &'a [u8]);

fn record(data: &[u8]) -> Result<Record<'_>, Refusal> {
    let space = data.iter().take(20).position(|byte| *byte == b' ').ok_or(Refusal::Pax("a record has no length"))?;
    let digits = std::str::from_utf8(&data[..space]).ok().filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
    let length: usize = digits.and_then(|text| text.parse().ok()).ok_or(Refusal::Pax("a length is no number"))?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_records_are_read() {
        let records = Records::parse(b"12 path=a/b\n14 linkpath=c\n11 size=42\n19 mtime=1600000.5\n").unwrap();
        assert_eq!(records, Records { path: Some(b"a/b".into()), link: Some(b"c".into()), size: Some(42) });
        assert!(!Records::parse(b"14 comment=ab\n").unwrap().names_something());
    }

    #[test]
    fn others_are_refused_with_the_reason() {
        for (data, why) in [
            (&b"path=a\n"[..], "its PAX header is malformed: a record has no length"),
            (b"x path=a\n", "its PAX header is malformed: a length is no number"),
            (b"99 path=a\n", "its PAX header is malformed: a record does not end where its length says"),
            (b"8 path=a\n", "its PAX header is malformed: a record does not end where its length says"),
            (b"0 ", "its PAX header is malformed: a record does not end where its length says"),
            (b"8 patha\n", "its PAX header is malformed: a record has no `=`"),
            (b"5 =a\n", "its PAX header is malformed: a key is empty"),
            (b"8 path=\n", "its PAX header is malformed: a name is empty or holds a NUL"),
            (b"12 path=a\0b\n", "its PAX header is malformed: a name is empty or holds a NUL"),
            (b"10 path=a\n10 path=b\n", "its PAX header is malformed: a key stands there twice"),
            (b"11 size=-1\n", "its size is no number that a file can have"),
            (b"11 size=+1\n", "its size is no number that a file can have"),
            (b"22 GNU.sparse.major=1\n", "it is a sparse file"),
            (b"25 SCHILY.xattr.user.x=a\n", "it carries `SCHILY.xattr.user.x`, which would be lost"),
        ] {
            assert_eq!(Records::parse(data).unwrap_err().to_string(), why);
        }
    }
}
