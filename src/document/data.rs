//! Free data in a recipe: values, their schema, the data that a patch puts into a file.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};

use super::{Spanned, Text};

/// A piece of free data and its place; the pieces in it have places too.
pub(crate) type Data = Spanned<DataValue>;

/// A JSON value with its places.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum DataValue {
    /// `null`
    #[default]
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    Text(String),
    /// A list.
    List(Vec<Data>),
    /// A map in the order of the text.
    Map(Vec<(Text, Data)>),
}

impl DataValue {
    /// What it is, with its article.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(number) if number.is_f64() => "a number",
            Self::Number(_) => "an integer",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }

    /// The same value without places.
    #[must_use]
    pub(crate) fn to_json(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Number(number) => Value::Number(number.clone()),
            Self::Text(text) => Value::String(text.clone()),
            Self::List(elements) => elements.iter().map(|element| element.to_json()).collect(),
            Self::Map(entries) => entries.iter().map(|(key, value)| (key.value.clone(), value.to_json())).collect(),
        }
    }

    /// The value of a map's key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Data> {
        match self {
            Self::Map(entries) => entries.iter().find(|(name, _)| name.value == key).map(|(_, value)| value),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::List(_) => None,
        }
    }

    /// The entries of a map, in the order of the text; empty if it is not a map.
    pub fn entries(&self) -> impl Iterator<Item = &(Text, Data)> {
        let entries: &[(Text, Data)] = match self {
            Self::Map(entries) => entries,
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::List(_) => &[],
        };
        entries.iter()
    }

    /// The value of a key, or the element with a number.
    #[must_use]
    pub fn child(&self, step: &str) -> Option<&Data> {
        match self {
            Self::List(elements) => elements.get(step.parse::<usize>().ok()?),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::Map(_) => self.get(step),
        }
    }
}

impl<'de> Deserialize<'de> for DataValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DataVisitor;

        impl<'de> Visitor<'de> for DataVisitor {
            type Value = DataValue;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_unit<E>(self) -> Result<DataValue, E> {
                Ok(DataValue::Null)
            }

            fn visit_bool<E>(self, value: bool) -> Result<DataValue, E> {
                Ok(DataValue::Bool(value))
            }

            fn visit_i64<E>(self, value: i64) -> Result<DataValue, E> {
                Ok(DataValue::Number(value.into()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<DataValue, E> {
                Ok(DataValue::Number(value.into()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<DataValue, E> {
                Ok(Number::from_f64(value).map_or(DataValue::Null, DataValue::Number))
            }

            fn visit_str<E>(self, value: &str) -> Result<DataValue, E> {
                Ok(DataValue::Text(value.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<DataValue, A::Error> {
                let mut elements = Vec::new();
                while let Some(element) = list.next_element()? {
                    elements.push(element);
                }
                Ok(DataValue::List(elements))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<DataValue, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(DataValue::Map(entries))
            }
        }

        deserializer.deserialize_any(DataVisitor)
    }
}

impl JsonSchema for DataValue {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Data".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!(true)
    }
}
