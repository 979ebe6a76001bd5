//! Why an edit is not done.

use super::{DocumentSelector, Operation, Pointer};
use crate::syntax::SyntaxError;
use crate::types::{Reportable, Source, Span};

/// Why a document was not edited; nothing was changed then.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum EditError {
    /// The bytes are not UTF-8.
    #[error("the document is not UTF-8: byte {valid_up_to} does not start a character; convert it to UTF-8 first")]
    Encoding {
        /// How many bytes before it are good.
        valid_up_to: usize,
    },
    /// The document cannot be read.
    #[error("line {line}, column {column}: {message}")]
    Syntax {
        /// Line from 1.
        line: usize,
        /// Column from 1, in characters.
        column: usize,
        /// The bytes, a byte order mark counted.
        span: Span,
        /// Why.
        message: String,
    },
    /// There is no document in the file.
    #[error("the file has no document, only blanks and comments")]
    Empty,
    /// Several documents, and none was picked.
    #[error("the file has {} documents; choose one with `document`: {}", .there.len(), .there.join(", "))]
    Unselected {
        /// The documents: index, kind, name.
        there: Vec<String>,
    },
    /// The selector picks none or several.
    #[error("`document: {selector}` matches {}; the file has {}", Count(*.picked), .there.join(", "))]
    Selection {
        /// The selector.
        selector: DocumentSelector,
        /// How many documents it picks.
        picked: usize,
        /// The documents: index, kind, name.
        there: Vec<String>,
    },
    /// The keys cannot be put in order.
    #[error("its keys cannot be put in order: {0}")]
    Order(Refusal),
    /// An operation cannot be done.
    #[error("`ops[{index}]` (`{operation}`): {reason}")]
    Operation {
        /// Which one, from 0.
        index: usize,
        /// The operation, without its value.
        operation: String,
        /// Why.
        reason: Refusal,
    },
}

/// Why one operation cannot be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// A key on the route is not there.
    #[error("`{}` has no key `{key}`{}", Shown(.deepest), Hint(.nearest))]
    NoKey {
        /// The deepest part of the route that exists.
        deepest: Pointer,
        /// The key that it does not have.
        key: String,
        /// The key that was probably meant.
        nearest: Option<String>,
    },
    /// A key on the route is there twice, so it is ambiguous.
    #[error("`{}` has the key `{key}` twice; remove one of the two first", Shown(.at))]
    RepeatedKey {
        /// The map.
        at: Pointer,
        /// The key.
        key: String,
    },
    /// An index on the route is not there.
    #[error("`{}` has {length} elements, so it has no element `{index}`", Shown(.list))]
    NoIndex {
        /// The list.
        list: Pointer,
        /// The index, or `-`.
        index: String,
        /// The list's length.
        length: usize,
    },
    /// A step of the route names no index of a list.
    #[error("`{}` is a list, and `{token}` is not an index: expected a number from 0, or `-` for the end of the \
             list", Shown(.list))]
    NotAnIndex {
        /// The list.
        list: Pointer,
        /// The step.
        token: String,
    },
    /// The route continues below a scalar.
    #[error("`{}` is {what} and has no keys; replace it with a map first", Shown(.deepest))]
    NotACollection {
        /// The deepest part of the route that exists.
        deepest: Pointer,
        /// The kind of the value there, with its article: `a list`.
        what: &'static str,
    },
    /// The route goes through an alias.
    #[error("`{}` is the alias `*{name}`: edit the value at `&{name}`, or replace the alias as a whole", Shown(.at))]
    ThroughAlias {
        /// The alias.
        at: Pointer,
        /// Its name.
        name: String,
    },
    /// What is to be changed is repeated elsewhere by aliases.
    #[error("`&{name}` at `{}` is used by `*{name}` in line {line}, which would change as well", Shown(.at))]
    Anchored {
        /// The anchored value.
        at: Pointer,
        /// Its name.
        name: String,
        /// A line with an alias, from 1.
        line: usize,
    },
    /// The value to remove has an anchor that an alias outside it needs.
    #[error("`&{name}` inside `{}` is needed by `*{name}` in line {line}", Shown(.at))]
    AnchorInside {
        /// The place that was to be removed.
        at: Pointer,
        /// The anchor.
        name: String,
        /// A line with an alias, from 1.
        line: usize,
    },
    /// The root is to be removed.
    #[error("a document cannot be removed from its file; replace its root instead")]
    RemoveRoot,
    /// A value is to be moved into itself.
    #[error("a value cannot be moved into itself")]
    MoveIntoItself,
    /// A value with a tag is to be copied.
    #[error("the value has the tag `{0}`, which cannot be copied; add the value itself instead")]
    Tagged(String),
    /// A value nests too deeply.
    #[error("the value is nested deeper than {0} levels")]
    TooDeep(usize),
    /// A `test` did not hold.
    #[error("the value is not the expected one: found `{found}`, expected `{expected}`")]
    Differs {
        /// The value there, shortened.
        found: String,
        /// The value that the `test` expects, shortened.
        expected: String,
    },
    /// The splice would not have the effect of the operation.
    #[error("the layout of the document does not allow this edit without changing more{}", Because(.0))]
    Layout(Option<String>),
}

/// Documents come from images: none of this is a mistake in the recipe's text.
impl Reportable for EditError {}

impl EditError {
    pub(super) fn syntax(error: SyntaxError, text: &str) -> Self {
        let position = Source::new("", text).position(error.span.start);
        Self::Syntax { line: position.line, column: position.column, span: error.span, message: error.message }
    }

    pub(super) fn operation(index: usize, operation: &Operation, reason: Refusal) -> Self {
        Self::Operation { index, operation: operation.to_string(), reason }
    }
}

struct Shown<'a>(&'a Pointer);

impl std::fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.tokens().is_empty() { f.write_str("/") } else { self.0.fmt(f) }
    }
}

struct Hint<'a>(&'a Option<String>);

impl std::fmt::Display for Hint<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.as_ref().map_or(Ok(()), |nearest| write!(f, "; did you mean `{nearest}`?"))
    }
}

struct Because<'a>(&'a Option<String>);

impl std::fmt::Display for Because<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.as_ref().map_or(Ok(()), |because| write!(f, ": {because}"))
    }
}

struct Count(usize);

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            0 => f.write_str("no document"),
            count => write!(f, "{count} documents"),
        }
    }
}
