//! Two files with other bytes: what differs in them, as precisely as possible.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::change::Bytes;
use super::{Change, DiffError, DiffPath, Difference, container, keys, lines, members};
use crate::archive::{ArchiveError, Spool};
use crate::edit::Format;
use crate::tar::Limits;
use crate::types::{Digest, DigestWriter};

/// How many archives inside one another are opened.
const NESTED: usize = 3;
/// The largest document whose keys are compared, in bytes.
const DOCUMENT: u64 = 64 << 20;
/// The largest text whose lines are compared, in bytes.
const TEXT: u64 = 4 << 20;
/// Decompressed bytes of one archive; what is larger is compared as it is.
const UNPACKED: u64 = 16 << 30;

/// Bytes that can be read again and again.
pub(super) trait Readable {
    fn size(&self) -> u64;
    fn open(&self) -> Result<Box<dyn Read + '_>, DiffError>;
}

/// How two contents are compared.
pub(super) struct Contents<'a> {
    /// The folder for what is unpacked.
    pub(super) scratch: &'a Path,
    /// Archives for `docker load` are archives like any other.
    pub(super) is_strict: bool,
}

/// The differences found so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) differences: Vec<Difference>,
    /// What could not be compared, in whole sentences.
    pub(super) notes: Vec<String>,
}

impl Findings {
    pub(super) fn add(&mut self, path: &DiffPath, what: Change) {
        self.differences.push(Difference { path: path.clone(), what });
    }
}

impl Contents<'_> {
    /// Compares two files; nothing is added where their bytes are the same. `name` is the path's last part, which says
    /// what the files are.
    pub(super) fn compare(
        &self,
        at: &DiffPath,
        name: &[u8],
        sides: (&dyn Readable, &dyn Readable),
        depth: usize,
        found: &mut Findings,
    ) -> Result<(), DiffError> {
        let (old, new) = sides;
        if old.size() == new.size() && same_bytes(at, old, new)? {
            return Ok(());
        }
        if depth < NESTED && is_archive(name) {
            match (self.unpack(at, old)?, self.unpack(at, new)?) {
                (Ok(old), Ok(new)) => return self.archives(at, (&old, &new), depth, found),
                (Err(why), _) => found.notes.push(format!("{at} was compared as bytes: the old one: {why}")),
                (_, Err(why)) => found.notes.push(format!("{at} was compared as bytes: the new one: {why}")),
            }
        } else if let Some(texts) = Texts::read(at, name, sides)? {
            texts.compare(at, found);
            return Ok(());
        }
        found.add(at, Change::Content { old: bytes(at, old)?, new: bytes(at, new)? });
        Ok(())
    }

    fn archives(
        &self,
        at: &DiffPath,
        sides: (&Spool, &Spool),
        depth: usize,
        found: &mut Findings,
    ) -> Result<(), DiffError> {
        let before = found.differences.len();
        if !self.is_strict {
            container::compare(at, sides, found)?;
        }
        // The same image with other bytes: its members say why.
        if found.differences.len() == before {
            members::compare(self, at, sides, depth, found)?;
        }
        if found.differences.len() == before {
            found.add(at, Change::Packing);
        }
        Ok(())
    }

    /// An archive's members; if it cannot be read as one, why not, in words.
    fn unpack(&self, at: &DiffPath, archive: &dyn Readable) -> Result<Result<Spool, String>, DiffError> {
        let scratch =
            scratch_file(self.scratch).map_err(|source| DiffError::Scratch { path: at.to_string(), source })?;
        let limits = Limits { bytes: UNPACKED, ..Limits::RECIPE };
        match Spool::fill(archive.open()?, scratch, &limits) {
            Ok(spool) => Ok(Ok(spool)),
            Err(ArchiveError::Read(source)) => Err(DiffError::Read { path: at.to_string(), source }),
            Err(source @ ArchiveError::Scratch(_)) => Err(DiffError::Unpack { path: at.to_string(), source }),
            Err(why) => Ok(Err(why.to_string())),
        }
    }
}

