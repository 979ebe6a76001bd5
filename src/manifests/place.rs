//! Where a mention or a problem is.

use crate::types::Span;

/// Where something is in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The bytes, a byte order mark counted.
    pub(crate) span: Span,
    /// From 1.
    pub(crate) line: usize,
    /// From 1, in characters.
    pub(crate) column: usize,
    /// Where in its document (RFC 6901), on through strings that are documents themselves; empty in text.
    pub(crate) route: String,
    /// Which document of the file, from 0; those without content are not counted.
    pub(crate) document: usize,
}
