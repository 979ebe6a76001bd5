//! Operations on trees: what the new text must mean.

use super::Pointer;
use crate::syntax::{Node, Value};

/// One change of one place, which is known to be there.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Change {
    /// A new entry: the key of a map that does not have it, or the index that an element of a list will have.
    Insert {
        /// Where it will be.
        path: Pointer,
        /// Its value.
        value: Node,
    },
    /// Another value for an entry or for the root.
    Replace {
        /// Where it is.
        path: Pointer,
        /// Its value.
        value: Node,
    },
    /// Removes an entry.
    Remove {
        /// Where it is.
        path: Pointer,
    },
}

impl Change {
    /// Applies it to the tree; returns whether the place exists.
    pub(super) fn apply(self, root: &mut Node) -> bool {
        match self {
            Self::Insert { path, value } => path.split_last().is_some_and(|(parent, token)| {
                match go(root, &parent).map(|node| &mut node.value) {
                    Some(Value::Map(entries)) => entries.push((super::value::text_node(token), value)),
                    Some(Value::List(elements)) => match index(token, elements.len() + 1) {
                        Some(at) => elements.insert(at, value),
                        None => return false,
                    },
                    _ => return false,
                }
                true
            }),
            Self::Replace { path, value } => go(root, &path).map(|node| *node = value).is_some(),
            Self::Remove { path } => {
                path.split_last().is_some_and(|(parent, token)| match go(root, &parent).map(|node| &mut node.value) {
                    Some(Value::Map(entries)) => {
                        let at = entries.iter().position(|(key, _)| key.scalar() == Some(token));
                        at.map(|at| entries.remove(at)).is_some()
                    }
                    Some(Value::List(elements)) => index(token, elements.len()).map(|at| elements.remove(at)).is_some(),
                    _ => false,
                })
            }
        }
    }
}

fn go<'n>(root: &'n mut Node, path: &Pointer) -> Option<&'n mut Node> {
    path.tokens().iter().try_fold(root, |node, token| match &mut node.value {
        Value::Map(entries) => entries.iter_mut().find(|(key, _)| key.scalar() == Some(token)).map(|(_, value)| value),
        Value::List(elements) => {
            let at = index(token, elements.len())?;
            elements.get_mut(at)
        }
        Value::Plain(_) | Value::Text(_) | Value::Alias(_) => None,
    })
}

/// A list's index below `length`, in the only form that RFC 6901 allows.
pub(super) fn index(token: &str, length: usize) -> Option<usize> {
    let is_canonical = token == "0" || (!token.starts_with('0') && token.bytes().all(|b| b.is_ascii_digit()));
    token.parse().ok().filter(|at| is_canonical && *at < length)
}
