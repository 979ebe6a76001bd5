//! Values at keys `image` that are no references to images.

use super::EditError;
use super::images::{Lines, read, said};
use super::selector::is_empty;
use crate::syntax::{Node, Value};
use crate::words::{ImageRef, Span};

/// A value at a key `image` that is no reference by Docker's rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoImage {
    /// The value: a string's text, else its first line as it is written.
    pub text: String,
    /// Its line, from 1.
    pub line: usize,
    /// It is what a container of a workload is to run. Anywhere else the key may mean anything.
    pub is_container: bool,
    /// Why it is none.
    pub why: String,
}

impl NoImage {
    /// Whether it holds a template's expression, of which only the cluster's start makes a reference.
    #[must_use]
    pub fn is_template(&self) -> bool {
        self.text.contains("{{")
    }
}

/// The API groups whose workloads are known.
const GROUPS: [&str; 4] = ["", "apps", "batch", "extensions"];

/// All values that stand where references do in a manifest and are none, in the order of its text.
///
/// Containers are those of Kubernetes' own workloads, in a `List` too; there, every value counts. Elsewhere strings alone
/// count, unless they are empty: an object there is not a mistake.
pub fn find_no_images(manifest: &[u8]) -> Result<Vec<NoImage>, EditError> {
    let file = read(manifest)?;
    let mut found: Vec<(Span, String, bool, String)> = Vec::new();
    for root in file.roots.iter().filter(|root| !is_empty(root)) {
        for image in containers(root).into_iter().filter_map(|container| container.get("image")) {
            let image = image.followed();
            let written = file.text[image.span.range()].lines().next().unwrap_or_default();
            let (text, why) = match (&image.value, super::images::text(image)) {
                (_, Some(text)) => match text.parse::<ImageRef>() {
                    Ok(_) => continue,
                    Err(error) => (text, error.to_string()),
                },
                (Value::Plain(_), None) => (written, format!("`{written}` is no image reference: it is no string")),
                _ => (written, "a container's image is one string, not a map or list".to_owned()),
            };
            found.push((image.span, text.to_owned(), true, why));
        }
        for said in said(root).into_iter().filter(|said| !said.text.is_empty()) {
            let span = said.node.followed().span;
            if let Err(error) = said.text.parse::<ImageRef>()
                && found.iter().all(|(known, ..)| *known != span)
            {
                found.push((span, said.text.to_owned(), false, error.to_string()));
            }
        }
    }
    found.sort_by_key(|(span, ..)| span.start);
    found.dedup_by_key(|(span, ..)| *span);
    let mut lines = Lines { text: &file.text, at: 0, line: 1 };
    let found = found.into_iter().map(|(span, text, is_container, why)| NoImage {
        text,
        line: lines.of(span.start),
        is_container,
        why,
    });
    Ok(found.collect())
}

/// The containers of a document's workloads.
fn containers(root: &Node) -> Vec<&Node> {
    let is_known = |object: &Node| {
        let version = object.get("apiVersion").and_then(Node::scalar).unwrap_or_default();
        GROUPS.contains(&version.split_once('/').map_or("", |(group, _)| group))
    };
    let kind = root.get("kind").and_then(Node::scalar).unwrap_or_default();
    if !is_known(root) {
        return Vec::new();
    }
    let route: &[&str] = match kind {
        "Pod" => &["spec"],
        "PodTemplate" => &["template", "spec"],
        "Deployment" | "ReplicaSet" | "ReplicationController" | "StatefulSet" | "DaemonSet" | "Job" => {
            &["spec", "template", "spec"]
        }
        "CronJob" => &["spec", "jobTemplate", "spec", "template", "spec"],
        kind if kind.ends_with("List") => return elements(root.get("items")).flat_map(containers).collect(),
        _ => return Vec::new(),
    };
    let Some(spec) = route.iter().try_fold(root, |node, key| node.get(key)) else { return Vec::new() };
    let keys = ["containers", "initContainers", "ephemeralContainers"];
    keys.into_iter().flat_map(|key| elements(spec.get(key))).collect()
}

fn elements(node: Option<&Node>) -> impl Iterator<Item = &Node> {
    let elements = match node.map(|node| &node.followed().value) {
        Some(Value::List(elements)) => elements.as_slice(),
        Some(Value::Plain(_) | Value::Text(_) | Value::Map(_) | Value::Alias(_)) | None => &[],
    };
    elements.iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(manifest: &str) -> Vec<String> {
        let found = find_no_images(manifest.as_bytes()).unwrap();
        let weight = |is_container| if is_container { "error" } else { "warning" };
        found.iter().map(|none| format!("{} {} {}", none.line, weight(none.is_container), none.why)).collect()
    }

    #[test]
    fn a_container_s_image_is_a_reference() {
        for (image, is_good) in [
            ("nginx", true),
            ("'quay.io/a/b:1'", true),
            ("FOO/Bar:X", false),
            ("nginx:1@sha256:abc", false),
            ("\"nginx :1\"", false),
            ("http://127.0.0.1:18099/pause:3.2", false),
            ("$(IMG)", false),
            ("5", false),
            ("[1]", false),
            ("{a: b}", false),
            ("\"\"", false),
            ("", false),
        ] {
            for (version, kind, route) in [
                ("v1", "Pod", "spec"),
                ("v1", "PodTemplate", "template: {spec"),
                ("apps/v1", "Deployment", "spec: {template: {spec"),
                ("batch/v1beta1", "CronJob", "spec: {jobTemplate: {spec: {template: {spec"),
            ] {
                let close = "}".repeat(route.matches('{').count());
                let manifest = format!(
                    "apiVersion: {version}\nkind: {kind}\n{route}: {{initContainers: [{{image: {image}}}]}}{close}\n"
                );
                let found = found(&manifest);
                assert_eq!(found.is_empty(), is_good, "{manifest}: {found:?}");
                assert!(found.iter().all(|found| found.starts_with("3 error ")), "{found:?}");
            }
        }
    }

    #[test]
    fn elsewhere_only_words_are_doubtful() {
        let manifest = "\
apiVersion: v1
kind: List
items:
- kind: Pod
  spec: {ephemeralContainers: [{image: Bad}]}
- kind: ConfigMap
  data: {image: a picture, other: {image: 5}}
---
apiVersion: example.org/v1
kind: Deployment
spec:
  image: {repository: a/b}
  template: {spec: {containers: [{image: 'x y'}, {image: ''}, {image: a/b:1}]}}
---
kind: CustomResourceDefinition
spec: {versions: [{schema: {image: No Image}}]}
---
kind: Pod
spec: {containers: [{image: '{{ .x }}'}, {name: none}]}
";
        insta::assert_snapshot!(found(manifest).join("\n"), @"
        5 error `Bad` is no image reference: a repository is written in lower case
        7 warning `a picture` is no image reference: it contains white space
        13 warning `x y` is no image reference: it contains white space
        19 error `{{ .x }}` is no image reference: it contains white space
        ");
        let templates = find_no_images(manifest.as_bytes()).unwrap();
        assert_eq!(templates.iter().filter(|none| none.is_template()).count(), 1);
    }
}
