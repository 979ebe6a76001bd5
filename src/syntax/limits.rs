//! Limits for parsing.

use super::SyntaxError;
use crate::types::Span;

/// Upper bounds that hold while a text is read, so that hostile ones are refused early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the text.
    pub bytes: usize,
    /// Collections inside one another, aliases followed.
    pub depth: usize,
    /// Nodes in all, those that aliases repeat counted again.
    pub nodes: usize,
    /// Whether a map may have a key twice, as tools of Kubernetes take it.
    pub repeated_keys: bool,
}

impl Limits {
    /// For files that people write by hand: recipes and values, up to 1 MiB.
    #[must_use]
    pub fn recipe() -> Self {
        Self { bytes: 1 << 20, depth: 64, nodes: 100_000, repeated_keys: false }
    }

    /// For files that are edited, up to 64 MiB.
    #[must_use]
    pub fn document() -> Self {
        Self { bytes: 64 << 20, depth: 64, nodes: 8_000_000, repeated_keys: false }
    }

    /// The same for files that tools of Kubernetes take although a key is twice in them.
    #[must_use]
    pub fn manifest() -> Self {
        Self { repeated_keys: true, ..Self::document() }
    }

    /// An error for a text that is too long.
    pub(crate) fn check_size(&self, text: &str) -> Result<(), SyntaxError> {
        if text.len() <= self.bytes {
            return Ok(());
        }
        Err(SyntaxError::new(
            Span::new(0, 0),
            format!("the text has {} bytes; the limit is {} MiB", text.len(), self.bytes >> 20),
        ))
    }

    /// The message about a text that nests too deeply.
    pub(super) fn too_deep(&self) -> String {
        format!("nested too deeply: the limit is {} levels", self.depth)
    }

    /// The message about a text of too many nodes.
    pub(super) fn too_many(&self) -> String {
        format!("too many values, including those that aliases repeat: the limit is {}", self.nodes)
    }
}
