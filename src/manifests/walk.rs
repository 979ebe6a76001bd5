//! The rules for which strings of a tree name an image.

use super::model::{Finding, Kind, Mention, Piece, Problem, Role};
use super::string_map::StringMap;
use super::texts::{DocumentText, place_of, pointer};
use crate::edit::{is_special_scalar, string_of};
use crate::syntax::{Node, Style, Value};
use crate::types::{ImageRef, Span};

const CONTAINERS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];
/// The API groups whose pods are Kubernetes' own, so that whatever is at `image` is meant as one.
const GROUPS: [&str; 4] = ["", "apps", "batch", "extensions"];
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The images found so far.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) mentions: Vec<Mention>,
    pub(super) findings: Vec<Finding>,
    /// References that only a list makes mentions.
    pub(super) candidates: Vec<Mention>,
}

/// A string that may be a document.
pub(super) struct Embedded {
    pub(super) node: Node,
    pub(super) route: Vec<String>,
    pub(super) document: usize,
}

/// A walk through a document.
pub(super) struct Walk<'w> {
    registry: &'w str,
    texts: &'w [DocumentText],
    text_index: usize,
    is_of_objects: bool,
    found: &'w mut Found,
    /// Whether the pods here are those of Kubernetes' own workloads.
    is_workload: bool,
    pub(super) route: Vec<String>,
    pub(super) document: usize,
    pub(super) embedded: Vec<Embedded>,
}

/// The reference that strings say together.
struct Reference {
    kind: Kind,
    text: String,
    pieces: Vec<Piece>,
    is_certain: bool,
}

impl<'w> Walk<'w> {
    pub(super) fn new(
        registry: &'w str,
        texts: &'w [DocumentText],
        text_index: usize,
        is_of_objects: bool,
        found: &'w mut Found,
    ) -> Self {
        let (route, embedded) = (Vec::new(), Vec::new());
        Self { registry, texts, text_index, is_of_objects, found, is_workload: false, route, document: 0, embedded }
    }

    /// Searches a document.
    pub(super) fn root(&mut self, root: &Node) {
        // Sealer's own documents name sealer images, which no cluster's registry serves.
        if !is_of_sealer(root) {
            self.node(root);
        }
    }

    fn node(&mut self, node: &Node) {
        match &node.value {
            Value::Map(entries) => self.map(node, entries),
            Value::List(elements) => self.list(elements, Self::node),
            Value::Plain(_) | Value::Text(_) => self.string(node),
            // The content of an aliased collection is found where it is written.
            Value::Alias(alias) => match &alias.target.value {
                Value::Map(_) | Value::List(_) => {}
                Value::Plain(_) | Value::Text(_) | Value::Alias(_) => self.string(node),
            },
        }
    }

    fn list(&mut self, elements: &[Node], each: fn(&mut Self, &Node)) {
        for (at, element) in elements.iter().enumerate() {
            self.route.push(at.to_string());
            each(self, element);
            self.route.pop();
        }
    }

    fn map(&mut self, node: &Node, entries: &[(Node, Node)]) {
        self.repeated_keys(entries);
        let kind = node.get("kind").and_then(Node::scalar);
        let version = node.get("apiVersion").and_then(Node::scalar);
        let is_object = kind.is_some() || version.is_some();
        let was_workload = self.is_workload;
        if is_object {
            let version = version.unwrap_or_default();
            self.is_workload = GROUPS.contains(&version.split_once('/').map_or("", |(group, _)| group));
        }
        for (key, value) in entries {
            let key = key.scalar().unwrap_or_default();
            if (is_object && key == "status") || key == LAST_APPLIED {
                continue;
            }
            self.route.push(key.to_owned());
            match &value.value {
                Value::Map(_) if key == "spec" && kind == Some("CustomResourceDefinition") => self.definition(value),
                Value::List(elements) if CONTAINERS.contains(&key) => self.list(elements, Self::container),
                Value::List(elements) if key == "volumes" => self.list(elements, Self::volume),
                _ if names_an_image(key) => self.image(key, value, node),
                _ => self.node(value),
            }
            self.route.pop();
        }
        self.is_workload = was_workload;
    }

