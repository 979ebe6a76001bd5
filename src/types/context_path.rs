//! Paths inside a context: relative, UTF-8, and by construction unable to leave it.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

/// A `/`-separated relative UTF-8 path without `.`, `..` or empty parts; the empty path is the context itself.
///
/// Names *inside* layers are bytes and need no such type: they come from directory listings, never from text.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContextPath(String);

/// Why a text is not a [`ContextPath`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContextPathError {
    /// It has a `..` part.
    #[error("`{0}` leaves the context: `..` is not allowed in a path")]
    Parent(String),
    /// It is absolute.
    #[error("`{0}` is absolute: expected a path relative to the context, without a leading `/`")]
    Absolute(String),
    /// A part is longer than 255 bytes or the whole is longer than 4096; the beginning.
    #[error("`{0}…` is too long: a name has at most 255 bytes, a path 4096")]
    Long(String),
    /// It contains a NUL or a line end.
    #[error("`{}` is not a path of a context: a name must not contain a line end or NUL", .0.escape_debug())]
    Form(String),
}

impl ContextPath {
    /// The context itself.
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// Whether this is the context itself.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The path as text, without a leading or trailing `/`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path for the file system, relative.
    #[must_use]
    pub fn as_path(&self) -> &Path {
        Path::new(&self.0)
    }

    /// The parts from the top down.
    pub fn parts(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/').filter(|part| !part.is_empty())
    }

    /// The last part, or `None` for the context itself.
    #[must_use]
    pub fn file_name(&self) -> Option<&str> {
        self.parts().next_back()
    }

    /// The folder that holds it, or `None` for the context itself.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        Some(Self(self.0.rsplit_once('/').map_or_else(String::new, |(parent, _)| parent.to_owned())))
    }

    /// This path with `other` below it.
    #[must_use]
    pub fn join(&self, other: &Self) -> Self {
        match (self.is_root(), other.is_root()) {
            (true, _) => other.clone(),
            (_, true) => self.clone(),
            _ => Self(format!("{}/{}", self.0, other.0)),
        }
    }
}

impl FromStr for ContextPath {
    type Err = ContextPathError;

    /// `./` and repeated or trailing slashes are accepted and removed.
    fn from_str(text: &str) -> Result<Self, ContextPathError> {
        if text.starts_with('/') {
            return Err(ContextPathError::Absolute(text.to_owned()));
        }
        let mut path = String::with_capacity(text.len());
        for part in text.split('/').filter(|part| !part.is_empty() && *part != ".") {
            if part == ".." {
                return Err(ContextPathError::Parent(text.to_owned()));
            }
            if part.len() > 255 {
                return Err(ContextPathError::Long(beginning(text)));
            }
            if part.contains(['\0', '\n', '\r']) {
                return Err(ContextPathError::Form(text.to_owned()));
            }
            if !path.is_empty() {
                path.push('/');
            }
            path.push_str(part);
        }
        if path.len() > 4096 {
            return Err(ContextPathError::Long(beginning(text)));
        }
        Ok(Self(path))
    }
}

/// The part of a long path that a message shows.
fn beginning(path: &str) -> String {
    path.chars().filter(|char| !char.is_control()).take(80).collect()
}

impl fmt::Display for ContextPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_root() { "." } else { &self.0 })
    }
}

crate::types::serde_as_text!(ContextPath);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_normalised() {
        for (written, path) in [("etc/a", "etc/a"), ("./etc//a/", "etc/a"), (".", "."), ("", "."), ("...", "...")] {
            assert_eq!(written.parse::<ContextPath>().unwrap().to_string(), path);
        }
    }

    #[test]
    fn paths_that_leave_are_refused() {
        for text in ["..", "a/../b", "../x", "/etc", "a/..", "a\0b", "a\nb"] {
            assert!(text.parse::<ContextPath>().is_err(), "{text:?}");
        }
        let error = |text: &str| text.parse::<ContextPath>().unwrap_err().to_string();
        assert_eq!(
            error("etc/a\nb"),
            "`etc/a\\nb` is not a path of a context: a name must not contain a line end or NUL"
        );
        let long = format!("`{}…` is too long: a name has at most 255 bytes, a path 4096", "x".repeat(80));
        assert_eq!(error(&"x".repeat(256)), long);
    }

    #[test]
    fn parent_and_join_are_inverse() {
        let path: ContextPath = "a/b/c".parse().unwrap();
        assert_eq!(path.parent().unwrap().as_str(), "a/b");
        assert_eq!(path.file_name(), Some("c"));
        assert_eq!(path.parent().unwrap().join(&"c".parse().unwrap()), path);
        assert_eq!(ContextPath::root().join(&path), path);
    }
}
