//! Rewrites manifests to take their images from another registry.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::model::{Mention, Problem, Role, Scanned};
use super::string_map::{StringMap, encoded};
use super::texts::DocumentText;
use crate::edit::{Splice, double_quoted, is_plain_in, is_same_value, parse_documents, splice_all, text_node};
use crate::syntax::{Node, Style, Value};
use crate::types::{ImageRef, Reportable, Span};

/// A manifest after [`Scanned::rewrite`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rewritten {
    /// The whole manifest.
    pub(crate) bytes: Vec<u8>,
    /// What was changed, in the order of the text.
    pub(crate) changes: Vec<ImageChange>,
}

/// One reference that was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ImageChange {
    /// Its line, from 1.
    pub(crate) line: usize,
    /// The reference as it was written.
    pub(crate) old: String,
    /// The reference as it is now.
    pub(crate) new: String,
}

/// Why a manifest cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ManifestError {
    /// The target of the rewrite is not a registry.
    #[error("`{0}` is not a registry: expected `HOST` or `HOST:PORT`, like `sea.hub:5000`")]
    Registry(String),
    /// It is UTF-16.
    #[error("it is UTF-16, which Kubernetes does not read; convert it to UTF-8 first")]
    Utf16,
    /// It is not YAML or JSON.
    #[error("{0}")]
    Unreadable(String),
    /// A container names something that is not a reference.
    #[error("line {line}: {why}")]
    NotAReference {
        /// From 1.
        line: usize,
        /// Why it is not one.
        why: String,
    },
    /// A reference is written in a way that cannot be changed in place.
    #[error("line {line}: the reference `{reference}` cannot be changed in place; write it as plain text on one line")]
    Fixed {
        /// From 1.
        line: usize,
        /// The reference.
        reference: String,
    },
}

impl Reportable for ManifestError {}

/// New bytes for some of a string, or of a text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Change {
    at: Span,
    new: String,
}

/// What is to be changed in each text: by scalar, or in the text itself.
type Changes = BTreeMap<usize, BTreeMap<Option<Span>, Vec<Change>>>;

impl Scanned {
    /// Errors that prevent the use of the manifest: it cannot be read, or a container does not name an image.
    pub(crate) fn check(&self) -> Result<(), ManifestError> {
        let fault = self.findings.iter().find_map(|finding| match &finding.problem {
            Problem::Utf16 => Some(ManifestError::Utf16),
            Problem::Unreadable { why } => Some(ManifestError::Unreadable(why.clone())),
            Problem::NotAReference { is_container: true, why, .. } => {
                Some(ManifestError::NotAReference { line: finding.place.line, why: why.clone() })
            }
            Problem::NotAReference { .. }
            | Problem::Template { .. }
            | Problem::RepeatedKey { .. }
            | Problem::PassedOver { .. } => None,
        });
        fault.map_or(Ok(()), Err)
    }

    /// Points the mentions that are `wanted` at the registry `to`: `<registry>/<repository>:<tag>` becomes
    /// `<to>/<repository>:<tag>`.
    ///
    /// Docker's short names are completed in the repository (`nginx` becomes `<to>/library/nginx`), tags and digests are
    /// kept as they were written. Mentions that are at `to` already are neither changed nor counted. Only the bytes of
    /// references change. Where the manifest repeats a reference by an alias, the alias becomes the new reference.
    ///
    /// # Errors
    /// See [`ManifestError`]; nothing is changed then.
    pub(crate) fn rewrite(&self, to: &str, wanted: &dyn Fn(&ImageRef) -> bool) -> Result<Rewritten, ManifestError> {
        check_registry(to)?;
        self.check()?;
        let wanted: Vec<&Mention> =
            self.mentions.iter().filter(|mention| mention.image.registry() != to && wanted(&mention.image)).collect();
        let mut changes = Changes::new();
        for mention in &wanted {
            for piece in &mention.pieces {
                let new = Change { at: piece.at, new: said_at(to, &piece.role, mention) };
                let all = changes.entry(mention.text_index).or_default().entry(piece.node).or_default();
                if !all.contains(&new) {
                    all.push(new);
                }
            }
        }
        if let Some(mention) = self.repeated(&wanted, &changes) {
            return Err(fixed(mention));
        }
        let bytes = self.apply(changes).ok_or_else(|| {
            // Anchors are the only known reason, and they were checked.
            wanted.first().map_or(ManifestError::Unreadable("it cannot be changed".to_owned()), |first| fixed(first))
        })?;
        let changes = wanted.into_iter().map(|mention| ImageChange {
            line: mention.place.line,
            old: mention.reference.clone(),
            new: at_registry(to, &mention.reference, &mention.image),
        });
        Ok(Rewritten { bytes, changes: changes.collect() })
    }

