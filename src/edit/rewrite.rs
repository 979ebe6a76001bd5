//! Manifests that take their images from another registry.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::documents::parse;
use super::images::{Lines, Mention, mentions, read};
use super::scalar::{double_quoted, is_plain};
use super::splice::{self, Splice};
use super::value::{same, text_node};
use super::{EditError, Format};
use crate::syntax::{Node, Style, Value};
use crate::words::{ImageRef, Span};

/// A manifest after [`rewrite_images`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewritten {
    /// The whole manifest.
    pub bytes: Vec<u8>,
    /// What was changed, in the order of the text.
    pub changes: Vec<ImageChange>,
}

/// One reference that was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageChange {
    /// Its line, from 1.
    pub line: usize,
    /// The reference as it was written.
    pub old: String,
    /// The reference as it is now.
    pub new: String,
}

/// Points the references of a manifest that are `wanted` at the registry `to`: `<registry>/<repository>:<tag>` becomes
/// `<to>/<repository>:<tag>`.
///
/// `wanted` is asked about complete references. Docker's short names are completed in the repository (`nginx` becomes
/// `<to>/library/nginx`), tags and digests are kept as they were written. References that are at `to` already are
/// neither changed nor counted. Only the bytes of references change. Where the manifest repeats a reference by an
/// alias, the alias becomes the new reference.
///
/// # Errors
/// `to` is no registry; the manifest cannot be read; a reference is written in an escaped form, or a change of it would
/// change something else too.
pub fn rewrite_images(manifest: &[u8], to: &str, wanted: &dyn Fn(&ImageRef) -> bool) -> Result<Rewritten, EditError> {
    check_registry(to)?;
    let mut file = read(manifest)?;
    let mut lines = Lines { text: &file.text, at: 0, line: 1 };
    let (mut changes, mut splices, mut new_texts) = (Vec::new(), Vec::new(), HashMap::new());
    for mention in mentions(&file.roots) {
        if mention.image.registry() == to || !wanted(&mention.image) {
            continue;
        }
        let line = lines.of(mention.node.span.start);
        let new = at_registry(to, &mention);
        let Some(splice) = splice(&file.text, &mention, &new, file.format) else {
            return Err(EditError::Reference { line, reference: mention.reference.to_owned() });
        };
        splices.push(splice);
        new_texts.insert(mention.node.span, new.clone());
        changes.push(ImageChange { line, old: mention.reference.to_owned(), new });
    }
    if changes.is_empty() {
        return Ok(Rewritten { bytes: manifest.to_vec(), changes });
    }
    let text = splice::apply(&file.text, &mut splices);
    file.roots.iter_mut().for_each(|root| expect(root, &new_texts));
    let roots = text.as_deref().and_then(|text| parse(text, file.format).ok());
    match (text, roots) {
        (Some(text), Some(roots)) if roots.len() == file.roots.len() && is_same(&roots, &file.roots) => {
            file.text = text;
            Ok(Rewritten { bytes: file.into_bytes(), changes })
        }
        _ => {
            // The first one that cannot be changed alone is the one to name; anchors are the only known reason.
            let first = changes.swap_remove(0);
            Err(EditError::Reference { line: first.line, reference: first.old })
        }
    }
}

fn is_same(a: &[Node], b: &[Node]) -> bool {
    a.iter().zip(b).all(|(a, b)| same(a, b))
}

/// Puts the new references into a tree, also where an alias repeats the collection that they are in. A scalar that an
/// alias repeats elsewhere stays what it was, so that a change of it is noticed.
fn expect(node: &mut Node, new_texts: &HashMap<Span, String>) {
    match &mut node.value {
        Value::Map(entries) => entries.iter_mut().for_each(|(_, value)| expect(value, new_texts)),
        Value::List(elements) => elements.iter_mut().for_each(|element| expect(element, new_texts)),
        Value::Plain(_) | Value::Text(_) | Value::Alias(_) => match new_texts.get(&node.span) {
            Some(new) => *node = text_node(new),
            None => {
                if let Value::Alias(alias) = &mut node.value
                    && matches!(alias.target.value, Value::Map(_) | Value::List(_))
                {
                    expect(Arc::make_mut(&mut alias.target), new_texts);
                }
            }
        },
    }
}

fn check_registry(to: &str) -> Result<(), EditError> {
    match format!("{to}/x/y").parse::<ImageRef>() {
        Ok(image) if image.registry() == to && image.repository() == "x/y" => Ok(()),
        _ => Err(EditError::Registry(to.to_owned())),
    }
}

fn at_registry(to: &str, mention: &Mention<'_>) -> String {
    let written = mention.reference;
    let name = written.split_once('@').map_or(written, |(name, _)| name);
    let name = match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => name,
    };
    format!("{to}/{}{}", mention.image.repository(), &written[name.len()..])
}

/// The new reference in place of the old one, in the quotes that are there.
fn splice(text: &str, mention: &Mention<'_>, new: &str, format: Format) -> Option<Splice> {
    let span = mention.node.span;
    let written = text.get(span.range())?;
    if matches!(mention.node.value, Value::Alias(_)) {
        return Some(Splice::new(span.start, span.end, plain(new)));
    }
    let at = match mention.node.style {
        Style::Plain if written == mention.reference => {
            return Some(Splice::new(span.start, span.end, plain(new)));
        }
        Style::SingleQuoted | Style::DoubleQuoted => {
            if written.get(1..written.len() - 1) != Some(mention.reference) {
                // An escape, as JSON's `\/`.
                let quoted = mention.node.style == Style::DoubleQuoted || format == Format::Json;
                return quoted.then(|| Splice::new(span.start, span.end, double_quoted(new)));
            }
            1
        }
        Style::Literal | Style::Folded => {
            let mut places = written.match_indices(mention.reference);
            let (at, _) = places.next()?;
            places.next().is_none().then_some(at)?
        }
        Style::Plain | Style::Block | Style::Flow | Style::Pair | Style::Alias => return None,
    };
    let start = span.start + at;
    Some(Splice::new(start, start + mention.reference.len(), new))
}

fn plain(new: &str) -> String {
    if is_plain(new, true) { new.to_owned() } else { double_quoted(new) }
}

#[cfg(test)]
mod tests;