    /// The `spec` of a custom resource definition without its schemas.
    fn definition(&mut self, spec: &Node) {
        let Value::Map(entries) = &spec.value else { return };
        for (key, value) in entries {
            let key = key.scalar().unwrap_or_default();
            self.route.push(key.to_owned());
            match &value.value {
                _ if key == "validation" => {}
                Value::List(versions) if key == "versions" => self.list(versions, |walk, version| {
                    let Value::Map(entries) = &version.value else { return };
                    for (key, value) in entries {
                        let key = key.scalar().unwrap_or_default();
                        if key == "schema" {
                            continue;
                        }
                        walk.route.push(key.to_owned());
                        if names_an_image(key) {
                            walk.image(key, value, version);
                        } else {
                            walk.node(value);
                        }
                        walk.route.pop();
                    }
                }),
                _ => self.node(value),
            }
            self.route.pop();
        }
    }

    fn container(&mut self, container: &Node) {
        let Value::Map(entries) = &container.value else { return self.node(container) };
        self.repeated_keys(entries);
        for (key, value) in entries {
            let key = key.scalar().unwrap_or_default();
            self.route.push(key.to_owned());
            match key {
                "image" if self.is_of_objects => self.container_image(value, container),
                "image" => self.image(key, value, container),
                key if names_an_image(key) => self.image(key, value, container),
                _ => self.node(value),
            }
            self.route.pop();
        }
    }

    fn container_image(&mut self, value: &Node, container: &Node) {
        let string = string_of(value);
        if string.is_none() && !self.is_workload {
            // A custom resource may leave it out, or say it in parts.
            return self.image("image", value, container);
        }
        let why = match string {
            Some("") if !self.is_workload => return,
            Some(text) => {
                if let Some(reference) = beside(value, text, container) {
                    return self.take(value, reference);
                }
                let pieces = vec![whole(value, text)];
                let reference = Reference { kind: Kind::Container, text: text.to_owned(), pieces, is_certain: true };
                // A policy or a template of a custom resource has patterns and expressions there.
                let is_meant = self.is_workload || !text.contains(['*', '?', '!', '$']);
                return self.take_or(value, reference, is_meant);
            }
            None if value.followed().style == Style::Plain => {
                let written = self.written(value);
                format!("`{written}` is not an image reference: it is not a string")
            }
            None => "a container's image is one string, not a map or list".to_owned(),
        };
        let text = self.written(value);
        self.tell(value, Problem::NotAReference { text, is_container: true, why });
    }

    fn volume(&mut self, volume: &Node) {
        let image = volume.get("image").filter(|image| image.get("reference").and_then(string_of).is_some());
        let (Some(image), Value::Map(entries), true) = (image, &volume.value, self.is_of_objects) else {
            return self.node(volume);
        };
        for (key, value) in entries {
            let key = key.scalar().unwrap_or_default();
            self.route.push(key.to_owned());
            if let (true, Value::Map(fields)) = (std::ptr::eq(value, image), &value.value) {
                for (key, value) in fields.iter().filter(|(key, _)| key.scalar() == Some("reference")) {
                    self.route.push(key.scalar().unwrap_or_default().to_owned());
                    let text = string_of(value).unwrap_or_default();
                    let pieces = vec![whole(value, text)];
                    let (text, is_certain) = (text.to_owned(), true);
                    self.take_or(value, Reference { kind: Kind::Container, text, pieces, is_certain }, true);
                    self.route.pop();
                }
            } else {
                self.node(value);
            }
            self.route.pop();
        }
    }

    /// What is at a key that is or ends in `image`.
    fn image(&mut self, key: &str, value: &Node, holder: &Node) {
        let is_exact = key == "image";
        if matches!(value.followed().value, Value::Map(_)) {
            if let (true, Some(reference)) = (is_exact || self.is_of_objects, parts(value)) {
                self.take(value, reference);
            }
            return self.node(value);
        }
        let Some(text) = string_of(value) else { return self.node(value) };
        if text.trim_end().contains('\n') || !(is_exact || self.is_of_objects) {
            return self.node(value);
        }
        if is_exact && let Some(reference) = beside(value, text, holder) {
            return self.take(value, reference);
        }
        let is_plain = matches!(value.followed().value, Value::Plain(_));
        let is_likely = !is_exact && says_any(text).is_some() && !(is_plain && is_special_scalar(text));
        if is_template(text) || (is_exact && !text.is_empty()) || is_likely {
            let (pieces, text) = (vec![whole(value, text)], text.to_owned());
            let reference = Reference { kind: Kind::Key, text, pieces, is_certain: is_exact };
            return self.take_or(value, reference, false);
        }
        self.node(value);
    }

