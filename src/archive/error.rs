//! What can be wrong with an archive, or with putting one in the place of another.

use std::io;

use super::compression::Compression;
use super::contract::Breach;
use super::pack::PackedForm;
use crate::tar::{Limits, TarError};
use crate::types::{FailureKind, Reportable};

/// Why an archive is not read, packed or put in the place of another.
///
/// Whoever knows the archive's path or URL names it; the messages here say `the archive`.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The stream that it comes from failed.
    #[error("cannot read the archive")]
    Read(#[source] io::Error),
    /// The place that the result goes to failed.
    #[error("cannot write the packed archive")]
    Write(#[source] io::Error),
    /// The scratch file that holds the decompressed archive failed.
    #[error("cannot use the scratch file for the decompressed archive")]
    Scratch(#[source] io::Error),
    /// The compressed stream is damaged, or followed by something else.
    #[error("the archive's {0} stream is damaged, or something that is none follows it")]
    Damaged(Compression, #[source] io::Error),
    /// The compressed stream asks the decoder for too much memory.
    #[error("the archive is refused: its {0} stream wants more memory than {mib} MiB: compress it with a smaller window", mib = Limits::WINDOW >> 20)]
    Window(Compression),
    /// The first block is no tar header.
    #[error("this is no archive: expected a tar, plain or in gzip, xz, zstd or bzip2")]
    NotTar,
    /// The tar in it is refused, or ends too early.
    #[error(transparent)]
    Tar(TarError),
    /// The name of a path to pack for says no form that is written.
    #[error("cannot tell from the name `{0}` how to pack: expected {ends}", ends = PackedForm::expected())]
    Form(String),
    /// The archive that is to be replaced is bad; the source says how.
    #[error("the archive that is to be replaced cannot be compared")]
    Old(#[source] Box<ArchiveError>),
    /// The archive that is to take its place is bad; the source says how.
    #[error("the new archive cannot be used")]
    New(#[source] Box<ArchiveError>),
    /// Nothing lies under the root that was asked for.
    #[error("nothing in the new archive lies under `{root}`; at its top there is {}", listed(.top))]
    Root {
        /// The root.
        root: String,
        /// The names at the top, sorted.
        top: Vec<String>,
    },
    /// The new archive lacks what the old one gave, or has programs that cannot run.
    #[error("the new archive cannot take the place of the old one:{}", lines(.0))]
    Contract(Vec<Breach>),
}

impl ArchiveError {
    /// The error that a [`Decompressed`](super::Decompressed) reader hid in an I/O error, or that of the stream.
    pub(crate) fn from_read(error: io::Error) -> Self {
        error.downcast::<Self>().unwrap_or_else(Self::Read)
    }
}

impl Reportable for ArchiveError {
    /// What kind of failure it is: a broken archive is a step that does not fit; a name that says no form is the recipe's mistake.
    fn kind(&self) -> FailureKind {
        match self {
            Self::Form(_) => FailureKind::Invalid,
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
            // What an archive was decompressed to is read from its scratch file.
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
