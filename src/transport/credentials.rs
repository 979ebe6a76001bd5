//! Who we are to registries.

use std::sync::Arc;

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

/// One login that was given for one host, and the user's own logins for all others.
pub(super) struct GivenLogin {
    /// `HOST[:PORT]`, as it is asked.
    pub(super) host: String,
    pub(super) login: Login,
    pub(super) others: Arc<dyn Credentials>,
}

impl Credentials for GivenLogin {
    fn login(&self, registry: &str, repository: &str) -> Option<Login> {
        if registry == self.host { Some(self.login.clone()) } else { self.others.login(registry, repository) }
    }
}

/// What stands in `Authorization`.
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

    struct Own;

    impl Credentials for Own {
        fn login(&self, registry: &str, _: &str) -> Option<Login> {
            (registry != "none.example").then(|| login("own"))
        }
    }

    #[test]
    fn a_given_login_is_for_its_host_alone() {
        let given = GivenLogin { host: "r.example:5000".to_owned(), login: login("given"), others: Arc::new(Own) };
        let name = |registry: &str| given.login(registry, "a/b").map(|login| login.username);
        assert_eq!(name("r.example:5000").as_deref(), Some("given"));
        for other in ["r.example", "r.example:5001", "x.r.example:5000"] {
            assert_eq!(name(other).as_deref(), Some("own"));
        }
        assert_eq!(name("none.example"), None);
    }
}
