use super::*;

#[test]
fn the_file_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/recipe.schema.json");
    if std::env::var_os("UPDATE").is_some() {
        fs_err::write(path, schema_text()).unwrap();
    }
    let file = fs_err::read_to_string(path).unwrap_or_default();
    assert!(file == schema_text(), "run `UPDATE=1 cargo test schema` to update {path}");
}

#[test]
fn the_schema_is_one_and_its_examples_fit() {
    let schema = schema();
    jsonschema::meta::validate(&schema).unwrap();
    let definitions = schema["$defs"].as_object().unwrap();
    let mut checked = 0;
    for (name, definition) in definitions.iter().chain([(&"Recipe".to_owned(), &schema)]) {
        let own = definition["examples"].as_array().cloned().unwrap_or_default();
        for example in own {
            fits(&schema, &format!("#/$defs/{name}"), &example);
            checked += 1;
        }
        for (field, property) in definition["properties"].as_object().into_iter().flatten() {
            for example in property["examples"].as_array().into_iter().flatten() {
                let root = if name == "Recipe" { "#".to_owned() } else { format!("#/$defs/{name}") };
                fits(&schema, &format!("{root}/properties/{field}"), example);
                checked += 1;
            }
        }
    }
    assert!(checked > 30, "{checked}");
}

fn fits(schema: &Value, pointer: &str, example: &Value) {
    let mut part = serde_json::Map::new();
    part.insert("$defs".to_owned(), schema["$defs"].clone());
    let inner = schema.pointer(pointer.trim_start_matches('#')).unwrap();
    part.insert("allOf".to_owned(), json!([inner]));
    let validator = jsonschema::draft202012::new(&Value::Object(part)).unwrap();
    assert!(validator.is_valid(example), "{pointer}: {example}");
}

#[test]
fn everything_is_described() {
    let schema = schema();
    for (name, definition) in schema["$defs"].as_object().unwrap() {
        assert!(definition["description"].is_string(), "{name}");
        for (field, property) in definition["properties"].as_object().into_iter().flatten() {
            assert!(property["description"].is_string(), "{name}.{field}");
        }
        if definition["type"] == "object" {
            assert_eq!(definition["additionalProperties"], false, "{name}");
        }
    }
}
