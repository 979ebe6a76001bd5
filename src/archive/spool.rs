//! An archive that was decompressed once into a scratch file, with the position of each member.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::FileExt;

use super::decompressed::Decompressed;
use super::error::ArchiveError;
use super::member::Member;
use super::members::read_members;
use crate::tar::{EntryPath, Limits, TarError};

/// The members of an archive, sorted by path, and their content.
pub(crate) struct Spool {
    file: File,
    members: Vec<Member>,
}

impl Spool {
    /// Decompresses `archive` into `scratch`, which must be empty, and reads what is in it.
    ///
    /// The scratch file is best one without a name; it grows to the decompressed archive's size, which `limits` bound.
    pub(crate) fn fill(archive: impl Read, scratch: File, limits: &Limits) -> Result<Self, ArchiveError> {
        let mut reader = Decompressed::new(archive, limits)?;
        let mut file = &scratch;
        let mut buffer = vec![0; 256 << 10];
        file.rewind().map_err(ArchiveError::Scratch)?;
        loop {
            let count = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(ArchiveError::from_read(error)),
            };
            file.write_all(&buffer[..count]).map_err(ArchiveError::Scratch)?;
        }
        let members = read_members(&scratch, limits)?;
        Ok(Self { file: scratch, members })
    }

    /// Reads the plain tar in `file` without copying it; the file must not change.
    pub(crate) fn of_plain(file: File, limits: &Limits) -> Result<Self, ArchiveError> {
        let length = file.metadata().map_err(ArchiveError::Scratch)?.len();
        if length > limits.bytes {
            return Err(ArchiveError::Tar(TarError::Budget { what: "decompressed bytes", limit: limits.bytes }));
        }
        let members = read_members(&file, limits)?;
        Ok(Self { file, members })
    }

    /// All members, sorted by path, so a folder before what is in it.
    #[must_use]
    pub(crate) fn members(&self) -> &[Member] {
        &self.members
    }

    /// The member of that path.
    #[must_use]
    pub(crate) fn member(&self, path: &EntryPath) -> Option<&Member> {
        let index = self.members.binary_search_by(|member| member.path.cmp(path)).ok()?;
        Some(&self.members[index])
    }

    /// The content of a file, also by a hard link's name; empty for what is not a file.
    #[must_use]
    pub(crate) fn content(&self, member: &Member) -> SpoolSlice<'_> {
        SpoolSlice { file: &self.file, at: member.offset, left: member.file_size().unwrap_or(0) }
    }
}

/// Reads one member's content out of the scratch file, without moving its cursor.
#[derive(Debug, Clone)]
pub(crate) struct SpoolSlice<'a> {
    file: &'a File,
    at: u64,
    left: u64,
}

impl SpoolSlice<'_> {
    /// Bytes that are left to read.
    #[must_use]
    pub(crate) fn size(&self) -> u64 {
        self.left
    }
}

impl Read for SpoolSlice<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let want = usize::try_from(self.left).unwrap_or(usize::MAX).min(buf.len());
        if want == 0 {
            return Ok(0);
        }
        let count = self.file.read_at(&mut buf[..want], self.at)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at += count as u64;
        self.left -= count as u64;
        Ok(count)
    }
}
