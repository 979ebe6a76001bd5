//! What is to be done to a document (RFC 6902).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Pointer;

/// One operation of a JSON Patch, written `{op: add, path: /spec/registry, value: …}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase", deny_unknown_fields)]
pub enum Operation {
    /// Adds a key, or replaces the value of a key that is there; inserts into a list before an index, or at its end
    /// (`-`).
    Add {
        /// Where the new value will be.
        path: Pointer,
        /// The new value.
        value: serde_json::Value,
    },
    /// Removes a key with its value, or an element of a list.
    Remove {
        /// What is removed; it must be there.
        path: Pointer,
    },
    /// Replaces a value.
    Replace {
        /// The old value; it must be there.
        path: Pointer,
        /// The new value.
        value: serde_json::Value,
    },
    /// Removes a value and adds it elsewhere. Comments inside it do not come along.
    Move {
        /// Where it is.
        from: Pointer,
        /// Where it will be.
        path: Pointer,
    },
    /// Adds a value that is elsewhere in the document once more.
    Copy {
        /// Where it is.
        from: Pointer,
        /// Where it will be as well.
        path: Pointer,
    },
    /// Changes nothing; an error if the value differs. Numbers are compared by value, keys in any order.
    Test {
        /// The value; it must be there.
        path: Pointer,
        /// The expected value.
        value: serde_json::Value,
    },
}

impl Operation {
    /// Where it takes effect.
    #[must_use]
    pub fn path(&self) -> &Pointer {
        match self {
            Self::Add { path, .. }
            | Self::Remove { path }
            | Self::Replace { path, .. }
            | Self::Move { path, .. }
            | Self::Copy { path, .. }
            | Self::Test { path, .. } => path,
        }
    }
}

impl fmt::Display for Operation {
    /// The operation without its value: `add /spec/registry`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Add { path, .. } => write!(f, "add {path}"),
            Self::Remove { path } => write!(f, "remove {path}"),
            Self::Replace { path, .. } => write!(f, "replace {path}"),
            Self::Move { from, path } => write!(f, "move {from} {path}"),
            Self::Copy { from, path } => write!(f, "copy {from} {path}"),
            Self::Test { path, .. } => write!(f, "test {path}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_six_are_read_and_written_as_the_rfc_has_them() {
        for text in [
            r#"{"op":"add","path":"/a","value":null}"#,
            r#"{"op":"remove","path":"/a"}"#,
            r#"{"op":"replace","path":"/a","value":{"b":[1]}}"#,
            r#"{"op":"move","from":"/a","path":"/b"}"#,
            r#"{"op":"copy","from":"/a","path":"/b"}"#,
            r#"{"op":"test","path":"/a","value":"x"}"#,
        ] {
            let operation: Operation = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&operation).unwrap(), text);
        }
    }

    #[test]
    fn what_is_missing_or_unknown_is_refused() {
        for text in [
            r#"{"op":"add","path":"/a"}"#,
            r#"{"op":"delete","path":"/a"}"#,
            r#"{"op":"remove"}"#,
            r#"{"op":"remove","path":"a"}"#,
            r#"{"op":"move","path":"/a"}"#,
            r#"{"op":"remove","path":"/a","form":"/b"}"#,
        ] {
            assert!(serde_json::from_str::<Operation>(text).is_err(), "{text}");
        }
    }
}
