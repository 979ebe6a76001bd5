use serde_json::json;

use super::*;
use crate::recipe::parse;

const RECIPE: &str = "apiVersion: recipe.sealer.io/v1alpha1
kind: Recipe
metadata: {name: demo}
values:
  docker: 19.03.15
  replicas: 3
  debug: false
  mirrors: [a, b]
  images: {registry: 2.7.1, pause: v1}
  labels: {}
valuesSchema:
  properties:
    docker: {type: string, pattern: '^\\d+\\.\\d+\\.\\d+$'}
    replicas: {maximum: 7}
    images: {required: [pause], properties: {pause: {enum: [v1, v2]}}}
stages:
  - {name: one, image: x, kubefile: FROM scratch}
";

fn merged_with(recipe: &str, files: &[&str], sets: &[&str]) -> Result<Values, Vec<Located>> {
    let source = Source::new("r.yaml", recipe);
    let recipe = parse(&source).unwrap().recipe;
    let files = files.iter().enumerate().map(|(i, text)| Source::new(&format!("v{i}.yaml"), text)).collect();
    let input = ValuesInput { files, sets: sets.iter().map(ToString::to_string).collect() };
    Values::merge(&recipe.declared(&source), &input)
}

fn merged(files: &[&str], sets: &[&str]) -> Value {
    Value::Object(merged_with(RECIPE, files, sets).unwrap().0)
}

fn refused(files: &[&str], sets: &[&str]) -> String {
    let errors = merged_with(RECIPE, files, sets).unwrap_err();
    errors.iter().map(|error| error.render(false)).collect::<Vec<_>>().join("\n")
}

#[test]
fn later_values_win_and_keep_their_kind() {
    assert_eq!(
        merged(
            &["docker: 20.10.1\nimages: {pause: v2}\n", "mirrors: [c]\nlabels: {a: {b: 1}}"],
            &["docker=1.2.3", "docker=1.2.4", "replicas=5", "debug=true", "images.registry=a=b", "labels.a.c=1",]
        ),
        json!({
            "docker": "1.2.4",
            "replicas": 5,
            "debug": true,
            "mirrors": ["c"],
            "images": {"registry": "a=b", "pause": "v2"},
            "labels": {"a": {"b": 1, "c": "1"}},
        })
    );
    assert_eq!(merged(&["{}"], &[])["docker"], "19.03.15");
}

