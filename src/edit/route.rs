//! Routes through trees.

use super::apply::index;
use super::value::name;
use super::{Pointer, Refusal};
use crate::syntax::{Node, Value};
use crate::types::nearest;

/// A node with the collections above it.
#[derive(Debug, Clone)]
pub(super) struct Route<'t> {
    /// From the root down: each collection, and the index of the entry on the route.
    pub(super) rungs: Vec<(&'t Node, usize)>,
    /// The end of the route.
    pub(super) node: &'t Node,
}

/// The place that an operation writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    /// An entry of a map or list that is there.
    There,
    /// A key that the map does not have.
    NewKey,
    /// Before this element of the list, or at its end.
    NewElement(usize),
}

impl<'t> Route<'t> {
    /// Goes to a value. Aliases are followed only to read.
    pub(super) fn find(root: &'t Node, path: &Pointer, to_read: bool) -> Result<Self, Refusal> {
        let mut route = Self { rungs: Vec::new(), node: root };
        for (depth, token) in path.tokens().iter().enumerate() {
            let here = || path.ancestor(depth);
            let collection = match &route.node.value {
                Value::Alias(alias) if !to_read => {
                    return Err(Refusal::ThroughAlias { at: here(), name: alias.name.to_string() });
                }
                _ => route.node.followed(),
            };
            let at = match &collection.value {
                Value::Map(entries) => {
                    let mut places = entries.iter().enumerate().filter(|(_, (key, _))| key.scalar() == Some(token));
                    let (at, _) = places.next().ok_or_else(|| no_key(here(), token, entries))?;
                    if places.next().is_some() {
                        return Err(Refusal::RepeatedKey { at: here(), key: token.clone() });
                    }
                    at
                }
                Value::List(elements) => {
                    index(token, elements.len()).ok_or_else(|| no_index(here(), token, elements.len()))?
                }
                Value::Plain(_) | Value::Text(_) | Value::Alias(_) => {
                    return Err(Refusal::NotACollection { deepest: here(), what: name(collection) });
                }
            };
            route.rungs.push((collection, at));
            route.node = match &collection.value {
                Value::Map(entries) => &entries[at].1,
                Value::List(elements) => &elements[at],
                Value::Plain(_) | Value::Text(_) | Value::Alias(_) => collection,
            };
        }
        Ok(route)
    }

    /// Where `add` would write the last step of a path, `self` being the way to the collection.
    pub(super) fn slot(&self, parent: &Pointer, token: &str) -> Result<Slot, Refusal> {
        match &self.node.value {
            Value::Map(entries) if entries.iter().any(|(key, _)| key.scalar() == Some(token)) => Ok(Slot::There),
            Value::Map(_) => Ok(Slot::NewKey),
            Value::List(elements) if token == "-" => Ok(Slot::NewElement(elements.len())),
            Value::List(elements) => index(token, elements.len() + 1)
                .map(Slot::NewElement)
                .ok_or_else(|| no_index(parent.clone(), token, elements.len())),
            Value::Alias(alias) => Err(Refusal::ThroughAlias { at: parent.clone(), name: alias.name.to_string() }),
            Value::Plain(_) | Value::Text(_) => {
                Err(Refusal::NotACollection { deepest: parent.clone(), what: name(self.node) })
            }
        }
    }
}

fn no_key(deepest: Pointer, key: &str, entries: &[(Node, Node)]) -> Refusal {
    // Distances to thousands of keys, or of very long ones, would take longer than the edit.
    let names = entries.iter().take(1000).filter_map(|(name, _)| name.scalar()).filter(|name| name.len() <= 256);
    let nearest = if key.len() <= 256 { nearest(key, names).map(str::to_owned) } else { None };
    Refusal::NoKey { deepest, key: key.to_owned(), nearest }
}

fn no_index(list: Pointer, token: &str, length: usize) -> Refusal {
    if token == "-"
        || (!token.is_empty() && token.bytes().all(|b| b.is_ascii_digit()) && index(token, usize::MAX).is_some())
    {
        Refusal::NoIndex { list, index: token.to_owned(), length }
    } else {
        Refusal::NotAnIndex { list, token: token.to_owned() }
    }
}
