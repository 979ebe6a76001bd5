//! Edits documents without changing any other byte.
//!
//! An edit is data: a route and an operation (RFC 6902). Each operation is one round:
//!
//! ```text
//! text ──parse──▶ tree ──route──▶ splices of bytes ──▶ new text ──parse──▶ new tree
//!                  └──────────the operation on the tree itself──────────────┴─▶ the same, or the edit is refused
//! ```
//!
//! So an edit only has its intended effect: an unsupported layout is an error, and never damages the document. All
//! other bytes stay the same: comments, order, quotes, indentation, line ends, other documents.
//!
//! What belongs to an entry of a YAML collection: its lines and the comment at their end. Comments on lines of their
//! own stay where they are, whatever is added, replaced or removed around them. New entries come directly after the
//! last line of the last entry.

mod anchors;
mod apply;
mod block;
mod documents;
mod error;
mod flow;
mod format;
mod merge;
mod operation;
mod patch;
mod pointer;
mod render;
mod route;
mod scalar;
mod selector;
mod sort;
mod splice;
mod text;
mod value;

pub(crate) use documents::parse as parse_documents;
pub(crate) use error::{EditError, Refusal};
pub(crate) use format::Format;
pub(crate) use merge::merge;
pub(crate) use operation::Operation;
pub(crate) use patch::patch;
pub(crate) use pointer::Pointer;
pub(crate) use render::json as json_text;
pub(crate) use scalar::{
    double_quoted, is_plain as is_plain_in, is_special as is_special_scalar, single_quoted, string_of,
};
pub(crate) use selector::DocumentSelector;
pub(crate) use selector::is_empty as is_empty_document;
pub(crate) use sort::sort_keys;
pub(crate) use splice::{Splice, apply as splice_all};
pub(crate) use text::TextPattern;
pub(crate) use value::{same as is_same_value, text_node};

#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod wild_tests;
