//! Recipes from strangers: no panic, no long wait, whatever they hold.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use sealer::testing::document::{Scope, Values, ValuesInput};
use sealer::testing::recipe;
use sealer::testing::types::{Platform, Source};

const RECIPE: &str = include_str!("../../recipes/rawdocker.yaml");
const EVERYTHING: &str = include_str!("../good-recipes/everything.yaml");

/// All that can be done with a recipe's text alone; the messages where it is refused.
fn read(text: &str) -> Result<(), Vec<String>> {
    let source = Source::new("hostile.yaml", text);
    let rendered = |d: &sealer::testing::types::Diagnostic| {
        assert!(d.span.start <= d.span.end && d.span.end <= text.len(), "{d:?}");
        d.render(&source, false)
    };
    let parsed = recipe::parse(&source).map_err(|all| all.iter().map(rendered).collect::<Vec<_>>())?;
    let recipe = parsed.recipe;
    let values = Values::merge(&recipe.declared(&source), &ValuesInput::default())
        .map_err(|all| all.iter().map(|located| located.render(false)).collect::<Vec<_>>())?;
    let scope = Scope::new(&source, &recipe.metadata.name, &values, &Platform::host());
    let mut errors = Vec::new();
    for stage in recipe.stages.iter() {
        for text in [&stage.name, &stage.image, &stage.kubefile] {
            errors.extend(scope.render(text).err().flatten().map(|d| rendered(&d)));
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

#[test]
fn bombs_are_refused_within_a_second() {
    let head = "apiVersion: recipe.sealer.io/v1alpha1\nkind: Recipe\nmetadata: {name: x}\n";
    let stage = "stages: [{name: one, image: x, kubefile: y}]\n";
    let laughs: Vec<String> = (1..60).map(|i| format!("  a{i}: &a{i} [*a{0}, *a{0}, *a{0}]\n", i - 1)).collect();
    let many_anchors: Vec<String> = (0..20_000).map(|i| format!("  a{i}: &a{i} [[[[[[[[[[x]]]]]]]]]]\n")).collect();
    let many_keys: Vec<String> = (0..60_000).map(|i| format!("k{i}: 1\n")).collect();
    let stages: Vec<String> = (0..10_000).map(|_| "  - {nam: 1}\n".to_owned()).collect();
    let mut wide = format!("{head}{stage}values:\n  a: \"{}\"\n", "x".repeat(500_000));
    wide = wide
        .replace("kubefile: y", &format!("kubefile: \"{}\"", "{{ '' if values.a ~ values.a else '' }}".repeat(10_000)));
    for (name, text) in [
        ("laughs", format!("{head}values:\n  a0: &a0 [x]\n{}{stage}", laughs.concat())),
        ("anchors", format!("{head}values:\n{}{stage}", many_anchors.concat())),
        ("keys", many_keys.concat()),
        ("stages", format!("{head}stages:\n{}", stages.concat())),
        ("big", format!("{head}{stage}#{}", "x".repeat(2 << 20))),
        ("brackets", "[".repeat(1 << 20)),
        ("braces", "{".repeat(1 << 20)),
        ("dashes", "- ".repeat(1 << 19)),
        ("questions", "? ".repeat(1 << 19)),
        ("maps", "a: ".repeat(1 << 18)),
        ("documents", "---\n".repeat(1 << 18)),
        ("tags", "!a ".repeat(1 << 18)),
        ("anchored", "&a ".repeat(1 << 18)),
        ("quotes", "\"".repeat(1 << 20)),
        ("nul", "\0".repeat(1 << 20)),
        ("spaces", " ".repeat(1 << 20)),
        ("a block of blanks", format!("a: |\n{}", " \n".repeat(1 << 18))),
        ("escapes", format!("a: \"{}\"", "\\u0041".repeat(1 << 17))),
        ("expressions", wide),
    ] {
        let start = Instant::now();
        assert!(read(&text).is_err(), "{name}");
        let took = start.elapsed();
        // Tests are not optimised and share their machine.
        assert!(took < Duration::from_secs(5), "{name} took {took:?}");
    }
}

fn mutated(original: &'static str) -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "",
        " ",
        "\n",
        "\t",
        "- ",
        ": ",
        "? ",
        "[",
        "]",
        "{",
        "}",
        "&a ",
        "*a",
        "!x ",
        "|",
        ">",
        "'",
        "\"",
        "#",
        "---\n",
        "%YAML 1.2\n",
        "\r",
        "{{",
        "}}",
        "{%",
        "null",
        "1.20",
        "ä",
        "\u{feff}",
        "\0",
        "<<: ",
        "\\",
        "0x",
        "yes",
        ",",
    ]);
    let edit = (0..original.len(), 0..12_usize, pieces);
    prop::collection::vec(edit, 1..6).prop_map(move |edits| {
        let mut text = original.to_owned();
        for (at, cut, piece) in edits {
            let start = text.floor_char_boundary(at.min(text.len()));
            let end = text.ceil_char_boundary((start + cut).min(text.len()));
            text.replace_range(start..end, piece);
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_mutation_of_a_recipe_makes_the_parser_panic(text in mutated(RECIPE)) {
        let _ = read(&text);
    }

    #[test]
    fn no_mutation_of_every_field_makes_the_parser_panic(text in mutated(EVERYTHING)) {
        let _ = read(&text);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "[-a :?\\[\\]{}&*!|>'\"#\n\t,%~<ä0-9]{0,200}") {
        let _ = read(&text);
    }
}
