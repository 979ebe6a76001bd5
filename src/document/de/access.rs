//! Lists, maps, structs, enums and places, as visitors ask for them.

use std::slice::Iter;

use serde::de::value::UsizeDeserializer;
use serde::de::{DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor};

use super::{Fault, Reader, What, listed, noun, own_word, unknown, with_article};
use crate::document::spanned::SPANNED_FIELDS;
use crate::syntax::{Node, Value};
use crate::types::{Diagnostic, Span, nearest};

/// The elements of a list.
pub(super) struct ListReader<'a> {
    pub(super) reader: Reader<'a>,
    pub(super) elements: Iter<'a, Node>,
}

impl<'a> SeqAccess<'a> for ListReader<'a> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'a>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        let Some(element) = self.elements.next() else { return Ok(None) };
        seed.deserialize(self.reader.child(Some(element), self.reader.element())).map(Some)
    }
}

/// A map of free data.
pub(super) struct MapReader<'a> {
    reader: Reader<'a>,
    entries: Iter<'a, (Node, Node)>,
    value: Option<(&'a str, &'a Node)>,
}

impl<'a> MapReader<'a> {
    pub(super) fn new(reader: Reader<'a>, entries: &'a [(Node, Node)]) -> Self {
        Self { reader, entries: entries.iter(), value: None }
    }
}

impl<'a> MapAccess<'a> for MapReader<'a> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'a>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        let Some((key, value)) = self.entries.next() else { return Ok(None) };
        self.value = Some((key.scalar().unwrap_or_default(), value));
        seed.deserialize(self.reader.child(Some(key), What::Key)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let (name, value) = self.value.take().unzip();
        seed.deserialize(self.reader.child(value, What::Field(name.unwrap_or_default())))
    }
}

/// The fields of a struct: those that are there, then stand-ins for those that are missing.
pub(super) struct StructReader<'a> {
    reader: Reader<'a>,
    fields: std::vec::IntoIter<(&'a str, Option<&'a Node>)>,
    value: Option<(&'a str, Option<&'a Node>)>,
}

impl<'a> StructReader<'a> {
    pub(super) fn new(
        reader: Reader<'a>,
        name: &'static str,
        known: &'static [&'static str],
        shorthand: Option<&'static str>,
    ) -> Self {
        let mut fields: Vec<(&'a str, Option<&'a Node>)> = Vec::new();
        let node = reader.node.map(Node::followed);
        // A missing field gets no message of its own if its parent is missing or is not a map.
        let mut whole = None;
        match node.map(|node| (node, &node.value)) {
            None => {}
            Some((node, Value::Map(entries))) => {
                whole = Some(node);
                let word_of = |key: &'a Node| key.scalar().unwrap_or_default();
                for (key, value) in entries {
                    let word = word_of(key);
                    match known.iter().find(|field| **field == word) {
                        Some(field) => fields.push((field, Some(value))),
                        // Merge keys were refused before.
                        None if word == "<<" => {}
                        None => {
                            reader.sink.add(unknown(key.span, "field", word, known));
                            // Reading goes on with the field that was probably meant, unless the text has that field
                            // too.
                            let meant = nearest(word, known.iter().copied());
                            let is_free = |meant: &&str| {
                                fields.iter().all(|(there, _)| there != meant)
                                    && entries.iter().all(|(key, _)| word_of(key) != *meant)
                            };
                            fields.extend(meant.filter(is_free).map(|meant| (meant, Some(value))));
                        }
                    }
                }
            }
            Some((node, Value::Plain(_) | Value::Text(_))) if shorthand.is_some() => {
                fields.extend(shorthand.map(|field| (field, Some(node))));
            }
            Some((node, _)) => {
                let expected = if shorthand.is_some() { "a string or a map" } else { "a map" };
                let label = format!("expected {expected} of {}", listed(known, "and"));
                reader.mismatch_with_label(node, expected, label);
            }
        }
        let is_there = |field: &str| fields.iter().any(|(there, _)| *there == field);
        let required = reader.required.fields(name);
        let missing: Vec<&str> = required.iter().map(String::as_str).filter(|field| !is_there(field)).collect();
        if let (Some(node), false) = (whole, missing.is_empty()) {
            let what = match reader.what {
                What::Top(_) | What::Element(_) | What::Key => with_article(&noun(name)),
                What::Field(_) => reader.what.to_string(),
            };
            let missing = listed(&missing, "and");
            let diagnostic = Diagnostic::error(node.span, format!("{what} lacks {missing}"));
            reader.sink.add(diagnostic.with_label(format!("expected {missing} here")));
        }
        fields.extend(missing.into_iter().map(|field| (field, None)));
        Self { reader, fields: fields.into_iter(), value: None }
    }
}

impl<'a> MapAccess<'a> for StructReader<'a> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'a>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        self.value = self.fields.next();
        self.value.map(|(name, _)| seed.deserialize(own_word(name))).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let (name, node) = self.value.take().unwrap_or(("", None));
        seed.deserialize(self.reader.child(node, What::Field(name)))
    }
}

/// A value with its place: three entries, the last one is the value.
pub(super) struct PlaceReader<'a> {
    reader: Reader<'a>,
    next: usize,
}

impl<'a> PlaceReader<'a> {
    pub(super) fn new(reader: Reader<'a>) -> Self {
        Self { reader, next: 0 }
    }
}

