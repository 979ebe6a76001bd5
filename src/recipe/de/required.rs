//! Which fields a struct must have, as its derived JSON Schema says it.

use std::collections::HashMap;
use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::recipe::Recipe;

/// The required fields of a type of the model, by its Rust name.
///
/// serde tells its deserialiser the names of all fields but not which of them have defaults; the schema is derived
/// from the same attributes and knows. So parser and schema cannot differ in it.
pub(super) fn required(type_name: &str) -> &'static [String] {
    static REQUIRED: LazyLock<HashMap<String, Vec<String>>> = LazyLock::new(|| {
        let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Recipe>();
        let schema = schema.to_value();
        let mut by_type = HashMap::from([("Recipe".to_owned(), names(&schema))]);
        if let Some(Value::Object(definitions)) = schema.get("$defs") {
            by_type.extend(definitions.iter().map(|(name, definition)| (name.clone(), names(definition))));
        }
        by_type
    });
    REQUIRED.get(type_name).map_or(&[], Vec::as_slice)
}

fn names(definition: &Value) -> Vec<String> {
    let mut maps = vec![definition];
    maps.extend(definition.get("anyOf").and_then(Value::as_array).into_iter().flatten());
    let names = maps.into_iter().filter_map(|map| map.get("required")?.as_array()).flatten();
    names.filter_map(|name| name.as_str().map(str::to_owned)).collect()
}