#[test]
fn mistakes_are_told_where_they_were_made() {
    insta::assert_snapshot!(refused(&[], &["dokcer=1.2.3", "replicas", "replicas=many", "debug=yes", "images.x=1", "=a", "a..b=c", "docker.x=1", "mirrors=a"]), @"
    --set:1:1: error: the recipe has no value `dokcer`
      |
    1 | dokcer=1.2.3
      | ^^^^^^
      |
      = help: did you mean `docker`?

    --set:1:1: error: expected `KEY=VALUE`
      |
    1 | replicas
      | ^^^^^^^^

    --set:1:10: error: `replicas` must be an integer, as in the recipe
      |
    1 | replicas=many
      |          ^^^^

    --set:1:7: error: `debug` must be `true` or `false`, as in the recipe
      |
    1 | debug=yes
      |       ^^^

    --set:1:8: error: the recipe has no value `images.x`
      |
    1 | images.x=1
      |        ^
      |
      = help: there are: registry, pause

    --set:1:1: error: a key must have a name between its dots
      |
    1 | =a
      | ^

    --set:1:1: error: a key must have a name between its dots
      |
    1 | a..b=c
      | ^^^^

    --set:1:1: error: `docker` is a string in the recipe, not a map
      |
    1 | docker.x=1
      | ^^^^^^^^^^ expected a string

    --set:1:9: error: `mirrors` is a list in the recipe, not a string
      |
    1 | mirrors=a
      |         ^ expected a list
    ");
    insta::assert_snapshot!(refused(&["dokcer: 1\ndocker: 1.20\nreplicas: 5\nimages: {pause: [v1]}\n", "- a", "", "debug: \"yes\"\nreplicas: !x 3\n"], &[]), @r#"
    v0.yaml:2:9: error: `1.20` is ambiguous: YAML reads it as a number
      |
    2 | docker: 1.20
      |         ^^^^ a string needs quotes here
      |
      = help: quote it: `"1.20"`
      = help: for a number, write it as in JSON: `1.2`, `31`

    v1.yaml:1:1: error: values must be a map, not a list
      |
    1 | - a
      | ^^^ expected names and their values

    v3.yaml:2:11: error: the tag `!x` is not supported
      |
    2 | replicas: !x 3
      |           ^^
      |
      = help: remove it
    "#);
}

#[test]
fn the_schema_is_held_against_the_merged_values() {
    insta::assert_snapshot!(refused(&["replicas: 9\nimages:\n  pause: v3\n"], &["docker=latest"]), @r"
    --set:1:8: error: `docker` does not fit the recipe's `valuesSchema`: `latest` does not match the pattern `^\d+\.\d+\.\d+$`
      |
    1 | docker=latest
      |        ^^^^^^

    v0.yaml:1:11: error: `replicas` does not fit the recipe's `valuesSchema`: `9` is more than 7
      |
    1 | replicas: 9
      |           ^

    v0.yaml:3:10: error: `images.pause` does not fit the recipe's `valuesSchema`: `v3` is not one of `v1`, `v2`
      |
    3 |   pause: v3
      |          ^^
    ");
    let own = RECIPE.replace("19.03.15", "latest");
    let errors = merged_with(&own, &[], &[]).unwrap_err();
    insta::assert_snapshot!(errors[0].render(false), @r"
    r.yaml:5:11: error: `docker` does not fit the recipe's `valuesSchema`: `latest` does not match the pattern `^\d+\.\d+\.\d+$`
      |
    5 |   docker: latest
      |           ^^^^^^
    ");
}

#[test]
fn schemas_are_local_and_right() {
    let refused = |schema: &str| {
        let start = RECIPE.find("  properties:").unwrap();
        let end = RECIPE.find("stages:").unwrap();
        let recipe = format!("{}  {schema}\n{}", &RECIPE[..start], &RECIPE[end..]);
        merged_with(&recipe, &[], &[]).unwrap_err().iter().map(|error| error.render(false)).collect::<String>()
    };
    insta::assert_snapshot!(refused("properties: {docker: {$ref: 'https://example.com/schema.json'}}"), @"
    r.yaml:12:31: error: the reference `https://example.com/schema.json` points outside the schema
       |
    12 |   properties: {docker: {$ref: 'https://example.com/schema.json'}}
       |                               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected `#…`
    ");
    insta::assert_snapshot!(refused("$schema: http://json-schema.org/draft-07/schema#"), @"
    r.yaml:12:12: error: `http://json-schema.org/draft-07/schema#` is another version of JSON Schema
       |
    12 |   $schema: http://json-schema.org/draft-07/schema#
       |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected `https://json-schema.org/draft/2020-12/schema`
    ");
    insta::assert_snapshot!(refused("properties: {docker: {type: text}}"), @"
    r.yaml:12:31: error: `valuesSchema` is not a valid JSON Schema: `text` is not a type: the types are string, integer, number, boolean, array, object and null
       |
    12 |   properties: {docker: {type: text}}
       |                               ^^^^
    ");
    insta::assert_snapshot!(refused("properties: {docker: {$ref: '#/$defs/none'}}"), @"
    r.yaml:12:3: error: `valuesSchema` is not a valid JSON Schema: a `$ref` in it points to nothing: `$defs` has no such name
       |
    12 |   properties: {docker: {$ref: '#/$defs/none'}}
       |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    ");
    insta::assert_snapshot!(refused("properties: {docker: {pattern: '('}}"), @"
    r.yaml:12:34: error: `valuesSchema` is not a valid JSON Schema: `(` is not a valid regular expression (look-arounds and backreferences are not supported)
       |
    12 |   properties: {docker: {pattern: '('}}
       |                                  ^^^
    ");
    insta::assert_snapshot!(refused("additionalProperties: false"), @"
    r.yaml:5:3: error: the values do not fit the recipe's `valuesSchema`: nothing is allowed here, but there is `19.03.15`
      |
    5 |   docker: 19.03.15
      |   ^^^^^^^^^^^^^^^^
    ");
}

#[test]
fn a_recipe_without_values_takes_none() {
    let recipe = "apiVersion: recipe.sealer.io/v1alpha1\nkind: Recipe\nmetadata: {name: demo}\nstages:\n  - {name: one, image: x, kubefile: FROM scratch}\n";
    assert!(merged_with(recipe, &[], &[]).unwrap().as_map().is_empty());
    insta::assert_snapshot!(merged_with(recipe, &[], &["a=b"]).unwrap_err()[0].render(false), @"
    --set:1:1: error: the recipe has no value `a`
      |
    1 | a=b
      | ^
      |
      = help: it has no values: add defaults to its `values`
    ");
}

#[test]
fn patterns_that_take_other_engines_for_ever_do_not() {
    let recipe =
        RECIPE.replace("'^\\d+\\.\\d+\\.\\d+$'", "'^(a+)+$'").replace("19.03.15", &format!("{}b", "a".repeat(50_000)));
    assert!(merged_with(&recipe, &[], &[]).is_err());
}
