//! What can go wrong between a tree and its stream.

use std::io;
use std::path::PathBuf;

use crate::disk::DiskError;
use crate::tar::{Refusal, TarError, shown};
use crate::types::{FailureKind, Reportable};

/// Why a tree could not become a stream, or a stream a tree.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// The disk.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The stream is not a tar stream, or it could not be read.
    #[error(transparent)]
    Tar(TarError),
    /// Writing the stream failed.
    #[error("could not write the layer's stream")]
    Write(#[source] io::Error),
    /// The content of an entry could not be read to its end: cut short, or not what a digest says.
    #[error("could not read the content of the layer's entry `{name}`")]
    Content {
        /// The entry's name, escaped.
        name: String,
        /// The error of the stream's source.
        source: io::Error,
    },
    /// A file of the tree could not be read.
    #[error("could not read `{}` for the layer's stream", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A file was longer or shorter than announced.
    #[error("`{}` changed while the layer was made from it; do not change the files and try again", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// An entry that is not taken.
    #[error("the layer's entry `{name}` is refused: {why}")]
    Refused {
        /// The entry's name, escaped.
        name: String,
        /// Why.
        why: Refusal,
    },
}

impl LayerError {
    pub(super) fn refused(name: &[u8], why: Refusal) -> Self {
        Self::Refused { name: shown(name), why }
    }
}

impl Reportable for LayerError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Disk(error) => error.kind(),
            Self::Tar(error) => error.kind(),
            Self::Content { source, .. } => FailureKind::of_read(source),
            Self::Write(_) | Self::Read { .. } | Self::Changed { .. } | Self::Refused { .. } => FailureKind::Failed,
        }
    }
}

impl From<TarError> for LayerError {
    fn from(error: TarError) -> Self {
        match error {
            TarError::Entry { path, why } => Self::Refused { name: path, why },
            other => Self::Tar(other),
        }
    }
}
