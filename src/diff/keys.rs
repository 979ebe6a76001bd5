//! Two JSON or YAML texts, key by key.

use std::collections::{BTreeMap, BTreeSet};

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::path::one_line;
use super::{Change, secret};
use crate::edit::{Format, Pointer, is_same_value, json_text};
use crate::manifests::{Form, Scan, scan};
use crate::syntax::{Limits, Node, Value, parse_json, parse_yaml};

/// Lists of more elements, those at both ends left out that are the same, are compared place by place.
const LONGEST_LIST: usize = 2000;

/// A collection of more entries is shown by their number.
const LARGEST: usize = 80;
/// Characters of a value that are shown.
const LONGEST_TEXT: usize = 300;

/// A key that differs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct KeyChange {
    /// Which of several documents: `Installation default`, `document 2`.
    pub(super) document: Option<String>,
    pub(super) route: Pointer,
    pub(super) what: Change,
}

/// What differs between two texts, in the order of the first, then what only the second has; `None` if one of them is
/// not understood.
pub(super) fn compare(format: Format, old: &str, new: &str) -> Option<Vec<KeyChange>> {
    let images = [images(old), images(new)];
    let (olds, news) = (read(format, old)?, read(format, new)?);
    let mut changes = Vec::new();
    if let ([old], [new]) = (&olds[..], &news[..]) {
        Walk::new(None, &images, &mut changes).values(&Pointer::root(), old, new);
        return Some(changes);
    }
    let (olds, news) = (named(&olds), named(&news));
    for (name, old) in &olds {
        let mut walk = Walk::new(Some(name), &images, &mut changes);
        match news.iter().find(|(other, _)| other == name) {
            Some((_, new)) => walk.values(&Pointer::root(), old, new),
            None => walk.removed(&Pointer::root(), old),
        }
    }
    for (name, new) in news.iter().filter(|(name, _)| !olds.iter().any(|(other, _)| other == name)) {
        Walk::new(Some(name), &images, &mut changes).added(&Pointer::root(), new);
    }
    Some(changes)
}

/// The documents of a text that are not empty.
fn read(format: Format, text: &str) -> Option<Vec<Node>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let roots = match format {
        Format::Json => vec![parse_json(text, Limits::document()).ok()?],
        Format::Yaml => {
            let documents = parse_yaml(text, Limits::document()).ok()?;
            documents.into_iter().map(|document| document.root).collect()
        }
    };
    let is_there = |root: &Node| root.span.start != root.span.end || root.properties.is_some();
    Some(roots.into_iter().filter(is_there).collect())
}

/// Documents with their identity: kind, namespace and name if they have them, so that a new one in the middle does not
/// shift all others; otherwise, or if that is not unique, their index.
fn named(roots: &[Node]) -> Vec<(String, &Node)> {
    let name = |root: &Node| {
        let kind = root.get("kind").and_then(Node::scalar)?;
        let metadata = root.get("metadata");
        let field = |name| metadata.and_then(|metadata| metadata.get(name)).and_then(Node::scalar);
        Some(match (field("namespace"), field("name")) {
            (_, None) => kind.to_owned(),
            (None, Some(name)) => format!("{kind} {name}"),
            (Some(namespace), Some(name)) => format!("{kind} {namespace}/{name}"),
        })
    };
    let mut seen = BTreeSet::new();
    let names: Vec<Option<String>> = roots.iter().map(name).collect();
    let twice: BTreeSet<&String> = names.iter().flatten().filter(|name| !seen.insert(*name)).collect();
    let unique = |(at, name): (usize, &Option<String>)| match name {
        Some(name) if !twice.contains(name) => name.clone(),
        Some(name) => format!("{name}, document {}", at + 1),
        None => format!("document {}", at + 1),
    };
    names.iter().enumerate().map(unique).zip(roots).collect()
}

/// The images that a text names, by the byte where each begins.
type Images = BTreeMap<usize, String>;

