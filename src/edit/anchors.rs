//! Anchors and aliases: detects edits of one place that would change another.

use super::route::Route;
use super::{Pointer, Refusal};
use crate::syntax::{Node, Value};
use crate::types::Span;

/// An alias: where it is, what it repeats, and its name.
struct Mention {
    at: usize,
    target: Span,
    name: String,
}

/// Refuses a change at the route's end that would also change another place of the document.
///
/// `whole` are the bytes that go, or `None` if something is only added to the route's node.
pub(super) fn check(
    text: &str,
    root: &Node,
    route: &Route<'_>,
    path: &Pointer,
    whole: Option<Span>,
) -> Result<(), Refusal> {
    let mut mentions = Vec::new();
    collect(root, &mut mentions);
    if mentions.is_empty() {
        return Ok(());
    }
    let line = |at: usize| text[..at].bytes().filter(|b| *b == b'\n').count() + 1;
    let along = route.rungs.iter().map(|(collection, _)| *collection).chain([route.node]);
    for (depth, node) in along.enumerate() {
        if let Some(mention) = mentions.iter().find(|mention| node.anchor().is_some() && mention.target == node.span) {
            let (at, name) = (path.ancestor(depth), mention.name.clone());
            return Err(Refusal::Anchored { at, name, line: line(mention.at) });
        }
    }
    let Some(whole) = whole else { return Ok(()) };
    let inside = |at: usize| (whole.start..=whole.end).contains(&at);
    let needed = mentions
        .iter()
        .find(|mention| whole.start <= mention.target.start && mention.target.end <= whole.end && !inside(mention.at));
    match needed {
        None => Ok(()),
        Some(mention) => {
            Err(Refusal::AnchorInside { at: path.clone(), name: mention.name.clone(), line: line(mention.at) })
        }
    }
}

fn collect(node: &Node, mentions: &mut Vec<Mention>) {
    match &node.value {
        Value::Alias(alias) => {
            mentions.push(Mention { at: node.span.start, target: alias.target.span, name: alias.name.to_string() });
        }
        Value::Map(entries) => entries.iter().for_each(|(key, value)| {
            collect(key, mentions);
            collect(value, mentions);
        }),
        Value::List(elements) => elements.iter().for_each(|element| collect(element, mentions)),
        Value::Plain(_) | Value::Text(_) => {}
    }
}
