//! The recipe's own deserialiser. It reads trees that know their bytes, and it never stops at a mistake.
//!
//! `#[derive(Deserialize)]` on the model is the only list of fields. If the text does not fit it, the mistake goes to
//! the sink and the visitor gets a stand-in of the right shape. So one reading finds all mistakes. The result is valid
//! only if the sink has no errors.

mod access;
mod required;

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{Deserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::scalar::Scalar;
use super::sink::Sink;
use super::spanned::{SPANNED, SPANNED_FIELDS};
use crate::syntax::{Node, Style, Value, shortened};
use crate::types::{Diagnostic, Span, nearest};
use access::{EnumReader, ListReader, MapReader, PlaceReader, StructReader};
pub(crate) use required::Required;

/// Structs that can also be written as a single scalar: the type, and the field that gets the scalar.
const SHORTHANDS: &[(&str, &str)] = &[("ListedImage", "image")];

/// This error is always a fault of this program; the user's mistakes go to the sink.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Fault(String);

impl serde::de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// Deserialises one node.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    /// The node; `None` for a stand-in of something missing.
    node: Option<&'a Node>,
    what: What<'a>,
    required: &'a Required,
    sink: &'a Sink,
}

/// What a node is in the words of its parent.
#[derive(Clone, Copy)]
enum What<'a> {
    Top(&'a str),
    Field(&'a str),
    Element(&'a str),
    Key,
}

impl fmt::Display for What<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Top(name) => write!(f, "the {name}"),
            Self::Field(name) => write!(f, "`{name}`"),
            Self::Element(list) => write!(f, "each of `{list}`"),
            Self::Key => write!(f, "a key"),
        }
    }
}

impl<'a> Reader<'a> {
    /// A deserialiser for a whole document, called `name` in messages.
    pub(super) fn new(root: &'a Node, name: &'a str, required: &'a Required, sink: &'a Sink) -> Self {
        Self { node: Some(root), what: What::Top(name), required, sink }
    }

    fn child(&self, node: Option<&'a Node>, what: What<'a>) -> Self {
        Self { node, what, ..*self }
    }