fn images(text: &str) -> Images {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let found = scan(text.as_bytes(), &Scan { form: Form::Document, registry: "", listed: &BTreeSet::new() });
    found.mentions.into_iter().map(|mention| (mention.place.span.start, mention.reference)).collect()
}

struct Walk<'a> {
    /// Of the old text and of the new one.
    images: &'a [Images; 2],
    document: Option<String>,
    changes: &'a mut Vec<KeyChange>,
    /// How many keys lead to the Secret of Kubernetes that is walked through: none at a document's top, two in a list.
    secret_at: Option<usize>,
}

impl<'a> Walk<'a> {
    fn new(document: Option<&String>, images: &'a [Images; 2], changes: &'a mut Vec<KeyChange>) -> Self {
        Self { images, document: document.cloned(), changes, secret_at: None }
    }

    fn values(&mut self, route: &Pointer, old: &Node, new: &Node) {
        if is_same_value(old, new) {
            return;
        }
        let (old, new) = (old.followed(), new.followed());
        let around = self.secret_at;
        if secret::is_secret_object(old) || secret::is_secret_object(new) {
            self.secret_at = around.or(Some(route.tokens().len()));
        }
        self.different(route, old, new);
        self.secret_at = around;
    }

    fn different(&mut self, route: &Pointer, old: &Node, new: &Node) {
        if old.tag() == new.tag() {
            match (&old.value, &new.value) {
                (Value::Map(olds), Value::Map(news)) => return self.maps(route, olds, (new, news), old),
                (Value::List(olds), Value::List(news)) => return self.lists(route, olds, news),
                _ => {}
            }
        }
        let what = match (reference(&self.images[0], old), reference(&self.images[1], new)) {
            (Some(old), Some(new)) => Change::Reference { old, new },
            _ => Change::Value { old: self.shown(route, old), new: self.shown(route, new) },
        };
        self.push(route, what);
    }

    fn maps(&mut self, route: &Pointer, olds: &[(Node, Node)], (new, news): (&Node, &[(Node, Node)]), old: &Node) {
        for (key, value) in olds {
            let key = key.scalar().unwrap_or_default();
            match new.get(key) {
                Some(other) => self.values(&route.child(key), value, other),
                None => self.removed(&route.child(key), value),
            }
        }
        for (key, value) in news {
            let key = key.scalar().unwrap_or_default();
            if old.get(key).is_none() {
                self.added(&route.child(key), value);
            }
        }
    }

    /// Elements that are maps with a `name` are known by it, others by their value. A removed one has its old index,
    /// all others their new one.
    fn lists(&mut self, route: &Pointer, olds: &[Node], news: &[Node]) {
        let at = |index: usize| route.child(&index.to_string());
        for op in matched(olds, news) {
            let (_, old_range, new_range) = op.as_tag_tuple();
            let both = old_range.len().min(new_range.len());
            for (old, new) in old_range.clone().zip(new_range.clone()) {
                self.values(&at(new), &olds[old], &news[new]);
            }
            for old in old_range.skip(both) {
                self.removed(&at(old), &olds[old]);
            }
            for new in new_range.skip(both) {
                self.added(&at(new), &news[new]);
            }
        }
    }

    fn removed(&mut self, route: &Pointer, old: &Node) {
        let old = self.shown(route, old);
        self.push(route, Change::KeyRemoved { old });
    }

    fn added(&mut self, route: &Pointer, new: &Node) {
        let new = self.shown(route, new);
        self.push(route, Change::KeyAdded { new });
    }

    fn push(&mut self, route: &Pointer, what: Change) {
        self.changes.push(KeyChange { document: self.document.clone(), route: route.clone(), what });
    }