    /// Any other string.
    fn string(&mut self, node: &Node) {
        if !self.is_of_objects {
            return;
        }
        let Some(text) = string_of(node) else { return };
        let is_alias = matches!(node.value, Value::Alias(_));
        if text.contains('\n') || (text.starts_with(['{', '[']) && text.ends_with(['}', ']'])) {
            if text.contains(':') && !is_alias {
                let (route, document) = (self.route.clone(), self.document);
                self.embedded.push(Embedded { node: node.clone(), route, document });
            }
            if text.contains('\n') {
                return;
            }
        }
        let behind = text.split_once('=').map(|(_, behind)| behind);
        let Some(word) = std::iter::once(text).chain(behind).find(|word| says_any(word).is_some()) else { return };
        let at = text.len() - word.len();
        let piece =
            Piece { node: Some(node.span), at: Span::new(at, text.len()), role: Role::Reference(word.to_owned()) };
        let is_value = says_where_and_which(word).is_some();
        let kind = if is_value { Kind::Value } else { Kind::Listed };
        let reference = Reference { kind, text: word.to_owned(), pieces: vec![piece], is_certain: !is_value };
        let Some(mention) = self.mention(node, reference) else { return };
        if is_value {
            self.found.mentions.push(mention);
        } else {
            self.found.candidates.push(mention);
        }
    }

    /// Adds a reference, or a finding why it is not one.
    fn take_or(&mut self, value: &Node, reference: Reference, is_container: bool) {
        let text = reference.text.clone();
        if is_template(&text) {
            return self.tell(value, Problem::Template { text });
        }
        match text.parse::<ImageRef>() {
            Ok(_) => self.take(value, reference),
            Err(error) => {
                let why = error.to_string();
                self.tell(value, Problem::NotAReference { text, is_container, why });
            }
        }
    }

    fn take(&mut self, value: &Node, reference: Reference) {
        let mention = self.mention(value, reference);
        self.found.mentions.extend(mention);
    }

    fn mention(&self, value: &Node, reference: Reference) -> Option<Mention> {
        let Reference { kind, text, pieces, is_certain } = reference;
        let image = text.parse().ok()?;
        let place =
            place_of(self.texts, self.text_index, self.span_of(value, &pieces), pointer(&self.route), self.document);
        let is_certain = is_certain || is_at_registry(&text, self.registry);
        let text_index = self.text_index;
        Some(Mention { kind, reference: text, image, place, is_certain, text_index, pieces })
    }

    /// The bytes of a reference's first piece, or of the scalar if they are not known.
    fn span_of(&self, value: &Node, pieces: &[Piece]) -> Span {
        let text = &self.texts[self.text_index].text;
        match pieces {
            [piece] if piece.node == Some(value.span) => match StringMap::of(value, text) {
                Some(map) => Span::new(map.start(piece.at.start), map.end(piece.at.end)),
                None => value.span,
            },
            _ => value.span,
        }
    }

    fn written(&self, value: &Node) -> String {
        let span = value.followed().span;
        self.texts[self.text_index].text[span.range()].lines().next().unwrap_or_default().to_owned()
    }

    fn tell(&mut self, value: &Node, problem: Problem) {
        let place = place_of(self.texts, self.text_index, value.span, pointer(&self.route), self.document);
        self.found.findings.push(Finding { place, problem });
    }

    fn repeated_keys(&mut self, entries: &[(Node, Node)]) {
        let mut keys: Vec<(&str, &Node)> = entries.iter().filter_map(|(key, _)| Some((key.scalar()?, key))).collect();
        keys.sort_by_key(|(name, key)| (*name, key.span.start));
        for pair in keys.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
            let first = super::texts::in_file(self.texts, self.text_index, pair[0].1.span);
            let key = pair[0].0.to_owned();
            // A byte now, its line when all is found.
            self.tell(pair[1].1, Problem::RepeatedKey { key, first: first.start });
        }
    }
}

