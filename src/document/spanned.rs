//! Values that know their place in the text.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::types::Span;

/// The name with which a [`Spanned`] asks its deserialiser for the place; only our deserialiser knows it.
pub(super) const SPANNED: &str = "$sealer::Spanned";
/// The fields that a [`Spanned`] asks for, in this order.
pub(super) const SPANNED_FIELDS: &[&str] = &["start", "end", "value"];

/// A value and its place in the recipe.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spanned<T> {
    /// Its place.
    pub span: Span,
    /// The value.
    pub value: T,
}

/// A string as written, possibly a template.
pub(crate) type Text = Spanned<String>;

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

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Spanned<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SpannedVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for SpannedVisitor<T> {
            type Value = Spanned<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value with its place")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Spanned<T>, A::Error> {
                let lacking = || de::Error::custom("only recipes have places");
                let (_, start) = map.next_entry::<IgnoredAny, usize>()?.ok_or_else(lacking)?;
                let (_, end) = map.next_entry::<IgnoredAny, usize>()?.ok_or_else(lacking)?;
                let (_, value) = map.next_entry::<IgnoredAny, T>()?.ok_or_else(lacking)?;
                Ok(Spanned::new(Span::new(start, end), value))
            }
        }

        deserializer.deserialize_struct(SPANNED, SPANNED_FIELDS, SpannedVisitor(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for Spanned<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}
