//! Selects a document of a file.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::syntax::{Node, Value};

/// Picks one document of a file; fields that are `None` are ignored.
///
/// Documents without content (nothing or comments between two `---`) are skipped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentSelector {
    /// The value of `kind`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The value of `metadata.name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The value of `metadata.namespace`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its place among the documents that are not empty, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u32>,
}

impl DocumentSelector {
    /// Whether it picks the document at `index` with this root.
    pub(super) fn picks(&self, index: usize, root: &Node) -> bool {
        let is = |wanted: &Option<String>, route: &[&str]| {
            wanted.as_ref().is_none_or(|wanted| text_at(root, route) == Some(wanted.as_str()))
        };
        is(&self.kind, &["kind"])
            && is(&self.name, &["metadata", "name"])
            && is(&self.namespace, &["metadata", "namespace"])
            && self.index.is_none_or(|wanted| usize::try_from(wanted) == Ok(index))
    }
}

impl fmt::Display for DocumentSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let index = self.index.map(|index| index.to_string());
        let fields = [("kind", &self.kind), ("name", &self.name), ("namespace", &self.namespace), ("index", &index)];
        let fields: Vec<_> =
            fields.iter().filter_map(|(name, value)| Some(format!("{name}: {}", value.as_ref()?))).collect();
        write!(f, "{{{}}}", fields.join(", "))
    }
}

/// A document in a message: `0: Installation default`.
pub(super) fn describe(index: usize, root: &Node) -> String {
    let kind = text_at(root, &["kind"]).unwrap_or("no kind");
    match (text_at(root, &["metadata", "namespace"]), text_at(root, &["metadata", "name"])) {
        (_, None) => format!("{index}: {kind}"),
        (None, Some(name)) => format!("{index}: {kind} {name}"),
        (Some(namespace), Some(name)) => format!("{index}: {kind} {namespace}/{name}"),
    }
}

/// Whether there is nothing in a document.
pub(crate) fn is_empty(root: &Node) -> bool {
    root.span.start == root.span.end && root.properties.is_none() && matches!(root.value, Value::Plain(_))
}

fn text_at<'n>(root: &'n Node, route: &[&str]) -> Option<&'n str> {
    route.iter().try_fold(root, |node, key| node.get(key))?.scalar()
}
