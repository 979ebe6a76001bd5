//! Files in the recipe's folder, and a record of those that were read.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::types::Digest;

/// The recipe's folder. Code that reads a file there records what it was. A second look could find a file that was
/// changed in the meantime.
#[derive(Debug, Default)]
pub(crate) struct Beside {
    folder: PathBuf,
    read: Mutex<BTreeSet<BesideFile>>,
}

/// Something that was read in the recipe's folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BesideFile {
    /// Its path from the recipe's folder.
    pub path: PathBuf,
    /// What it was.
    pub content: BesideContent,
}

/// What something in the recipe's folder was.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum BesideContent {
    /// A file.
    File {
        /// The sha256 of its bytes.
        digest: Digest,
        /// Whether its owner may execute it; the rest of its mode is not used.
        is_executable: bool,
    },
    /// A symlink with its target.
    Symlink(Vec<u8>),
}

impl Beside {
    /// A recipe's folder before anything in it was read.
    #[must_use]
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, read: Mutex::default() }
    }

    /// The recipe's folder.
    #[must_use]
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Records what was read at a path in the folder.
    pub(crate) fn add(&self, path: &Path, content: BesideContent) {
        self.lock().insert(BesideFile { path: path.to_owned(), content });
    }

    /// Everything that was read, by its path. A path is in the list twice if its file changed between two reads.
    #[must_use]
    pub(crate) fn read(&self) -> BTreeSet<BesideFile> {
        self.lock().clone()
    }

    /// Entries are inserted whole, so the set is valid also after a panic.
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<BesideFile>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
