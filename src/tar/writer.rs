//! Tar headers and streams whose bytes depend on names, modes, owners, times and contents alone.
//!
//! Headers are ustar, with a PAX header before one if something does not fit: never GNU's extensions. Formats:
//! POSIX.1-2008 `pax`; for layers the bytes of Go's archive/tar as sealer uses it (SEALER.md, "Layer id").

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use super::BLOCK;
use crate::types::Epoch;

const NAME: usize = 100;
const PREFIX: usize = 155;
/// The greatest numbers of 7 and of 11 octal digits.
const MAX_7: u64 = 0o7_777_777;
const MAX_11: u64 = 0o77_777_777_777;
/// Where the numbers of devices stand.
const DEVICES: std::ops::Range<usize> = 329..345;

/// Whose choices are used where POSIX leaves a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Go's archive/tar: layers, whose ids are sealer's.
    Go,
    /// Ours: what is packed.
    Packed,
}

/// What a header says. Names are bytes as on disk.
#[derive(Debug, Clone)]
pub(crate) struct Header<'a> {
    pub(crate) kind: u8,
    pub(crate) name: &'a [u8],
    pub(crate) target: &'a [u8],
    pub(crate) mode: u32,
    pub(crate) uid: u64,
    pub(crate) gid: u64,
    pub(crate) user: &'a [u8],
    pub(crate) group: &'a [u8],
    pub(crate) size: u64,
    /// Whole seconds.
    pub(crate) mtime: i64,
}

impl Header<'_> {
    /// The blocks before the content: one of ustar, or a PAX entry and then one.
    pub(crate) fn blocks(&self, dialect: Dialect) -> Vec<u8> {
        let mut records = self.records();
        let (prefix, name) = match (split(self.name), dialect) {
            (Some(fields), Dialect::Packed) => fields,
            // Go splits a name only if nothing else needs a PAX header.
            (Some(fields), Dialect::Go) if records.is_empty() || fields.0.is_empty() => fields,
            (Some(_) | None, _) => {
                records.insert("path", self.name.to_vec());
                (&b""[..], self.name)
            }
        };
        let is_text = |text: &[u8]| str::from_utf8(text).is_ok();
        if dialect == Dialect::Packed && !(is_text(self.name) && is_text(self.target)) {
            records.insert("hdrcharset", b"BINARY".to_vec());
        }
        let mut blocks = if records.is_empty() { Vec::new() } else { self.extension(&records, dialect) };
        blocks.extend_from_slice(&summed(self.header(prefix, name, dialect)));
        blocks
    }

    /// The values that do not fit into a ustar header, except the name.
    fn records(&self) -> BTreeMap<&'static str, Vec<u8>> {
        let mut records = BTreeMap::new();
        for (key, text, limit) in [("linkpath", self.target, NAME), ("uname", self.user, 32), ("gname", self.group, 32)]
        {
            if !text.is_ascii() || text.len() > limit {
                records.insert(key, text.to_vec());
            }
        }
        for (key, number, limit) in [("uid", self.uid, MAX_7), ("gid", self.gid, MAX_7), ("size", self.size, MAX_11)] {
            if number > limit {
                records.insert(key, number.to_string().into_bytes());
            }
        }
        if u64::try_from(self.mtime).map_or(true, |mtime| mtime > MAX_11) {
            records.insert("mtime", self.mtime.to_string().into_bytes());
        }
        records
    }

    fn header(&self, prefix: &[u8], name: &[u8], dialect: Dialect) -> ::tar::Header {
        let mut header = ::tar::Header::new_ustar();
        let fitting = |number, limit| if number > limit { 0 } else { number };
        header.set_mode(self.mode);
        header.set_uid(fitting(self.uid, MAX_7));
        header.set_gid(fitting(self.gid, MAX_7));
        header.set_size(fitting(self.size, MAX_11));
        header.set_mtime(fitting(u64::try_from(self.mtime).unwrap_or(0), MAX_11));
        let ustar = header.as_ustar_mut().expect("it was made as such");
        ustar.typeflag = [self.kind];
        ustar.set_device_major(0);
        ustar.set_device_minor(0);
        text(&mut ustar.prefix, prefix, dialect);
        text(&mut ustar.name, name, dialect);
        text(&mut ustar.linkname, self.target, dialect);
        text(&mut ustar.uname, self.user, dialect);
        text(&mut ustar.gname, self.group, dialect);
        header
    }

    /// The PAX entry: header, records, padding. Its own name is only seen by readers that do not know PAX.
    fn extension(&self, records: &BTreeMap<&str, Vec<u8>>, dialect: Dialect) -> Vec<u8> {
        let content: Vec<u8> = records.iter().flat_map(|(key, value)| record(key, value)).collect();
        let plain = Header { kind: b'x', target: b"", user: b"", group: b"", uid: 0, gid: 0, ..*self };
        let size = content.len() as u64;
        let header = match dialect {
            Dialect::Packed => {
                let name = [b"PaxHeaders.0/", self.name].concat();
                Header { mode: 0o644, size, ..plain }.header(b"", &name, dialect)
            }
            Dialect::Go => {
                let slash = self.name.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
                let (folder, file) = self.name.split_at(slash);
                let mut name = ascii(&[folder, b"PaxHeaders.0/", file].concat());
                name.truncate(NAME);
                let end = name.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
                let mut header = Header { mode: 0, mtime: 0, size, ..plain }.header(b"", &name[..end], dialect);
                // Go leaves the numbers of devices out here.
                header.as_mut_bytes()[DEVICES].fill(0);
                header
            }
        };
        let mut blocks = summed(header).to_vec();
        blocks.extend_from_slice(&content);
        blocks.resize(blocks.len().next_multiple_of(BLOCK), 0);
        blocks
    }
}

