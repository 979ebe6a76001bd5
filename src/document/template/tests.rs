use serde_json::json;

use super::*;
use crate::document::ValuesInput;
use crate::recipe::parse;
use crate::types::Span;

const RECIPE: &str = "apiVersion: recipe.sealer.io/v1alpha1
kind: Recipe
metadata: {name: demo}
values:
  docker: 19.03.15
  replicas: 5000
  debug: true
  mirrors: [a, b]
  images: {registry: 2.7.1}
  two-words: x
stages:
  - name: one
    image: TEMPLATE
    kubefile: FROM scratch
";

/// The result of a template in this YAML spelling, or the message about it.
fn rendered(written: &str) -> String {
    let source = Source::new("r.yaml", &RECIPE.replace("TEMPLATE", written));
    let recipe = parse(&source).unwrap().recipe;
    let values = Values::merge(&recipe.declared(&source), &ValuesInput::default()).unwrap();
    let scope = Scope::new(&source, &recipe.metadata.name, &values, &"linux/arm64".parse().unwrap());
    match scope.render(&recipe.stages[0].image) {
        Ok(text) => text,
        Err(diagnostic) => diagnostic.unwrap().render(&source, false),
    }
}

#[test]
fn expressions_show_values_as_they_were_written() {
    for (template, text) in [
        ("plain", "plain"),
        ("a-{{ values.docker }}.tgz", "a-19.03.15.tgz"),
        ("'{{ values.replicas }}{{ values.debug }}'", "5000true"),
        (
            "'{{ platform.os }}/{{ platform.architecture }}/{{ platform.variant }} {{ platform.machine }}'",
            "linux/arm64/v8 aarch64",
        ),
        ("'{{ recipe.name }}'", "demo"),
        ("'{{ values.images.registry }}'", "2.7.1"),
        ("\"{{ values['two-words'] }}\"", "x"),
        ("'{{ values.docker | split(pat=\".\") | first | upper }}'", "19"),
        ("'{{ values.docker | replace(from=\".\", to=\"-\") }}'", "19-03-15"),
        ("'{{ values.mirrors | join(sep=\"+\") }}'", "a+b"),
        ("'{{ values.mirrors[1] }}'", "b"),
        ("'<{{ \"&\" }}>'", "<&>"),
        ("'{{ \"{% raw %}\" }}'", "{% raw %}"),
        ("'{{ \"arm\" if platform.machine == \"aarch64\" else \"other\" }}'", "arm"),
        ("'x  {{- values.docker -}}  y'", "x19.03.15y"),
        ("'${ARCH} }} {a}'", "${ARCH} }} {a}"),
    ] {
        assert_eq!(rendered(template), text, "{template}");
    }
}

