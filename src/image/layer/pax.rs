//! PAX records, read strictly: a record that another reader could read otherwise is refused.

use super::number::{decimal, pax_time};
use crate::disk::FileTime;

/// What an extension entry says of the entry after it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Pax {
    pub(super) path: Option<Vec<u8>>,
    pub(super) target: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) uid: Option<u64>,
    pub(super) gid: Option<u64>,
    pub(super) mtime: Option<FileTime>,
    /// Extended attributes, by their name.
    pub(super) attributes: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Pax {
    /// Reads the content of an `x` entry; the error is the reason.
    pub(super) fn parse(content: &[u8]) -> Result<Self, String> {
        let mut pax = Self::default();
        let mut seen = std::collections::HashSet::new();
        for record in Records(content) {
            let (key, value) = record?;
            if !seen.insert(key) {
                return Err(format!("its PAX record `{}` stands there twice", key.escape_ascii()));
            }
            pax.take(key, value)?;
        }
        Ok(pax)
    }

    /// Checks the content of a `g` entry: only a comment holds for all entries without changing any.
    pub(super) fn check_global(content: &[u8]) -> Result<(), String> {
        for record in Records(content) {
            let (key, _) = record?;
            if key != b"comment" {
                return Err(format!("a PAX record `{}` for all entries is not understood", key.escape_ascii()));
            }
        }
        Ok(())
    }

    fn take(&mut self, key: &[u8], value: &[u8]) -> Result<(), String> {
        let bad = || format!("its PAX record `{}` has the value `{}`", key.escape_ascii(), value.escape_ascii());
        match key {
            b"path" | b"linkpath" => {
                if value.is_empty() || value.contains(&0) {
                    return Err(bad());
                }
                let place = if key == b"path" { &mut self.path } else { &mut self.target };
                *place = Some(value.to_owned());
            }
            b"size" => self.size = Some(decimal(value).ok_or_else(bad)?),
            b"uid" => self.uid = Some(decimal(value).ok_or_else(bad)?),
            b"gid" => self.gid = Some(decimal(value).ok_or_else(bad)?),
            b"mtime" => self.mtime = Some(pax_time(value).ok_or_else(bad)?),
            _ if key.starts_with(b"GNU.sparse.") => return Err("sparse files are not taken".to_owned()),
            // Names and values in another character set than the bytes that stand there: two readers, two names.
            b"hdrcharset" => return Err(bad()),
            _ => match key.strip_prefix(b"SCHILY.xattr.") {
                Some(name) => self.attributes.push((name.to_owned(), value.to_owned())),
                None if is_harmless(key) => {}
                None => return Err(format!("its PAX record `{}` is not understood", key.escape_ascii())),
            },
        }
        Ok(())
    }
}

/// Whether a record changes nothing that a layer holds, whoever reads it.
///
/// Times other than `mtime`, names of owners beside their numbers, remarks and what archivers (libarchive, star) note of the file
/// system that the file came from. `SCHILY.realsize` and others that change how content is read are none of these.
fn is_harmless(key: &[u8]) -> bool {
    matches!(key, b"atime" | b"ctime" | b"uname" | b"gname" | b"comment")
        || [&b"LIBARCHIVE."[..], b"SCHILY.dev", b"SCHILY.ino", b"SCHILY.nlink", b"SCHILY.fflags", b"SCHILY.acl."]
            .iter()
            .any(|harmless| key.starts_with(harmless))
}

struct Records<'a>(&'a [u8]);

impl<'a> Iterator for Records<'a> {
    type Item = Result<(&'a [u8], &'a [u8]), String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let parsed = record(self.0);
        if let Some((_, _, rest)) = parsed {
            self.0 = rest;
            return parsed.map(|(key, value, _)| Ok((key, value)));
        }
        self.0 = b"";
        Some(Err("its PAX records are malformed".to_owned()))
    }
}

type Record<'a> = (&'a [u8], &'a [u8], &'a [u8]);

/// Key, value and what follows of the first record.
fn record(content: &[u8]) -> Option<Record<'_>> {
    let blank = content.iter().take(20).position(|byte| *byte == b' ')?;
    let length = usize::try_from(decimal(&content[..blank])?).ok()?;
    if length > content.len() || length < blank + 4 {
        return None;
    }
    let (record, rest) = content.split_at(length);
    let pair = record[blank + 1..].strip_suffix(b"\n")?;
    let equals = pair.iter().position(|byte| *byte == b'=')?;
    (equals > 0).then(|| (&pair[..equals], &pair[equals + 1..], rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read() {
        let pax = Pax::parse(b"12 path=a/b\n11 mtime=1\n14 size=12345\n29 SCHILY.xattr.user.a=x=y\0z\n").unwrap();
        assert_eq!(pax.path.as_deref(), Some(&b"a/b"[..]));
        assert_eq!((pax.mtime, pax.size), (Some(FileTime::of_seconds(1)), Some(12345)));
        assert_eq!(pax.attributes, [(b"user.a".to_vec(), b"x=y\0z".to_vec())]);
    }

    #[test]
    fn what_changes_nothing_that_a_layer_holds_is_passed_over() {
        for record in [
            &b"11 atime=1\n"[..],
            b"11 ctime=1\n",
            b"14 uname=root\n",
            b"14 gname=root\n",
            b"13 comment=x\n",
            b"29 LIBARCHIVE.creationtime=1\n",
            b"16 SCHILY.dev=1\n",
            b"16 SCHILY.ino=1\n",
        ] {
            assert_eq!(Pax::parse(record), Ok(Pax::default()), "{}", record.escape_ascii());
        }
    }

    #[test]
    fn malformed_records_are_refused() {
        for content in [
            &b"12 path=a/b"[..],
            b"13 path=a/b\n",
            b"11 path=a/b\n",
            b"99999999999999999999 path=a\n",
            b"-1 path=a\n",
            b"6 =ab\n",
            b"9 pathab\n",
            b"8 path=\n",
            b"10 size=-1\n",
            b"10 size=1 \n",
            b"12 path=a/b\n12 path=a/c\n",
            b"24 GNU.sparse.realsize=1\n",
            b"21 SCHILY.realsize=1\n",
            b"21 hdrcharset=BINARY\n",
            b"38 hdrcharset=ISO-IR 10646 2000 UTF-8\n",
            b"13 charset=x\n",
            b"\0\0\0\0",
        ] {
            assert!(Pax::parse(content).is_err(), "{}", content.escape_ascii());
        }
    }
}
