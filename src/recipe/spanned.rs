//! Values that know where they were written.

use std::ops::Deref;

use crate::words::Span;

/// A value and its place in the recipe.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spanned<T> {
    /// Its place.
    pub span: Span,
    /// The value.
    pub value: T,
}

/// A string as written, possibly a template.
pub type Text = Spanned<String>;

impl<T> Spanned<T> {
    /// A value at a place.
    pub fn new(span: Span, value: T) -> Self {
        Self { span, value }
    }

    /// Another value at the same place.
    pub fn with<U>(&self, value: U) -> Spanned<U> {
        Spanned { span: self.span, value }
    }
}

impl<T> Deref for Spanned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}