/// A scalar that is a reference as a whole.
fn whole(node: &Node, text: &str) -> Piece {
    Piece { node: Some(node.span), at: Span::new(0, text.len()), role: Role::Reference(text.to_owned()) }
}

/// A string `image` with a tag next to it.
fn beside(value: &Node, text: &str, holder: &Node) -> Option<Reference> {
    let has_one = text.rsplit('/').next().is_some_and(|last| last.contains([':', '@']));
    if has_one {
        return None;
    }
    let (_, tag) = ["tag", "imageTag", "version"].into_iter().find_map(|key| field(holder, key))?;
    let joined = format!("{text}:{tag}");
    joined.parse::<ImageRef>().ok()?;
    let kind = Kind::Parts;
    Some(Reference { kind, text: joined, pieces: vec![whole(value, text)], is_certain: true })
}

/// A scalar of a map that is not empty.
fn field<'n>(node: &'n Node, key: &str) -> Option<(&'n Node, &'n str)> {
    let value = node.get(key)?;
    let text = value.scalar()?.trim();
    (!text.is_empty() && !matches!(text, "~" | "null")).then_some((value, text))
}

/// A map with a reference in parts.
fn parts(node: &Node) -> Option<Reference> {
    let field = |key: &str| field(node, key);
    let (registry, name) = match (field("registry"), field("repository"), field("name")) {
        (registry, Some(repository), _) => (registry, repository),
        (registry, None, Some(name)) => (registry, name),
        (_, None, None) => return None,
    };
    let tag = field("tag").or_else(|| field("version"));
    let digest = field("digest");
    if tag.is_none() && digest.is_none() {
        return None;
    }
    let mut text = registry.map_or(String::new(), |(_, registry)| format!("{}/", registry.trim_end_matches('/')));
    text.push_str(name.1);
    text.extend(tag.map(|(_, tag)| format!(":{tag}")));
    text.extend(digest.map(|(_, digest)| format!("@{digest}")));
    text.parse::<ImageRef>().ok()?;
    let piece = |(node, text): (&Node, &str), role| Piece {
        node: Some(node.span),
        at: Span::new(0, node.scalar().map_or(text.len(), str::len)),
        role,
    };
    let pieces = match registry {
        None => vec![piece(name, Role::Reference(name.1.to_owned()))],
        Some(registry) => vec![
            piece(registry, Role::Registry(registry.1.trim_end_matches('/').to_owned())),
            piece(name, Role::Repository(name.1.to_owned())),
        ],
    };
    Some(Reference { kind: Kind::Parts, text, pieces, is_certain: true })
}

/// Whether a template's expression, or a variable, decides what a text is.
pub(super) fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("${")
}

/// Whether a key is or ends in `image`, in any spelling.
pub(super) fn names_an_image(key: &str) -> bool {
    key.len() >= 5 && key.is_char_boundary(key.len() - 5) && key[key.len() - 5..].eq_ignore_ascii_case("image")
}

pub(super) fn is_at_registry(text: &str, registry: &str) -> bool {
    text.strip_prefix(registry).is_some_and(|rest| rest.starts_with('/'))
}

/// A reference that names its registry, and which of the repository's images is meant.
pub(super) fn says_where_and_which(text: &str) -> Option<ImageRef> {
    let (host, path) = text.split_once('/')?;
    let has_host = host.contains(['.', ':']) || host == "localhost";
    (has_host && path.contains([':', '@'])).then(|| text.parse().ok()).flatten()
}

/// A reference with a registry, tag or digest.
fn says_any(text: &str) -> Option<ImageRef> {
    let has_host = || text.split_once('/').is_some_and(|(host, _)| host.contains('.') || host == "localhost");
    (text.contains([':', '@']) || has_host()).then(|| text.parse().ok()).flatten()
}

/// Sealer's own documents.
fn is_of_sealer(root: &Node) -> bool {
    let version = root.get("apiVersion").and_then(Node::scalar).unwrap_or_default();
    let group = version.split('/').next().unwrap_or_default();
    ["sealer.cloud", "sealer.aliyun.com", "sealer.io", "zlink.aliyun.com"]
        .iter()
        .any(|own| group == *own || group.strip_suffix(own).is_some_and(|rest| rest.ends_with('.')))
}
