//! Explains the parts of a recipe from the schema. The schema comes only from the parser's own types.

mod text;

use serde::Serialize;
use serde_json::{Map, Value};

use super::schema;
use crate::types::nearest;

/// The parts of recipes, one line each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Overview {
    /// The fields of a recipe.
    pub recipe: Vec<Line>,
    /// The fields of a stage.
    pub stage: Vec<Line>,
    /// The context entries.
    pub context_entries: Vec<Line>,
    /// The steps.
    pub steps: Vec<Line>,
}

/// A name and its meaning, in one sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// The name, as recipes write it.
    pub name: String,
    /// The first sentence of its description.
    pub summary: String,
}

/// The description and the fields of a part of a recipe.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The name, as recipes write it.
    pub name: String,
    /// What kind of part it is.
    pub kind: PartKind,
    /// What it does; paragraphs are separated by an empty line.
    pub description: String,
    /// Its fields, in the order of the documentation.
    pub fields: Vec<Field>,
    /// The fields of which exactly one is needed; empty if there is no such choice.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exactly_one_of: Vec<String>,
    /// Examples in the recipe's form: a map of the name to the fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<Value>,
}

/// What kind of part something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum PartKind {
    /// The whole recipe.
    Recipe,
    /// An element of `stages`.
    Stage,
    /// An element of a stage's `context`.
    ContextEntry,
    /// An element of a stage's `steps`.
    Step,
}

/// A field of a part.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Field {
    /// The name.
    pub name: String,
    /// The kind of its value, in words: `list of maps`.
    #[serde(rename = "type")]
    pub holds: String,
    /// Whether it must be there.
    pub required: bool,
    /// Its default, if that is a constant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// What it means.
    pub description: String,
    /// Examples of its value.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<Value>,
    /// The fields of its map, or of each map in its list.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Field>,
}

/// No part has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no step or context entry `{name}`{}; the names are {}", did_you_mean(near.as_deref()), names.join(", "))]
pub struct UnknownPart {
    name: String,
    near: Option<String>,
    names: Vec<String>,
}

fn did_you_mean(near: Option<&str>) -> String {
    near.map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"))
}

/// The parts of recipes.
#[must_use]
pub fn overview() -> Overview {
    let schema = schema();
    let lines = |definition: &Value| {
        let line = |(name, property): (&String, &Value)| line(name, property);
        properties(definition).map(line).collect()
    };
    let kinds = |kind| variants(&schema, kind).into_iter().map(|(name, variant)| line(name, variant)).collect();
    Overview {
        recipe: lines(&schema),
        stage: lines(&schema["$defs"]["Stage"]),
        context_entries: kinds("ContextEntry"),
        steps: kinds("Step"),
    }
}

/// The names that [`explain`] knows: those of steps and context entries, `stage` and `recipe`.
#[must_use]
pub fn explained() -> Vec<String> {
    let schema = schema();
    let names = ["ContextEntry", "Step"].into_iter().flat_map(|kind| variants(&schema, kind));
    let names = names.map(|(name, _)| name.to_owned());
    names.chain(["stage".to_owned(), "recipe".to_owned()]).collect()
}

/// Explains the step, context entry, stage or recipe with a name.
pub fn explain(name: &str) -> Result<Explanation, UnknownPart> {
    let schema = schema();
    let Some((kind, definition)) = find(&schema, name) else {
        let names = explained();
        let near = nearest(name, names.iter().map(String::as_str)).map(str::to_owned);
        return Err(UnknownPart { name: name.to_owned(), near, names });
    };
    let example = |example: &Value| Value::Object(Map::from_iter([(name.to_owned(), example.clone())]));
    Ok(Explanation {
        name: name.to_owned(),
        kind,
        description: description(definition),
        fields: fields(&schema, definition),
        exactly_one_of: exactly_one_of(definition),
        examples: elements(&definition["examples"]).map(example).collect(),
    })
}

fn find<'a>(schema: &'a Value, name: &str) -> Option<(PartKind, &'a Value)> {
    match name {
        "recipe" => return Some((PartKind::Recipe, schema)),
        "stage" => return Some((PartKind::Stage, &schema["$defs"]["Stage"])),
        _ => {}
    }
    [(PartKind::ContextEntry, "ContextEntry"), (PartKind::Step, "Step")].into_iter().find_map(|(kind, definition)| {
        let (_, variant) = variants(schema, definition).into_iter().find(|(variant, _)| *variant == name)?;
        Some((kind, followed(schema, &variant["properties"][name])))
    })
}

