//! What can be wrong with an archive, or with replacing one by another.

use std::io;

use super::breach::Breach;
use super::compression::Compression;
use crate::tar::{Limits, TarError};
use crate::types::{FailureKind, Reportable};

/// Why an archive cannot be read, packed or replaced by another.
///
/// The caller adds the archive's path or URL; the messages here say `the archive`.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ArchiveError {
    /// Reading the stream failed.
    #[error("cannot read the archive")]
    Read(#[source] io::Error),
    /// Writing the result failed.
    #[error("cannot write the packed archive")]
    Write(#[source] io::Error),
    /// The scratch file that holds the decompressed archive failed.
    #[error("cannot use the scratch file for the decompressed archive")]
    Scratch(#[source] io::Error),
    /// The compressed stream is damaged, or followed by something else.
    #[error("the archive's {0} stream is damaged, or other data follows it")]
    Damaged(Compression, #[source] io::Error),
    /// The compressed stream asks the decoder for too much memory.
    #[error("the archive is refused: its {0} stream needs more than {mib} MiB of memory: compress it with a smaller \
             window", mib = Limits::WINDOW >> 20)]
    Window(Compression),
    /// The first block is not a tar header.
    #[error("this is not an archive: expected a tar, plain or in gzip, xz, zstd or bzip2")]
    NotTar,
    /// The tar in it is refused, or ends too early.
    #[error(transparent)]
    Tar(TarError),
    /// The archive to replace is bad; the source says how.
    #[error("cannot read the archive to replace")]
    Old(#[source] Box<ArchiveError>),
    /// The new archive is bad; the source says how.
    #[error("cannot use the new archive")]
    New(#[source] Box<ArchiveError>),
    /// Nothing is under the root that was asked for.
    #[error("the new archive has nothing under `{root}`; its top has {}", listed(.top))]
    Root {
        /// The root.
        root: String,
        /// The names at the top, sorted.
        top: Vec<String>,
    },
    /// The new archive lacks something that the old one had, or has programs that cannot run.
    #[error("the new archive cannot replace the old one:{}", lines(.0))]
    Contract(Vec<Breach>),
}

impl ArchiveError {
    /// The error that a [`Decompressed`](super::Decompressed) reader hid in an I/O error, or that of the stream.
    pub(crate) fn from_read(error: io::Error) -> Self {
        error.downcast::<Self>().unwrap_or_else(Self::Read)
    }
}

impl Reportable for ArchiveError {
    /// What kind of failure it is: a broken archive is a failed step; a name without a known ending is a mistake in the
    /// recipe.
    fn kind(&self) -> FailureKind {
        match self {
            Self::Old(error) | Self::New(error) => error.kind(),
            Self::Read(_)
            | Self::Write(_)
            | Self::Scratch(_)
            | Self::Damaged(..)
            | Self::Window(_)
            | Self::NotTar
            | Self::Tar(_)
            | Self::Root { .. }
            | Self::Contract(_) => FailureKind::Failed,
        }
    }
}

impl From<TarError> for ArchiveError {
    fn from(error: TarError) -> Self {
        match error {
            TarError::NotTar => Self::NotTar,
            // A decompressed archive is read from its scratch file.
            TarError::Read { source, .. } => Self::Scratch(source),
            TarError::CutShort(_)
            | TarError::Budget { .. }
            | TarError::Header { .. }
            | TarError::Trailing(_)
            | TarError::Entry { .. } => Self::Tar(error),
        }
    }
}

fn listed(names: &[String]) -> String {
    match names {
        [] => "nothing".to_owned(),
        names => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
    }
}

fn lines(breaches: &[Breach]) -> String {
    breaches.iter().fold(String::new(), |text, breach| format!("{text}\n  {breach}"))
}
