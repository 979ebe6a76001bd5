//! References to container images in Kubernetes manifests.
//!
//! A reference is the string at a key `image`, wherever it stands: in workloads of every kind, in a `List`, in custom
//! resources. The schemas of custom resource definitions describe such keys and hold no reference, so `spec.versions[*].schema`
//! and `spec.validation` of a `CustomResourceDefinition` are passed over.

use serde::{Deserialize, Serialize};

use super::documents::Documents;
use super::scalar::{Meaning, meaning};
use super::selector::is_empty;
use super::{EditError, Format, Pointer};
use crate::syntax::{Node, Value};
use crate::words::ImageRef;

/// A reference that a manifest holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundImage {
    /// The reference as it is written.
    pub reference: String,
    /// Its line, from 1.
    pub line: usize,
    /// Where it is in its document (RFC 6901); empty where the file was searched as plain text.
    pub route: String,
    /// Which document of the file, from 0; as with [`DocumentSelector`](super::DocumentSelector), those without content
    /// are not counted.
    pub document: usize,
}

/// A reference in a tree.
pub(super) struct Mention<'t> {
    /// The reference.
    pub(super) reference: &'t str,
    /// The same, complete.
    pub(super) image: ImageRef,
    /// The scalar, or an alias of one.
    pub(super) node: &'t Node,
    pub(super) route: Pointer,
    pub(super) document: usize,
}

/// All references of a manifest in the order of its text. Strings that are no references by Docker's rules are left out.
pub fn find_images(manifest: &[u8]) -> Result<Vec<FoundImage>, EditError> {
    let file = read(manifest)?;
    let mut lines = Lines { text: &file.text, at: 0, line: 1 };
    let found = mentions(&file.roots).into_iter().map(|mention| FoundImage {
        reference: mention.reference.to_owned(),
        line: lines.of(mention.node.span.start),
        route: mention.route.to_string(),
        document: mention.document,
    });
    Ok(found.collect())
}

/// A manifest, in JSON where it begins like JSON and is JSON, else in YAML (of which most JSON is a part).
pub(super) fn read(manifest: &[u8]) -> Result<Documents, EditError> {
    let content = manifest.strip_prefix("\u{feff}".as_bytes()).unwrap_or(manifest).trim_ascii_start();
    if content.starts_with(b"{") {
        let json = Documents::read(manifest, Format::Json);
        // What is no YAML either is probably meant as JSON.
        return json.or_else(|error| Documents::read(manifest, Format::Yaml).map_err(|_| error));
    }
    Documents::read(manifest, Format::Yaml)
}

/// A string at a key `image`.
pub(super) struct Said<'t> {
    pub(super) text: &'t str,
    /// The text of a `tag` or `imageTag` beside it.
    pub(super) tag: Option<&'t str>,
    /// The scalar, or an alias of one.
    pub(super) node: &'t Node,
    pub(super) route: Pointer,
}

/// All references in trees, in the order of the text.
pub(super) fn mentions(roots: &[Node]) -> Vec<Mention<'_>> {
    let mut found = Vec::new();
    for (document, root) in roots.iter().filter(|root| !is_empty(root)).enumerate() {
        found.extend(said(root).into_iter().filter_map(|Said { text, node, route, .. }| {
            let image = text.parse().ok()?;
            Some(Mention { reference: text, image, node, route, document })
        }));
    }
    found
}

/// All strings at keys `image` of a document, references or not, in the order of the text.
pub(super) fn said(root: &Node) -> Vec<Said<'_>> {
    let mut found = Vec::new();
    walk(root, &mut Vec::new(), &mut found);
    found
}

/// Aliases of collections are not followed: what they repeat is found where it is written.
fn walk<'t>(node: &'t Node, route: &mut Vec<String>, found: &mut Vec<Said<'t>>) {
    match &node.value {
        Value::Map(entries) => {
            let is_definition = node.get("kind").and_then(Node::scalar) == Some("CustomResourceDefinition");
            for (key, value) in entries {
                let key = key.scalar().unwrap_or_default();
                route.push(key.to_owned());
                if key == "image"
                    && let Some(text) = text(value)
                {
                    let tag = ["tag", "imageTag"].into_iter().find_map(|key| node.get(key)?.scalar());
                    found.push(Said { text, tag, node: value, route: Pointer::from_tokens(route) });
                } else if is_definition && key == "spec" {
                    walk_definition(value, route, found);
                } else {
                    walk(value, route, found);
                }
                route.pop();
            }
        }
        Value::List(elements) => {
            for (at, element) in elements.iter().enumerate() {
                route.push(at.to_string());
                walk(element, route, found);
                route.pop();
            }
        }
        Value::Plain(_) | Value::Text(_) | Value::Alias(_) => {}
    }
}

/// The `spec` of a custom resource definition without its schemas.
fn walk_definition<'t>(spec: &'t Node, route: &mut Vec<String>, found: &mut Vec<Said<'t>>) {
    let Value::Map(entries) = &spec.value else { return };
    for (key, value) in entries {
        let key = key.scalar().unwrap_or_default();
        if key == "validation" {
            continue;
        }
        route.push(key.to_owned());
        if let ("versions", Value::List(versions)) = (key, &value.value) {
            for (at, version) in versions.iter().enumerate() {
                let Value::Map(entries) = &version.value else { continue };
                route.push(at.to_string());
                for (key, value) in entries.iter().filter(|(key, _)| key.scalar() != Some("schema")) {
                    route.push(key.scalar().unwrap_or_default().to_owned());
                    walk(value, route, found);
                    route.pop();
                }
                route.pop();
            }
        } else {
            walk(value, route, found);
        }
        route.pop();
    }
}

/// The text of a string, aliases followed; none of anything else.
pub(super) fn text(node: &Node) -> Option<&str> {
    match &node.followed().value {
        Value::Text(text) => Some(text),
        Value::Plain(text) if meaning(text) == Meaning::String => Some(text),
        Value::Plain(_) | Value::Map(_) | Value::List(_) | Value::Alias(_) => None,
    }
}

/// Line numbers of places that come one after the other.
pub(super) struct Lines<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
    pub(super) line: usize,
}

impl Lines<'_> {
    /// The line of a byte, from 1.
    pub(super) fn of(&mut self, at: usize) -> usize {
        if at < self.at {
            (self.at, self.line) = (0, 1);
        }
        self.line += self.text[self.at..at].bytes().filter(|b| *b == b'\n').count();
        self.at = at;
        self.line
    }
}
