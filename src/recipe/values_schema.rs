//! `valuesSchema`: what a recipe demands of its values, in JSON Schema 2020-12.

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{Draft, PatternOptions, ValidationError};
use serde_json::{Map, Value};

use super::values::Layer;
use super::{Data, DataValue, Located, Text, sink::Sink};
use crate::syntax::shortened;
use crate::words::{Diagnostic, Source, Span};

/// The one version of JSON Schema that is understood.
const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Checks merged values; each mistake is told at the layer that the value came from.
pub(super) fn check(
    source: &Source,
    schema: &Data,
    values: &Map<String, Value>,
    layers: &[Layer],
) -> Result<(), Vec<Located>> {
    let sink = Sink::default();
    refuse_distant(schema, &sink);
    if sink.has_errors() {
        return Err(Located::all(source, sink.into_sorted()));
    }
    let document = schema.to_json();
    // The engine without backtracking: a schema cannot make a pattern take for ever.
    let validator = jsonschema::options()
        .with_draft(Draft::Draft202012)
        .with_pattern_options(PatternOptions::regex())
        .build(&document)
        .map_err(|error| {
            let at = find(schema, error.instance_path().as_str()).unwrap_or(schema.span);
            let message = format!("`valuesSchema` is no JSON Schema: {}", describe(&error));
            Located::all(source, vec![Diagnostic::error(at, message)])
        })?;
    let instance = Value::Object(values.clone());
    let errors: Vec<Located> = validator
        .iter_errors(&instance)
        .take(100)
        .map(|error| {
            let path = error.instance_path().as_str();
            let name = path.trim_start_matches('/').replace('/', ".");
            let what = if name.is_empty() { "the values do".to_owned() } else { format!("`{name}` does") };
            let message = format!("{what} not fit the recipe's `valuesSchema`: {}", describe(&error));
            let from = layers.iter().rev().find_map(|layer| Some((&layer.source, find(&layer.data, path)?)));
            let (source, span) = from.unwrap_or((source, schema.span));
            Located { source: source.clone(), diagnostic: Diagnostic::error(span, message) }
        })
        .collect();
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// The place of what a JSON Pointer leads to.
fn find(data: &Data, pointer: &str) -> Option<Span> {
    let mut data = data;
    for step in pointer.split('/').skip(1) {
        data = data.child(&step.replace("~1", "/").replace("~0", "~"))?;
    }
    (data.span != Span::default()).then_some(data.span)
}

/// Nothing is fetched: references lead inside of the schema.
fn refuse_distant(schema: &Data, sink: &Sink) {
    match &schema.value {
        DataValue::Map(entries) => {
            for (key, value) in entries {
                if let DataValue::Text(text) = &value.value
                    && let Some(diagnostic) = objection(key, text, value.span)
                {
                    sink.add(diagnostic);
                }
                refuse_distant(value, sink);
            }
        }
        DataValue::List(elements) => elements.iter().for_each(|element| refuse_distant(element, sink)),
        DataValue::Null | DataValue::Bool(_) | DataValue::Number(_) | DataValue::Text(_) => {}
    }
}

/// What is wrong with a keyword that names another document.
fn objection(keyword: &Text, target: &str, at: Span) -> Option<Diagnostic> {
    let target = shortened(target);
    match keyword.as_str() {
        "$ref" | "$dynamicRef" if !target.starts_with('#') => Some(
            Diagnostic::error(at, format!("the reference `{target}` leads out of the schema"))
                .with_label("expected `#…`"),
        ),
        "$schema" if target.trim_end_matches('#') != DRAFT => Some(
            Diagnostic::error(at, format!("`{target}` is another version of JSON Schema"))
                .with_label(format!("expected `{DRAFT}`")),
        ),
        "$id" => Some(Diagnostic::error(keyword.span, "a `valuesSchema` has no `$id`").with_help("leave it out")),
        _ => None,
    }
}

/// What the schema demands, as far as it is one of the common demands.
fn describe(error: &ValidationError<'_>) -> String {
    let value = shown(error.instance());
    match error.kind() {
        ValidationErrorKind::Pattern { pattern } => format!("`{value}` does not match the pattern `{pattern}`"),
        ValidationErrorKind::Type { kind } => {
            let expected = match kind {
                TypeKind::Single(expected) => expected.to_string(),
                TypeKind::Multiple(set) => set.iter().map(|kind| kind.to_string()).collect::<Vec<_>>().join(" or "),
            };
            format!("`{value}` is not of the type {expected}")
        }
        ValidationErrorKind::Required { property } => format!("{property} is missing"),
        ValidationErrorKind::Enum { options } => format!("`{value}` is none of {options}"),
        ValidationErrorKind::Constant { expected_value } => format!("`{value}` is not {expected_value}"),
        ValidationErrorKind::AdditionalProperties { unexpected } => format!("unexpected {}", unexpected.join(", ")),
        ValidationErrorKind::FalseSchema => format!("nothing is allowed here, but there is `{value}`"),
        ValidationErrorKind::Minimum { limit } => format!("`{value}` is less than {limit}"),
        ValidationErrorKind::Maximum { limit } => format!("`{value}` is more than {limit}"),
        ValidationErrorKind::MinLength { limit } => format!("`{value}` is shorter than {limit} characters"),
        ValidationErrorKind::MaxLength { limit } => format!("`{value}` is longer than {limit} characters"),
        _ => shortened(&error.to_string()),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => shortened(text),
        other => shortened(&other.to_string()),
    }
}
