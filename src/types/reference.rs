//! References to container images by Docker's rules (`nginx`, `quay.io/tigera/operator:v1`, `…@sha256:…`).

use std::fmt;
use std::str::FromStr;

use super::Digest;

/// A complete reference to a container image: registry, repository, and a tag, a digest or both.
///
/// Short names are completed as Docker completes them: `nginx` is `docker.io/library/nginx:latest`. Grammar:
/// distribution/reference `reference.go`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageRef {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// Why a text is not a reference to an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an image reference: {reason}")]
pub struct ReferenceError {
    text: String,
    reason: &'static str,
}

impl ReferenceError {
    pub(super) fn new(text: &str, reason: &'static str) -> Self {
        Self { text: text.to_owned(), reason }
    }

    /// The same mistake, reported for the longer text that was written.
    pub(super) fn within(self, text: &str) -> Self {
        Self { text: text.to_owned(), ..self }
    }
}

/// The parts of a reference, before the rules for short names are applied.
pub(super) struct Parts<'a> {
    pub(super) domain: Option<&'a str>,
    pub(super) path: &'a str,
    pub(super) tag: Option<&'a str>,
    pub(super) digest: Option<Digest>,
}

/// Splits `text` and checks every part but does not complete it.
pub(super) fn split(text: &str) -> Result<Parts<'_>, ReferenceError> {
    let error = |reason| ReferenceError::new(text, reason);
    if text.is_empty() {
        return Err(error("it is empty"));
    }
    if text.chars().any(char::is_whitespace) {
        return Err(error("it contains white space"));
    }
    if text.contains("://") {
        return Err(error("it must not have a scheme; it begins with the registry, as in `quay.io/team/app:v1`"));
    }
    let (name, digest) = match text.split_once('@') {
        None => (text, None),
        Some((name, digest)) => {
            let digest = digest.parse().map_err(|_| error("after `@`, expected `sha256:` and 64 hex digits"))?;
            (name, Some(digest))
        }
    };
    let (name, tag) = match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (name, None),
    };
    if tag.is_some_and(|tag| !is_tag(tag)) {
        return Err(error("a tag has up to 128 letters, digits, `_`, `.` and `-`, and does not start with `.` or `-`"));
    }
    let (domain, path) = match name.split_once('/') {
        Some((first, rest)) if is_domain_like(first) => (Some(first), rest),
        _ => (None, name),
    };
    if domain.is_some_and(|domain| !is_domain(domain)) {
        return Err(error("its registry is not `HOST` or `HOST:PORT`"));
    }
    if path.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err(error("a repository must be in lower case"));
    }
    if path.len() > 255 || !path.split('/').all(is_component) {
        return Err(error("a repository has parts of lower-case letters and digits, joined by `/`, `.`, `_` or `-`"));
    }
    Ok(Parts { domain, path, tag, digest })
}

fn is_domain_like(first: &str) -> bool {
    first.contains(['.', ':']) || first == "localhost"
}

fn is_domain(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (text, None),
    };
    let port_is_good = port.is_none_or(|port| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()));
    let label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let host_is_good = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(v6) => v6.contains(':') && v6.bytes().all(|b| b.is_ascii_hexdigit() || b == b':'),
        None => host.split('.').all(label),
    };
    port_is_good && host_is_good
}

fn is_tag(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    text.len() <= 128
        && text.bytes().next().is_some_and(word)
        && text.bytes().all(|b| word(b) || b == b'.' || b == b'-')
}

/// `[a-z0-9]+` joined by one `.`, one or two `_`, or any number of `-`.
fn is_component(text: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let mut separators = text.split(alphanumeric).filter(|run| !run.is_empty());
    text.starts_with(alphanumeric)
        && text.ends_with(alphanumeric)
        && separators.all(|run| matches!(run, "." | "_" | "__") || run.bytes().all(|b| b == b'-'))
}

impl ImageRef {
    /// The registry of the reference, `docker.io` if it names none.
    #[must_use]
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The repository without the registry: `library/nginx`.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag; only `None` if there is a digest.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, if the reference has one.
    #[must_use]
    pub fn digest(&self) -> Option<Digest> {
        self.digest
    }

    /// The reference in Docker's short form, without what completion would add to it except the tag: `registry:2.7.1`,
    /// `calico/node:v3.19.1`, `quay.io/tigera/operator:v1.17.4`. `docker save` and image lists write it so.
    #[must_use]
    pub(crate) fn familiar(&self) -> String {
        let complete = self.to_string();
        let Some(short) = complete.strip_prefix("docker.io/") else { return complete };
        let first = self.repository.split('/').next().unwrap_or_default();
        match short.strip_prefix("library/") {
            Some(name) if !name.contains('/') => name.to_owned(),
            // If the first part looks like a registry, the short form would mean that registry.
            _ if is_domain_like(first) => complete,
            _ => short.to_owned(),
        }
    }

