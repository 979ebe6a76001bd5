//! What nodes mean, whatever they look like: when two are the same, and what of them can be written elsewhere.

use std::collections::HashMap;

use super::Refusal;
use super::render;
use super::scalar::{Meaning, meaning};
use crate::syntax::{Limits, Node, Value};
use crate::types::Span;

/// The node of a value that an operation brings.
pub(super) fn from_json(value: &serde_json::Value) -> Result<Node, Refusal> {
    nested(value, Limits::document().depth)
}

fn nested(value: &serde_json::Value, depth: usize) -> Result<Node, Refusal> {
    use serde_json::Value as Json;
    let below = || depth.checked_sub(1).ok_or(Refusal::TooDeep(Limits::document().depth));
    let value = match value {
        Json::Null => Value::Plain("null".to_owned()),
        Json::Bool(true) => Value::Plain("true".to_owned()),
        Json::Bool(false) => Value::Plain("false".to_owned()),
        Json::Number(number) => Value::Plain(number_text(&number.to_string())),
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(elements) => {
            let depth = below()?;
            Value::List(elements.iter().map(|element| nested(element, depth)).collect::<Result<_, _>>()?)
        }
        Json::Object(entries) => {
            let depth = below()?;
            let entry = |(key, value): (&String, &Json)| Ok((text_node(key), nested(value, depth)?));
            Value::Map(entries.iter().map(entry).collect::<Result<_, _>>()?)
        }
    };
    Ok(Node::new(Span::default(), value))
}

/// YAML 1.1 reads an exponent only behind a point.
fn number_text(json: &str) -> String {
    match json.split_once(['e', 'E']) {
        Some((mantissa, exponent)) if !mantissa.contains('.') => format!("{mantissa}.0e{exponent}"),
        _ => json.to_owned(),
    }
}

/// A string as a node.
pub(crate) fn text_node(text: &str) -> Node {
    Node::new(Span::default(), Value::Text(text.to_owned()))
}

/// A node's value to be written elsewhere: aliases followed, without anchors.
pub(super) fn copied(node: &Node) -> Result<Node, Refusal> {
    let node = node.followed();
    let value = match (&node.value, node.tag()) {
        (Value::Plain(text) | Value::Text(text), Some("!!str" | "!")) => Value::Text(text.clone()),
        (_, Some(tag)) => return Err(Refusal::Tagged(tag.to_owned())),
        (Value::List(elements), None) => Value::List(elements.iter().map(copied).collect::<Result<_, _>>()?),
        (Value::Map(entries), None) => Value::Map(
            entries.iter().map(|(key, value)| Ok((copied(key)?, copied(value)?))).collect::<Result<_, Refusal>>()?,
        ),
        (scalar, None) => scalar.clone(),
    };
    Ok(Node::new(Span::default(), value))
}

/// What a scalar is, and its text; `None` for collections.
fn scalar(node: &Node) -> Option<(Meaning, &str)> {
    match &node.value {
        Value::Plain(text) => Some((meaning(text), text)),
        Value::Text(text) => Some((Meaning::String, text)),
        Value::Map(_) | Value::List(_) | Value::Alias(_) => None,
    }
}

/// Whether two nodes are the same except for how they are written: numbers in the same digits.
pub(crate) fn same(a: &Node, b: &Node) -> bool {
    let (a, b) = (a.followed(), b.followed());
    if a.tag() != b.tag() {
        return false;
    }
    match (&a.value, &b.value) {
        (Value::Map(a), Value::Map(b)) => {
            let is_in_order = a.iter().zip(b).all(|(a, b)| a.0.scalar() == b.0.scalar());
            a.len() == b.len()
                && if is_in_order { a.iter().zip(b).all(|(a, b)| same(&a.1, &b.1)) } else { same_out_of_order(a, b) }
        }
        (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        _ => match (scalar(a), scalar(b)) {
            (Some((Meaning::Null, _)), Some((Meaning::Null, _))) => true,
            (Some((Meaning::Bool(a), _)), Some((Meaning::Bool(b), _))) => a == b,
            (Some(a), Some(b)) => a == b,
            _ => false,
        },
    }
}

fn same_out_of_order(a: &[(Node, Node)], b: &[(Node, Node)]) -> bool {
    let there: HashMap<_, _> = a.iter().map(|(key, value)| (key.scalar(), value)).collect();
    b.iter().all(|(key, value)| there.get(&key.scalar()).is_some_and(|there| same(there, value)))
}

/// Whether two nodes are equal as in RFC 6902: numbers by value, keys in any order.
pub(super) fn equal(a: &Node, b: &Node) -> bool {
    let (a, b) = (a.followed(), b.followed());
    match (&a.value, &b.value) {
        (Value::Map(a), Value::Map(b)) => {
            let there: HashMap<_, _> = a.iter().map(|(key, value)| (key.scalar(), value)).collect();
            a.len() == b.len()
                && b.iter().all(|(key, value)| there.get(&key.scalar()).is_some_and(|there| equal(there, value)))
        }
        (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        _ => match (scalar(a), scalar(b)) {
            (Some((Meaning::Null, _)), Some((Meaning::Null, _))) => true,
            (Some((Meaning::Bool(a), _)), Some((Meaning::Bool(b), _))) => a == b,
            (Some((Meaning::Number, a)), Some((Meaning::Number, b))) => equal_numbers(a, b),
            (Some((Meaning::String, a)), Some((Meaning::String, b))) => a == b,
            _ => false,
        },
    }
}

fn equal_numbers(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    match (integer(a), integer(b)) {
        (Some(a), Some(b)) => a == b,
        // Integers beyond 128 bits are equal only in the same digits; with floats both are taken as floats.
        _ if is_digits(a) && is_digits(b) => false,
        _ => match (a.parse::<f64>(), b.parse::<f64>()) {
            (Ok(a), Ok(b)) => a.total_cmp(&b).is_eq() || (a - b).abs() == 0.0,
            _ => false,
        },
    }
}

fn is_digits(text: &str) -> bool {
    text.trim_start_matches(['+', '-']).bytes().all(|b| b.is_ascii_digit())
}

fn integer(text: &str) -> Option<i128> {
    match (text.strip_prefix("0x"), text.strip_prefix("0o")) {
        (Some(hex), _) => i128::from_str_radix(hex, 16).ok(),
        (_, Some(octal)) => i128::from_str_radix(octal, 8).ok(),
        _ => text.parse().ok(),
    }
}

/// The kind of a node, for messages.
pub(super) fn name(node: &Node) -> &'static str {
    match &node.followed().value {
        Value::Map(_) => "a map",
        Value::List(_) => "a list",
        Value::Text(_) => "a string",
        Value::Alias(_) => "an alias",
        Value::Plain(text) => match meaning(text) {
            Meaning::Null => "null",
            Meaning::Bool(_) => "a boolean",
            Meaning::Number => "a number",
            Meaning::String => "a string",
        },
    }
}

/// A value in one line for messages, cut if it is long.
pub(super) fn shown(node: &Node) -> String {
    const LONGEST: usize = 80;
    let text = match &node.followed().value {
        Value::Map(entries) if entries.len() > LONGEST => format!("a map of {} keys", entries.len()),
        Value::List(elements) if elements.len() > LONGEST => format!("a list of {} elements", elements.len()),
        _ => render::json(node),
    };
    match text.char_indices().nth(LONGEST) {
        None => text,
        Some((cut, _)) => format!("{}…", &text[..cut]),
    }
}
