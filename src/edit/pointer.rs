//! Routes to values inside documents (RFC 6901).

use std::fmt;
use std::str::FromStr;

/// A route from a document's root to a value: keys and list indices. The empty route is the root itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pointer(Vec<String>);

/// Why a text is not a [`Pointer`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PointerError {
    /// It does not begin with `/`.
    #[error("`{0}` is not a path into a document: such a path begins with `/`, like `/spec/registry`")]
    Start(String),
    /// A `~` that is neither `~0` nor `~1`.
    #[error("`{0}` is not a path into a document: write `~` as `~0`, and a `/` inside a key as `~1`")]
    Escape(String),
}

impl Pointer {
    /// The root.
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    pub(crate) fn from_tokens(tokens: &[String]) -> Self {
        Self(tokens.to_vec())
    }

    /// Keys and indices from the top down, unescaped.
    #[must_use]
    pub fn tokens(&self) -> &[String] {
        &self.0
    }

    /// The route to the collection that holds the value, and the value's own key or index; `None` for the root.
    #[must_use]
    pub(crate) fn split_last(&self) -> Option<(Self, &str)> {
        let (last, parents) = self.0.split_last()?;
        Some((Self(parents.to_vec()), last))
    }

    /// This route and one more step.
    #[must_use]
    pub fn child(&self, token: &str) -> Self {
        let mut tokens = self.0.clone();
        tokens.push(token.to_owned());
        Self(tokens)
    }

    /// The route to the ancestor `depth` steps below the root.
    #[must_use]
    pub(crate) fn ancestor(&self, depth: usize) -> Self {
        Self(self.0.iter().take(depth).cloned().collect())
    }

    /// Whether `other` is below this.
    #[must_use]
    pub(crate) fn is_above(&self, other: &Self) -> bool {
        other.0.len() > self.0.len() && other.0.starts_with(&self.0)
    }
}

impl FromStr for Pointer {
    type Err = PointerError;

    fn from_str(text: &str) -> Result<Self, PointerError> {
        if text.is_empty() {
            return Ok(Self::root());
        }
        let Some(tokens) = text.strip_prefix('/') else {
            return Err(PointerError::Start(text.to_owned()));
        };
        let unescape = |token: &str| {
            let mut rest = token;
            while let Some(at) = rest.find('~') {
                rest = &rest[at + 1..];
                if !rest.starts_with(['0', '1']) {
                    return Err(PointerError::Escape(text.to_owned()));
                }
            }
            Ok(token.replace("~1", "/").replace("~0", "~"))
        };
        tokens.split('/').map(unescape).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|token| write!(f, "/{}", token.replace('~', "~0").replace('/', "~1")))
    }
}

crate::types::serde_as_text!(Pointer);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_routes_are_the_same() {
        for (text, tokens) in [
            ("", vec![]),
            ("/", vec![""]),
            ("/a/0/-", vec!["a", "0", "-"]),
            ("/~01/~1~0", vec!["~1", "/~"]),
            ("/é /\"", vec!["é ", "\""]),
        ] {
            let pointer: Pointer = text.parse().unwrap();
            assert_eq!(pointer.tokens(), tokens);
            assert_eq!(pointer.to_string(), text);
        }
        for text in ["a", "a/b", "/~", "/~2", "/a~/b"] {
            assert!(text.parse::<Pointer>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_route_is_above_what_lies_below_it_only() {
        let above = |a: &str, b: &str| a.parse::<Pointer>().unwrap().is_above(&b.parse().unwrap());
        assert!(above("/a", "/a/b") && above("", "/a"));
        assert!(!above("/a", "/a") && !above("/a", "/ab") && !above("/a/b", "/a"));
    }
}
