//! Why the cache could not take or give bytes.

use std::io;

use crate::types::{Digest, FailureKind, Reportable};

/// Why the cache could not take or give bytes.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// An I/O error; it names the action and the path.
    #[error("the cache folder cannot be used")]
    Io(#[from] io::Error),
    /// The written bytes have the wrong digest. They were dropped.
    #[error("expected content of {expected}, found {found}")]
    WrongDigest {
        /// The digest that was asked for.
        expected: Digest,
        /// The digest of the bytes.
        found: Digest,
    },
    /// The written bytes have the wrong length. They were dropped.
    #[error("expected {expected} bytes, found {}{found}", at_least(*cut))]
    WrongSize {
        /// Bytes that it should have.
        expected: u64,
        /// Bytes that it has.
        found: u64,
        /// Whether reading stopped early.
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