    /// The first mention that an alias repeats outside the changes.
    fn repeated<'m>(&self, wanted: &[&'m Mention], changes: &Changes) -> Option<&'m Mention> {
        let aliases: BTreeSet<(usize, Span)> = changes
            .iter()
            .flat_map(|(document, changed)| {
                let mut found = Vec::new();
                self.texts[*document].roots.iter().for_each(|root| aliases(root, &mut found));
                let unchanged = found.into_iter().filter(|(alias, _)| !changed.contains_key(&Some(*alias)));
                unchanged.map(|(_, target)| (*document, target)).collect::<Vec<_>>()
            })
            .collect();
        let is_repeated = |mention: &Mention| {
            mention
                .pieces
                .iter()
                .any(|piece| piece.node.is_some_and(|span| aliases.contains(&(mention.text_index, span))))
        };
        wanted.iter().find(|mention| is_repeated(mention)).copied()
    }

    /// The bytes after the changes, from the innermost text to the file; `None` if something else would change, too.
    fn apply(&self, mut changes: Changes) -> Option<Vec<u8>> {
        let mut file = None;
        while let Some((number, of_layer)) = changes.pop_last() {
            let document = &self.texts[number];
            let (mut splices, mut texts) = (Vec::new(), HashMap::new());
            for (node, all) in of_layer {
                match node {
                    None => splices.extend(all),
                    Some(span) => splices.extend(scalar(document, span, all, &mut texts)?),
                }
            }
            let mut all: Vec<_> =
                splices.iter().map(|Change { at, new }| Splice::new(at.start, at.end, new.as_str())).collect();
            let text = splice_all(&document.text, &mut all)?;
            check(document, &text, &texts)?;
            match &document.parent {
                Some(parent) => {
                    changes.entry(parent.text_index).or_default().entry(Some(parent.node)).or_default().extend(splices);
                }
                None => file = Some(text),
            }
        }
        let text = file.unwrap_or_else(|| self.texts.first().map(|document| document.text.clone()).unwrap_or_default());
        Some(if self.has_mark { format!("\u{feff}{text}").into_bytes() } else { text.into_bytes() })
    }
}

fn fixed(mention: &Mention) -> ManifestError {
    ManifestError::Fixed { line: mention.place.line, reference: mention.reference.clone() }
}

/// The splices for changes of a scalar's string, and what it means then.
fn scalar(
    document: &DocumentText,
    span: Span,
    changes: Vec<Change>,
    texts: &mut HashMap<Span, String>,
) -> Option<Vec<Change>> {
    let node = node_at(&document.roots, span)?;
    let old = node.scalar()?;
    let mut splices: Vec<_> =
        changes.iter().map(|Change { at, new }| Splice::new(at.start, at.end, new.as_str())).collect();
    let new = splice_all(old, &mut splices)?;
    let anew = |new: &str| {
        vec![Change { at: span, new: if is_plain_in(new, true) { new.to_owned() } else { double_quoted(new) } }]
    };
    let written = match node.style {
        Style::Alias => anew(&new),
        Style::Plain if !is_plain_in(&new, true) && !new.contains('\n') => {
            vec![Change { at: span, new: double_quoted(&new) }]
        }
        style => {
            let map = StringMap::of(node, &document.text)?;
            let piece = |Change { at, new }: Change| {
                Some(Change { at: Span::new(map.start(at.start), map.end(at.end)), new: encoded(style, &new)? })
            };
            changes.into_iter().map(piece).collect::<Option<_>>()?
        }
    };
    texts.insert(span, new);
    Some(written)
}

/// Holds a new text to what it should mean.
fn check(document: &DocumentText, text: &str, texts: &HashMap<Span, String>) -> Option<()> {
    let Some(format) = document.format else { return Some(()) };
    let mut expected = document.roots.clone();
    for root in &mut expected {
        expect(root, texts);
    }
    let found = parse_documents(text, format).ok()?;
    let is_same = found.len() == expected.len() && found.iter().zip(&expected).all(|(a, b)| is_same_value(a, b));
    is_same.then_some(())
}