/// The header's bytes with their checksum, in the form that Go and GNU tar give it.
fn summed(mut header: ::tar::Header) -> [u8; BLOCK] {
    header.as_old_mut().cksum = [b' '; 8];
    let sum: u32 = header.as_bytes().iter().map(|byte| u32::from(*byte)).sum();
    header.as_old_mut().cksum[..7].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    *header.as_bytes()
}

/// Writes the ASCII part of a text to its field, cut if it is too long.
fn text(field: &mut [u8], text: &[u8], dialect: Dialect) {
    let text = ascii(text);
    let length = text.len().min(field.len());
    field[..length].copy_from_slice(&text[..length]);
    // Go removes trailing slashes after cutting, because old readers would take the entry for a folder.
    if dialect == Dialect::Go && text.len() > field.len() && field.ends_with(b"/") {
        let kept = field.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
        field[kept] = 0;
    }
}

fn ascii(text: &[u8]) -> Vec<u8> {
    text.iter().copied().filter(|byte| byte.is_ascii() && *byte != 0).collect()
}

/// Prefix and name of a ustar header, or `None` if the path does not fit.
fn split(path: &[u8]) -> Option<(&[u8], &[u8])> {
    if !path.is_ascii() {
        return None;
    }
    if path.len() <= NAME {
        return Some((b"", path));
    }
    // The longest prefix, and at least one byte after the slash; a folder's own trailing slash divides nothing.
    let last = (path.len() - 1).min(PREFIX + 1);
    let slash = path[..last].iter().rposition(|byte| *byte == b'/')?;
    let (prefix, name) = (&path[..slash], &path[slash + 1..]);
    (!prefix.is_empty() && name.len() <= NAME).then_some((prefix, name))
}

/// `<length> <key>=<value>\n`, where the length counts itself.
fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + rest.to_string().len();
    // Because it counts itself, the length may have grown by a digit.
    length = rest + length.to_string().len();
    [format!("{length} {key}=").as_bytes(), value, b"\n"].concat()
}

/// Writes entries in the order in which they are given; [`finish`](Self::finish) writes the end.
///
/// Owner and group are 0 without names, and the time is everywhere the same.
pub struct TarWriter<W> {
    inner: W,
    epoch: Epoch,
}

impl<W: Write> TarWriter<W> {
    /// Writes to `inner`; every entry has the time `epoch`.
    pub fn new(inner: W, epoch: Epoch) -> Self {
        Self { inner, epoch }
    }

    /// A folder; `path` without a trailing slash.
    pub fn folder(&mut self, path: &[u8], mode: u32) -> io::Result<()> {
        self.entry(b'5', &[path, b"/"].concat(), b"", mode, 0)
    }

