//! The tree that YAML and JSON texts become.

use crate::words::Span;

/// A value and the bytes that it was written in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The bytes of the value itself: of a scalar with its quotes (of a block scalar from its `|` on), of a flow
    /// collection with its brackets, of a block collection from the first to the last byte of its content. Neither
    /// anchors, tags, surrounding comments nor the line's end belong to it.
    pub span: Span,
    /// What it is.
    pub value: Value,
}

/// What a node is. Scalars keep the text that was written; what it means is the reader's business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A scalar without quotes: its text may mean a null, a boolean or a number.
    Plain(String),
    /// A quoted or block scalar, unescaped and unfolded: always a string.
    Text(String),
    /// Keys and values in the order of the text.
    Map(Vec<(Node, Node)>),
    /// Elements in order.
    List(Vec<Node>),
}
