//! The tree that YAML and JSON texts become.

use std::sync::Arc;

use crate::types::Span;

/// A value and the bytes that it was written in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The bytes of the value itself: of a scalar with its quotes (of a block scalar from its `|` on), of a flow
    /// collection with its brackets, of a block collection from the first to the last byte of its content (of a list
    /// from its first `-` on). Neither anchors, tags, surrounding comments nor the line's end belong to it.
    ///
    /// A value that is not written (`a:`) is an empty plain scalar whose empty span lies right after the `:`, the `-`
    /// or the anchor.
    pub span: Span,
    /// Scalar, sequence, mapping or alias.
    pub value: Value,
    /// In which of YAML's forms it was written.
    pub style: Style,
    /// The anchor and the tag in front of it, if it has any.
    pub properties: Option<Box<Properties>>,
}

/// What a node is. Scalars keep the text that was written; what it means is the reader's business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A scalar without quotes: its text may mean a null, a boolean or a number.
    Plain(String),
    /// A quoted or block scalar, unescaped and unfolded: always a string.
    Text(String),
    /// Keys and values in the order of the text. Keys are scalars, or aliases of scalars.
    Map(Vec<(Node, Node)>),
    /// Elements in order.
    List(Vec<Node>),
    /// `*name`: the node that has the anchor, once more.
    Alias(Alias),
}

/// A mention of an anchored node. Following them ends: depth and number of nodes were checked with aliases followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// The anchor's name, without `*`.
    pub name: Arc<str>,
    /// The node, with the spans of the place where it stands.
    pub target: Arc<Node>,
}

/// The form in which a node was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// A scalar without quotes.
    Plain,
    /// `'…'`
    SingleQuoted,
    /// `"…"`
    DoubleQuoted,
    /// `|`
    Literal,
    /// `>`
    Folded,
    /// A collection by indentation.
    Block,
    /// A collection in brackets.
    Flow,
    /// A map of one pair without braces of its own, as `a: 1` in `[a: 1]`.
    Pair,
    /// `*name`
    Alias,
}

/// The anchor and the tag in front of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Properties {
    /// From the first byte of the first to the last byte of the last.
    pub span: Span,
    /// The anchor's name, without `&`.
    pub anchor: Option<String>,
    /// The tag as written: `!!str`, `!mine`, `!<tag:example.com,2000:x>`.
    pub tag: Option<String>,
}

impl Node {
    /// A node without properties in the JSON style for its value.
    #[must_use]
    pub fn new(span: Span, value: Value) -> Self {
        let style = match value {
            Value::Plain(_) => Style::Plain,
            Value::Text(_) => Style::DoubleQuoted,
            Value::Map(_) | Value::List(_) => Style::Flow,
            Value::Alias(_) => Style::Alias,
        };
        Self { span, value, style, properties: None }
    }

    /// The bytes of the node with its anchor and its tag.
    #[must_use]
    pub fn whole(&self) -> Span {
        let start = self.properties.as_ref().map_or(self.span.start, |properties| properties.span.start);
        Span::new(start, self.span.end)
    }

    /// The anchor in front of it.
    #[must_use]
    pub(crate) fn anchor(&self) -> Option<&str> {
        self.properties.as_ref()?.anchor.as_deref()
    }

    /// The tag in front of it, as written.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.properties.as_ref()?.tag.as_deref()
    }

    /// The target of an alias, or else the node itself.
    #[must_use]
    pub fn followed(&self) -> &Self {
        let mut node = self;
        while let Value::Alias(alias) = &node.value {
            node = &alias.target;
        }
        node
    }

    /// The text of a scalar, aliases followed.
    #[must_use]
    pub fn scalar(&self) -> Option<&str> {
        match &self.followed().value {
            Value::Plain(text) | Value::Text(text) => Some(text),
            Value::Map(_) | Value::List(_) | Value::Alias(_) => None,
        }
    }

    /// The value of a key of a map, aliases followed.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        match &self.followed().value {
            Value::Map(entries) => entries.iter().find(|(name, _)| name.scalar() == Some(key)).map(|(_, value)| value),
            Value::Plain(_) | Value::Text(_) | Value::List(_) | Value::Alias(_) => None,
        }
    }
}
