//! Which values may be public in an image: all but those that may be passwords or tokens.
//!
//! A value is public if no expression that names it becomes a secret part of a URL: the query, the fragment or the
//! password. A value that no expression names is not public, and neither is a value that is such a URL itself.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::expression::{self, Raw};
use super::read::one_document;
use super::{Scope, Values};
use crate::syntax::{Node, Value as Tree};
use crate::types::{Platform, Source, masked};

/// Values in two groups.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PublicValues {
    /// Those that may be public.
    pub public: Map<String, Value>,
    /// The others, in their maps.
    pub hidden: Map<String, Value>,
}

/// Splits the values of the recipe in `source`, called `recipe`, for these platforms.
#[must_use]
pub(crate) fn public_values<'p>(
    source: &Source,
    recipe: &str,
    values: &Values,
    platforms: impl IntoIterator<Item = &'p Platform>,
) -> PublicValues {
    let mut texts = Vec::new();
    if let Ok(Some(root)) = one_document(source, "recipe")
        && let Tree::Map(entries) = &root.followed().value
    {
        let entries = entries.iter();
        let used = entries.filter(|(key, _)| !matches!(key.scalar(), Some("values" | "valuesSchema" | "metadata")));
        used.for_each(|(_, value)| templates(value, &mut texts));
    }
    let mut seen = Seen::default();
    for platform in platforms {
        let scope = Scope::new(source, recipe, values, platform);
        for text in &texts {
            seen.look(&scope, text);
        }
    }
    let mut apart = PublicValues::default();
    seen.part(values.as_map(), &mut Vec::new(), &mut apart.public, &mut apart.hidden);
    apart
}

/// All templates at and below a part of a recipe.
fn templates(node: &Node, texts: &mut Vec<String>) {
    match &node.followed().value {
        Tree::Plain(text) | Tree::Text(text) if expression::is_template(text) => texts.push(text.clone()),
        Tree::List(elements) => elements.iter().for_each(|element| templates(element, texts)),
        Tree::Map(entries) => {
            let is_verbatim = node.get("template").and_then(Node::scalar) == Some("false");
            let entries = entries.iter().filter(|(key, _)| !is_verbatim || key.scalar() != Some("content"));
            entries.for_each(|(_, value)| templates(value, texts));
        }
        Tree::Plain(_) | Tree::Text(_) | Tree::Alias(_) => {}
    }
}

/// The names below `values`, from the outermost, that expressions name.
#[derive(Default)]
struct Seen {
    named: BTreeSet<Vec<String>>,
    secret: BTreeSet<Vec<String>>,
}

impl Seen {
    /// Renders a template and looks where the text of each expression ends up.
    fn look(&mut self, scope: &Scope, text: &str) {
        // A recipe with a wrong template has no plan.
        let Ok(expressions) = expression::expressions(text, Raw::Allowed) else { return };
        let (mut rendered, mut stands, mut done) = (String::new(), Vec::new(), 0);
        for at in expressions {
            rendered.push_str(&text[done..at.start]);
            let start = rendered.len();
            let part = scope.render_expression(&text[at.clone()]);
            rendered.push_str(part.as_deref().unwrap_or_default());
            stands.push((start..rendered.len(), super::names_in_template(&text[at.clone()]), part.is_none()));
            done = at.end;
        }
        rendered.push_str(&text[done..]);
        // Each byte stays in its place.
        let shown = masked(&rendered);
        for (at, names, is_unknown) in stands {
            let is_secret = is_unknown || rendered.as_bytes()[at.clone()] != shown.as_bytes()[at];
            let set = if is_secret { &mut self.secret } else { &mut self.named };
            set.extend(names);
        }
    }

