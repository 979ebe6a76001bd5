//! Why the cache could not take or give bytes.

use std::io;

use crate::types::{Digest, FailureKind, Reportable};

/// Why the cache could not take or give bytes.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The disk said no; the error names the verb and the path.
    #[error("the cache folder cannot be used")]
    Io(#[from] io::Error),
    /// What was written does not hash to what it should. It was thrown away.
    #[error("expected content of {expected}, found {found}")]
    WrongDigest {
        /// What it should be.
        expected: Digest,
        /// What it is.
        found: Digest,
    },
    /// What was written is longer or shorter than it should be. It was thrown away.
    #[error("expected {expected} bytes, found {}{found}", at_least(*cut))]
    WrongSize {
        /// Bytes that it should have.
        expected: u64,
        /// Bytes that it has.
        found: u64,
        /// The rest was not waited for.
        cut: bool,
    },
}

fn at_least(cut: bool) -> &'static str {
    if cut { "at least " } else { "" }
}

impl Reportable for CacheError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Io(_) => FailureKind::Failed,
            Self::WrongDigest { .. } | Self::WrongSize { .. } => FailureKind::Verification,
        }
    }
}