    /// The name of this list's elements in messages.
    fn element(&self) -> What<'a> {
        match self.what {
            What::Top(name) | What::Field(name) | What::Element(name) => What::Element(name),
            What::Key => What::Key,
        }
    }

    /// Records that the node is something else than `expected`.
    fn mismatch(&self, node: &Node, expected: &str) {
        self.mismatch_with_label(node, expected, format!("expected {expected}"));
    }

    fn mismatch_with_label(&self, node: &Node, expected: &str, label: String) {
        let found = match &node.value {
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a map".to_owned(),
            Value::Text(_) => "a string".to_owned(),
            Value::Alias(_) => "an alias".to_owned(),
            Value::Plain(text) if text.is_empty() => {
                self.sink.add(Diagnostic::error(node.span, format!("{} has no value", self.what)).with_label(label));
                return;
            }
            Value::Plain(text) if Scalar::of(text) == Scalar::Text => "a string".to_owned(),
            Value::Plain(text) => format!("`{}`", shortened(text)),
        };
        let message = format!("{} must be {expected}, not {found}", self.what);
        let mut diagnostic = Diagnostic::error(node.span, message).with_label(label);
        if let Value::List(elements) = &node.value
            && let What::Element(_) = self.what
            && node.style == Style::Block
            && elements.len() == 1
        {
            diagnostic = diagnostic.with_help("two `- ` in a row make a list in a list: remove one of them");
        }
        if let (Value::Plain(text), "a list") = (&node.value, expected) {
            diagnostic = diagnostic.with_help(format!("put it in brackets: `[{}]`", shortened(text)));
        }
        self.sink.add(diagnostic);
    }

    /// The node as a string; `None` if it is not a string, and then the reason is recorded.
    fn string(&self) -> Option<&'a str> {
        let node = self.node?.followed();
        let text = match &node.value {
            Value::Text(text) => return Some(text),
            Value::Plain(text) if node.tag() == Some("!!str") => return Some(text),
            Value::Plain(text) => text,
            Value::Map(_) | Value::List(_) | Value::Alias(_) => {
                self.mismatch(node, "a string");
                return None;
            }
        };
        let meaning = match Scalar::of(text) {
            Scalar::Text => return Some(text),
            Scalar::Missing => {
                self.mismatch(node, "a string");
                return None;
            }
            Scalar::Null => "null",
            Scalar::Bool(_) => "a boolean",
            Scalar::Number(_) => "a number",
            Scalar::Deceptive(meaning) => meaning,
        };
        let text = shortened(text);
        self.sink.add(
            Diagnostic::error(
                node.span,
                format!("{} must be a string, but YAML reads `{text}` as {meaning}", self.what),
            )
            .with_label("expected a string")
            .with_help(format!("quote it: `\"{text}\"`")),
        );
        None
    }

    /// Gives the visitor a scalar without quotes as its own kind.
    fn plain<V: Visitor<'a>>(self, node: &'a Node, text: &'a str, visitor: V) -> Result<V::Value, Fault> {
        match Scalar::of(text) {
            Scalar::Text => visitor.visit_borrowed_str(text),
            Scalar::Null => visitor.visit_unit(),
            Scalar::Bool(value) => visitor.visit_bool(value),
            Scalar::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(value), _, _) => visitor.visit_u64(value),
                (_, Some(value), _) => visitor.visit_i64(value),
                (_, _, value) => visitor.visit_f64(value.unwrap_or_default()),
            },
            Scalar::Missing => {
                self.sink.add(
                    Diagnostic::error(node.span, format!("{} has no value", self.what))
                        .with_help("for an empty string, write `\"\"`"),
                );
                visitor.visit_unit()
            }
            Scalar::Deceptive(meaning) => {
                let shown = shortened(text);
                let mistake =
                    Diagnostic::error(node.span, format!("`{shown}` is ambiguous: YAML reads it as {meaning}"));
                let mistake =
                    mistake.with_label("a string needs quotes here").with_help(format!("quote it: `\"{shown}\"`"));
                self.sink.add(match meaning {
                    "null" => mistake.with_help("for no value, write `null`"),
                    "a number" => mistake.with_help("for a number, write it as in JSON: `1.2`, `31`"),
                    "a boolean" => mistake.with_help("for a boolean, write `true` or `false`"),
                    _ => mistake,
                });
                visitor.visit_borrowed_str(text)
            }
        }
    }

    /// The node as a whole number; `None`, with a mistake, if it is something else or too large.
    fn whole_number<N: TryFrom<u64>>(&self) -> Option<N> {
        let node = self.node.map(Node::followed)?;
        if let Value::Plain(text) = &node.value
            && let Scalar::Number(number) = Scalar::of(text)
            && let Some(number) = number.as_u64().and_then(|number| N::try_from(number).ok())
        {
            return Some(number);
        }
        self.mismatch(node, "a whole number from 0");
        None
    }

    fn list<V: Visitor<'a>>(self, elements: &'a [Node], visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_seq(ListReader { reader: self, elements: elements.iter() })
    }
}

/// The name of a type in messages: `ContextEntry` is a `context entry`.
fn noun(type_name: &str) -> String {
    let mut noun = String::new();
    for (i, letter) in type_name.char_indices() {
        if letter.is_uppercase() && i > 0 {
            noun.push(' ');
        }
        noun.extend(letter.to_lowercase());
    }
    noun
}

fn with_article(noun: &str) -> String {
    let article = if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {noun}")
}

/// `` `a`, `b` or `c` ``, with another word for `or`.
fn listed(words: &[&str], or: &str) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.as_slice() {
        [] => "nothing".to_owned(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} {or} {last}", first.join(", ")),
    }
}

