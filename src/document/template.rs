//! Templates: Tera's expressions over the recipe's values and the platform, and nothing else.

use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tera::{Context, ErrorKind, Kwargs, State, Tera, TeraResult};

use super::expression::{self, FILTERS, Mention, Objection, Raw};
use super::{Data, DataValue, Text, Values, content_span};
use crate::types::{Diagnostic, Platform, Source, Span, nearest};

/// The most bytes of a rendered template.
const MOST_OUTPUT: usize = 1 << 20;

/// The most bytes of values that all templates of a recipe may touch together; far more than any honest recipe needs.
const MOST_TOUCHED: usize = 64 << 20;

/// The most parts that `split` may make.
const MOST_PARTS: usize = 10_000;

/// Why a text is not rendered.
enum Refused {
    /// It names a value that is wrong, which is reported elsewhere.
    Unknown,
    /// It is wrong itself.
    Objection(Objection),
}

impl Refused {
    fn objection(self) -> Option<Objection> {
        match self {
            Self::Unknown => None,
            Self::Objection(objection) => Some(objection),
        }
    }
}

impl From<Objection> for Refused {
    fn from(objection: Objection) -> Self {
        Self::Objection(objection)
    }
}

/// The names that the templates of a recipe can use, for one platform.
pub struct Scope {
    source: Source,
    names: Value,
    /// The bytes of `names`: the most that the use of one of them can cost.
    weight: usize,
    touched: AtomicUsize,
    context: Context,
    tera: Tera,
    /// Names whose values are wrong; this was reported already: `["values", "docker"]`.
    unknown: Vec<Vec<String>>,
}

impl Scope {
    /// The names that templates of the recipe in `source` see: `values`, `platform` and `recipe`.
    #[must_use]
    pub fn new(source: &Source, recipe_name: &str, values: &Values, platform: &Platform) -> Self {
        let names = json!({
            "values": values.as_map(),
            "platform": {
                "os": platform.os(),
                "architecture": platform.architecture(),
                "variant": platform.variant().unwrap_or_default(),
                "machine": platform.machine(),
            },
            "recipe": {"name": recipe_name},
        });
        Self::of_names(source, names)
    }

    /// The same with names that another scope [gave](Self::names); mistakes point into `source`.
    #[must_use]
    pub(crate) fn of_names(source: &Source, names: Value) -> Self {
        let mut context = Context::new();
        if let Value::Object(entries) = &names {
            for (name, value) in entries {
                context.insert(name.clone(), value);
            }
        }
        let mut tera = Tera::new();
        tera.register_filter("replace", replace);
        tera.register_filter("join", join);
        tera.register_filter("split", split);
        let weight = names.to_string().len();
        Self { source: source.clone(), names, weight, touched: AtomicUsize::new(0), context, tera, unknown: Vec::new() }
    }

    /// The same, but templates that name one of these, given as the parts of their names, cannot be rendered: their values are
    /// wrong, which is reported elsewhere.
    #[must_use]
    pub(crate) fn with_unknown(self, unknown: Vec<Vec<String>>) -> Self {
        Self { unknown, ..self }
    }

    /// All names that templates can use, with sorted keys, to render a text later without the recipe.
    #[must_use]
    pub fn names(&self) -> Value {
        sorted(&self.names)
    }

    /// A text with its expressions evaluated; a text without expressions as it is.
    ///
    /// The diagnostic points into the recipe: at the expression, or at the unknown name in it. There is none if the
    /// text names an unknown value.
    pub fn render(&self, text: &Text) -> Result<String, Option<Diagnostic>> {
        self.render_with(text, Raw::Refused)
    }

    /// As [`render`](Self::render), for the content of a file: `{% raw %}…{% endraw %}` keeps the text between.
    pub(crate) fn render_content(&self, text: &Text) -> Result<String, Option<Diagnostic>> {
        self.render_with(text, Raw::Allowed)
    }

    /// As [`render_content`](Self::render_content), for the whole text of this scope's source.
    pub(crate) fn render_source(&self) -> Result<String, Option<Diagnostic>> {
        self.evaluate(self.source.text(), Raw::Allowed).map_err(|refused| {
            refused.objection().map(|objection| {
                let span = Span::new(objection.at.start, objection.at.end);
                objection.into_diagnostic(span)
            })
        })
    }

    /// The result of one expression of a content, which is given with its braces; `None` if it has no result.
    pub(super) fn render_expression(&self, expression: &str) -> Option<String> {
        self.evaluate(expression, Raw::Allowed).ok()
    }

    fn render_with(&self, text: &Text, raw: Raw) -> Result<String, Option<Diagnostic>> {
        self.evaluate(text, raw).map_err(|refused| {
            refused.objection().map(|objection| {
                let span = content_span(&self.source, text, objection.at.clone());
                objection.into_diagnostic(span)
            })
        })
    }

