//! The required fields of a struct, from its derived JSON Schema.

use std::collections::HashMap;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

/// The required fields of the types of a document, by their Rust names.
///
/// serde gives its deserialiser the names of all fields, but not which of them have defaults. The schema has this and
/// comes from the same attributes. So parser and schema cannot differ.
#[derive(Debug)]
pub(crate) struct Required(HashMap<String, Vec<String>>);

impl Required {
    /// Those of a document `T` and of all types in it.
    pub(crate) fn of<T: JsonSchema>() -> Self {
        let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>();
        let schema = schema.to_value();
        let mut by_type = HashMap::from([(T::schema_name().into_owned(), names(&schema))]);
        if let Some(Value::Object(definitions)) = schema.get("$defs") {
            by_type.extend(definitions.iter().map(|(name, definition)| (name.clone(), names(definition))));
        }
        Self(by_type)
    }

    /// Those of one type.
    pub(super) fn fields(&self, type_name: &str) -> &[String] {
        self.0.get(type_name).map_or(&[], Vec::as_slice)
    }
}

fn names(definition: &Value) -> Vec<String> {
    let mut maps = vec![definition];
    maps.extend(definition.get("anyOf").and_then(Value::as_array).into_iter().flatten());
    let names = maps.into_iter().filter_map(|map| map.get("required")?.as_array()).flatten();
    names.filter_map(|name| name.as_str().map(str::to_owned)).collect()
}
