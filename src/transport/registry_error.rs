//! Why a registry did not give what it was asked for.

use super::HttpError;
use crate::words::{Digest, FailureKind};

/// Why a registry did not give what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The registry says that it does not have it.
    #[error("the registry does not have it ({0})")]
    Missing(HttpError),
    /// Neither anonymously nor with the login that is at hand.
    #[error("the registry asks for credentials, or hides that it does not have it ({0})")]
    Credentials(HttpError),
    /// A document is not the one that was asked for, or not the one that the registry says it is.
    #[error("{url} gave another document: expected {expected}, found {found}")]
    Digest {
        /// Where from.
        url: String,
        /// What it should be.
        expected: Digest,
        /// What it is.
        found: Digest,
    },
    /// Everything else.
    #[error(transparent)]
    Http(HttpError),
}

impl From<HttpError> for RegistryError {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Status { status: 404, .. } => Self::Missing(error),
            HttpError::Status { status: 401 | 403, .. } => Self::Credentials(error),
            error => Self::Http(error),
        }
    }
}

impl RegistryError {
    /// The kind of failure.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Missing(_) | Self::Digest { .. } => FailureKind::Verification,
            Self::Credentials(_) => FailureKind::Failed,
            Self::Http(error) => error.kind(),
        }
    }
}
