use super::*;
use crate::recipe::parse;
use crate::types::Source;

fn check(fields: &[Field], name: &str) {
    for field in fields {
        assert!(!field.description.is_empty() && !field.holds.is_empty(), "{name}.{}", field.name);
        assert!(!field.holds.contains("any values"), "{name}.{}: {}", field.name, field.holds);
        check(&field.fields, name);
    }
}

#[test]
fn every_part_is_explained_with_all_that_the_schema_says() {
    let schema = schema();
    for name in explained() {
        let explanation = explain(&name).unwrap();
        let (_, definition) = find(&schema, &name).unwrap();
        let names: Vec<&String> = explanation.fields.iter().map(|field| &field.name).collect();
        assert_eq!(names, properties(definition).map(|(name, _)| name).collect::<Vec<_>>(), "{name}");
        assert!(!explanation.description.is_empty(), "{name}");
        check(&explanation.fields, &name);
    }
}

#[test]
fn every_step_and_entry_has_an_example_that_the_parser_takes_as_it_is_printed() {
    for name in explained() {
        let explanation = explain(&name).unwrap();
        let list = match explanation.kind {
            PartKind::Recipe | PartKind::Stage => continue,
            PartKind::ContextEntry => "context",
            PartKind::Step => "steps",
        };
        assert!(!explanation.examples.is_empty(), "`{name}` has no example");
        let text = explanation.to_string();
        for example in text.split("\nExample:\n").skip(1) {
            let recipe = format!(
                "apiVersion: recipe.sealer.io/v1alpha1\nkind: Recipe\nmetadata: {{name: r}}\nstages:\n- name: one\n  \
                 image: one:v1\n  kubefile: FROM scratch\n  {list}:\n{example}"
            );
            let source = Source::new("r.yaml", &recipe);
            let shown = |mistakes: Vec<crate::types::Diagnostic>| {
                mistakes.iter().map(|mistake| mistake.render(&source, false)).collect::<String>()
            };
            let parsed = parse(&source).map_err(shown).unwrap_or_else(|mistakes| panic!("{mistakes}"));
            let stage = &parsed.recipe.stages[0];
            assert_eq!(stage.context.len() + stage.steps.len(), 1, "{recipe}");
        }
    }
}

#[test]
fn explanations_are_whole() {
    for name in ["layer", "rootfs", "replaceArchive", "imageList"] {
        insta::assert_snapshot!(name, explain(name).unwrap().to_string());
    }
    insta::assert_snapshot!("recipe", explain("recipe").unwrap().to_string());
}

#[test]
fn the_overview_has_a_line_for_everything() {
    let overview = overview();
    let lines = [&overview.recipe, &overview.stage, &overview.context_entries, &overview.steps];
    assert!(lines.iter().all(|lines| !lines.is_empty() && lines.iter().all(|line| !line.summary.is_empty())));
    let names: Vec<&str> =
        overview.context_entries.iter().chain(&overview.steps).map(|line| line.name.as_str()).collect();
    assert_eq!([&names[..], &["stage", "recipe"]].concat(), explained());
}

#[test]
fn an_unknown_name_is_told_with_what_there_is() {
    let message = explain("replaceArchiv").unwrap_err().to_string();
    let start = "there is no step or context entry `replaceArchiv` (did you mean `replaceArchive`?); the names are \
                 layer, rootfs, ";
    assert!(message.starts_with(start), "{message}");
    assert!(!explain("zzz").unwrap_err().to_string().contains("did you mean"));
}
