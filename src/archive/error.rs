//! What can be wrong with an archive, or with putting one in the place of another.

use std::io;

use super::compression::Compression;
use super::contract::Breach;
use super::limits::Limits;
use super::pack::PackedForm;
use crate::words::FailureKind;

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
    /// The compressed stream or the tar ends too early.
    #[error("the archive ends too early, after {0} decompressed bytes: fetch it again")]
    Truncated(u64),
    /// The compressed stream asks the decoder for too much memory.
    #[error("the archive is refused: its {0} stream wants more memory than {mib} MiB: compress it with a smaller window", mib = Limits::WINDOW >> 20)]
    Window(Compression),
    /// The first block is no tar header.
    #[error("this is no archive: expected a tar, plain or in gzip, xz, zstd or bzip2")]
    NotTar,
    /// More of something than the budget allows.
    #[error("the archive is refused: it has more than {limit} {what}")]
    Budget {
        /// What there is too much of.
        what: &'static str,
        /// How much there may be.
        limit: u64,
    },
    /// A block that should be a header is none.
    #[error("the archive is damaged: the header at byte {at} has {why}")]
    Header {
        /// Its offset in the decompressed tar.
        at: u64,
        /// What is wrong.
        why: &'static str,
    },
    /// Something follows the end of the tar.
    #[error("the archive is refused: something follows its end, at byte {0} of the decompressed tar")]
    Trailing(u64),
    /// One entry is refused.
    #[error("the archive's entry `{path}` is refused: {why}")]
    Entry {
        /// The entry's name, escaped.
        path: String,
        /// Why.
        why: Refusal,
    },
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

/// Why one entry of an archive is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message is its documentation")]
pub enum Refusal {
    #[error("its name is empty")]
    EmptyName,
    #[error("its name holds a NUL")]
    Nul,
    #[error("its name is absolute")]
    Absolute,
    #[error("its name leads out of the archive by `..`")]
    Parent,
    #[error("its name is longer than 4096 bytes")]
    LongPath,
    #[error("a part of its name is longer than 255 bytes")]
    LongComponent,
    #[error("it lies more than 255 folders deep")]
    Deep,
    #[error("it is {0}; only files, folders and links are taken")]
    Kind(&'static str),
    #[error("it is of the unknown type {0:?}")]
    Type(char),
    #[error("the archive's top is no folder in it")]
    Top,
    #[error("it has the bits {0:o} of setuid, setgid or sticky")]
    SpecialBits(u32),
    #[error("it carries `{0}`, which would be lost")]
    Attribute(String),
    #[error("it is a sparse file")]
    Sparse,
    #[error("its size is no number that a file can have")]
    Size,
    #[error("its headers disagree on its size: {header} and {pax}")]
    Sizes { header: u64, pax: u64 },
    #[error("it is a folder or a link, and yet has content")]
    Content,
    #[error("its PAX header is malformed: {0}")]
    Pax(&'static str),
    #[error("its headers come in an odd order")]
    Order,
    #[error("it is in the archive twice")]
    Twice,
    #[error("it lies below `{0}`, which is no folder")]
    BelowOther(String),
    #[error("its link has no target")]
    NoTarget,
    #[error("its link's target is longer than 4096 bytes or holds a NUL")]
    Target,
    #[error("it is a hard link to `{0}`, which is no file that stands before it in the archive")]
    HardLink(String),
    #[error("it is a hard link to `{0}`, which does not lie under the root")]
    LinkOutsideRoot(String),
    #[error("it is a link to `{0}`, which leads out of the root")]
    LinkLeavesRoot(String),
}

impl ArchiveError {
    /// What kind of failure it is: a broken archive is a step that does not fit; a name that says no form is the recipe's mistake.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Form(_) => FailureKind::Invalid,
            Self::Old(error) | Self::New(error) => error.kind(),
            Self::Read(_)
            | Self::Write(_)
            | Self::Scratch(_)
            | Self::Damaged(..)
            | Self::Truncated(_)
            | Self::Window(_)
            | Self::NotTar
            | Self::Budget { .. }
            | Self::Header { .. }
            | Self::Trailing(_)
            | Self::Entry { .. }
            | Self::Root { .. }
            | Self::Contract(_) => FailureKind::Failed,
        }
    }

    /// The error that a [`Decompressed`](super::Decompressed) reader hid in an I/O error, or that of the stream.
    pub(crate) fn from_read(error: io::Error) -> Self {
        error.downcast::<Self>().unwrap_or_else(Self::Read)
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