#[test]
fn names_that_are_not_there_are_shown_with_those_that_are() {
    insta::assert_snapshot!(rendered("x:{{ values.dokcer }}"), @"
    r.yaml:13:24: error: there is no `values.dokcer`
       |
    13 |     image: x:{{ values.dokcer }}
       |                        ^^^^^^
       |
       = help: did you mean `values.docker`?
    ");
    insta::assert_snapshot!(rendered("x:{{ registry }}"), @"
    r.yaml:13:17: error: there is no `registry`
       |
    13 |     image: x:{{ registry }}
       |                 ^^^^^^^^
       |
       = help: did you mean `values.images.registry`?
    ");
    insta::assert_snapshot!(rendered("'x:{{ value.docker }}'"), @"
    r.yaml:13:18: error: there is no `value`
       |
    13 |     image: 'x:{{ value.docker }}'
       |                  ^^^^^
       |
       = help: did you mean `values`?
    ");
    insta::assert_snapshot!(rendered("\"x:{{ HOME }}\""), @r#"
    r.yaml:13:18: error: there is no `HOME`
       |
    13 |     image: "x:{{ HOME }}"
       |                  ^^^^
       |
       = help: there are: values.docker, values.replicas, values.debug, values.mirrors, values.images.registry, values.two-words, platform.os, platform.architecture, platform.variant, platform.machine, recipe.name
    "#);
    insta::assert_snapshot!(rendered("x:{{ values.docker.major }}"), @"
    r.yaml:13:31: error: there is no `values.docker.major`
       |
    13 |     image: x:{{ values.docker.major }}
       |                               ^^^^^
       |
       = help: there are: values.docker, values.replicas, values.debug, values.mirrors, values.images.registry, values.two-words, platform.os, platform.architecture, platform.variant, platform.machine, recipe.name
    ");
    insta::assert_snapshot!(rendered("|\n      FROM scratch\n      COPY {{ values.dock }} .\n"), @"
    r.yaml:15:22: error: there is no `values.dock`
       |
    15 |       COPY {{ values.dock }} .
       |                      ^^^^
       |
       = help: there are: values.docker, values.replicas, values.debug, values.mirrors, values.images.registry, values.two-words, platform.os, platform.architecture, platform.variant, platform.machine, recipe.name
    ");
}

#[test]
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn what_is_no_text_or_no_expression_is_refused() {
    insta::assert_snapshot!(rendered("x:{{ values.images }}"), @"
    r.yaml:13:17: error: `values.images` is a map, not a string
       |
    13 |     image: x:{{ values.images }}
       |                 ^^^^^^^^^^^^^
       |
       = help: name one of its entries: values.images.registry
    ");
    insta::assert_snapshot!(rendered("x:{{ values.mirrors }}"), @r#"
    r.yaml:13:17: error: `values.mirrors` is a list, not a string
       |
    13 |     image: x:{{ values.mirrors }}
       |                 ^^^^^^^^^^^^^^
       |
       = help: `{{ values.mirrors | join(sep=",") }}` makes it a string
    "#);
    insta::assert_snapshot!(rendered("x{% if true %}y{% endif %}"), @r#"
    r.yaml:13:13: error: statements `{% … %}` are not part of recipes
       |
    13 |     image: x{% if true %}y{% endif %}
       |             ^^
       |
       = help: only expressions are: `{{ … }}`; for the characters themselves, write `{{ "{%" }}`
    "#);
    insta::assert_snapshot!(rendered("'x{# y #}'"), @r#"
    r.yaml:13:14: error: template comments `{# … #}` are not part of recipes
       |
    13 |     image: 'x{# y #}'
       |              ^^
       |
       = help: use YAML comments: `# …`; for the characters themselves, write `{{ "{#" }}`
    "#);
    insta::assert_snapshot!(rendered("x{{ values.docker"), @"
    r.yaml:13:13: error: the expression is not closed
       |
    13 |     image: x{{ values.docker
       |             ^^
       |
       = help: an expression ends with `}}`
    ");
    insta::assert_snapshot!(rendered("'{{ get_env(name=\"HOME\") }}'"), @r#"
    r.yaml:13:16: error: there is no function `get_env`: expressions cannot call functions
       |
    13 |     image: '{{ get_env(name="HOME") }}'
       |                ^^^^^^^
    "#);
    insta::assert_snapshot!(rendered("'{{ values.docker | uper }}'"), @"
    r.yaml:13:32: error: there is no filter `uper`
       |
    13 |     image: '{{ values.docker | uper }}'
       |                                ^^^^
       |
       = help: did you mean `upper`?
    ");
    insta::assert_snapshot!(rendered("'{{ values.docker | indent }}'"), @"
    r.yaml:13:32: error: there is no filter `indent`
       |
    13 |     image: '{{ values.docker | indent }}'
       |                                ^^^^^^
       |
       = help: there are: abs, capitalize, default, first, int, join, last, length, lower, nth, replace, split, str, trim, trim_end, trim_start, upper
    ");
    insta::assert_snapshot!(rendered("'{{ values.docker + }}'"), @"
    r.yaml:13:32: error: the expression does not work: found `}}`, which is not allowed here
       |
    13 |     image: '{{ values.docker + }}'
       |                                ^^
    ");
    insta::assert_snapshot!(rendered("'{{ values.docker * 2 }}'"), @"
    r.yaml:13:16: error: the expression does not work: math operations can only be done on numbers, found a string
       |
    13 |     image: '{{ values.docker * 2 }}'
       |                ^^^^^^
    ");
    insta::assert_snapshot!(rendered("'{{ values.docker | first }}'"), @"
    r.yaml:13:16: error: the expression does not work: expected a list but got a string
       |
    13 |     image: '{{ values.docker | first }}'
       |                ^^^^^^
    ");
    insta::assert_snapshot!(rendered("'{{ }}'"), @"
    r.yaml:13:13: error: the expression is empty
       |
    13 |     image: '{{ }}'
       |             ^^^^^
    ");
}

fn scope_with(docker: &str) -> Scope {
    let source = Source::new("r.yaml", &RECIPE.replace("19.03.15", docker));
    let recipe = parse(&source).unwrap().recipe;
    let values = Values::merge(&recipe.declared(&source), &ValuesInput::default()).unwrap();
    Scope::new(&source, "demo", &values, &Platform::host())
}

#[test]
fn output_and_work_are_limited() {
    let long = scope_with(&"x".repeat(600_000));
    let refused =
        |scope: &Scope, text: String| scope.render(&Text::new(Span::default(), text)).unwrap_err().unwrap().message;
    assert_eq!(
        refused(&long, "{{ values.docker }}{{ values.docker }}".to_owned()),
        "the expression does not work: the template becomes longer than 1 MiB"
    );
    assert_eq!(
        refused(&long, "{{ values.docker | replace(from='x', to='xx') }}".to_owned()),
        "the expression does not work: a string becomes longer than 1 MiB"
    );
    assert_eq!(
        refused(&long, "{{ '' if values.docker else '' }}".repeat(200)),
        "the recipe's values are too large to be used this often"
    );
    let short = scope_with("x");
    let text = Text::new(Span::default(), "{{ values.docker | split(pat='') }}".to_owned());
    assert!(short.render(&text).is_err());
    for hostile in ["(", "[", "{", "not ", "-", "values.docker | upper", "values.docker[", "'a' ~ ", "1 if "] {
        let text = format!("{{{{ {} }}}}", hostile.repeat(100_000));
        assert!(short.render(&Text::new(Span::default(), text)).is_err(), "{hostile}");
    }
}

#[test]
fn data_is_rendered_inside_and_keeps_its_kinds() {
    let source = Source::new(
        "r.yaml",
        &RECIPE.replace(
            "    kubefile:",
            "    steps: [{patch: {path: a, ops: [{op: add, path: /a, value: {b: [1, 1.5, true, null, 'v{{ values.docker }}']}}]}}]\n    kubefile:",
        ),
    );
    let recipe = parse(&source).unwrap().recipe;
    let values = Values::merge(&recipe.declared(&source), &ValuesInput::default()).unwrap();
    let scope = Scope::new(&source, "demo", &values, &Platform::host());
    let crate::steps::Step::Patch(patch) = &recipe.stages[0].steps[0].value else { panic!() };
    let value = scope.render_data(patch.ops.as_ref().unwrap()[0].value.value.as_ref().unwrap()).unwrap();
    assert_eq!(value, json!({"b": [1, 1.5, true, null, "v19.03.15"]}));
}

#[test]
fn used_values_are_named() {
    let names = names_in_template("{{ values.a.b }}{{ platform.os }}{{ values.c | upper }}");
    assert_eq!(names, [vec!["a", "b"], vec!["c"]]);
    assert_eq!(names_in_template("no {% template"), Vec::<Vec<String>>::new());
}
