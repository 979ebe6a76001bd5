//! Recipes as files: good ones are taken, every bad one is refused with the whole of what is said about it, and the
//! schema agrees with the parser as far as a schema can tell.

use std::collections::BTreeMap;
use std::path::Path;

use sealer::testing::document::{Located, ValuesInput};
use sealer::testing::plan::Narrowing;
use sealer::testing::recipe;
use sealer::testing::syntax::{self, Limits, Node, parse_yaml};
use sealer::testing::types::{Epoch, Severity, Source};
use sealer::testing::validate::{Request, validate};
use serde_json::{Value, json};

/// Bad recipes that a schema cannot tell from good ones: rules between elements, what careless readers take, and scalars in free data that
/// YAML reads as something else than they show.
const BEYOND_A_SCHEMA: &[&str] = &["duplicate-key", "patch-value", "platform-twice", "stage-twice"];

/// The texts of all recipes of a folder by their names.
fn texts(folder: &str) -> BTreeMap<String, String> {
    let folder = format!("{}/{folder}", env!("CARGO_MANIFEST_DIR"));
    let mut texts = BTreeMap::new();
    for entry in fs_err::read_dir(folder).expect("the folder is in the repository") {
        let path = entry.expect("a folder can be listed").path();
        if path.to_string_lossy().ends_with(".lock.yaml") {
            continue;
        }
        if let (Some(name), Some("yaml")) = (path.file_stem(), path.extension().and_then(|e| e.to_str())) {
            let text = fs_err::read_to_string(&path).expect("a recipe can be read");
            texts.insert(name.to_string_lossy().into_owned(), text);
        }
    }
    texts
}

/// All that `validate` says of a recipe in the folder of bad ones.
fn said(name: &str, text: &str) -> Vec<Located> {
    // Tests run in the project's folder.
    let folder = Path::new("tests/bad-recipes");
    let lock = fs_err::read_to_string(folder.join(format!("{name}.lock.yaml"))).ok();
    let lock = lock.map(|lock| Source::new(&format!("{name}.lock.yaml"), &lock));
    // A file of values with the recipe's name is its `-f`.
    let file = fs_err::read_to_string(folder.join(format!("{name}.values.yml"))).ok();
    let files = file.iter().map(|file| Source::new(&format!("{name}.values.yml"), file)).collect();
    validate(&Request {
        source: &Source::new(&format!("{name}.yaml"), text),
        values: &ValuesInput { files, sets: Vec::new() },
        narrowing: &Narrowing { platforms: vec!["linux/amd64".parse().unwrap()], stage: None },
        epoch: Epoch::DEFAULT,
        folder: Some(folder),
        lock: lock.as_ref(),
    })
}

#[test]
fn every_bad_recipe_is_refused_in_words_that_help() {
    let recipes = texts("tests/bad-recipes");
    assert!(recipes.len() >= 100, "{}", recipes.len());
    for (name, text) in recipes {
        let found = said(&name, &text);
        assert!(!found.is_empty(), "{name}");
        let rendered: Vec<String> = found.iter().map(|located| located.render(false)).collect();
        insta::assert_snapshot!(name, rendered.join("\n"));
    }
}

