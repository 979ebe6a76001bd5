//! Why a registry did not give what it was asked for.

use std::fmt;

use crate::transport::auth::Access;
use crate::transport::http::{HttpError, RequestUrl};
use crate::types::{Digest, FailureKind, Reportable};

/// Why a registry did not give what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The registry says that it does not have it.
    #[error("the registry does not have it ({0})")]
    Missing(HttpError),
    /// Neither anonymously nor with the login that is at hand.
    #[error(transparent)]
    Credentials(Box<Refusal>),
    /// A document is not the one that was asked for, or not the one that the registry says it is.
    #[error("{url} gave another document: expected {expected}, found {found}")]
    Digest {
        /// Where from.
        url: RequestUrl,
        /// What it should be.
        expected: Digest,
        /// What it is.
        found: Digest,
    },
    /// Everything else.
    #[error(transparent)]
    Http(HttpError),
}

/// A registry's no to who we are, or to that nobody said who.
#[derive(Debug)]
pub struct Refusal {
    /// What it answered.
    pub error: HttpError,
    /// `HOST[:PORT]`.
    pub registry: String,
    /// The repository there.
    pub repository: String,
    /// What was to be done there.
    pub access: Access,
    /// Whose login was used; none: nobody's.
    pub who: Option<Who>,
    /// The login is good, but it does not open this repository.
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
            None if *access == Access::Push => write!(f, "the registry asks for credentials of who pushes ({error})"),
            None => write!(f, "the registry asks for credentials, or hides that it does not have it ({error})"),
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
                    "the registry does not take the login of {whose} for `{registry}`, which comes from {origin} ({error})"
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
                "is the repository written as the registry has it, does it exist there, and may this login write to it?"
                    .to_owned()
            }
            (Some(_), _) if self.is_known => {
                "are repository and tag written as the registry has them, and may this login read them?".to_owned()
            }
            (Some(_), _) => format!("log in again: `sealer login {registry}`"),
            (None, Some(file)) => format!(
                "is there a login for `{registry}`? `{file}` is where it is looked for; `sealer login {registry}` \
                 writes one"
            ),
            (None, None) if self.access == Access::Push => {
                format!("pushes to `{registry}` need a login, and none is looked for")
            }
            (None, None) => {
                "images are pulled without a login: copy it to a registry that asks for none, and name that as a mirror in \
                 registries.conf"
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
    /// Whether something came, and it is not what was asked for.
    #[must_use]
    pub fn is_wrong_content(&self) -> bool {
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
            Self::Missing(_) => "are repository and tag or digest written as the registry has them?".to_owned(),
            Self::Credentials(refusal) => refusal.help(),
            // The digest that the registry names, not one that the user wrote.
            Self::Digest { .. } | Self::Http(HttpError::Wrong { .. } | HttpError::TooLong { .. }) => {
                "a mirror or proxy on the way may hold something else; registries.conf says who is asked".to_owned()
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