    /// Free data with the expressions in its strings evaluated; keys stay as they are.
    pub(crate) fn render_data(&self, data: &Data) -> Result<Value, Option<Diagnostic>> {
        match &data.value {
            DataValue::Text(text) => self.render(&data.with(text.clone())).map(Value::String),
            DataValue::List(elements) => elements.iter().map(|element| self.render_data(element)).collect(),
            DataValue::Map(entries) => {
                entries.iter().map(|(key, value)| Ok((key.value.clone(), self.render_data(value)?))).collect()
            }
            DataValue::Null | DataValue::Bool(_) | DataValue::Number(_) => Ok(data.to_json()),
        }
    }

    fn evaluate(&self, text: &str, raw: Raw) -> Result<String, Refused> {
        if !expression::is_template(text) {
            return Ok(text.to_owned());
        }
        let mentions = expression::mentions(text, raw)?;
        for filter in &mentions.filters {
            if !FILTERS.contains(&filter.name.as_str()) {
                let message = format!("there is no filter `{}`", filter.name);
                let near = nearest(&filter.name, FILTERS.iter().copied());
                let help = near.map_or_else(|| format!("there are: {}", FILTERS.join(", ")), did_you_mean);
                return Err(Objection { at: filter.at.clone(), message, help: Some(help) }.into());
            }
        }
        let (unknown, known): (Vec<_>, Vec<_>) = mentions.names.iter().partition(|mention| self.is_unknown(mention));
        for mention in known {
            self.look_up(mention)?;
        }
        if !unknown.is_empty() {
            return Err(Refused::Unknown);
        }
        let cost = self.weight.saturating_mul(mentions.names.len());
        if self.touched.fetch_add(cost, Ordering::Relaxed).saturating_add(cost) > MOST_TOUCHED {
            let message = "the recipe's values are too large to be used this often".to_owned();
            return Err(Objection { at: 0..text.len(), message, help: None }.into());
        }
        let mut output = Limited(Vec::new());
        self.tera.render_str_to(text, &self.context, false, &mut output).map_err(|error| objection(&error, text))?;
        String::from_utf8(output.0).map_err(|_| {
            let message = "the template does not become UTF-8".to_owned();
            Objection { at: 0..text.len(), message, help: None }.into()
        })
    }

    fn is_unknown(&self, mention: &Mention) -> bool {
        let overlaps = |name: &Vec<String>| name.iter().zip(&mention.parts).all(|(one, (other, _))| one == other);
        self.unknown.iter().any(overlaps)
    }

    /// Checks that a name is there, part by part.
    fn look_up(&self, mention: &Mention) -> Result<(), Objection> {
        let mut value = &self.names;
        let mut path = String::new();
        for (part, at) in &mention.parts {
            let next = match value {
                Value::Object(entries) => entries.get(part),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
            };
            let Some(next) = next else {
                return Err(Objection {
                    at: at.clone(),
                    message: format!("there is no `{}`", joined(&path, part)),
                    help: Some(self.instead(value, &path, part)),
                });
            };
            path = joined(&path, part);
            value = next;
        }
        let kind = match value {
            Value::Object(_) => "map",
            Value::Array(_) => "list",
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return Ok(()),
        };
        if !mention.alone {
            return Ok(());
        }
        let (first, last) = (mention.parts.first(), mention.parts.last());
        let (start, end) = (first.map_or(0, |(_, at)| at.start), last.map_or(0, |(_, at)| at.end));
        let help = if kind == "list" {
            format!("`{{{{ {path} | join(sep=\",\") }}}}` makes it a string")
        } else {
            format!("name one of its entries: {}", leaves(value, &path).join(", "))
        };
        Err(Objection { at: start..end, message: format!("`{path}` is a {kind}, not a string"), help: Some(help) })
    }

    /// Suggestions for an unknown name.
    fn instead(&self, parent: &Value, path: &str, part: &str) -> String {
        let all = leaves(&self.names, "");
        let siblings: Vec<&str> = match parent {
            Value::Object(entries) => entries.keys().map(String::as_str).collect(),
            _ => Vec::new(),
        };
        if let Some(near) = nearest(part, siblings.iter().copied()) {
            return did_you_mean(&joined(path, near));
        }
        if let Some(same) = all.iter().find(|name| name.rsplit('.').next() == Some(part)) {
            return did_you_mean(same);
        }
        format!("there are: {}", all.join(", "))
    }
}

/// The same data for every order in which its maps were written.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(entries) => {
            let mut entries: Vec<_> = entries.iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
            entries.sort_by(|(one, _), (other, _)| one.cmp(other));
            entries.into_iter().collect()
        }
        Value::Array(elements) => elements.iter().map(sorted).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

fn did_you_mean(name: &str) -> String {
    format!("did you mean `{name}`?")
}