fn unknown(span: Span, what: &str, word: &str, known: &[&str]) -> Diagnostic {
    let diagnostic = Diagnostic::error(span, format!("unknown {what} `{}`", shortened(word)))
        .with_label(format!("expected {}", listed(known, "or")));
    let elsewhere = || {
        let synonyms = SYNONYMS.iter().find(|(other, _)| other.eq_ignore_ascii_case(word))?.1;
        synonyms.iter().find(|synonym| known.contains(synonym)).copied()
    };
    match nearest(word, known.iter().copied()).or_else(elsewhere) {
        Some(near) => diagnostic.with_help(format!("did you mean `{near}`?")),
        None if COMMANDS.contains(&word) => {
            diagnostic.with_help("a recipe cannot run commands; RUN in the Kubefile can, but it is not reproducible")
        }
        None => diagnostic,
    }
}

/// Names from other tools, and what they may mean here.
const SYNONYMS: &[(&str, &[&str])] = &[
    ("archive", &["replaceArchive"]),
    ("base", &["rootfs", "of"]),
    ("chart", &["directory"]),
    ("cp", &["copy"]),
    ("curl", &["download"]),
    ("delete", &["remove"]),
    ("dest", &["path", "to"]),
    ("destination", &["path", "to"]),
    ("dir", &["directory"]),
    ("dockerfile", &["kubefile"]),
    ("fetch", &["download"]),
    ("file", &["path"]),
    ("folder", &["directory"]),
    ("from", &["of"]),
    ("image", &["rootfs", "of"]),
    ("img", &["image"]),
    ("link", &["symlink"]),
    ("ln", &["symlink"]),
    ("mv", &["move"]),
    ("rename", &["move"]),
    ("replacement", &["replace"]),
    ("rm", &["remove"]),
    ("search", &["find"]),
    ("sed", &["replaceText"]),
    ("set", &["replace"]),
    ("source", &["from", "url"]),
    ("src", &["from", "url"]),
    ("wget", &["download"]),
    ("with", &["replace"]),
];

/// Names of fields that run commands in other tools.
const COMMANDS: &[&str] = &["cmd", "command", "exec", "run", "script", "sh", "shell"];

impl<'de: 'a, 'a: 'de> Deserializer<'de> for Reader<'a> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let Some(node) = self.node.map(Node::followed) else { return visitor.visit_unit() };
        match &node.value {
            Value::Text(text) => visitor.visit_borrowed_str(text),
            Value::Plain(text) if node.tag() == Some("!!str") => visitor.visit_borrowed_str(text),
            Value::Plain(text) => self.plain(node, text, visitor),
            Value::List(elements) => self.list(elements, visitor),
            Value::Map(entries) => visitor.visit_map(MapReader::new(self, entries)),
            // `followed` ends at something else.
            Value::Alias(_) => visitor.visit_unit(),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let Some(node) = self.node.map(Node::followed) else { return visitor.visit_bool(false) };
        if let Value::Plain(text) = &node.value
            && let Scalar::Bool(value) = Scalar::of(text)
        {
            return visitor.visit_bool(value);
        }
        self.mismatch(node, "`true` or `false`");
        visitor.visit_bool(false)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_u32(self.whole_number().unwrap_or_default())
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_u64(self.whole_number().unwrap_or_default())
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_borrowed_str(self.string().unwrap_or_default())
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.node.is_some() { visitor.visit_some(self) } else { visitor.visit_none() }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let Some(node) = self.node.map(Node::followed) else { return self.list(&[], visitor) };
        let Value::List(elements) = &node.value else {
            self.mismatch(node, "a list");
            return self.list(&[], visitor);
        };
        self.list(elements, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        if name == SPANNED && fields == SPANNED_FIELDS {
            return visitor.visit_map(PlaceReader::new(self));
        }
        let shorthand = SHORTHANDS.iter().find(|(of, _)| *of == name).map(|(_, field)| *field);
        visitor.visit_map(StructReader::new(self, name, fields, shorthand))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_enum(EnumReader::new(self, name, variants))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct map identifier
    }
}

/// A name of the program's own as a deserialiser.
fn own_word(word: &str) -> StrDeserializer<'_, Fault> {
    StrDeserializer::new(word)
}
