//! `valuesSchema`: the rules of a recipe for its values, in JSON Schema 2020-12.

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{Draft, PatternOptions, ValidationError};
use serde_json::{Map, Value};

use super::{Data, DataValue, Located, Text, sink::Sink};
use crate::syntax::shortened;
use crate::types::{Diagnostic, Source, Span};

/// One source of values.
pub(super) struct Layer {
    pub(super) source: Source,
    pub(super) data: Data,
}

/// The only supported version of JSON Schema.
const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// A value that the schema does not allow, or a mistake in the schema itself.
pub(super) struct Misfit {
    /// The mistake with its text.
    pub(super) mistake: Located,
    /// The outermost value with the mistake.
    pub(super) value: Option<String>,
}

/// Checks merged values; each mistake points at the layer that the value came from.
pub(super) fn check(source: &Source, schema: &Data, values: &Map<String, Value>, layers: &[Layer]) -> Vec<Misfit> {
    let sink = Sink::default();
    if !matches!(schema.value, DataValue::Map(_)) {
        // It was reported when the recipe was read.
        return Vec::new();
    }
    refuse_distant(schema, &sink);
    if sink.has_errors() {
        let of_schema = |mistake| Misfit { mistake, value: None };
        return Located::all(source, sink.into_sorted()).into_iter().map(of_schema).collect();
    }
    let document = schema.to_json();
    // This engine does not backtrack: no pattern of a schema can run for ever.
    let built = jsonschema::options()
        .with_draft(Draft::Draft202012)
        .with_pattern_options(PatternOptions::regex())
        .build(&document);
    let validator = match built {
        Ok(validator) => validator,
        Err(error) => {
            let path = error.instance_path().as_str();
            let at = find(schema, path).unwrap_or(schema.span);
            let message = format!("`valuesSchema` is not a valid JSON Schema: {}", wrong_schema(&error, path));
            let mistake = Located { source: source.clone(), diagnostic: Diagnostic::error(at, message) };
            return vec![Misfit { mistake, value: None }];
        }
    };
    let instance = Value::Object(values.clone());
    let misfit = |error: ValidationError<'_>| {
        let path = error.instance_path().as_str();
        let name = path.trim_start_matches('/').replace('/', ".");
        let what = if name.is_empty() { "the values do".to_owned() } else { format!("`{name}` does") };
        let message = format!("{what} not fit the recipe's `valuesSchema`: {}", describe(&error));
        let from = layers.iter().rev().find_map(|layer| Some((&layer.source, find(&layer.data, path)?)));
        let (source, span) = from.unwrap_or((source, schema.span));
        let mistake = Located { source: source.clone(), diagnostic: Diagnostic::error(span, message) };
        let value = name.split('.').next().filter(|name| !name.is_empty()).map(str::to_owned);
        Misfit { mistake, value }
    };
    validator.iter_errors(&instance).take(100).map(misfit).collect()
}

/// The place that a JSON Pointer leads to.
fn find(data: &Data, pointer: &str) -> Option<Span> {
    let mut data = data;
    for step in pointer.split('/').skip(1) {
        data = data.child(&step.replace("~1", "/").replace("~0", "~"))?;
    }
    (data.span != Span::default()).then_some(data.span)
}

/// Nothing is fetched: references stay inside the schema.
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

/// The mistake of a keyword that names another document.
fn objection(keyword: &Text, target: &str, at: Span) -> Option<Diagnostic> {
    let target = shortened(target);
    match keyword.as_str() {
        "$ref" | "$dynamicRef" if !target.starts_with('#') => Some(
            Diagnostic::error(at, format!("the reference `{target}` points outside the schema"))
                .with_label("expected `#…`"),
        ),
        "$schema" if target.trim_end_matches('#') != DRAFT => Some(
            Diagnostic::error(at, format!("`{target}` is another version of JSON Schema"))
                .with_label(format!("expected `{DRAFT}`")),
        ),
        "$id" => Some(Diagnostic::error(keyword.span, "a `valuesSchema` has no `$id`").with_help("remove it")),
        _ => None,
    }
}

