//! Tar whose bytes depend on names, modes and contents alone.
//!
//! Headers are ustar, with a PAX header before one where a name, target or size does not fit: never GNU's extensions.
//! Owner and group are 0 without names, devices 0, the time is everywhere the same. Formats: POSIX.1-2008 `pax`.

use std::io::{self, Read, Write};

use super::header::BLOCK;
use crate::words::Epoch;

/// Sizes from here on do not fit a ustar header's eleven octal digits.
const TOO_LARGE: u64 = 1 << 33;

/// Writes entries in the order in which they are given; [`finish`](Self::finish) writes the end.
pub struct TarWriter<W> {
    inner: W,
    epoch: Epoch,
}

struct Entry<'a> {
    kind: u8,
    path: &'a [u8],
    link: &'a [u8],
    mode: u32,
    size: u64,
}

impl<W: Write> TarWriter<W> {
    /// Writes to `inner`; every entry has the time `epoch`.
    pub fn new(inner: W, epoch: Epoch) -> Self {
        Self { inner, epoch }
    }

    /// A folder; `path` without a trailing slash.
    pub fn folder(&mut self, path: &[u8], mode: u32) -> io::Result<()> {
        let path = &[path, b"/"].concat();
        self.entry(&Entry { kind: b'5', path, link: b"", mode, size: 0 })
    }

    /// A file of exactly `size` bytes; a content of another size is an error.
    pub fn file(&mut self, path: &[u8], mode: u32, size: u64, content: impl Read) -> io::Result<()> {
        self.entry(&Entry { kind: b'0', path, link: b"", mode, size })?;
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
        self.entry(&Entry { kind: b'2', path, link: target, mode: 0o777, size: 0 })
    }

    /// A further name of the file that was written under the name `target`.
    pub fn hard_link(&mut self, path: &[u8], target: &[u8], mode: u32) -> io::Result<()> {
        self.entry(&Entry { kind: b'1', path, link: target, mode, size: 0 })
    }

    /// Writes the two blocks of zeros that end a tar, and hands the inner writer back, not flushed.
    pub fn finish(mut self) -> io::Result<W> {
        self.inner.write_all(&[0; 2 * BLOCK])?;
        Ok(self.inner)
    }

    fn entry(&mut self, entry: &Entry<'_>) -> io::Result<()> {
        let name = split(entry.path);
        let mut records = Vec::new();
        if entry.link.len() > 100 || !entry.link.is_ascii() {
            record(&mut records, "linkpath", entry.link);
        }
        if name.is_none() {
            record(&mut records, "path", entry.path);
        }
        if entry.size >= TOO_LARGE {
            record(&mut records, "size", entry.size.to_string().as_bytes());
        }
        if !records.is_empty() {
            if std::str::from_utf8(entry.path).is_err() || std::str::from_utf8(entry.link).is_err() {
                let mut charset = Vec::new();
                record(&mut charset, "hdrcharset", b"BINARY");
                records.splice(..0, charset);
            }
            self.pax(entry.path, &records)?;
        }
        let (prefix, name) = name.unwrap_or_else(|| (Vec::new(), ascii(entry.path, 100)));
        let size = if entry.size >= TOO_LARGE { 0 } else { entry.size };
        let link = ascii(entry.link, 100);
        self.inner.write_all(&self.header(entry.kind, [&prefix, &name, &link], entry.mode, size))
    }

    /// The PAX header; its own name is only seen by readers that do not know PAX.
    fn pax(&mut self, path: &[u8], records: &[u8]) -> io::Result<()> {
        let name = ascii(&[b"PaxHeaders.0/", path].concat(), 100);
        let header = self.header(b'x', [b"", &name, b""], 0o644, records.len() as u64);
        self.inner.write_all(&header)?;
        self.inner.write_all(records)?;
        self.inner.write_all(&vec![0; records.len().next_multiple_of(BLOCK) - records.len()])
    }

    fn header(&self, kind: u8, [prefix, name, link]: [&[u8]; 3], mode: u32, size: u64) -> [u8; BLOCK] {
        let mut block = [0; BLOCK];
        let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, name);
        put(100, format!("{mode:07o}\0").as_bytes());
        put(108, b"0000000\0");
        put(116, b"0000000\0");
        put(124, format!("{size:011o}\0").as_bytes());
        put(136, format!("{:011o}\0", self.epoch.seconds()).as_bytes());
        put(148, b"        ");
        put(156, &[kind]);
        put(157, link);
        put(257, b"ustar\x0000");
        put(329, b"0000000\0");
        put(337, b"0000000\0");
        put(345, prefix);
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        block
    }
}

/// Prefix and name of a ustar header, none where the path does not fit.
fn split(path: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    if !path.is_ascii() {
        return None;
    }
    if path.len() <= 100 {
        return Some((Vec::new(), path.to_vec()));
    }
    // The longest prefix, and at least one byte after the slash; a folder's own trailing slash divides nothing.
    let last = (path.len() - 1).min(156);
    let slash = path[..last].iter().rposition(|byte| *byte == b'/')?;
    let (prefix, name) = (&path[..slash], &path[slash + 1..]);
    (!prefix.is_empty() && name.len() <= 100).then(|| (prefix.to_vec(), name.to_vec()))
}

/// The ASCII part of a name, cut.
fn ascii(name: &[u8], length: usize) -> Vec<u8> {
    name.iter().copied().filter(u8::is_ascii).take(length).collect()
}

/// Appends `<length> <key>=<value>\n`, where the length counts itself.
fn record(records: &mut Vec<u8>, key: &str, value: &[u8]) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + rest.to_string().len();
    // Counting itself, the length may have grown by a digit.
    length = rest + length.to_string().len();
    records.extend_from_slice(format!("{length} {key}=").as_bytes());
    records.extend_from_slice(value);
    records.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_lengths_count_themselves() {
        for size in 0..2000 {
            let mut records = Vec::new();
            record(&mut records, "path", &vec![b'x'; size]);
            let text = String::from_utf8(records).unwrap();
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
                assert_eq!(if prefix.is_empty() { name } else { [prefix, b"/".to_vec(), name].concat() }, path);
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
        let mut archive = tar::Archive::new(&bytes[..]);
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