    /// A file of exactly `size` bytes; a content of another size is an error.
    pub fn file(&mut self, path: &[u8], mode: u32, size: u64, content: impl Read) -> io::Result<()> {
        self.entry(b'0', path, b"", mode, size)?;
        let mut content = content.take(size.saturating_add(1));
        let found = io::copy(&mut content, &mut self.inner)?;
        if found != size {
            let found = if found > size { "more".to_owned() } else { found.to_string() };
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("expected {size} bytes, found {found}")));
        }
        let over = usize::try_from(size % BLOCK as u64).unwrap_or(0);
        self.inner.write_all(&[0; BLOCK][..(BLOCK - over) % BLOCK])
    }

    /// A symbolic link.
    pub fn symlink(&mut self, path: &[u8], target: &[u8]) -> io::Result<()> {
        self.entry(b'2', path, target, 0o777, 0)
    }

    /// A further name of the file that was written under the name `target`.
    pub fn hard_link(&mut self, path: &[u8], target: &[u8], mode: u32) -> io::Result<()> {
        self.entry(b'1', path, target, mode, 0)
    }

    /// Writes the two blocks of zeros that end a tar, and hands the inner writer back, not flushed.
    pub fn finish(mut self) -> io::Result<W> {
        self.inner.write_all(&[0; 2 * BLOCK])?;
        Ok(self.inner)
    }

    fn entry(&mut self, kind: u8, name: &[u8], target: &[u8], mode: u32, size: u64) -> io::Result<()> {
        let mtime = i64::try_from(self.epoch.seconds()).unwrap_or(i64::MAX);
        let header = Header { kind, name, target, mode, uid: 0, gid: 0, user: b"", group: b"", size, mtime };
        self.inner.write_all(&header.blocks(Dialect::Packed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_lengths_count_themselves() {
        for size in 0..2000 {
            let text = String::from_utf8(record("path", &vec![b'x'; size])).unwrap();
            assert_eq!(text.split_once(' ').unwrap().0.parse::<usize>().unwrap(), text.len());
        }
    }

    #[test]
    fn names_are_split_where_they_fit() {
        let long = |a: usize, b: usize| [vec![b'a'; a], b"/".to_vec(), vec![b'b'; b]].concat();
        for (path, fits) in [
            (vec![b'a'; 100], true),
            (vec![b'a'; 101], false),
            (long(155, 100), true),
            (long(156, 99), false),
            (long(155, 101), false),
            ("é".as_bytes().to_vec(), false),
        ] {
            let split = split(&path);
            assert_eq!(split.is_some(), fits);
            if let Some((prefix, name)) = split {
                assert!(prefix.len() <= 155 && name.len() <= 100 && !name.is_empty());
                assert_eq!(if prefix.is_empty() { name.to_vec() } else { [prefix, b"/", name].concat() }, path);
            }
        }
    }

    #[test]
    fn content_of_another_size_is_an_error() {
        for size in [2, 4] {
            let mut writer = TarWriter::new(Vec::new(), Epoch::DEFAULT);
            assert!(writer.file(b"a", 0o644, size, &b"abc"[..]).is_err());
        }
    }

    #[test]
    fn the_tar_crate_reads_names_of_all_lengths() {
        let names: Vec<Vec<u8>> = [1, 99, 100, 101, 155, 200, 255]
            .iter()
            .flat_map(|size| [vec![b'n'; *size], [vec![b'd'; 150], b"/".to_vec(), vec![b'n'; *size]].concat()])
            .chain(["überall/ß".as_bytes().to_vec(), b"\xff\xfe".to_vec()])
            .collect();
        let mut writer = TarWriter::new(Vec::new(), Epoch::DEFAULT);
        for name in &names {
            writer.file(name, 0o640, 3, &b"abc"[..]).unwrap();
            writer.symlink(&[name.as_slice(), b"-link"].concat(), name).unwrap();
        }
        let bytes = writer.finish().unwrap();
        let mut archive = ::tar::Archive::new(&bytes[..]);
        let found = archive.entries().unwrap().map(Result::unwrap).map(|entry| {
            assert_eq!(entry.header().mtime().unwrap(), 315_532_800);
            (entry.path_bytes().into_owned(), entry.link_name_bytes().map(std::borrow::Cow::into_owned))
        });
        let expected = names
            .iter()
            .flat_map(|name| [(name.clone(), None), ([name.as_slice(), b"-link"].concat(), Some(name.clone()))]);
        assert!(found.eq(expected));
    }
}
