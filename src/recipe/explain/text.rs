//! Explanations for people.

use std::fmt::{self, Write};

use serde_json::Value;

use super::{Explanation, Field, Line, Overview, PartKind};

/// The longest line, in characters.
const WIDTH: usize = 100;

impl fmt::Display for Overview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            ("Fields of a recipe", &self.recipe),
            ("Fields of a stage", &self.stage),
            ("Context entries, where the files of a stage come from", &self.context_entries),
            ("Steps, which change them", &self.steps),
        ];
        let names = parts.iter().flat_map(|(_, lines)| *lines).map(|line| line.name.len());
        let width = names.max().unwrap_or_default();
        for (title, lines) in parts {
            writeln!(f, "{title}:")?;
            for Line { name, summary } in lines {
                writeln!(f, "  {name:width$}  {summary}")?;
            }
            writeln!(f)?;
        }
        writeln!(f, "`sealer recipe explain NAME` explains a context entry, a step, `stage` or `recipe`.")
    }
}

impl fmt::Display for PartKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Recipe => "the whole file",
            Self::Stage => "an element of `stages`",
            Self::ContextEntry => "a context entry: an element of a stage's `context`",
            Self::Step => "a step: an element of a stage's `steps`",
        })
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}, {}", self.name, self.kind)?;
        for paragraph in self.description.split("\n\n") {
            writeln!(f)?;
            wrapped(f, paragraph, 0)?;
        }
        writeln!(f, "\nFields:")?;
        write_fields(f, &self.fields, 2)?;
        if let [first @ .., last] = self.exactly_one_of.as_slice() {
            writeln!(f, "\nExactly one of `{}` and `{last}` is needed.", first.join("`, `"))?;
        }
        for example in &self.examples {
            writeln!(f, "\nExample:")?;
            let yaml = yaml(example).ok_or(fmt::Error)?;
            yaml.lines().try_for_each(|line| writeln!(f, "  {line}"))?;
        }
        Ok(())
    }
}

/// An example as an element of a list, as YAML.
fn yaml(example: &Value) -> Option<String> {
    serde_yaml::to_string(std::slice::from_ref(example)).ok()
}

fn write_fields(f: &mut fmt::Formatter<'_>, fields: &[Field], indent: usize) -> fmt::Result {
    for field in fields {
        let mut line = format!("{:indent$}{}: {}", "", field.name, field.holds);
        if field.required {
            line.push_str(", needed");
        }
        // A default that is an empty list or map is not shown: this is clear. If the default is nothing, the
        // description explains it.
        let is_told = |default: &&Value| **default != Value::Array(Vec::new()) && !default.is_null();
        if let Some(default) = field.default.as_ref().filter(is_told) {
            write!(line, ", default {default}")?;
        }
        writeln!(f, "{line}")?;
        wrapped(f, &field.description, indent + 4)?;
        for example in &field.examples {
            // JSON is YAML, so an example of any kind can be pasted.
            writeln!(f, "{:1$}for example {example}", "", indent + 4)?;
        }
        write_fields(f, &field.fields, indent + 4)?;
    }
    Ok(())
}

/// Writes a paragraph in lines of at most [`WIDTH`] characters, unless a word is longer.
fn wrapped(f: &mut fmt::Formatter<'_>, paragraph: &str, indent: usize) -> fmt::Result {
    let mut line = String::new();
    for word in paragraph.split_whitespace() {
        if !line.is_empty() && indent + line.chars().count() + 1 + word.chars().count() > WIDTH {
            writeln!(f, "{:indent$}{line}", "")?;
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    writeln!(f, "{:indent$}{line}", "")
}