impl<'a> MapAccess<'a> for PlaceReader<'a> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'a>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        SPANNED_FIELDS.get(self.next).map(|name| seed.deserialize(own_word(name))).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let span = self.reader.node.map_or(Span::default(), |node| node.followed().span);
        self.next += 1;
        let number = |number: usize| -> UsizeDeserializer<Fault> { number.into_deserializer() };
        match self.next {
            1 => seed.deserialize(number(span.start)),
            2 => seed.deserialize(number(span.end)),
            _ => seed.deserialize(self.reader),
        }
    }
}

/// How a variant was written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum VariantForm {
    /// A word alone.
    Word,
    /// A map of one key.
    Map,
    /// It was not written; this is a stand-in.
    Missing,
}

/// An enum: a word, or a map with one key, the variant, whose value is the variant's content.
pub(super) struct EnumReader<'a> {
    reader: Reader<'a>,
    variant: &'a str,
    content: Option<&'a Node>,
    form: VariantForm,
}

impl<'a> EnumReader<'a> {
    pub(super) fn new(reader: Reader<'a>, name: &'static str, variants: &'static [&'static str]) -> Self {
        let noun = noun(name);
        let missing = variants.first().copied().unwrap_or_default();
        let stand_in = Self { reader, variant: missing, content: None, form: VariantForm::Missing };
        let Some(node) = reader.node.map(Node::followed) else { return stand_in };
        let known = |word: &str| variants.iter().find(|variant| **variant == word).copied();
        match &node.value {
            Value::Map(entries) => match entries.as_slice() {
                [(key, value)] => {
                    if let Some(variant) = key.scalar().and_then(known) {
                        return Self { reader, variant, content: Some(value), form: VariantForm::Map };
                    }
                    let word = key.scalar().unwrap_or_default();
                    reader.sink.add(unknown(key.span, &noun, word, variants));
                    // Reading goes on with the variant that was probably meant.
                    match nearest(word, variants.iter().copied()) {
                        Some(variant) => Self { reader, variant, content: Some(value), form: VariantForm::Map },
                        None => stand_in,
                    }
                }
                [] => {
                    let message =
                        format!("{} must be a map with exactly one key, but this one is empty", with_article(&noun));
                    let label = format!("expected {}", listed(variants, "or"));
                    reader.sink.add(Diagnostic::error(node.span, message).with_label(label));
                    stand_in
                }
                [(first, value), (second, _), ..] => {
                    let mut diagnostic = Diagnostic::error(
                        second.span,
                        format!("{} must be a map with exactly one key, its kind", with_article(&noun)),
                    );
                    let [first, second] = [first, second].map(|key| key.scalar().unwrap_or_default());
                    diagnostic = match (known(first), known(second)) {
                        (Some(_), Some(_)) => diagnostic
                            .with_label(format!("one key too many, after `{first}`"))
                            .with_help(format!("start another element with `- ` before `{second}`")),
                        (Some(_), None) => diagnostic
                            .with_label(format!("one key too many, after `{first}`"))
                            .with_help(format!("indent `{second}` deeper than `{first}` if it belongs to it")),
                        (None, _) => diagnostic.with_label(format!("expected {}", listed(variants, "or"))),
                    };
                    reader.sink.add(diagnostic);
                    match known(first) {
                        Some(variant) if matches!(value.followed().value, Value::Map(_)) => {
                            Self { reader, variant, content: Some(value), form: VariantForm::Map }
                        }
                        Some(_) | None => stand_in,
                    }
                }
            },
            Value::Plain(word) | Value::Text(word) => match known(word) {
                Some(variant) => Self { reader, variant, content: Some(node), form: VariantForm::Word },
                None if word.is_empty() => {
                    reader.mismatch(node, &with_article(&noun));
                    stand_in
                }
                None => {
                    reader.sink.add(unknown(node.span, &noun, word, variants));
                    stand_in
                }
            },
            Value::List(_) | Value::Alias(_) => {
                reader.mismatch(node, &with_article(&noun));
                stand_in
            }
        }
    }
}

impl<'a> EnumAccess<'a> for EnumReader<'a> {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'a>>(self, seed: V) -> Result<(V::Value, Self), Fault> {
        Ok((seed.deserialize(own_word(self.variant))?, self))
    }
}

impl<'a> VariantAccess<'a> for EnumReader<'a> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        if let (VariantForm::Map, Some(content)) = (self.form, self.content) {
            let message = format!("`{}` takes no value", self.variant);
            self.reader.sink.add(Diagnostic::error(content.span, message));
        }
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'a>>(self, seed: T) -> Result<T::Value, Fault> {
        let content = match (self.form, self.content) {
            (VariantForm::Word, Some(word)) => {
                let message = format!("`{}` has no fields", self.variant);
                let help = format!("write `{}:` and its fields below it, indented deeper", self.variant);
                self.reader.sink.add(Diagnostic::error(word.span, message).with_help(help));
                None
            }
            (_, content) => content,
        };
        seed.deserialize(self.reader.child(content, What::Field(self.variant)))
    }

    fn tuple_variant<V: Visitor<'a>>(self, _: usize, _: V) -> Result<V::Value, Fault> {
        Err(serde::de::Error::custom("the model has no tuple variants"))
    }

    fn struct_variant<V: Visitor<'a>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, Fault> {
        Err(serde::de::Error::custom("the model has no struct variants"))
    }
}
