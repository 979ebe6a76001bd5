//! The texts of a file: itself, and the strings in it that are documents.

use super::place::Place;
use super::string_map::StringMap;
use crate::edit::{Format, Pointer};
use crate::syntax::Node;
use crate::types::Span;

/// A text that is searched.
#[derive(Debug)]
pub(super) struct DocumentText {
    pub(super) text: String,
    /// `None` if it is searched by lines and words.
    pub(super) format: Option<Format>,
    /// One root a document.
    pub(super) roots: Vec<Node>,
    /// Where it comes from; `None` for the file itself.
    pub(super) parent: Option<Parent>,
}

/// The string that a text is.
#[derive(Debug, Clone)]
pub(super) struct Parent {
    /// The number of its text, which is lower.
    pub(super) text_index: usize,
    /// Its scalar there.
    pub(super) node: Span,
    /// `None` if its own bytes cannot be found.
    pub(super) map: Option<StringMap>,
    pub(super) route: Vec<String>,
    pub(super) document: usize,
    pub(super) depth: usize,
}

/// The bytes of the file that a span of a text is written in.
pub(super) fn in_file(texts: &[DocumentText], text_index: usize, span: Span) -> Span {
    match &texts[text_index].parent {
        None => span,
        Some(parent) => {
            let outer = parent.map.as_ref().map_or(parent.node, |map| {
                let start = map.start(span.start);
                Span::new(start, map.end(span.end).max(start))
            });
            in_file(texts, parent.text_index, outer)
        }
    }
}

/// A route for people and for data.
pub(super) fn pointer(route: &[String]) -> String {
    Pointer::from_tokens(route).to_string()
}

/// The place of a span of a text: span and route; the position follows when all is found.
pub(super) fn place_of(texts: &[DocumentText], text_index: usize, span: Span, route: String, document: usize) -> Place {
    Place { span: in_file(texts, text_index, span), line: 0, column: 0, route, document }
}