fn joined(path: &str, part: &str) -> String {
    if path.is_empty() { part.to_owned() } else { format!("{path}.{part}") }
}

/// The names of all values that are neither maps nor lists, up to fifty.
fn leaves(value: &Value, path: &str) -> Vec<String> {
    let mut names = match value {
        Value::Object(entries) => {
            entries.iter().flat_map(|(key, value)| leaves(value, &joined(path, key))).take(50).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => vec![path.to_owned()],
    };
    names.truncate(50);
    names
}

/// The names that a template mentions, as their parts; empty if it is not a template or has a mistake.
pub(super) fn names_in_template(text: &str) -> Vec<Vec<String>> {
    let mentions = expression::mentions(text, Raw::Allowed).unwrap_or_default();
    let below_values = |mention: &Mention| {
        let (root, rest) = mention.parts.split_first()?;
        (root.0 == "values").then(|| rest.iter().map(|(part, _)| part.clone()).collect())
    };
    mentions.names.iter().filter_map(below_values).collect()
}

/// The evaluator's names for kinds of values, and the names in recipes.
const THEIR_WORDS: [(&str, &str); 14] = [
    ("invalid type for the value, ", ""),
    ("Invalid type for the value, ", ""),
    ("`&[Value]`", "a list"),
    ("`array`", "a list"),
    ("`&str`", "a string"),
    ("`string`", "a string"),
    ("`i64`", "an integer"),
    ("`u64`", "an integer"),
    ("`i128`", "an integer"),
    ("`u128`", "an integer"),
    ("`f64`", "a number"),
    ("`bool`", "a boolean"),
    ("`map`", "a map"),
    ("`undefined`", "nothing"),
];

/// Tera's error at its place in the template, in our own words.
fn objection(error: &tera::Error, text: &str) -> Objection {
    let (message, at) = match error.kind() {
        ErrorKind::SyntaxError(report) | ErrorKind::RenderingError(report) => {
            (report.message().to_owned(), report.span().range.clone())
        }
        ErrorKind::Io(_) => ("the template becomes longer than 1 MiB".to_owned(), 0..text.len()),
        other => (other.to_string(), 0..text.len()),
    };
    let mut message = message;
    for (theirs, ours) in THEIR_WORDS {
        message = message.replace(theirs, ours);
    }
    // The rest is a list of the parser's own words for what could be there.
    if let Some(expected) = message.find(" but expected") {
        message.replace_range(expected.., ", which is not allowed here");
    }
    let first_line = message.lines().next().unwrap_or_default().trim_end_matches('.');
    let mut letters = first_line.chars();
    let message = match (letters.next(), letters.as_str()) {
        (Some(first), rest) if rest.starts_with(|c: char| c.is_lowercase() || c == ' ') => {
            format!("{}{rest}", first.to_lowercase())
        }
        _ => first_line.to_owned(),
    };
    Objection { at, message: format!("the expression does not work: {message}"), help: None }
}

/// A buffer with a limit.
struct Limited(Vec<u8>);

impl Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MOST_OUTPUT {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn too_long() -> tera::Error {
    tera::Error::message("a string becomes longer than 1 MiB")
}

#[expect(clippy::needless_pass_by_value, reason = "the signature is Tera's")]
fn replace(text: &str, arguments: Kwargs, _: &State<'_>) -> TeraResult<String> {
    let from = arguments.must_get::<&str>("from")?;
    let to = arguments.must_get::<&str>("to")?;
    let length = text.matches(from).count().saturating_mul(to.len()).saturating_add(text.len());
    if length > MOST_OUTPUT {
        return Err(too_long());
    }
    Ok(text.replace(from, to))
}

#[expect(clippy::needless_pass_by_value, reason = "the signature is Tera's")]
fn join(elements: &[tera::Value], arguments: Kwargs, _: &State<'_>) -> TeraResult<String> {
    let separator = arguments.get::<&str>("sep")?.unwrap_or_default();
    let mut text = String::new();
    for (i, element) in elements.iter().enumerate() {
        if i > 0 {
            text.push_str(separator);
        }
        text.push_str(&element.to_string());
        if text.len() > MOST_OUTPUT {
            return Err(too_long());
        }
    }
    Ok(text)
}

#[expect(clippy::needless_pass_by_value, reason = "the signature is Tera's")]
fn split(text: &str, arguments: Kwargs, _: &State<'_>) -> TeraResult<Vec<String>> {
    let pattern = arguments.must_get::<&str>("pat")?;
    if pattern.is_empty() || text.matches(pattern).count() > MOST_PARTS {
        return Err(tera::Error::message(format!(
            "`split` needs a separator that is not empty, and makes at most {MOST_PARTS} parts"
        )));
    }
    Ok(text.split(pattern).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests;