/// The maps with one key that an enum of the model allows: each key, and the schema of the whole map.
fn variants<'a>(schema: &'a Value, definition: &str) -> Vec<(&'a str, &'a Value)> {
    let variant = |variant: &'a Value| Some((properties(variant).next()?.0.as_str(), variant));
    elements(&schema["$defs"][definition]["oneOf"]).filter_map(variant).collect()
}

fn line(name: &str, part: &Value) -> Line {
    let description = description(part);
    let summary = description.split_once(". ").map_or(description.as_str(), |(first, _)| first);
    let summary = summary.lines().next().unwrap_or_default().trim_end_matches('.').to_owned();
    Line { name: name.to_owned(), summary }
}

/// The description with each paragraph on one line.
fn description(part: &Value) -> String {
    let text = part["description"].as_str().unwrap_or_default();
    let paragraphs = text.split("\n\n").map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" "));
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

fn properties(definition: &Value) -> impl Iterator<Item = (&String, &Value)> {
    definition["properties"].as_object().into_iter().flatten()
}

fn elements(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

/// The target of a `$ref`; otherwise the part itself.
fn followed<'a>(schema: &'a Value, part: &'a Value) -> &'a Value {
    match definition_name(part) {
        Some(name) => &schema["$defs"][name],
        None => part,
    }
}

fn definition_name(part: &Value) -> Option<&str> {
    part["$ref"].as_str()?.strip_prefix("#/$defs/")
}

fn exactly_one_of(definition: &Value) -> Vec<String> {
    let single = |choice: &Value| {
        let choice = choice.as_object().filter(|choice| choice.len() == 1)?;
        let [only] = choice.get("required")?.as_array()?.as_slice() else { return None };
        only.as_str().map(str::to_owned)
    };
    elements(&definition["oneOf"]).map(single).collect::<Option<_>>().unwrap_or_default()
}

fn fields(schema: &Value, definition: &Value) -> Vec<Field> {
    let required: Vec<&Value> = elements(&definition["required"]).collect();
    let field = |(name, property): (&String, &Value)| Field {
        name: name.clone(),
        holds: holds(schema, property, false),
        required: required.iter().any(|required| *required == name),
        default: property.get("default").cloned(),
        description: description(property),
        examples: elements(&property["examples"]).cloned().collect(),
        fields: inner_fields(schema, property),
    };
    properties(definition).map(field).collect()
}

fn inner_fields(schema: &Value, property: &Value) -> Vec<Field> {
    let element = if property["type"] == "array" { &property["items"] } else { property };
    let definition = followed(schema, element);
    let maps = elements(&definition["anyOf"]).find(|choice| choice["type"] == "object");
    fields(schema, maps.unwrap_or(definition))
}

/// The kind of a value, in words.
fn holds(schema: &Value, part: &Value, plural: bool) -> String {
    let word = |one: &str, several: &str| if plural { several.to_owned() } else { one.to_owned() };
    if let Some(constant) = part["const"].as_str() {
        return format!("`{constant}`");
    }
    let definition = followed(schema, part);
    let constants: Vec<String> = elements(&definition["oneOf"])
        .filter_map(|choice| choice["const"].as_str())
        .map(|constant| format!("`{constant}`"))
        .collect();
    if !constants.is_empty() {
        return format!("one of {}", constants.join(", "));
    }
    if definition["oneOf"].is_array() && definition.get("properties").is_none() {
        return match definition_name(part) {
            Some("ContextEntry") => word("context entry", "context entries"),
            Some(name) => word(&name.to_lowercase(), &format!("{}s", name.to_lowercase())),
            None => word("map", "maps"),
        };
    }
    let choices: Vec<String> = elements(&definition["anyOf"]).map(|choice| holds(schema, choice, plural)).collect();
    if !choices.is_empty() {
        return choices.join(" or ");
    }
    match definition["type"].as_str() {
        Some("string") => word("text", "texts"),
        Some("integer") => word("number", "numbers"),
        Some("boolean") => "true or false".to_owned(),
        Some("array") => format!("{} of {}", word("list", "lists"), holds(schema, &definition["items"], true)),
        Some("object") => word("map", "maps"),
        _ => word("any value", "any values"),
    }
}

#[cfg(test)]
mod tests;
