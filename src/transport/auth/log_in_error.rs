//! Why a login did not come about.

use crate::transport::http::{HttpError, RequestUrl};
use crate::transport::registry::ConfError;
use crate::words::FailureKind;

/// Why a registry did not take a login.
#[derive(Debug, thiserror::Error)]
pub enum LogInError {
    /// It says no.
    #[error("the registry does not take the login of `{username}` for `{registry}` ({error})")]
    Refused {
        /// `HOST[:PORT]`.
        registry: String,
        /// Whose login.
        username: String,
        /// What the registry, or its token server, answered.
        error: HttpError,
    },
    /// It wants to see something that we do not have.
    #[error("{url}: the registry asks for another login than a name with a password")]
    Challenge {
        /// What was asked.
        url: RequestUrl,
    },
    /// The user's settings forbid to ask it.
    #[error(transparent)]
    Conf(#[from] ConfError),
    /// It was not heard whether it does.
    #[error(transparent)]
    Http(#[from] HttpError),
}

impl LogInError {
    /// The kind of failure.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Refused { .. } | Self::Challenge { .. } => FailureKind::Failed,
            Self::Conf(error) => error.kind(),
            Self::Http(error) => error.kind(),
        }
    }

    /// What to do next, where there is more to say than the message does.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Refused { .. } => {
                Some("are name and password right? many registries want a token in place of the password".to_owned())
            }
            Self::Http(HttpError::Stalled { .. } | HttpError::Broken { .. }) => {
                Some("run the command again later".to_owned())
            }
            Self::Http(HttpError::Status { status: 404, .. }) => {
                Some("is that a registry? it is written `HOST[:PORT]`".to_owned())
            }
            Self::Http(error @ HttpError::Status { .. }) if error.is_transient() => {
                Some("run the command again later".to_owned())
            }
            Self::Http(error) => error.help("registries.conf says which hosts speak http"),
            Self::Challenge { .. } | Self::Conf(_) => None,
        }
    }
}
