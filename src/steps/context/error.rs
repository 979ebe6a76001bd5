//! Why a context could not be read or changed.

use std::io;

use crate::disk::{DiskError, Kind};
use crate::types::{ContextPath, Reportable};

/// The largest document that is edited, in bytes.
pub(in crate::steps) const MAX_DOCUMENT: u64 = 64 << 20;

/// Why the context could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ContextError {
    /// The path is not the kind of thing that the step works on.
    #[error("`{path}` in the context is a {found}, expected {expected}")]
    NoFile {
        /// The path.
        path: ContextPath,
        /// What it is.
        found: &'static str,
        /// What it should be, with its article.
        expected: &'static str,
    },
    /// A path leads through something that is not a folder.
    #[error("`{path}` leads through `{at}`, which is a {found} in the context, expected a folder")]
    Through {
        /// The path.
        path: ContextPath,
        /// The part of it that is not a folder.
        at: ContextPath,
        /// What that part is.
        found: &'static str,
    },
    /// Something is where nothing may be.
    #[error("the context already has `{path}`, a {found}; `remove` it first if you want to replace it")]
    There {
        /// The path.
        path: ContextPath,
        /// What it is.
        found: &'static str,
    },
    /// A document is too large to be edited.
    #[error("`{path}` has {size} bytes; only documents up to {MAX_DOCUMENT} bytes can be edited")]
    TooLarge {
        /// The path.
        path: ContextPath,
        /// Its size in bytes.
        size: u64,
    },
    /// An error of the file system.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A file could not be read or written.
    #[error("cannot read `{path}` of the context")]
    Read {
        /// The path.
        path: ContextPath,
        /// Why.
        source: io::Error,
    },
}

impl Reportable for ContextError {}

/// A kind in words for people.
pub(super) fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::File => "file",
        Kind::Folder => "folder",
        Kind::Symlink => "symlink",
        Kind::Whiteout => "whiteout",
        Kind::Special(found) => found,
    }
}
