//! Every bad recipe in `tests/bad-recipes` with the whole of what is said about it.

use std::collections::BTreeMap;

use sealer::recipe;
use sealer::words::Source;

fn recipes(folder: &str) -> BTreeMap<String, String> {
    let folder = format!("{}/{folder}", env!("CARGO_MANIFEST_DIR"));
    let entries = fs_err::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let recipes = entries.filter(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    recipes
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), fs_err::read_to_string(path).unwrap()))
        .collect()
}

#[test]
fn every_bad_recipe_is_refused_in_words_that_help() {
    let recipes = recipes("tests/bad-recipes");
    assert!(recipes.len() >= 40);
    for (name, text) in recipes {
        let source = Source::new(&format!("{name}.yaml"), &text);
        let diagnostics = recipe::parse(&source).expect_err(&name);
        let rendered: Vec<String> = diagnostics.iter().map(|d| d.render(&source, false)).collect();
        insta::assert_snapshot!(name, rendered.join("\n"));
    }
}
