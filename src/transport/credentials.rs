//! Who we are to registries.

use super::Secret;
use crate::words::{Diagnostic, FailureKind, Source};

/// A user's name and password at a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The name.
    pub username: String,
    /// The password, or a token that stands for it.
    pub password: Secret,
}

/// What proves to a registry who we are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// Name and password.
    Login(Login),
    /// A refresh token for the registry's token server (OAuth 2).
    IdentityToken(Secret),
    /// A bearer token for the registry itself.
    RegistryToken(Secret),
}

impl Proof {
    /// Whose it is, for messages: `` `bob` ``, or what kind of token it is.
    #[must_use]
    pub fn whose(&self) -> String {
        match self {
            Self::Login(login) => format!("`{}`", super::shown::printable(&login.username)),
            Self::IdentityToken(_) => "an identity token".to_owned(),
            Self::RegistryToken(_) => "a registry token".to_owned(),
        }
    }
}

/// A proof and where it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The proof.
    pub proof: Proof,
    /// Where it was found, for messages: a file, or a helper and the file that names it.
    pub origin: String,
}

/// Why it cannot be known who the user is to a registry.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// A file could not be read; the error names it.
    #[error("the logins at registries cannot be read")]
    Read(#[from] std::io::Error),
    /// A file holds something that is not understood.
    #[error("{}: {}", .source_text.place(.diagnostic.span), .diagnostic.message)]
    Invalid {
        /// The file.
        source_text: Source,
        /// Place and reason; boxed, being large.
        diagnostic: Box<Diagnostic>,
    },
    /// A credential helper did not do its work.
    #[error("`{helper}` cannot say the login for `{registry}`: {reason}")]
    Helper {
        /// The helper's program.
        helper: String,
        /// What it was asked for.
        registry: String,
        /// Why; never what a helper gives as a secret.
        reason: String,
        /// The file that names the helper.
        file: String,
    },
}

impl CredentialsError {
    /// The kind of failure.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Read(_) | Self::Invalid { .. } | Self::Helper { .. } => FailureKind::Failed,
        }
    }

    /// What to do next, where there is more to say than the message does.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Read(_) | Self::Invalid { .. } => None,
            Self::Helper { helper, registry, file, .. } => Some(format!(
                "`{file}` names this helper: repair it (`echo {registry} | {helper} get` asks it), or take it out there"
            )),
        }
    }
}

/// Knows the logins of the user.
pub trait Credentials: Send + Sync {
    /// What the user has for a repository at a registry (`HOST[:PORT]`, Docker's is `docker.io`). It may run a program
    /// and so take a while.
    fn login(&self, registry: &str, repository: &str) -> Result<Option<Known>, CredentialsError>;

    /// The file that a login can be written to, for messages.
    fn place(&self) -> Option<String> {
        None
    }
}

/// No login for anything.
#[derive(Debug, Clone, Copy, Default)]
pub struct Anonymous;

impl Credentials for Anonymous {
    fn login(&self, _: &str, _: &str) -> Result<Option<Known>, CredentialsError> {
        Ok(None)
    }
}

/// What stands in `Authorization`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Authorization {
    Bearer(Secret),
    Basic(Login),
}
