//! What can go wrong on the disk.

use std::io;
use std::path::{Path, PathBuf};

use crate::types::{FailureKind, Reportable};

/// Why something on the disk could not be done.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// The system refused.
    #[error("could not {action} `{}`", path.display())]
    Io {
        /// What was tried, as a verb with what belongs to it: `create the folder`.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A lock is held by another process for longer than we wait.
    #[error("`{}` was in use by another process for more than {seconds} s; try again when that one is done", path.display())]
    Busy {
        /// The lock file.
        path: PathBuf,
        /// How long was waited.
        seconds: u64,
    },
    /// A name is no single component of a path.
    #[error("`{}` in `{}` is no name that a file can have", name.escape_ascii(), folder.display())]
    Name {
        /// The folder.
        folder: PathBuf,
        /// The name, as bytes.
        name: Vec<u8>,
    },
    /// Neither file, folder, symlink nor whiteout.
    #[error("`{}` is a {what}, which no layer can hold; remove it or leave it out", path.display())]
    Special {
        /// Where it is.
        path: PathBuf,
        /// `socket`, `FIFO`, `device`.
        what: &'static str,
    },
    /// Folders in folders without end.
    #[error("`{}` lies more than {limit} folders deep", path.display())]
    Deep {
        /// Where it was given up.
        path: PathBuf,
        /// The limit.
        limit: usize,
    },
}

/// For whoever tells of nothing but what the system said: one sentence, with its cause.
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

    /// Whether the thing was not there.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }

    /// Whether the thing was there already.
    #[must_use]
    pub fn is_there_already(&self) -> bool {
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
