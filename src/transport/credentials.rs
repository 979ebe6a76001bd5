//! Who we are to registries.

use super::Secret;

/// A user's name and password at a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The name.
    pub username: String,
    /// The password, or a token that stands for it.
    pub password: Secret,
}

/// Knows the logins of the user.
pub trait Credentials: Send + Sync {
    /// The login for a repository at a registry (`HOST[:PORT]`), where the user has one.
    fn login(&self, registry: &str, repository: &str) -> Option<Login>;
}

/// No login for anything.
#[derive(Debug, Clone, Copy, Default)]
pub struct Anonymous;

impl Credentials for Anonymous {
    fn login(&self, _: &str, _: &str) -> Option<Login> {
        None
    }
}

/// What stands in `Authorization`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Authorization {
    Bearer(Secret),
    Basic(Login),
}
