//! What can go wrong on the disk.

use std::io;
use std::path::{Path, PathBuf};

use crate::types::{FailureKind, Reportable};

/// Why something on the disk could not be done.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// The system returned an error.
    #[error("could not {action} `{}`", path.display())]
    Io {
        /// What was tried, as a verb with its object: `create the folder`.
        action: &'static str,
        /// The path that it failed on.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A lock is held by another process for longer than we wait.
    #[error("`{}` was in use by another process for more than {seconds} s; try again when that process is done", path.display())]
    Busy {
        /// The lock file.
        path: PathBuf,
        /// How long was waited.
        seconds: u64,
    },
    /// A name is not a single component of a path.
    #[error("`{}` in `{}` is not a valid file name", name.escape_ascii(), folder.display())]
    Name {
        /// The folder.
        folder: PathBuf,
        /// The name, as bytes.
        name: Vec<u8>,
    },
    /// Neither file, folder, symlink nor whiteout.
    #[error("`{}` is a {what}, which a layer cannot have; remove it or exclude it", path.display())]
    Special {
        /// Where it is.
        path: PathBuf,
        /// `socket`, `FIFO`, `device`.
        what: &'static str,
    },
    /// Folders are nested too deeply.
    #[error("`{}` is more than {limit} folders deep", path.display())]
    Deep {
        /// Where it was given up.
        path: PathBuf,
        /// The limit.
        limit: usize,
    },
}

/// For callers that only report an I/O error: one sentence with its cause.
impl From<DiskError> for io::Error {
    fn from(error: DiskError) -> Self {
        match error {
            DiskError::Io { ref source, .. } => Self::new(source.kind(), format!("{error}: {source}")),
            DiskError::Busy { .. } | DiskError::Name { .. } | DiskError::Special { .. } | DiskError::Deep { .. } => {
                Self::other(error)
            }
        }
    }
}

impl DiskError {
    pub(crate) fn io(action: &'static str, path: impl AsRef<Path>, source: impl Into<io::Error>) -> Self {
        Self::Io { action, path: path.as_ref().to_owned(), source: source.into() }
    }

    /// Whether the error means "not found".
    #[must_use]
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }

    /// Whether the error means "already exists".
    #[must_use]
    pub(crate) fn is_there_already(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::AlreadyExists)
    }
}

impl Reportable for DiskError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Busy { .. } => FailureKind::Retry,
            Self::Io { .. } | Self::Name { .. } | Self::Special { .. } | Self::Deep { .. } => FailureKind::Failed,
        }
    }
}