    /// A value, short, unless it is a secret.
    fn shown(&self, route: &Pointer, node: &Node) -> String {
        let key = route.tokens().last().map_or("", String::as_str);
        let is_data = self.secret_at.is_some_and(|depth| {
            route.tokens().get(depth).is_none_or(|field| matches!(field.as_str(), "data" | "stringData"))
                // kubectl writes the whole object into it.
                || key == "kubectl.kubernetes.io/last-applied-configuration"
        });
        if is_data || (secret::is_secret(key) && node.scalar().is_some()) || secret::holds_secret(node) {
            return secret::HIDDEN.to_owned();
        }
        match &node.followed().value {
            Value::Plain(text) => one_line(&cut(text)),
            // With quotes, so that `"1"` is not taken for a number.
            Value::Text(text) => cut(&format!("{text:?}")),
            Value::Map(entries) if entries.len() > LARGEST => format!("a map of {} keys", entries.len()),
            Value::List(elements) if elements.len() > LARGEST => format!("a list of {} elements", elements.len()),
            Value::Map(_) | Value::List(_) | Value::Alias(_) => one_line(&cut(&json_text(node))),
        }
    }
}

/// A text's beginning.
fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST_TEXT) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// Which elements of two lists belong together.
fn matched(olds: &[Node], news: &[Node]) -> Vec<DiffOp> {
    let same = |(old, new): &(&Node, &Node)| is_same_value(old, new);
    let head = olds.iter().zip(news).take_while(same).count();
    let tail = olds[head..].iter().rev().zip(news[head..].iter().rev()).take_while(same).count();
    let (old_len, new_len) = (olds.len() - head - tail, news.len() - head - tail);
    if old_len.max(new_len) > LONGEST_LIST {
        return vec![DiffOp::Replace { old_index: head, old_len, new_index: head, new_len }];
    }
    let identities = |nodes: &[Node], length| nodes[head..head + length].iter().map(identity).collect::<Vec<_>>();
    let mut ops = capture_diff_slices(Algorithm::Myers, &identities(olds, old_len), &identities(news, new_len));
    for op in &mut ops {
        *op = match *op {
            DiffOp::Equal { old_index, new_index, len } => {
                DiffOp::Equal { old_index: old_index + head, new_index: new_index + head, len }
            }
            DiffOp::Delete { old_index, old_len, new_index } => {
                DiffOp::Delete { old_index: old_index + head, old_len, new_index: new_index + head }
            }
            DiffOp::Insert { old_index, new_index, new_len } => {
                DiffOp::Insert { old_index: old_index + head, new_index: new_index + head, new_len }
            }
            DiffOp::Replace { old_index, old_len, new_index, new_len } => {
                DiffOp::Replace { old_index: old_index + head, old_len, new_index: new_index + head, new_len }
            }
        };
    }
    ops
}

/// What identifies an element of a list: its `name`, or else its value.
#[derive(PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Identity {
    Name(String),
    Value(String),
}

fn identity(node: &Node) -> Identity {
    match node.get("name").and_then(Node::scalar) {
        Some(name) => Identity::Name(name.to_owned()),
        None => Identity::Value(canonical(node)),
    }
}

/// A text that is the same for values that are the same, whatever they look like and however their keys are ordered.
fn canonical(node: &Node) -> String {
    let node = node.followed();
    match &node.value {
        Value::Plain(text) => format!("={text}"),
        Value::Text(text) => format!("{text:?}"),
        Value::List(elements) => format!("[{}]", elements.iter().map(canonical).collect::<Vec<_>>().join(",")),
        Value::Map(entries) => {
            let mut entries: Vec<_> =
                entries.iter().map(|(key, value)| format!("{}:{}", canonical(key), canonical(value))).collect();
            entries.sort_unstable();
            format!("{{{}}}", entries.join(","))
        }
        // `followed` leads to none.
        Value::Alias(_) => String::new(),
    }
}

/// A string that is a reference as a whole.
fn reference(images: &Images, node: &Node) -> Option<String> {
    let (_, reference) = images.range(node.span.range()).next()?;
    (node.scalar()? == reference).then(|| reference.clone())
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