#[test]
fn no_message_speaks_of_libraries() {
    let words = [
        " variant",
        "serde",
        "did not match",
        "visitor",
        "u32",
        "u64",
        "i64",
        "f64",
        "usize",
        "regex parse error",
        "tera",
        "untagged",
        "deserializ",
        "globset",
        "jsonschema",
        "anyof",
        "oneof",
        "enum",
        "struct ",
        "null value",
        "option<",
        "keyword",
        "instance",
        "feature",
        "utf8error",
        "expected struct",
        "invalid type",
        "invalid length",
        "kwarg",
    ];
    for (name, text) in texts("tests/bad-recipes") {
        for located in said(&name, &text) {
            let found = located.diagnostic;
            let all =
                [vec![found.message.clone(), found.label.clone()], found.notes.clone(), found.help.clone()].concat();
            for sentence in all {
                // What the user wrote stands in backticks.
                let ours: String = sentence.split('`').step_by(2).collect::<Vec<_>>().join(" ").to_lowercase();
                for word in words {
                    assert!(!ours.contains(word), "{name}: {sentence}");
                }
                let theirs = ["`i64`", "`u64`", "`f64`", "`ident`", "`&str`", "`string`", "`array`"];
                assert!(theirs.iter().all(|word| !sentence.contains(word)), "{name}: {sentence}");
                let first = sentence.chars().next().unwrap_or('x');
                let is_word = sentence.split_whitespace().next().is_some_and(|word| word == word.to_uppercase());
                assert!(!first.is_uppercase() || is_word, "{name}: {sentence}");
                assert!(!sentence.ends_with('.'), "{name}: {sentence}");
            }
        }
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
fn the_schema_rejects_what_the_parser_rejects_and_nothing_else() {
    let validator = jsonschema::draft202012::new(&recipe::schema()).unwrap();
    let mut differ = Vec::new();
    let all = ["recipes", "tests/good-recipes", "tests/bad-recipes"].into_iter().flat_map(texts);
    for (name, text) in all {
        // What is no YAML for other readers is none of the schema's business.
        let Ok(instance) = serde_yaml::from_str::<Value>(&text) else { continue };
        if recipe::parse(&Source::new(&name, &text)).is_ok() != validator.is_valid(&instance) {
            differ.push(name);
        }
    }
    assert_eq!(differ, BEYOND_A_SCHEMA);
}

/// What stands in front of a node: keys and numbers.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(entries) => {
            let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
            entries.iter().for_each(|(key, value)| pointers(value, &format!("{at}/{}", escaped(key)), found));
        }
        Value::Array(elements) => {
            elements.iter().enumerate().for_each(|(index, value)| pointers(value, &format!("{at}/{index}"), found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The same document with one node dropped, renamed, doubled or of another type, at every node.
fn mutants(document: &Value) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    pointers(document, "", &mut all);
    let mut mutants = Vec::new();
    for pointer in all {
        for other in [
            json!(null),
            json!("text"),
            json!(7),
            json!(-7),
            json!(true),
            json!([]),
            json!(["a"]),
            json!({}),
            json!({"a": "b"}),
        ] {
            let mut mutant = document.clone();
            *mutant.pointer_mut(&pointer).unwrap() = other.clone();
            mutants.push((format!("{pointer} = {other}"), mutant));
        }
        let Some((parent, last)) = pointer.rsplit_once('/') else { continue };
        let mut dropped = document.clone();
        match dropped.pointer_mut(parent).unwrap() {
            Value::Object(entries) => {
                let value = entries.remove(last).unwrap_or_default();
                let mut renamed = document.clone();
                let entries = renamed.pointer_mut(parent).unwrap().as_object_mut().unwrap();
                entries.remove(last);
                entries.insert("surplus".to_owned(), value.clone());
                mutants.push((format!("{pointer} renamed"), renamed));
                let mut added = document.clone();
                added.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert("surplus".to_owned(), value);
                mutants.push((format!("{pointer} and another"), added));
            }
            Value::Array(elements) => drop(elements.remove(last.parse().unwrap())),
            other => panic!("{other} has no children"),
        }
        mutants.push((format!("{pointer} dropped"), dropped));
    }
    mutants
}

#[test]
fn parser_and_schema_agree_on_every_change_of_good_recipes() {
    let validator = jsonschema::draft202012::new(&recipe::schema()).unwrap();
    let mut differ = Vec::new();
    let mut seen = [0, 0];
    for (name, text) in texts("tests/good-recipes") {
        let document: Value = serde_yaml::from_str(&text).unwrap();
        for (change, mutant) in mutants(&document) {
            // JSON is YAML, and its strings are quoted.
            let source = Source::new(&name, &mutant.to_string());
            let (parsed, valid) = (recipe::parse(&source), validator.is_valid(&mutant));
            seen[usize::from(valid)] += 1;
            if parsed.is_ok() != valid {
                let why = parsed.err().into_iter().flatten().map(|d| d.message).collect::<Vec<_>>();
                differ.push(format!("{name}: {change}: schema {valid}, parser {why:?}"));
            }
        }
    }
    assert!(seen.iter().all(|count| *count > 500), "{seen:?}");
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

/// All nodes below a node, without those of free data.
fn nodes<'a>(node: &'a Node, found: &mut Vec<&'a Node>) {
    found.push(node);
    match &node.value {
        syntax::Value::Map(entries) => {
            let free = ["values", "valuesSchema", "value", "merge"];
            let known = entries.iter().filter(|(key, _)| !free.contains(&key.scalar().unwrap_or_default()));
            known.for_each(|(_, value)| nodes(value, found));
        }
        syntax::Value::List(elements) => elements.iter().for_each(|element| nodes(element, found)),
        syntax::Value::Plain(_) | syntax::Value::Text(_) | syntax::Value::Alias(_) => {}
    }
}

#[test]
fn of_one_wrong_node_nothing_follows() {
    let mut count = 0;
    for (name, text) in texts("recipes") {
        let root = parse_yaml(&text, Limits::recipe()).unwrap().remove(0).root;
        let mut all = Vec::new();
        nodes(&root, &mut all);
        for node in all.into_iter().skip(1) {
            // A list in a list is nowhere right.
            let wrong = "[[x]]";
            let mutant = format!("{}{wrong}{}", &text[..node.span.start], &text[node.span.end..]);
            let place = node.span.start..node.span.start + wrong.len();
            let found = said(&name, &mutant);
            let errors: Vec<_> = found.iter().filter(|one| one.diagnostic.severity == Severity::Error).collect();
            let elsewhere = errors.iter().filter(|one| {
                let span = one.diagnostic.span.range();
                span.end < place.start || place.end < span.start
            });
            let elsewhere: Vec<String> = elsewhere.map(|one| one.render(false)).collect();
            assert!(!errors.is_empty(), "{mutant}");
            assert!(elsewhere.is_empty(), "{name}, {place:?}: {}", elsewhere.concat());
            count += 1;
        }
    }
    assert!(count > 100, "{count}");
}
