//! Values: the recipe's defaults, then files, then `--set`.

use serde_json::{Map, Number, Value};

use super::read::parse_data;
use super::sink::Sink;
use super::values_schema::{self, Layer};
use super::{Data, DataValue, Located, Spanned};
use crate::syntax::shortened;
use crate::types::{Diagnostic, Source, Span, nearest};

/// Where values come from besides the recipe, in the order in which they override.
#[derive(Debug, Clone, Default)]
pub struct ValuesInput {
    /// Files of `-f/--values`, each a YAML map of the values that it changes.
    pub files: Vec<Source>,
    /// Arguments of `--set`, `KEY=VALUE` with `.` between the names of nested keys.
    pub sets: Vec<String>,
}

/// What a document says about its values.
#[derive(Debug, Clone, Copy)]
pub struct Declared<'a> {
    /// The document's text.
    pub source: &'a Source,
    /// The defaults, a map.
    pub defaults: Option<&'a Data>,
    /// The JSON Schema that the merged values must satisfy.
    pub schema: Option<&'a Data>,
}

/// The values that templates see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Values(Map<String, Value>);

impl Values {
    /// The values by name.
    #[must_use]
    pub(crate) fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    /// Merges a recipe's defaults with the user's values, and checks the result against the recipe's `valuesSchema`.
    ///
    /// Only values that the recipe has can be changed, and only to their own kind; below a default `{}` everything is
    /// allowed. The error has all mistakes, each with its text; each `--set` is a text of its own.
    pub fn merge(declared: &Declared<'_>, input: &ValuesInput) -> Result<Self, Vec<Located>> {
        let merged = Self::merge_leniently(declared, input);
        if merged.mistakes.is_empty() { Ok(merged.values) } else { Err(merged.mistakes) }
    }

    /// Like [`merge`](Self::merge), but it also has a result if there are mistakes: it leaves out a source of values
    /// with a mistake.
    #[must_use]
    pub(crate) fn merge_leniently(declared: &Declared<'_>, input: &ValuesInput) -> MergedValues {
        let Declared { source, defaults, schema } = *declared;
        let empty = Data::new(Span::default(), DataValue::Map(Vec::new()));
        let defaults = defaults.cloned().unwrap_or(empty);
        let mut layers = vec![Layer { source: source.clone(), data: defaults.clone() }];
        let (mut mistakes, mut doubtful) = (Vec::new(), Vec::new());
        let texts = input.files.iter().map(|file| (file.clone(), None));
        let sets = input.sets.iter().map(|set| (Source::new("--set", set), Some(set.as_str())));
        for (source, set) in texts.chain(sets) {
            let sink = Sink::default();
            let data = match set {
                None => file(&source, &sink),
                Some(set) => assignment(set, &defaults, &sink),
            };
            if let Some(data) = &data
                && !sink.has_errors()
            {
                compare(&defaults, data, "", &sink);
            }
            match (data, sink.has_errors()) {
                (Some(data), false) => layers.push(Layer { source: source.clone(), data }),
                (Some(data), true) => doubtful.extend(data.entries().map(|(key, _)| key.value.clone())),
                (None, _) => doubtful.extend(set.and_then(|set| set.split(['=', '.']).next()).map(str::to_owned)),
            }
            mistakes.extend(Located::all(&source, sink.into_sorted()));
        }
        let mut merged = Map::new();
        for layer in &layers {
            overlay(&mut merged, &layer.data);
        }
        if let (true, Some(schema)) = (mistakes.is_empty(), schema) {
            for misfit in values_schema::check(source, schema, &merged, &layers) {
                doubtful.extend(misfit.value);
                mistakes.push(misfit.mistake);
            }
        }
        MergedValues { values: Self(merged), mistakes, doubtful }
    }
}

/// Values and their mistakes.
#[derive(Debug, Clone, Default)]
pub(crate) struct MergedValues {
    /// The values that are known.
    pub values: Values,
    /// All mistakes, each with its text.
    pub mistakes: Vec<Located>,
    /// The names of the outermost values with mistakes; their values are not known.
    pub doubtful: Vec<String>,
}

/// A file of values.
fn file(source: &Source, sink: &Sink) -> Option<Data> {
    match parse_data(source, "file of values") {
        Ok(data) => {
            if let Some(data) = &data {
                map_of_values(data, sink);
            }
            data
        }
        Err(diagnostics) => {
            for diagnostic in diagnostics {
                sink.add(diagnostic);
            }
            None
        }
    }
}

