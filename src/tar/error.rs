//! What can be wrong with a tar stream.

use std::io;

use crate::types::{FailureKind, Reportable, obeyed};

/// Why a tar stream was not read to its end.
///
/// The caller adds the archive's path or URL; the messages here say `the archive`.
#[derive(Debug, thiserror::Error)]
pub enum TarError {
    /// Reading the stream failed.
    #[error("could not read the tar stream at byte {at}")]
    Read {
        /// Bytes before.
        at: u64,
        /// The error.
        source: io::Error,
    },
    /// It ended before its end mark, after so many bytes.
    #[error("the archive ends too early, after {0} decompressed bytes: fetch it again")]
    CutShort(u64),
    /// The first block is not a tar header.
    #[error("this is not a tar archive; is it compressed?")]
    NotTar,
    /// More of something than the budget allows.
    #[error("the archive is refused: it has more than {limit} {what}")]
    Budget {
        /// What there is too much of, for the message: `entries`.
        what: &'static str,
        /// How much there may be.
        limit: u64,
    },
    /// A block that should be a header is not one.
    #[error("the archive is damaged: the header at byte {at} has {why}")]
    Header {
        /// Its offset in the stream.
        at: u64,
        /// The reason.
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
    /// What the exit code says about it: an error of digest verification while reading is a failed verification.
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
pub enum Refusal {
    #[error("its name is empty")]
    EmptyName,
    #[error("its name contains a NUL")]
    Nul,
    #[error("its name is absolute")]
    Absolute,
    #[error("its name leaves the archive with `..`")]
    Parent,
    #[error("its name is longer than 4096 bytes")]
    LongPath,
    #[error("a part of its name is longer than 255 bytes")]
    LongComponent,
    #[error("it is more than 255 folders deep")]
    Deep,
    #[error("it is {0}; only files, folders and links are taken")]
    Kind(&'static str),
    #[error("it is of the unknown type {0:?}")]
    Type(char),
    #[error("the archive's top must be a folder")]
    Top,
    #[error("it has setuid, setgid or sticky bits ({0:o})")]
    SpecialBits(u32),
    #[error("its owner is not a number that Linux supports")]
    Owner,
    #[error("it has `{0}`, which would be lost")]
    Attribute(String),
    #[error("it is a sparse file")]
    Sparse,
    #[error("its size is not a valid size of a file")]
    Size,
    #[error("its headers disagree on its size: {header} and {pax}")]
    Sizes { header: u64, pax: u64 },
    #[error("it is a folder or a link, but has content")]
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
    #[error("it is below `{0}`, which is not a folder")]
    BelowOther(String),
    #[error("one of the folders in its path is a symlink or a file")]
    InTheWay,
    #[error("its link has no target")]
    NoTarget,
    #[error("its link's target is longer than 4095 bytes or contains a NUL")]
    Target,
    #[error("it is a hard link to `{0}`, which is not a file that comes before it in the archive")]
    HardLink(String),
    #[error("it is a hard link to `{0}`, which is not under the root")]
    LinkOutsideRoot(String),
    #[error("it is a link to `{0}`, which is outside the root")]
    LinkLeavesRoot(String),
    #[error("in a layer its name would remove something; rename it")]
    WhiteoutName,
    #[error("it is in a folder whose name removes something")]
    WhiteoutParent,
    #[error("a whiteout is an empty file")]
    WhiteoutContent,
    #[error("what it removes is not a valid name")]
    WhiteoutOf,
    #[error("it would hide all lower layers")]
    OpaqueTop,
    #[error("the layer both removes and has it")]
    RemovedAndHeld,
    #[error("sealer cannot load an archive with a `\\` in a name; push the image instead, or name the file otherwise")]
    Unloadable,
}

/// A name from outside, made safe for messages: terminal control codes are escaped, invalid UTF-8 is replaced, and it
/// is cut at 200 characters.
pub(crate) fn shown(name: &[u8]) -> String {
    let text = String::from_utf8_lossy(name);
    let mut out = String::new();
    for (count, character) in text.chars().enumerate() {
        if count == 200 {
            out.push('…');
            break;
        }
        if obeyed(character) {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    out
}