/// The mistake in a schema itself, at the keyword that the last part of `path` names.
fn wrong_schema(error: &ValidationError<'_>, path: &str) -> String {
    let value = shown(error.instance());
    match error.kind() {
        ValidationErrorKind::Referencing(_) => "a `$ref` in it points to nothing: `$defs` has no such name".to_owned(),
        ValidationErrorKind::Format { format } if format == "regex" => {
            format!("`{value}` is not a valid regular expression (look-arounds and backreferences are not supported)")
        }
        ValidationErrorKind::AnyOf { .. } if path.ends_with("/type") => {
            format!("`{value}` is not a type: the types are string, integer, number, boolean, array, object and null")
        }
        ValidationErrorKind::Format { .. } | ValidationErrorKind::AnyOf { .. } => {
            format!("`{value}` is not allowed here")
        }
        _ => describe(error),
    }
}

/// The schema's rule, in words.
fn describe(error: &ValidationError<'_>) -> String {
    let value = shown(error.instance());
    let names = |names: &[String]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match error.kind() {
        ValidationErrorKind::Pattern { pattern } => format!("`{value}` does not match the pattern `{pattern}`"),
        ValidationErrorKind::Type { kind } => {
            let expected = match kind {
                TypeKind::Single(expected) => expected.to_string(),
                TypeKind::Multiple(set) => set.iter().map(|kind| kind.to_string()).collect::<Vec<_>>().join(" or "),
            };
            format!("`{value}` is not of the type {expected}")
        }
        ValidationErrorKind::Required { property } => format!("`{}` is missing", shown(property)),
        ValidationErrorKind::Enum { options } => {
            let options = options.as_array().map(|options| options.iter().map(shown).collect::<Vec<_>>());
            format!("`{value}` is not one of {}", names(&options.unwrap_or_default()))
        }
        ValidationErrorKind::Constant { expected_value } => format!("`{value}` is not `{}`", shown(expected_value)),
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            format!("{} may not be there", names(unexpected))
        }
        ValidationErrorKind::FalseSchema => format!("nothing is allowed here, but there is `{value}`"),
        ValidationErrorKind::Minimum { limit } => format!("`{value}` is less than {limit}"),
        ValidationErrorKind::Maximum { limit } => format!("`{value}` is more than {limit}"),
        ValidationErrorKind::ExclusiveMinimum { limit } => format!("`{value}` is not more than {limit}"),
        ValidationErrorKind::ExclusiveMaximum { limit } => format!("`{value}` is not less than {limit}"),
        ValidationErrorKind::MultipleOf { multiple_of } => format!("`{value}` is not a multiple of {multiple_of}"),
        ValidationErrorKind::MinLength { limit } => format!("`{value}` is shorter than {limit} characters"),
        ValidationErrorKind::MaxLength { limit } => format!("`{value}` is longer than {limit} characters"),
        ValidationErrorKind::MinItems { limit } => format!("the list has fewer than {limit} elements"),
        ValidationErrorKind::MaxItems { limit } => format!("the list has more than {limit} elements"),
        ValidationErrorKind::AdditionalItems { limit } => format!("the list has more than {limit} elements"),
        ValidationErrorKind::UnevaluatedItems { unexpected } => format!("{} may not be in the list", names(unexpected)),
        ValidationErrorKind::UniqueItems => "an element is in the list twice".to_owned(),
        ValidationErrorKind::Contains => "the list lacks a required element".to_owned(),
        ValidationErrorKind::MinProperties { limit } => format!("the map has fewer than {limit} entries"),
        ValidationErrorKind::MaxProperties { limit } => format!("the map has more than {limit} entries"),
        ValidationErrorKind::PropertyNames { error } => {
            format!("a name in the map is not allowed: {}", describe(error))
        }
        ValidationErrorKind::Format { format } => format!("`{value}` is not a valid {format}"),
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            let mut reasons: Vec<String> = context.iter().flatten().map(describe).collect();
            reasons.sort();
            reasons.dedup();
            format!("none of the choices fits: {}", shortened(&reasons.join("; or ")))
        }
        ValidationErrorKind::OneOfMultipleValid { .. } => {
            format!("`{value}` fits more than one of the choices, expected exactly one")
        }
        ValidationErrorKind::Not { .. } => format!("`{value}` is not allowed"),
        ValidationErrorKind::BacktrackLimitExceeded { .. }
        | ValidationErrorKind::RegexEngineFailure { .. }
        | ValidationErrorKind::ContentEncoding { .. }
        | ValidationErrorKind::ContentMediaType { .. }
        | ValidationErrorKind::Custom { .. }
        | ValidationErrorKind::FromUtf8 { .. }
        | ValidationErrorKind::Referencing(_) => format!("`{value}` cannot be checked or does not fit"),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => shortened(text),
        other => shortened(&other.to_string()),
    }
}
