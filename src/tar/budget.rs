//! The budget of a stream.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use super::entry_path::EntryPath;
use super::error::TarError;
use super::limits::Limits;

/// How much of its limits a stream has used.
pub(super) struct Budget {
    pub(super) limits: Limits,
    entries: u64,
    names: u64,
    bytes: u64,
    /// Hashes of the folders that were named or implied, each with all above it. Two of one hash cost nothing but an
    /// entry that is not counted; the paths themselves would cost memory.
    folders: HashSet<u64>,
    hasher: RandomState,
}

impl Budget {
    pub(super) fn new(limits: &Limits) -> Self {
        let (folders, hasher) = (HashSet::new(), RandomState::new());
        Self { limits: limits.clone(), entries: 0, names: 0, bytes: 0, folders, hasher }
    }

    pub(super) fn header(&mut self) -> Result<(), TarError> {
        self.entries += 1;
        within("entries", self.entries, self.limits.entries)
    }

    pub(super) fn names(&mut self, length: usize) -> Result<(), TarError> {
        self.names += length as u64;
        within("bytes of names", self.names, self.limits.names)
    }

    pub(super) fn content(&mut self, size: u64) -> Result<(), TarError> {
        self.bytes = self.bytes.saturating_add(size);
        within("bytes of content", self.bytes, self.limits.bytes)
    }

    /// Folders that only longer paths imply count like other entries, because they will be created.
    pub(super) fn folders(&mut self, path: &EntryPath, is_folder: bool) -> Result<(), TarError> {
        if is_folder {
            self.folders.insert(self.hasher.hash_one(path.as_bytes()));
        }
        let mut folder = path.split().0;
        while !folder.is_empty() && self.folders.insert(self.hasher.hash_one(folder)) {
            self.header()?;
            self.names(folder.len())?;
            folder = &folder[..folder.iter().rposition(|byte| *byte == b'/').unwrap_or(0)];
        }
        Ok(())
    }
}

fn within(what: &'static str, count: u64, limit: u64) -> Result<(), TarError> {
    if count > limit { Err(TarError::Budget { what, limit }) } else { Ok(()) }
}