/// `a.b=c` as a map in a map; the value has the kind of the default.
fn assignment(text: &str, defaults: &Data, sink: &Sink) -> Option<Data> {
    let whole = Span::new(0, text.len());
    let Some((key, value)) = text.split_once('=') else {
        sink.add(Diagnostic::error(whole, "expected `KEY=VALUE`"));
        return None;
    };
    if key.split('.').any(str::is_empty) {
        sink.add(Diagnostic::error(Span::new(0, key.len()), "a key must have a name between its dots"));
        return None;
    }
    let default = key.split('.').try_fold(defaults, |data, part| data.get(part));
    let at = Span::new(key.len() + 1, text.len());
    let value = match default.map(|default| &default.value) {
        Some(DataValue::Bool(_)) => match value {
            "true" => DataValue::Bool(true),
            "false" => DataValue::Bool(false),
            _ => {
                let message = format!("`{key}` must be `true` or `false`, as in the recipe");
                sink.add(Diagnostic::error(at, message));
                return None;
            }
        },
        Some(DataValue::Number(_)) => {
            let number = value.parse::<i64>().ok().filter(|number| number.to_string() == value);
            let Some(number) = number else {
                sink.add(Diagnostic::error(at, format!("`{key}` must be an integer, as in the recipe")));
                return None;
            };
            DataValue::Number(Number::from(number))
        }
        Some(DataValue::Null | DataValue::Text(_) | DataValue::List(_) | DataValue::Map(_)) | None => {
            DataValue::Text(value.to_owned())
        }
    };
    let mut end = key.len();
    let mut data = Spanned::new(at, value);
    for part in key.rsplit('.') {
        let start = end - part.len();
        let name = Spanned::new(Span::new(start, end), part.to_owned());
        data = Spanned::new(whole, DataValue::Map(vec![(name, data)]));
        end = start.saturating_sub(1);
    }
    Some(data)
}

/// Checks that the given values change only existing values, and only to their own kind.
fn compare(defaults: &Data, given: &Data, path: &str, sink: &Sink) {
    match (&defaults.value, &given.value) {
        (DataValue::Map(known), DataValue::Map(entries)) => {
            if known.is_empty() && !path.is_empty() {
                return;
            }
            for (key, value) in entries {
                let path = if path.is_empty() { key.value.clone() } else { format!("{path}.{}", key.value) };
                if let Some(default) = defaults.get(key) {
                    compare(default, value, &path, sink);
                    continue;
                }
                let names: Vec<&str> = known.iter().map(|(name, _)| name.value.as_str()).collect();
                let help = match (nearest(key, names.iter().copied()), names.is_empty()) {
                    (Some(near), _) => format!("did you mean `{near}`?"),
                    (None, false) => format!("there are: {}", names.join(", ")),
                    (None, true) => "it has no values: add defaults to its `values`".to_owned(),
                };
                sink.add(
                    Diagnostic::error(key.span, format!("the recipe has no value `{}`", shortened(&path)))
                        .with_help(help),
                );
            }
        }
        (default, value) => {
            let (expected, found) = (default.kind(), value.kind());
            if expected != found {
                let diagnostic =
                    Diagnostic::error(given.span, format!("`{path}` is {expected} in the recipe, not {found}"));
                sink.add(diagnostic.with_label(format!("expected {expected}")));
            }
        }
    }
}

/// Checks that `values` is a map, and that a template would show each value's text as it was written.
pub(crate) fn map_of_values(values: &Data, sink: &Sink) {
    if let DataValue::Map(_) = &values.value {
        value(values, sink);
    } else {
        let message = format!("values must be a map, not {}", values.kind());
        sink.add(Diagnostic::error(values.span, message).with_label("expected names and their values"));
    }
}

fn value(data: &Data, sink: &Sink) {
    match &data.value {
        DataValue::Bool(_) | DataValue::Text(_) => {}
        DataValue::Null => {
            if !sink.has_error_at(data.span) {
                let help = "for an empty string, write `\"\"`";
                sink.add(Diagnostic::error(data.span, "a value cannot be null").with_help(help));
            }
        }
        DataValue::Number(number) => {
            if number.is_f64() {
                sink.add(
                    Diagnostic::error(data.span, format!("YAML reads `{number}` as a fraction"))
                        .with_label("expected a string, an integer or a boolean")
                        .with_help(format!("quote it: `\"{number}\"`")),
                );
            }
        }
        DataValue::List(elements) => elements.iter().for_each(|element| value(element, sink)),
        DataValue::Map(entries) => entries.iter().for_each(|(_, entry)| value(entry, sink)),
    }
}

/// Puts a layer over the values: maps are merged, everything else is replaced.
fn overlay(target: &mut Map<String, Value>, layer: &Data) {
    let DataValue::Map(entries) = &layer.value else { return };
    for (key, value) in entries {
        if let (Some(Value::Object(inner)), DataValue::Map(_)) = (target.get_mut(&key.value), &value.value) {
            overlay(inner, value);
        } else {
            target.insert(key.value.clone(), value.to_json());
        }
    }
}

#[cfg(test)]
mod tests;
