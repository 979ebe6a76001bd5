//! The Kubernetes objects of a file, as far as they matter to whoever looks for images.

use std::collections::BTreeMap;

use super::images::{Lines, read, said};
use super::selector::is_empty;
use super::{EditError, FoundImage};
use crate::syntax::{Node, Value};
use crate::words::ImageRef;

/// A document with the `kind` or `apiVersion` of a Kubernetes object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubernetesObject {
    /// The scalars at its top, and in the maps there two levels down, by their keys: `kind`, `etcd/local/imageTag`.
    pub fields: BTreeMap<String, Field>,
    /// Every string at a key `image`, a reference or not, schemas of custom resource definitions left out. A reference
    /// without tag has that of a `tag` or `imageTag` beside it.
    pub images: Vec<FoundImage>,
}

/// A scalar of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its text.
    pub text: String,
    /// Its line, from 1.
    pub line: usize,
}

impl KubernetesObject {
    /// The text of a scalar; empty where there is none.
    #[must_use]
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", |field| &field.text)
    }
}

/// The Kubernetes objects of a YAML or JSON file, in order; documents that are none are left out.
pub fn find_objects(manifest: &[u8]) -> Result<Vec<KubernetesObject>, EditError> {
    let file = read(manifest)?;
    let mut lines = Lines { text: &file.text, at: 0, line: 1 };
    let mut objects = Vec::new();
    for (document, root) in file.roots.iter().filter(|root| !is_empty(root)).enumerate() {
        if root.get("kind").or_else(|| root.get("apiVersion")).and_then(Node::scalar).is_none() {
            continue;
        }
        let mut fields = BTreeMap::new();
        collect(root, "", 2, &mut lines, &mut fields);
        let images = said(root).into_iter().map(|said| FoundImage {
            reference: with_tag(said.text, said.tag),
            line: lines.of(said.node.span.start),
            route: said.route.to_string(),
            document,
        });
        objects.push(KubernetesObject { fields, images: images.collect() });
    }
    Ok(objects)
}

fn collect(node: &Node, above: &str, depth: usize, lines: &mut Lines<'_>, fields: &mut BTreeMap<String, Field>) {
    let Value::Map(entries) = &node.value else { return };
    for (key, value) in entries {
        let Some(key) = key.scalar() else { continue };
        if let Some(text) = value.scalar() {
            let field = Field { text: text.to_owned(), line: lines.of(value.span.start) };
            fields.insert(format!("{above}{key}"), field);
        } else if depth > 0 {
            collect(value, &format!("{above}{key}/"), depth - 1, lines, fields);
        }
    }
}

fn with_tag(text: &str, tag: Option<&str>) -> String {
    let has_one = text.rsplit('/').next().is_some_and(|last| last.contains([':', '@']));
    match tag {
        Some(tag) if !has_one && format!("{text}:{tag}").parse::<ImageRef>().is_ok() => format!("{text}:{tag}"),
        Some(_) | None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_and_all_that_they_call_an_image_are_found() {
        let text = "\
a: 1
---
# nothing
---
apiVersion: v1
kind: Pod
spec:
  containers:
  - image: Bad Reference
  - {image: x/y, tag: v1}
  - {image: x/y:2, tag: v1}
  - image: {repository: none}
---
kind: CustomResourceDefinition
spec: {versions: [{schema: {image: none}}]}
";
        let objects = find_objects(text.as_bytes()).unwrap();
        let found: Vec<_> = objects
            .iter()
            .map(|object| {
                let images = object.images.iter().map(|image| format!("{}={}", image.line, image.reference));
                (object.field("kind"), images.collect::<Vec<_>>().join(" "))
            })
            .collect();
        assert_eq!(
            found,
            [("Pod", "9=Bad Reference 10=x/y:v1 11=x/y:2".to_owned()), ("CustomResourceDefinition", String::new())]
        );
        assert_eq!(objects[0].fields["apiVersion"].line, 5);
    }
}