    fn part(
        &self,
        values: &Map<String, Value>,
        path: &mut Vec<String>,
        told: &mut Map<String, Value>,
        hidden: &mut Map<String, Value>,
    ) {
        for (key, value) in values {
            path.push(key.clone());
            match value {
                Value::Object(entries) if !entries.is_empty() => {
                    let (mut inner, mut kept_back) = (Map::new(), Map::new());
                    self.part(entries, path, &mut inner, &mut kept_back);
                    for (map, part) in [(&mut *told, inner), (&mut *hidden, kept_back)] {
                        if !part.is_empty() {
                            map.insert(key.clone(), part.into());
                        }
                    }
                }
                // There is nothing in it.
                Value::Object(_) => drop(told.insert(key.clone(), value.clone())),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                    let map = if self.tells(path, value) { &mut *told } else { &mut *hidden };
                    map.insert(key.clone(), value.clone());
                }
            }
            path.pop();
        }
    }

    fn tells(&self, path: &[String], value: &Value) -> bool {
        let is_in =
            |set: &BTreeSet<Vec<String>>| set.iter().any(|name| path.starts_with(name) || name.starts_with(path));
        is_in(&self.named) && !is_in(&self.secret) && is_shown(value)
    }
}

/// Whether a value has no URL with a secret part.
fn is_shown(value: &Value) -> bool {
    match value {
        Value::String(text) => masked(text) == *text,
        Value::Array(elements) => elements.iter().all(is_shown),
        Value::Object(entries) => entries.values().all(is_shown),
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::document::ValuesInput;
    use crate::recipe::parse;

    /// The hidden values of a recipe with these values and templates.
    fn hidden(values: &str, templates: &[&str]) -> Value {
        let lines = templates.iter().fold(String::new(), |lines, text| lines + "      - " + text + "\n");
        let text = format!(
            "apiVersion: recipe.sealer.io/v1alpha1\nkind: Recipe\nmetadata: {{name: demo}}\nvalues: {{{values}}}\n\
             stages:\n  - name: one\n    image: x:v1\n    steps:\n{lines}    kubefile: |\n      FROM scratch\n      COPY . .\n"
        );
        let source = Source::new("r.yaml", &text);
        let parsed = parse(&source).unwrap();
        let values = Values::merge(&parsed.recipe.declared(&source), &ValuesInput::default()).unwrap();
        let apart = public_values(&source, "demo", &values, [&Platform::host()]);
        let mut all = apart.public.clone();
        for (key, value) in &apart.hidden {
            all.entry(key.clone()).or_insert_with(|| value.clone());
        }
        assert_eq!(all.len(), values.as_map().len(), "each is told or hidden");
        apart.hidden.into()
    }

    #[test]
    fn values_in_what_is_secret_of_urls_are_hidden_and_so_are_those_that_nothing_names() {
        let url = |url: &str| format!("download: {{url: '{url}', path: x}}");
        let values = "a: A, b: B, s: '?', m: {c: C, d: D}, l: [E, F], u: 'https://h/x?G', num: 1";
        for (steps, expected) in [
            (
                vec![url("https://h/{{ values.a }}?t={{ values.b }}")],
                json!({"b": "B", "s": "?", "m": {"c": "C", "d": "D"}, "l": ["E", "F"], "u": "https://h/x?G", "num": 1}),
            ),
            (
                vec![
                    url("https://h/{{ values.a }}{{ values.s }}t={{ values.m.c | lower }}"),
                    url("{{ values.u }}"),
                    "write: {path: one, content: 'b={{ values.b }} https://u:{{ values.num }}@h/{{ values.m.d }}'}"
                        .to_owned(),
                    "write: {path: two, content: '{{ values.l | join(sep=\",\") }}'}".to_owned(),
                ],
                json!({"m": {"c": "C"}, "u": "https://h/x?G", "num": 1}),
            ),
            (
                // One use is enough, and so is the use of a part.
                vec![
                    "write: {path: one, content: '{{ values.a }} {{ values.b }} {{ values.s }} {{ values.num }}'}"
                        .to_owned(),
                    "write: {path: two, content: '{{ values.m.c }} {{ values.m.d }} {{ values.u }}'}".to_owned(),
                    url("https://h/x#{{ values.a }}"),
                    url("https://h/x?{{ values.l | first }}"),
                ],
                json!({"a": "A", "l": ["E", "F"], "u": "https://h/x?G"}),
            ),
        ] {
            let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
            assert_eq!(hidden(values, &steps), expected, "{steps:?}");
        }
    }
}
