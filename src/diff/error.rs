//! Why two images cannot be compared.

use std::io;

use crate::archive::ArchiveError;
use crate::disk::DiskError;
use crate::store::StoreError;
use crate::types::{FailureKind, Reportable};

/// Why two images cannot be compared.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DiffError {
    /// The disk.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Content that was there could not be read to its end.
    #[error("cannot read `{path}` to compare it")]
    Read {
        /// Where it is.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// There is no room to unpack an archive, or it could not be used.
    #[error("cannot unpack `{path}` to compare its members; use `--cache` for a folder with more space")]
    Unpack {
        /// Where it is.
        path: String,
        /// Why.
        source: ArchiveError,
    },
    /// The folder for what is unpacked.
    #[error("cannot make a scratch file to compare `{path}`")]
    Scratch {
        /// The path of the file to compare.
        path: String,
        /// Why.
        source: io::Error,
    },
}

impl Reportable for DiffError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Disk(error) => error.kind(),
            Self::Store(error) => error.kind(),
            Self::Read { .. } | Self::Unpack { .. } | Self::Scratch { .. } => FailureKind::Failed,
        }
    }
}
