//! Logins, tokens and the interface for finding them.

use std::fmt;
use std::sync::Arc;

use crate::types::{Diagnostic, Reportable, Source};

/// A password or a token. It has no `Display`, and its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text that must never be shown.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret text. Never use it in messages.
    #[must_use]
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A user's name and password at a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The name.
    pub username: String,
    /// The password, or a token that replaces it.
    pub password: Secret,
}

/// Why a name and a password are not a valid login.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// There is no name.
    #[error("the user name is empty")]
    NoUsername,
    /// RFC 7617 puts a colon between name and password.
    #[error("the user name contains a `:`, which ends the name in a login")]
    Colon,
    /// RFC 7617 forbids them.
    #[error("the user name contains a control character")]
    Control,
    /// There is no password.
    #[error("the password is empty")]
    NoPassword,
    /// Files with logins end a password at a NUL.
    #[error("the password contains a NUL, which a login cannot have")]
    Nul,
}

impl Login {
    /// Checks that registries and files can store this login.
    pub fn checked(username: String, password: Secret) -> Result<Self, LoginError> {
        Self::check_username(&username)?;
        if password.expose().is_empty() {
            return Err(LoginError::NoPassword);
        }
        if password.expose().contains('\0') {
            return Err(LoginError::Nul);
        }
        Ok(Self { username, password })
    }

    /// Whether a text can be a user's name.
    pub(crate) fn check_username(username: &str) -> Result<(), LoginError> {
        if username.is_empty() {
            return Err(LoginError::NoUsername);
        }
        if username.contains(':') {
            return Err(LoginError::Colon);
        }
        if username.contains(char::is_control) { Err(LoginError::Control) } else { Ok(()) }
    }
}

/// What proves to a registry who the user is.
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
            Self::Login(login) => format!("`{}`", crate::transport::text::one_line(&login.username)),
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

/// Why the user's login for a registry cannot be found.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// A file could not be read; the error names it.
    #[error("cannot read the logins for registries")]
    Read(#[from] std::io::Error),
    /// A file has something that cannot be parsed.
    #[error("{}: {}", .source_text.place(.diagnostic.span), .diagnostic.message)]
    Invalid {
        /// The file.
        source_text: Source,
        /// Place and reason; boxed, being large.
        diagnostic: Box<Diagnostic>,
    },
    /// A credential helper failed.
    #[error("cannot get the login for `{registry}` from `{helper}`: {reason}")]
    Helper {
        /// The helper's program.
        helper: String,
        /// The registry of the login.
        registry: String,
        /// Why; never contains a secret.
        reason: String,
        /// The file that names the helper.
        file: String,
    },
}

impl Reportable for CredentialsError {
    fn help(&self) -> Option<String> {
        match self {
            Self::Read(_) | Self::Invalid { .. } => None,
            Self::Helper { helper, registry, file, .. } => Some(format!(
                "`{file}` names this helper: fix it (test it with `echo {registry} | {helper} get`), or remove it \
                 from that file"
            )),
        }
    }
}

/// Knows the logins of the user.
pub trait Credentials: Send + Sync {
    /// The user's login for a repository at a registry (`HOST[:PORT]`, Docker's is `docker.io`). This may run a program
    /// and take a while.
    fn login(&self, registry: &str, repository: &str) -> Result<Option<Known>, CredentialsError>;

    /// The file that a login can be written to, for messages.
    fn login_file(&self) -> Option<String> {
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

/// One login that was given for one host, and the user's own logins for all others.
pub(crate) struct GivenLogin {
    /// `HOST[:PORT]`, as in references.
    pub(crate) host: String,
    pub(crate) login: Login,
    pub(crate) others: Arc<dyn Credentials>,
}

impl Credentials for GivenLogin {
    fn login(&self, registry: &str, repository: &str) -> Result<Option<Known>, CredentialsError> {
        if registry != self.host {
            return self.others.login(registry, repository);
        }
        let origin = "the list that names the image".to_owned();
        Ok(Some(Known { proof: Proof::Login(self.login.clone()), origin }))
    }

    fn login_file(&self) -> Option<String> {
        self.others.login_file()
    }
}

/// The value of the header `Authorization`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Authorization {
    Bearer(Secret),
    Basic(Login),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(name: &str) -> Login {
        Login { username: name.to_owned(), password: Secret::new("p") }
    }

    #[test]
    fn logins_hold_what_can_be_sent_and_kept() {
        let checked = |username: &str, password: &str| Login::checked(username.to_owned(), Secret::new(password)).err();
        for (username, password, expected) in [
            ("bob", "p:q \n\r\u{e9}", None),
            ("", "p", Some(LoginError::NoUsername)),
            ("bob:x", "p", Some(LoginError::Colon)),
            ("bo\nb", "p", Some(LoginError::Control)),
            ("bob", "", Some(LoginError::NoPassword)),
            ("bob", "p\0", Some(LoginError::Nul)),
        ] {
            assert_eq!(checked(username, password), expected, "{username:?} {password:?}");
        }
    }

    struct Own;

    impl Credentials for Own {
        fn login(&self, registry: &str, _: &str) -> Result<Option<Known>, CredentialsError> {
            let known = || Known { proof: Proof::Login(login("own")), origin: "a file".to_owned() };
            Ok((registry != "none.example").then(known))
        }
    }

    #[test]
    fn a_given_login_is_for_its_host_alone() {
        let given = GivenLogin { host: "r.example:5000".to_owned(), login: login("given"), others: Arc::new(Own) };
        let name = |registry: &str| given.login(registry, "a/b").unwrap().map(|known| known.proof.whose());
        assert_eq!(name("r.example:5000").as_deref(), Some("`given`"));
        for other in ["r.example", "r.example:5001", "x.r.example:5000"] {
            assert_eq!(name(other).as_deref(), Some("`own`"));
        }
        assert_eq!(name("none.example"), None);
    }
}
