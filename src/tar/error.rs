//! What can be wrong with a tar stream.

use std::io;

use super::entry_path::shown;
use crate::types::{FailureKind, Reportable};

/// Why a tar stream is not read to its end.
///
/// Whoever knows the archive's path or URL names it; the messages here say `the archive`.
#[derive(Debug, thiserror::Error)]
pub enum TarError {
    /// Whoever gives the stream failed.
    #[error("could not read the tar stream at byte {at}")]
    Read {
        /// Bytes before.
        at: u64,
        /// What it said.
        source: io::Error,
    },
    /// It ended before its end mark, after so many bytes.
    #[error("the archive ends too early, after {0} decompressed bytes: fetch it again")]
    CutShort(u64),
    /// The first block is no tar header.
    #[error("this is not a tar archive; is it compressed?")]
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
        /// Its offset in the stream.
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
}

impl TarError {
    pub(crate) fn entry(name: &[u8], why: Refusal) -> Self {
        Self::Entry { path: shown(name), why }
    }
}

impl Reportable for TarError {
    /// What the exit code says of it: what fails a digest on the way in is a failed verification.
    fn kind(&self) -> FailureKind {
        match self {
            Self::Read { source, .. } => FailureKind::of_read(source),
            Self::CutShort(_)
            | Self::NotTar
            | Self::Budget { .. }
            | Self::Header { .. }
            | Self::Trailing(_)
            | Self::Entry { .. } => FailureKind::Failed,
        }
    }
}

/// Why one entry of an archive or a layer is refused.
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
    #[error("its owner is no number that Linux knows")]
    Owner,
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
    #[error("it has {found} of {size} bytes")]
    Short { found: u64, size: u64 },
    #[error("its PAX header is malformed: {0}")]
    Pax(&'static str),
    #[error("its PAX record `{key}` has the value `{value}`")]
    PaxValue { key: String, value: String },
    #[error("its headers come in an odd order")]
    Order,
    #[error("it is in the archive twice")]
    Twice,
    #[error("it lies below `{0}`, which is no folder")]
    BelowOther(String),
    #[error("one of the folders on its way is a symlink or a file")]
    InTheWay,
    #[error("its link has no target")]
    NoTarget,
    #[error("its link's target is longer than 4095 bytes or holds a NUL")]
    Target,
    #[error("it is a hard link to `{0}`, which is no file that stands before it in the archive")]
    HardLink(String),
    #[error("it is a hard link to `{0}`, which does not lie under the root")]
    LinkOutsideRoot(String),
    #[error("it is a link to `{0}`, which leads out of the root")]
    LinkLeavesRoot(String),
    #[error("in a layer its name would remove something; rename it")]
    WhiteoutName,
    #[error("it lies in a folder whose name removes something")]
    WhiteoutParent,
    #[error("a whiteout is an empty file")]
    WhiteoutContent,
    #[error("what it removes is no name")]
    WhiteoutOf,
    #[error("it would hide all lower layers")]
    OpaqueTop,
    #[error("the layer both removes and holds it")]
    RemovedAndHeld,
    #[error("no sealer loads an archive with a `\\` in a name; push the image instead, or name the file otherwise")]
    Unloadable,
}
