//! Floor 3, edits: documents in, documents out, and not one byte other than those that were asked for.
//!
//! An edit is data: a route and an operation (RFC 6902). Each operation is one round:
//!
//! ```text
//! text ──parse──▶ tree ──route──▶ splices of bytes ──▶ new text ──parse──▶ new tree
//!                  └──────────the operation on the tree itself──────────────┴─▶ the same, or the edit is refused
//! ```
//!
//! So no edit can do other than it says: a layout that the splices do not understand ends in an error, never in a
//! damaged document. What is not spliced keeps its bytes: comments, order, quotes, indentation, line ends, other
//! documents.
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
mod image_lines;
mod images;
mod merge;
mod no_images;
mod objects;
mod operation;
mod patch;
mod pointer;
mod render;
mod rewrite;
mod route;
mod scalar;
mod selector;
mod splice;
mod text;
mod value;

pub use error::{EditError, Refusal};
pub use format::Format;
pub use image_lines::{find_image_templates, find_image_words_in_text, find_images_in_text};
pub use images::{FoundImage, find_images};
pub use merge::merge;
pub use no_images::{NoImage, find_no_images};
pub use objects::{Field, KubernetesObject, find_objects};
pub use operation::Operation;
pub use patch::patch;
pub use pointer::{Pointer, PointerError};
pub(crate) use render::json as json_text;
pub use rewrite::{ImageChange, Rewritten, rewrite_images};
pub use selector::DocumentSelector;
pub use text::{TextError, TextPattern, UnknownGroup};
pub(crate) use value::same as is_same_value;

#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod wild_tests;
