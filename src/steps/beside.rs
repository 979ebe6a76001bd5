//! What lies beside the recipe, and what of it was read.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::types::Digest;

/// The recipe's folder. Whoever reads a file there says what it was: another look would find what somebody makes of it
/// meanwhile.
#[derive(Debug, Default)]
pub(crate) struct Beside {
    folder: PathBuf,
    read: Mutex<BTreeSet<BesideFile>>,
}

/// Something that was read beside the recipe.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BesideFile {
    /// Its path from the recipe's folder.
    pub path: PathBuf,
    /// What it was.
    pub content: BesideContent,
}

/// What something beside the recipe was.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum BesideContent {
    /// A file.
    File {
        /// The sha256 of its bytes.
        digest: Digest,
        /// Whether its owner may execute it: all that is taken of its mode.
        is_executable: bool,
    },
    /// A symlink with its target.
    Symlink(Vec<u8>),
}

impl Beside {
    /// A recipe's folder, of which nothing was read yet.
    #[must_use]
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, read: Mutex::default() }
    }

    /// The recipe's folder.
    #[must_use]
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Remembers what was read at a path from the folder.
    pub(crate) fn add(&self, path: &Path, content: BesideContent) {
        self.lock().insert(BesideFile { path: path.to_owned(), content });
    }

    /// All that was read, by its path; what was another file each time stands there for each time.
    #[must_use]
    pub(crate) fn read(&self) -> BTreeSet<BesideFile> {
        self.lock().clone()
    }

    /// Entries are inserted whole, so the set is good also after a panic.
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<BesideFile>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