/// Puts the new texts into a tree, even if an alias repeats the collection that they are in. A scalar that an alias
/// repeats elsewhere stays what it was, so that a change of it is noticed.
fn expect(node: &mut Node, texts: &HashMap<Span, String>) {
    match &mut node.value {
        Value::Map(entries) => entries.iter_mut().for_each(|(_, value)| expect(value, texts)),
        Value::List(elements) => elements.iter_mut().for_each(|element| expect(element, texts)),
        Value::Plain(_) | Value::Text(_) | Value::Alias(_) => match texts.get(&node.span) {
            Some(new) => {
                let properties = node.properties.take();
                *node = text_node(new);
                node.properties = properties;
            }
            None => {
                if let Value::Alias(alias) = &mut node.value
                    && matches!(alias.target.value, Value::Map(_) | Value::List(_))
                {
                    expect(Arc::make_mut(&mut alias.target), texts);
                }
            }
        },
    }
}

/// Aliases, and what each repeats.
fn aliases(node: &Node, found: &mut Vec<(Span, Span)>) {
    match &node.value {
        Value::Map(entries) => entries.iter().for_each(|(_, value)| aliases(value, found)),
        Value::List(elements) => elements.iter().for_each(|element| aliases(element, found)),
        Value::Alias(alias) => found.push((node.span, alias.target.followed().span)),
        Value::Plain(_) | Value::Text(_) => {}
    }
}

/// The scalar or alias at a span.
fn node_at(roots: &[Node], span: Span) -> Option<&Node> {
    let behind = roots.partition_point(|root| root.span.end < span.start);
    let mut nodes: Vec<&Node> = roots[behind..].iter().take_while(|root| root.span.start <= span.start).collect();
    while let Some(node) = nodes.pop() {
        if node.span == span && !matches!(node.value, Value::Map(_) | Value::List(_)) {
            return Some(node);
        }
        // Children stand one after the other.
        match &node.value {
            Value::Map(entries) => {
                let at = entries.partition_point(|(_, value)| value.span.end < span.start);
                nodes.extend(
                    entries[at..].iter().map(|(_, value)| value).take_while(|child| child.span.start <= span.start),
                );
            }
            Value::List(elements) => {
                let at = elements.partition_point(|child| child.span.end < span.start);
                nodes.extend(elements[at..].iter().take_while(|child| child.span.start <= span.start));
            }
            Value::Plain(_) | Value::Text(_) | Value::Alias(_) => {}
        }
    }
    None
}

fn check_registry(to: &str) -> Result<(), ManifestError> {
    match format!("{to}/x/y").parse::<ImageRef>() {
        Ok(image) if image.registry() == to && image.repository() == "x/y" => Ok(()),
        _ => Err(ManifestError::Registry(to.to_owned())),
    }
}

/// What a piece says when its image is at another registry. The two of a name in parts say it complete when they are joined.
fn said_at(to: &str, role: &Role, mention: &Mention) -> String {
    let repository = mention.image.repository();
    let (mut with_registry, mut rest) = ("", repository);
    for piece in &mention.pieces {
        match &piece.role {
            Role::Reference(_) => {}
            Role::Registry(written) => with_registry = written,
            Role::Repository(written) => rest = written,
        }
    }
    // `library/` may be in neither.
    let before = repository.strip_suffix(rest).map(|before| before.trim_end_matches('/'));
    let before = before.filter(|before| !before.is_empty() && with_registry.ends_with(before));
    match (role, before) {
        (Role::Reference(text), _) => at_registry(to, text, &mention.image),
        (Role::Registry(_), Some(before)) => format!("{to}/{before}"),
        (Role::Registry(_), None) => to.to_owned(),
        (Role::Repository(written), Some(_)) => written.clone(),
        (Role::Repository(_), None) => repository.to_owned(),
    }
}

fn at_registry(to: &str, written: &str, image: &ImageRef) -> String {
    let name = written.split_once('@').map_or(written, |(name, _)| name);
    let name = match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => name,
    };
    format!("{to}/{}{}", image.repository(), &written[name.len()..])
}
