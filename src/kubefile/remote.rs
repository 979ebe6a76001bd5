//! A COPY whose source is a URL.

use std::fmt;

use url::Url;

use crate::types::{FailureKind, Reportable};

/// The placeholder for the platform's architecture in the source of a COPY.
pub(super) const ARCH: &str = "${ARCH}";

/// A file that COPY fetches. Its text may hold a password or a token, so they are masked wherever it is shown.
#[derive(Clone, PartialEq, Eq)]
pub struct RemoteFile(String);

/// Why COPY does not take a URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RemoteError {
    /// It cannot be understood.
    #[error("`{url}` is not a URL: {reason}")]
    Url {
        /// The URL without its secrets.
        url: String,
        /// Why.
        reason: url::ParseError,
    },
    /// Anyone on the way could change the file.
    #[error("COPY cannot fetch `{0}`: an http URL needs a sha256, and a Kubefile cannot give one")]
    Insecure(String),
    /// It has a user or a password.
    #[error(
        "COPY cannot fetch `{0}`: a URL in a Kubefile must not contain a user or password, because Kubefiles are shared"
    )]
    Login(String),
    /// Sealer clones those.
    #[error("COPY cannot clone `{0}`: it can fetch files, but not clone repositories")]
    Repository(String),
    /// Its path ends with `/`, or it has none.
    #[error("`{0}` does not name a file: nothing follows the last `/`")]
    NoFile(String),
}

impl Reportable for RemoteError {
    fn kind(&self) -> FailureKind {
        FailureKind::Invalid
    }

    fn help(&self) -> Option<String> {
        let help = match self {
            Self::Insecure(_) => "use https, or fetch the file before the build and COPY it from the context",
            Self::Login(_) => "fetch the file before the build and COPY it from the context",
            Self::Repository(_) => "clone it before the build and COPY it from the context",
            Self::Url { .. } | Self::NoFile(_) => return None,
        };
        Some(help.to_owned())
    }
}

impl RemoteFile {
    /// Whether a word is a URL and no path.
    #[must_use]
    pub(crate) fn is_url(word: &str) -> bool {
        let scheme = |scheme: &str| word.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
        scheme("https://") || scheme("http://") || scheme("git@")
    }

    /// Takes an https URL that names a file; `${ARCH}` may be in it.
    pub fn parse(word: &str) -> Result<Self, RemoteError> {
        let remote = Self(word.to_owned());
        let shown = remote.to_string();
        let path = remote.path();
        let extension = path.rsplit_once('.').map(|(_, extension)| extension);
        if extension == Some("git") || word.starts_with("git@") {
            return Err(RemoteError::Repository(shown));
        }
        // Every architecture is a plain word, so one stands for all.
        let url = remote.url("amd64").map_err(|reason| RemoteError::Url { url: shown.clone(), reason })?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(RemoteError::Login(shown));
        }
        if url.scheme() != "https" {
            return Err(RemoteError::Insecure(shown));
        }
        let path = path.split_once("://").map_or(path, |(_, rest)| rest);
        let name = path.rsplit_once('/').map_or("", |(_, name)| name);
        if matches!(name, "" | "." | "..") { Err(RemoteError::NoFile(shown)) } else { Ok(remote) }
    }

    /// The URL for an architecture in Go's words.
    pub fn url(&self, architecture: &str) -> Result<Url, url::ParseError> {
        Url::parse(&self.0.replace(ARCH, architecture))
    }

    /// What follows the last `/` of the path: the file's name in the layer.
    #[must_use]
    pub fn file_name(&self, architecture: &str) -> String {
        let path = self.path();
        path.rsplit_once('/').map_or(path, |(_, name)| name).replace(ARCH, architecture)
    }

    /// The text up to query and fragment.
    fn path(&self) -> &str {
        let end = self.0.find(['?', '#']).unwrap_or(self.0.len());
        &self.0[..end]
    }
}

/// Without user, password, query and fragment.
impl fmt::Display for RemoteFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path();
        let Some((scheme, rest)) = path.split_once("://") else { return f.write_str(path) };
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        write!(f, "{scheme}://{host}{path}")
    }
}

impl fmt::Debug for RemoteFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RemoteFile({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_lands_under_what_follows_the_last_slash() {
        for (word, shown, name) in [
            ("https://h/a/b.tgz", "https://h/a/b.tgz", "b.tgz"),
            ("HTTPS://h:8443/a%20b?token=x/y#z/w", "HTTPS://h:8443/a%20b", "a%20b"),
            ("https://h/${ARCH}/cni-${ARCH}.tgz", "https://h/${ARCH}/cni-${ARCH}.tgz", "cni-arm64.tgz"),
        ] {
            let remote = RemoteFile::parse(word).unwrap();
            assert_eq!((remote.to_string().as_str(), remote.file_name("arm64").as_str()), (shown, name));
            assert_eq!(format!("{remote:?}"), format!("RemoteFile({shown})"));
        }
        let remote = RemoteFile::parse("https://h/${ARCH}/cni-${ARCH}.tgz?x=${ARCH}").unwrap();
        assert_eq!(remote.url("arm64").unwrap().as_str(), "https://h/arm64/cni-arm64.tgz?x=arm64");
    }

    #[test]
    fn what_cannot_be_fetched_is_refused_without_its_secrets() {
        for word in [
            "http://h/b?token=hunter2",
            "https://h",
            "https://h/?hunter2",
            "https://h/a/#hunter2",
            "https://h/a/..",
            "https://u:hunter2@h/x.git?hunter2",
            "https://u:hunter2@h/b",
            "https://hunter2@h/b",
            "https://:hunter2@h/b",
            "git@h:x/y.git",
            "https://",
            "https://u:hunter2@[h/x",
        ] {
            assert!(RemoteFile::is_url(word), "{word}");
            let error = RemoteFile::parse(word).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        }
        assert!(!RemoteFile::is_url("httpd/conf") && !RemoteFile::is_url("h"));
    }
}
