//! What a login is for.

use std::fmt;
use std::str::FromStr;

use crate::types::ImageRef;

/// Docker's registry as Docker's config.json and its helpers have it.
pub(crate) const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";

/// Docker's registry as in references.
const DOCKER_HUB: &str = "docker.io";

/// A whole registry, or the part below a path: `quay.io`, `r.example:5000/team`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginScope {
    registry: String,
    namespace: String,
}

/// Why a text is not the name of a registry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a registry: {reason}")]
pub struct LoginScopeError {
    text: String,
    reason: &'static str,
}

impl LoginScope {
    /// `HOST[:PORT]` as in references; Docker's registry is `docker.io`.
    #[must_use]
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The path below the registry; empty for the registry as a whole.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The key of the login in a file. Docker knows its own registry by a URL.
    pub(crate) fn key(&self) -> String {
        if self.namespace.is_empty() && self.registry == DOCKER_HUB {
            DOCKER_HUB_KEY.to_owned()
        } else {
            self.to_string()
        }
    }
}

impl fmt::Display for LoginScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.registry)?;
        if self.namespace.is_empty() { Ok(()) } else { write!(f, "/{}", self.namespace) }
    }
}

impl FromStr for LoginScope {
    type Err = LoginScopeError;

    /// `HOST[:PORT][/PATH]`. As in Docker, a leading `https://` and the old `/v1/` are ignored.
    fn from_str(text: &str) -> Result<Self, LoginScopeError> {
        let refuse = |reason| Err(LoginScopeError { text: text.to_owned(), reason });
        // The message would show a password in the URL.
        if text.contains('@') {
            let reason = "expected `HOST[:PORT]`, without user, tag or digest";
            return Err(LoginScopeError { text: text.rsplit('@').next().unwrap_or_default().to_owned(), reason });
        }
        if text.starts_with("http://") {
            return refuse("expected `HOST[:PORT]`; for http, use `insecure = true` in registries.conf");
        }
        let plain = text.strip_prefix("https://");
        let is_url = plain.is_some();
        let plain = plain.unwrap_or(text);
        let plain = plain.strip_suffix('/').unwrap_or(plain);
        let plain = ["/v1", "/v2"].iter().find_map(|end| plain.strip_suffix(end).filter(|_| is_url)).unwrap_or(plain);
        let (host, namespace) = plain.split_once('/').unwrap_or((plain, ""));
        // If the first part of a reference does not look like a registry, it is a repository of Docker's registry.
        let whole = if namespace.is_empty() { format!("{host}/x/x") } else { format!("{host}/{namespace}/x") };
        match whole.parse::<ImageRef>() {
            Ok(reference) if !reference.repository().starts_with(&format!("{host}/")) => {
                Ok(Self { registry: reference.registry().to_owned(), namespace: namespace.to_owned() })
            }
            Ok(_) => refuse("a registry needs a `.` or a port in its name; write `HOST:PORT` (`HOST:443`)"),
            Err(_) => refuse("expected `HOST[:PORT]`, or `HOST[:PORT]/PATH` for a part of it"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_and_parts_of_them_have_keys() {
        for (text, shown, key) in [
            ("quay.io", "quay.io", "quay.io"),
            ("r.example:5000/", "r.example:5000", "r.example:5000"),
            ("quay.io/team", "quay.io/team", "quay.io/team"),
            ("quay.io/team/app", "quay.io/team/app", "quay.io/team/app"),
            ("localhost", "localhost", "localhost"),
            ("[::1]:5000", "[::1]:5000", "[::1]:5000"),
            ("https://quay.io", "quay.io", "quay.io"),
            ("https://gcr.io/v2/", "gcr.io", "gcr.io"),
            ("docker.io", "docker.io", DOCKER_HUB_KEY),
            ("index.docker.io", "docker.io", DOCKER_HUB_KEY),
            (DOCKER_HUB_KEY, "docker.io", DOCKER_HUB_KEY),
            ("docker.io/team", "docker.io/team", "docker.io/team"),
        ] {
            let scope: LoginScope = text.parse().unwrap();
            assert_eq!((scope.to_string().as_str(), scope.key().as_str()), (shown, key), "{text}");
        }
    }

    #[test]
    fn what_is_no_registry_is_refused_with_the_reason() {
        let texts = ["", "/", "registry", "http://r.example", "https://bob:s3cret@r.example", "r.example/a:v1"];
        let more = ["r.example:x", "a b", "r.example/Team", "r.example//a", "-r.example", "r.example?x", "\u{1b}[m.io"];
        let said: Vec<String> =
            texts.iter().chain(&more).map(|text| text.parse::<LoginScope>().unwrap_err().to_string()).collect();
        insta::assert_snapshot!(said.join("\n"), @"
        `` is not a registry: expected `HOST[:PORT]`, or `HOST[:PORT]/PATH` for a part of it
        `/` is not a registry: expected `HOST[:PORT]`, or `HOST[:PORT]/PATH` for a part of it
        `registry` is not a registry: a registry needs a `.` or a port in its name; write `HOST:PORT` (`HOST:443`)
        `http://r.example` is not a registry: expected `HOST[:PORT]`; for http, use `insecure = true` in registries.conf
        `r.example` is not a registry: expected `HOST[:PORT]`, without user, tag or digest
        `r.example/a:v1` is not a registry: expected `HOST[:PORT]`, or `HOST[:PORT]/PATH` for a part of it
        `r.example:x` is not a registry: expected `HOST[:PORT]`, or `HOST[:PORT]/PATH` for a part of it
        `a b` is not a registry: expected `HOST[:PORT]`, or `HOST[:PORT]/PATH` for a part of it
        `r.example/Team` is not a registry: expected `HOST[:PORT]`, or `HOST[:PORT]/PATH` for a part of it
        `r.example//a` is not a registry: expected `HOST[:PORT]`, or `HOST[:PORT]/PATH` for a part of it
        `-r.example` is not a registry: expected `HOST[:PORT]`, or `HOST[:PORT]/PATH` for a part of it
        `r.example?x` is not a registry: expected `HOST[:PORT]`, or `HOST[:PORT]/PATH` for a part of it
        `[m.io` is not a registry: expected `HOST[:PORT]`, or `HOST[:PORT]/PATH` for a part of it
        ");
    }
}
