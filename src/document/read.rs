//! Text → one of our documents, with all mistakes at once.

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Data;
use super::de::{Reader, Required};
use super::sink::Sink;
use crate::syntax::{Limits, Node, Style, Value, parse_yaml};
use crate::types::{Diagnostic, Source, Span};

/// Reads one of our documents, called `name` in messages; `None` if there is nothing but comments. The error has all
/// its mistakes.
pub(crate) fn read_document<T: DeserializeOwned + JsonSchema>(
    source: &Source,
    name: &str,
) -> Result<Option<T>, Vec<Diagnostic>> {
    let Some(root) = one_document(source, name)? else { return Ok(None) };
    let sink = Sink::default();
    match read::<T>(&root, name, &Required::of::<T>(), &sink) {
        Some(document) if !sink.has_errors() => Ok(Some(document)),
        _ => Err(sink.into_sorted()),
    }
}

/// Reads free data, for example a file of values; `None` if there is nothing but comments.
pub(super) fn parse_data(source: &Source, name: &str) -> Result<Option<Data>, Vec<Diagnostic>> {
    read_document(source, name)
}

/// The typed value of a tree; its mistakes go to the sink.
pub(crate) fn read<'n, T: Deserialize<'n>>(
    root: &'n Node,
    name: &'n str,
    required: &'n Required,
    sink: &'n Sink,
) -> Option<T> {
    refuse_tags(root, sink);
    match T::deserialize(Reader::new(root, name, required, sink)) {
        Ok(value) => Some(value),
        Err(fault) => {
            sink.add(Diagnostic::error(root.span, format!("this {name} confuses the program: {fault}")));
            None
        }
    }
}

/// The one document of a text; `None` if there is nothing but comments.
pub(crate) fn one_document(source: &Source, name: &str) -> Result<Option<Node>, Vec<Diagnostic>> {
    let documents = parse_yaml(source.text(), Limits::recipe())
        .map_err(|error| vec![Diagnostic::error(error.span, error.message)])?;
    let mut documents = documents.into_iter();
    match (documents.next(), documents.next()) {
        (None, _) => Ok(None),
        (Some(document), None) => Ok(Some(document.root)),
        (Some(_), Some(second)) => {
            let start = second.span.start;
            Err(vec![
                Diagnostic::error(
                    Span::new(start, start + 3),
                    format!("a {name} must be a single document, but a second one starts here"),
                )
                .with_help(format!("put each {name} into its own file")),
            ])
        }
    }
}

/// Refuses merge keys, and tags other than `!!str`, everywhere in the document.
fn refuse_tags(node: &Node, sink: &Sink) {
    if let Some(properties) = &node.properties
        && let Some(tag) = &properties.tag
    {
        let is_text = matches!(node.value, Value::Plain(_) | Value::Text(_));
        if !(tag == "!!str" && is_text) {
            let message = format!("the tag `{tag}` is not supported");
            sink.add(Diagnostic::error(properties.span, message).with_help("remove it"));
        }
    }
    match &node.value {
        Value::Plain(_) | Value::Text(_) | Value::Alias(_) => {}
        Value::List(elements) => elements.iter().for_each(|element| refuse_tags(element, sink)),
        Value::Map(entries) => {
            for (key, value) in entries {
                if key.style == Style::Plain && key.scalar() == Some("<<") {
                    sink.add(
                        Diagnostic::error(key.span, "merge keys (`<<`) are not supported")
                            .with_help("write the fields out"),
                    );
                }
                refuse_tags(key, sink);
                refuse_tags(value, sink);
            }
        }
    }
}