/// Two texts that are not the same.
struct Texts {
    format: Option<Format>,
    old: String,
    new: String,
}

impl Texts {
    /// Both as texts, if they are small enough and valid.
    fn read(at: &DiffPath, name: &[u8], (old, new): (&dyn Readable, &dyn Readable)) -> Result<Option<Self>, DiffError> {
        let format = format(name);
        let limit = if format.is_some() { DOCUMENT } else { TEXT };
        if old.size().max(new.size()) > limit {
            return Ok(None);
        }
        let (Some(old), Some(new)) = (text(at, old)?, text(at, new)?) else { return Ok(None) };
        Ok(Some(Self { format, old, new }))
    }

    fn compare(&self, at: &DiffPath, found: &mut Findings) {
        let documents = self.format.and_then(|format| keys::compare(format, &self.old, &self.new));
        match documents {
            Some(changes) if changes.is_empty() => found.add(at, Change::Form),
            Some(changes) => {
                let place = |key: keys::KeyChange| Difference {
                    path: at.key(key.document.as_deref(), key.route),
                    what: key.what,
                };
                found.differences.extend(changes.into_iter().map(place));
            }
            // Not a document, or one that cannot be parsed, such as a template.
            None => found.add(at, lines::compare(&self.old, &self.new)),
        }
    }
}

/// A file without a name, which is gone with its last handle.
fn scratch_file(folder: &Path) -> io::Result<File> {
    tempfile::tempfile_in(folder)
}

/// Whether a file's name says that it is an archive.
fn is_archive(name: &[u8]) -> bool {
    const ENDS: [&str; 9] = [".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.zst", ".tar.bz2", ".tbz2", ".tzst"];
    let name = name.to_ascii_lowercase();
    ENDS.iter().any(|end| name.ends_with(end.as_bytes()))
}

/// The language that a file's name says that it is in.
fn format(name: &[u8]) -> Option<Format> {
    let name = name.to_ascii_lowercase();
    if name.ends_with(b".json") {
        Some(Format::Json)
    } else if name.ends_with(b".yaml") || name.ends_with(b".yml") {
        Some(Format::Yaml)
    } else {
        None
    }
}

/// A small file's text; `None` for what is not text.
fn text(at: &DiffPath, file: &dyn Readable) -> Result<Option<String>, DiffError> {
    let mut bytes = Vec::new();
    file.open()?.take(DOCUMENT + 1).read_to_end(&mut bytes).map_err(|source| read_error(at, source))?;
    Ok(String::from_utf8(bytes).ok().filter(|text| !text.contains('\0')))
}

fn read_error(at: &DiffPath, source: io::Error) -> DiffError {
    DiffError::Read { path: at.to_string(), source }
}

/// Size and digest of a file.
pub(super) fn bytes(at: &DiffPath, file: &dyn Readable) -> Result<Bytes, DiffError> {
    let mut writer = DigestWriter::new(io::sink());
    io::copy(&mut file.open()?, &mut writer).map_err(|source| read_error(at, source))?;
    let (_, digest, size): (_, Digest, u64) = writer.finish();
    Ok(Bytes { size, digest })
}

fn same_bytes(at: &DiffPath, old: &dyn Readable, new: &dyn Readable) -> Result<bool, DiffError> {
    let (mut old, mut new) = (old.open()?, new.open()?);
    let (mut one, mut other) = (vec![0; 128 << 10], vec![0; 128 << 10]);
    loop {
        let count = fill(&mut old, &mut one).map_err(|source| read_error(at, source))?;
        let same = count == fill(&mut new, &mut other).map_err(|source| read_error(at, source))?;
        if !same || one[..count] != other[..count] {
            return Ok(false);
        }
        if count < one.len() {
            return Ok(true);
        }
    }
}

/// Reads until the buffer is full or the end is there.
fn fill(input: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