    /// The same repository, tag and digest at another registry; Docker's short-name rules no longer apply.
    #[must_use]
    pub fn at_registry(&self, registry: &str) -> Self {
        Self { registry: registry.to_owned(), ..self.clone() }
    }

    /// The same registry and repository, with only the digest.
    #[must_use]
    pub fn by_digest(&self, digest: Digest) -> Self {
        Self { tag: None, digest: Some(digest), ..self.clone() }
    }

    /// The same with a digest next to the tag: the digest that the tag once had.
    #[must_use]
    pub fn pinned(&self, digest: Digest) -> Self {
        Self { digest: Some(digest), ..self.clone() }
    }

    pub(super) fn from_parts(
        registry: String,
        repository: String,
        tag: Option<String>,
        digest: Option<Digest>,
    ) -> Self {
        Self { registry, repository, tag, digest }
    }
}

impl FromStr for ImageRef {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let parts = split(text)?;
        let registry = match parts.domain {
            None | Some("index.docker.io" | "registry-1.docker.io") => "docker.io",
            Some(domain) => domain,
        };
        let repository = match (registry, parts.path.contains('/')) {
            ("docker.io", false) => format!("library/{}", parts.path),
            _ => parts.path.to_owned(),
        };
        let tag = match (parts.tag, parts.digest) {
            (None, None) => Some("latest"),
            (tag, _) => tag,
        };
        Ok(Self::from_parts(registry.to_owned(), repository, tag.map(str::to_owned), parts.digest))
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

crate::types::serde_as_text!(ImageRef);

/// What an image is called in a cluster's registry, where the host no longer counts: `tigera/operator:v1`. Two images of
/// one name cannot both be there.
#[must_use]
pub(crate) fn registry_path(reference: &ImageRef) -> String {
    match (reference.tag(), reference.digest()) {
        (Some(tag), _) => format!("{}:{tag}", reference.repository()),
        (None, Some(digest)) => format!("{}@{digest}", reference.repository()),
        (None, None) => reference.repository().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";

    #[test]
    fn short_names_are_completed_as_docker_does() {
        for (written, complete) in [
            ("nginx", "docker.io/library/nginx:latest"),
            ("registry:2.7.1", "docker.io/library/registry:2.7.1"),
            ("calico/node:v3.19.1", "docker.io/calico/node:v3.19.1"),
            ("index.docker.io/nginx", "docker.io/library/nginx:latest"),
            ("docker.io/nginx:1", "docker.io/library/nginx:1"),
            ("quay.io/tigera/operator:v1.17.4", "quay.io/tigera/operator:v1.17.4"),
            ("localhost/x", "localhost/x:latest"),
            ("localhost:5000/x:1", "localhost:5000/x:1"),
            ("sea.hub:5000/library/nginx", "sea.hub:5000/library/nginx:latest"),
            ("[::1]:5000/a__b/c--d.e_f", "[::1]:5000/a__b/c--d.e_f:latest"),
        ] {
            let reference: ImageRef = written.parse().unwrap();
            assert_eq!(reference.to_string(), complete);
            assert_eq!(complete.parse::<ImageRef>().unwrap(), reference);
            assert_eq!(reference.familiar().parse::<ImageRef>().unwrap(), reference);
        }
        let familiar = |text: &str| text.parse::<ImageRef>().unwrap().familiar();
        assert_eq!(familiar("docker.io/library/registry:2.7.1"), "registry:2.7.1");
        assert_eq!(familiar("docker.io/calico/node:v3.19.1"), "calico/node:v3.19.1");
        assert_eq!(familiar("sea.hub:5000/library/nginx"), "sea.hub:5000/library/nginx:latest");
    }

    #[test]
    fn digests_stay_and_need_no_tag() {
        let reference: ImageRef = format!("nginx@{DIGEST}").parse().unwrap();
        assert_eq!((reference.tag(), reference.digest()), (None, Some(DIGEST.parse().unwrap())));
        let both = format!("docker.io/library/nginx:1@{DIGEST}");
        assert_eq!(both.parse::<ImageRef>().unwrap().to_string(), both);
    }

    #[test]
    fn other_texts_are_refused_with_the_reason() {
        for text in [
            "",
            " ",
            "a b",
            "Nginx",
            "nginx:",
            "nginx:-x",
            "nginx@sha256:12",
            "https://quay.io/x",
            "a//b",
            "/a",
            "a/",
            "-a",
            "a___b",
            "a..b",
            "quay.io:x/a",
            "-x.io/a",
            "{{ image }}",
            "$IMAGE",
            "x:y:z/a",
        ] {
            assert!(text.parse::<ImageRef>().is_err(), "{text}");
        }
    }
}
