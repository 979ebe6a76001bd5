//! Recipes as files: good ones are taken, every bad one is refused with the whole of what is said about it, and the
//! schema agrees with the parser as far as a schema can tell.

use std::collections::BTreeMap;

use sealer::recipe;
use sealer::words::Source;
use serde_json::Value;

/// Bad recipes that a schema cannot tell from good ones: rules between elements, what careless readers take, and scalars in free data that
/// YAML reads as something else than they show.
const BEYOND_A_SCHEMA: &[&str] = &["duplicate-key", "patch-value", "platform-twice", "stage-twice"];

/// The texts of all recipes of a folder by their names.
fn texts(folder: &str) -> BTreeMap<String, String> {
    let folder = format!("{}/{folder}", env!("CARGO_MANIFEST_DIR"));
    let mut texts = BTreeMap::new();
    for entry in fs_err::read_dir(folder).expect("the folder is in the repository") {
        let path = entry.expect("a folder can be listed").path();
        if let (Some(name), Some("yaml")) = (path.file_stem(), path.extension().and_then(|e| e.to_str())) {
            let text = fs_err::read_to_string(&path).expect("a recipe can be read");
            texts.insert(name.to_string_lossy().into_owned(), text);
        }
    }
    texts
}

#[test]
fn every_bad_recipe_is_refused_in_words_that_help() {
    let recipes = texts("tests/bad-recipes");
    assert!(recipes.len() >= 40);
    for (name, text) in recipes {
        let source = Source::new(&format!("{name}.yaml"), &text);
        let diagnostics = recipe::parse(&source).expect_err(&name);
        let rendered: Vec<String> = diagnostics.iter().map(|d| d.render(&source, false)).collect();
        insta::assert_snapshot!(name, rendered.join("\n"));
    }
}

#[test]
fn good_recipes_pass_the_parser_and_the_schema() {
    let validator = jsonschema::draft202012::new(&recipe::schema()).unwrap();
    let recipes: Vec<_> = texts("recipes").into_iter().chain(texts("tests/good-recipes")).collect();
    assert!(recipes.len() >= 3);
    for (name, text) in recipes {
        for text in [text.replace('\n', "\r\n"), format!("\u{feff}{text}"), text] {
            let source = Source::new(&name, &text);
            let parsed = recipe::parse(&source);
            let parsed =
                parsed.unwrap_or_else(|d| panic!("{}", d.iter().map(|d| d.render(&source, false)).collect::<String>()));
            assert_eq!(parsed.warnings, []);
            let instance: Value = serde_yaml::from_str(text.trim_start_matches('\u{feff}')).unwrap();
            if let Err(error) = validator.validate(&instance) {
                panic!("{name}: {error} at {}", error.instance_path());
            }
        }
    }
}

#[test]
fn bad_recipes_fail_the_schema_too() {
    let validator = jsonschema::draft202012::new(&recipe::schema()).unwrap();
    let passed: Vec<String> = texts("tests/bad-recipes")
        .into_iter()
        .filter(|(_, text)| serde_yaml::from_str::<Value>(text).is_ok_and(|instance| validator.is_valid(&instance)))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(passed, BEYOND_A_SCHEMA);
}
