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
    /// Whether something came, and it is not what was asked for.
    #[must_use]
    pub fn is_wrong_content(&self) -> bool {
        match self {
            Self::Digest { .. } => true,
            Self::Http(error) => error.kind() == FailureKind::Verification,
            Self::Missing(_) | Self::Credentials(_) => false,
        }
    }

    /// What to do next, where there is more to say than the message does.
    pub(super) fn help(&self) -> Option<String> {
        Some(match self {
            Self::Missing(_) => "are repository and tag or digest written as the registry has them?".to_owned(),
            Self::Credentials(_) => {
                "images are pulled without a login: copy it to a registry that asks for none, and name that as a mirror in \
                 registries.conf"
                    .to_owned()
            }
            // The digest that the registry names, not one that the user wrote.
            Self::Digest { .. } | Self::Http(HttpError::Wrong { .. } | HttpError::TooLong { .. }) => {
                "a mirror or proxy on the way may hold something else; registries.conf says who is asked".to_owned()
            }
            Self::Http(error) => return error.help("registries.conf can name a mirror"),
        })
    }

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
