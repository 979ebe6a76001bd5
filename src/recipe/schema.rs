//! The JSON Schema of recipes, from the same types as the parser.

use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::Recipe;

/// The schema's `$id`.
const ID: &str = "https://recipe.sealer.io/v1alpha1/recipe.schema.json";

/// The JSON Schema (2020-12) of recipes; `schemas/recipe.schema.json` has it for editors.
#[must_use]
pub fn schema() -> Value {
    let generated = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Recipe>().to_value();
    let mut schema = serde_json::Map::new();
    schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("$id".to_owned(), json!(ID));
    schema.insert("title".to_owned(), json!("Recipe of a sealer base image (v1alpha1)"));
    if let Value::Object(generated) = generated {
        for (key, value) in generated {
            schema.entry(key).or_insert(value);
        }
    }
    // Free data has no type of its own in Rust: this describes what `values` may have.
    if let Some(Value::Object(definitions)) = schema.get_mut("$defs") {
        definitions.insert(
            "Value".to_owned(),
            json!({
                "description": "A string, an integer, a boolean, or a list or map of them.",
                "type": ["string", "integer", "boolean", "array", "object"],
                "items": {"$ref": "#/$defs/Value"},
                "additionalProperties": {"$ref": "#/$defs/Value"},
            }),
        );
    }
    let mut schema = Value::Object(schema);
    forbid_null(&mut schema);
    schema
}

/// An optional field may be left out but must not be null: the parser refuses `name:` without a value.
fn forbid_null(schema: &mut Value) {
    match schema {
        Value::Object(entries) => {
            if let Some(Value::Array(types)) = entries.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    entries.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(choices)) = entries.get_mut("anyOf") {
                choices.retain(|choice| choice["type"] != "null");
                if let [only] = choices.as_mut_slice() {
                    let only = only.take();
                    entries.shift_remove("anyOf");
                    if let Value::Object(only) = only {
                        entries.extend(only);
                    }
                }
            }
            // Examples and constants are data.
            let parts = entries.iter_mut().filter(|(key, _)| !matches!(key.as_str(), "examples" | "const" | "enum"));
            parts.for_each(|(_, part)| forbid_null(part));
        }
        Value::Array(parts) => parts.iter_mut().for_each(forbid_null),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The text of the schema's file: indented, with a final newline.
#[must_use]
pub(crate) fn schema_text() -> String {
    format!("{:#}\n", schema())
}

#[cfg(test)]
mod tests;
