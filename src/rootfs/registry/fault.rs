//! What can be wrong with a file of the storage.

use std::fmt;

use super::paths::Part;
use crate::disk::Kind;
use crate::types::{ContextPath, Digest};

/// A part of an image that is missing or wrong in the storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Missing {
    /// What it is: tag, list, manifest, config or layer.
    pub(crate) what: &'static str,
    /// Where it should be.
    pub(crate) path: ContextPath,
    /// Why it cannot be used.
    pub(crate) fault: Fault,
}

impl Missing {
    pub(super) fn of(part: Part, fault: Fault) -> Self {
        Self { what: part.what, path: part.path, fault }
    }

    /// Whether it is only the history of a tag: a registry serves a tag without its history.
    #[must_use]
    pub(crate) fn is_history(&self) -> bool {
        self.path.as_str().split_once("/_manifests/tags/").is_some_and(|(_, rest)| rest.contains("/index/"))
    }
}

/// What is wrong with a file of the storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It does not exist.
    Absent,
    /// It is not a regular file.
    NoFile(Kind),
    /// A blob's data has another size in bytes than its descriptor says.
    Size {
        /// The descriptor's.
        expected: u64,
        /// The file's.
        found: u64,
    },
    /// A blob's data has another content, of the right size.
    Content {
        /// The blob's digest.
        expected: Digest,
        /// The digest of the existing content.
        found: Digest,
    },
    /// A link leads somewhere else.
    Link {
        /// Where it should lead.
        expected: Digest,
        /// The first bytes of its content.
        found: String,
    },
    /// A link has this text instead of a digest.
    NoDigest(String),
    /// A manifest has more bytes than a registry takes.
    TooLarge(u64),
    /// The manifest is not valid: why.
    NoManifest(String),
    /// A list refers to another list.
    ListInList,
    /// It could not be read.
    Unreadable(String),
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {}'s `{}` {}", self.what, self.path, self.fault)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("is missing"),
            Self::NoFile(Kind::Folder) => f.write_str("is a folder"),
            Self::NoFile(Kind::Symlink) => f.write_str("is a symlink"),
            Self::NoFile(Kind::File | Kind::Whiteout | Kind::Special(_)) => f.write_str("is not a file"),
            Self::Size { expected, found } => write!(f, "has {found} bytes, expected {expected}"),
            Self::Content { expected, found } => write!(f, "hashes to `{found}`, expected `{expected}`"),
            Self::Link { expected, found } => write!(f, "has `{}`, expected `{expected}`", found.escape_default()),
            Self::NoDigest(found) => write!(f, "has `{}`, which is not a digest", found.escape_default()),
            Self::TooLarge(found) => write!(f, "has {found} bytes, too many for a manifest"),
            Self::NoManifest(why) => write!(f, "cannot be used: {why}"),
            Self::ListInList => f.write_str("is a list, expected a manifest"),
            Self::Unreadable(why) => write!(f, "cannot be read: {why}"),
        }
    }
}
