//! Why a request to a registry failed.

use std::fmt;

use crate::transport::auth::Access;
use crate::transport::http::{HttpError, RequestUrl};
use crate::types::{Digest, FailureKind, Reportable};

/// Why a request to a registry failed.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The registry does not have it.
    #[error("the registry does not have it ({0})")]
    Missing(HttpError),
    /// The registry refuses the user, with or without a login.
    #[error(transparent)]
    Credentials(Box<Refusal>),
    /// A document is not the requested one, or not the one that the registry announced.
    #[error("{url} returned another document: expected {expected}, found {found}")]
    Digest {
        /// The URL of the request.
        url: RequestUrl,
        /// The digest that was asked for.
        expected: Digest,
        /// The digest of the bytes.
        found: Digest,
    },
    /// Everything else.
    #[error(transparent)]
    Http(HttpError),
}

/// A registry refused a login, or a request without one.
#[derive(Debug)]
pub struct Refusal {
    /// Its answer.
    pub error: HttpError,
    /// `HOST[:PORT]`.
    pub registry: String,
    /// The repository there.
    pub repository: String,
    /// The requested access.
    pub access: Access,
    /// Whose login was used; `None` if there was no login.
    pub who: Option<Who>,
    /// Whether the login is valid, but not for this repository.
    pub is_known: bool,
    /// The file that a login can be written to.
    pub login_file: Option<String>,
}

/// Whose login it is, for messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// `` `bob` `` or what kind of token.
    pub whose: String,
    /// Where it was found.
    pub origin: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { error, registry, repository, access, who, is_known, .. } = self;
        match who {
            None if *access == Access::Push => write!(f, "the registry asks for a login to push ({error})"),
            None => write!(f, "the registry asks for a login, or hides that it does not have it ({error})"),
            Some(Who { whose, origin }) if *is_known && *access == Access::Push => write!(
                f,
                "the registry does not let {whose} push to `{registry}/{repository}` (the login comes from {origin}) \
                 ({error})"
            ),
            Some(Who { whose, origin }) if *is_known => write!(
                f,
                "the registry does not let {whose} pull `{registry}/{repository}`, or hides that it does not have it \
                 (the login comes from {origin}) ({error})"
            ),
            Some(Who { whose, origin }) => {
                write!(
                    f,
                    "the registry does not accept the login of {whose} for `{registry}`, which comes from {origin} \
                     ({error})"
                )
            }
        }
    }
}

impl std::error::Error for Refusal {}

impl Refusal {
    fn help(&self) -> String {
        let registry = &self.registry;
        match (&self.who, &self.login_file) {
            (Some(_), _) if self.is_known && self.access == Access::Push => {
                "check that the repository is spelled right and exists, and that this login may write to it".to_owned()
            }
            (Some(_), _) if self.is_known => {
                "check that the repository and the tag are spelled right, and that this login may read them".to_owned()
            }
            (Some(_), _) => format!("log in again: `sealer login {registry}`"),
            (None, Some(file)) => format!("log in with `sealer login {registry}`; the login is read from `{file}`"),
            (None, None) if self.access == Access::Push => {
                format!("pushes to `{registry}` need a login, but logins are not used here")
            }
            (None, None) => {
                "images are pulled without a login here: copy the image to a registry that needs no login, and add \
                 that as a mirror in registries.conf"
                    .to_owned()
            }
        }
    }
}

impl From<HttpError> for RegistryError {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Status { status: 404, .. } => Self::Missing(error),
            error => Self::Http(error),
        }
    }
}

impl RegistryError {
    /// Whether the registry sent something other than what was requested.
    #[must_use]
    pub(crate) fn is_wrong_content(&self) -> bool {
        match self {
            Self::Digest { .. } => true,
            Self::Http(error) => error.kind() == FailureKind::Verification,
            Self::Missing(_) | Self::Credentials(_) => false,
        }
    }
}

impl Reportable for RegistryError {
    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Missing(_) => "check that the repository and the tag or digest are spelled right".to_owned(),
            Self::Credentials(refusal) => refusal.help(),
            // The digest comes from the registry, not from the user.
            Self::Digest { .. } | Self::Http(HttpError::Wrong { .. } | HttpError::TooLong { .. }) => {
                "a mirror or proxy on the way may have something else; registries.conf says which servers are used"
                    .to_owned()
            }
            Self::Http(error) => return error.help("registries.conf can name a mirror"),
        })
    }

    fn kind(&self) -> FailureKind {
        match self {
            Self::Missing(_) | Self::Digest { .. } => FailureKind::Verification,
            Self::Credentials(_) => FailureKind::Failed,
            Self::Http(error) => error.kind(),
        }
    }
}
