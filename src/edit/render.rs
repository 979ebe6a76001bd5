//! New values as text: in brackets, or by indentation.

use super::scalar::{Meaning, double_quoted, is_literal, is_plain, is_special, meaning, single_quoted};
use crate::syntax::{Node, Style, Value};

/// A node as JSON in one line, a space after `:` and `,`.
pub(crate) fn json(node: &Node) -> String {
    brackets(node, " ", &json_scalar)
}

/// A node as JSON without any blanks.
pub(super) fn compact_json(node: &Node) -> String {
    brackets(node, "", &json_scalar)
}

/// A node as YAML in one line, in brackets if it is a collection.
pub(super) fn flow(node: &Node) -> String {
    brackets(node, " ", &|text, is_string| scalar(text, is_string, true))
}

/// A key as JSON or YAML.
pub(super) fn key(node: &Node, as_json: bool) -> String {
    match &node.followed().value {
        Value::Text(text) | Value::Plain(text) if as_json => double_quoted(text),
        Value::Plain(text) => scalar(text, false, true),
        Value::Text(text) => scalar(text, true, true),
        Value::Map(_) | Value::List(_) | Value::Alias(_) => String::new(),
    }
}

fn json_scalar(text: &str, is_string: bool) -> String {
    if is_string || meaning(text) == Meaning::String { double_quoted(text) } else { text.to_owned() }
}

/// A scalar in YAML. A value without quotes stays without quotes if possible: `yes` is what its reader makes of it.
fn scalar(text: &str, is_string: bool, in_flow: bool) -> String {
    let is_word = !is_string && is_special(text);
    if text.is_empty() && !is_string {
        "null".to_owned()
    } else if is_word || is_plain(text, in_flow) {
        text.to_owned()
    } else {
        double_quoted(text)
    }
}

fn brackets(node: &Node, gap: &str, scalar: &dyn Fn(&str, bool) -> String) -> String {
    match &node.followed().value {
        Value::Plain(text) => scalar(text, false),
        Value::Text(text) => scalar(text, true),
        Value::List(elements) => {
            let elements: Vec<_> = elements.iter().map(|element| brackets(element, gap, scalar)).collect();
            format!("[{}]", elements.join(&format!(",{gap}")))
        }
        Value::Map(entries) => {
            let entry = |(key, value): &(Node, Node)| {
                format!("{}:{gap}{}", brackets(key, gap, scalar), brackets(value, gap, scalar))
            };
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(&format!(",{gap}")))
        }
        Value::Alias(_) => String::new(),
    }
}

/// A node as JSON over several lines.
pub(super) struct Pretty<'a> {
    /// The indentation of one level.
    pub(super) unit: &'a str,
    /// The line end.
    pub(super) eol: &'a str,
    /// Whether keys and strings are quoted as in JSON.
    pub(super) as_json: bool,
}

impl Pretty<'_> {
    /// The node, whose first line is indented by `indent` (which is not written).
    pub(super) fn write(&self, node: &Node, indent: &str) -> String {
        let below = format!("{indent}{}", self.unit);
        let entries: Vec<String> = match &node.followed().value {
            Value::Map(entries) => entries
                .iter()
                .map(|(name, value)| format!("{}: {}", key(name, self.as_json), self.write(value, &below)))
                .collect(),
            Value::List(elements) => elements.iter().map(|element| self.write(element, &below)).collect(),
            Value::Plain(_) | Value::Text(_) | Value::Alias(_) => Vec::new(),
        };
        if entries.is_empty() {
            return if self.as_json { json(node) } else { flow(node) };
        }
        let (open, close) = if matches!(node.followed().value, Value::Map(_)) { ('{', '}') } else { ('[', ']') };
        let eol = self.eol;
        let entries = entries.join(&format!(",{eol}{below}"));
        format!("{open}{eol}{below}{entries}{eol}{indent}{close}")
    }
}

/// A value by indentation: what is on the line of its key or dash, and the lines below.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rendered {
    /// Behind `:` or `-`, without the space before it; empty where all is below.
    pub(super) head: String,
    /// Whole lines, indented, without line ends.
    pub(super) tail: Vec<String>,
}

impl Rendered {
    fn inline(head: String) -> Self {
        Self { head, tail: Vec::new() }
    }
}

/// How collections are indented in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Indents {
    /// Columns from a key to the keys below it.
    pub(super) map: usize,
    /// Columns from a key to the dashes below it.
    pub(super) list: usize,
    /// Whether strings of several lines may become literal blocks.
    pub(super) literals: bool,
}

impl Indents {
    /// The value of a key that is in `column`.
    pub(super) fn value(&self, node: &Node, column: usize) -> Rendered {
        match &node.followed().value {
            Value::Map(entries) if !entries.is_empty() => {
                Rendered { head: String::new(), tail: self.map_lines(entries, column + self.map) }
            }
            Value::List(elements) if !elements.is_empty() => {
                Rendered { head: String::new(), tail: self.list_lines(elements, column + self.list) }
            }
            _ => self.scalar(node, column + self.map),
        }
    }

    /// An element of a list whose dash is in `column`.
    pub(super) fn element(&self, node: &Node, column: usize) -> Rendered {
        let lines = match &node.followed().value {
            Value::Map(entries) if !entries.is_empty() => self.map_lines(entries, column + 2),
            Value::List(elements) if !elements.is_empty() => self.list_lines(elements, column + 2),
            _ => return self.scalar(node, column + 2),
        };
        let mut lines = lines.into_iter();
        let head = lines.next().unwrap_or_default().trim_start_matches(' ').to_owned();
        Rendered { head, tail: lines.collect() }
    }

    fn scalar(&self, node: &Node, column: usize) -> Rendered {
        match &node.followed().value {
            Value::Text(text) if self.literals && is_literal(text) => {
                let (head, body) = text.strip_suffix('\n').map_or(("|-", text.as_str()), |body| ("|", body));
                let indent = " ".repeat(column);
                let line = |line: &str| if line.is_empty() { String::new() } else { format!("{indent}{line}") };
                Rendered { head: head.to_owned(), tail: body.split('\n').map(line).collect() }
            }
            Value::Text(text) => Rendered::inline(scalar(text, true, false)),
            Value::Plain(text) => Rendered::inline(scalar(text, false, false)),
            Value::Map(_) | Value::List(_) | Value::Alias(_) => Rendered::inline(flow(node)),
        }
    }

    /// The lines of a map's entries, keys in `column`.
    pub(super) fn map_lines(&self, entries: &[(Node, Node)], column: usize) -> Vec<String> {
        let mut lines = Vec::new();
        for (name, value) in entries {
            lines.extend(self.entry_lines(name, value, column));
        }
        lines
    }

    /// The lines of one entry of a map, its key in `column`.
    pub(super) fn entry_lines(&self, name: &Node, value: &Node, column: usize) -> Vec<String> {
        let Rendered { head, mut tail } = self.value(value, column);
        let gap = if head.is_empty() { "" } else { " " };
        tail.insert(0, format!("{}{}:{gap}{head}", " ".repeat(column), key(name, false)));
        tail
    }

    /// The lines of a list's elements, dashes in `column`.
    pub(super) fn list_lines(&self, elements: &[Node], column: usize) -> Vec<String> {
        elements.iter().flat_map(|element| self.element_lines(element, column)).collect()
    }

    /// The lines of one element of a list, its dash in `column`.
    pub(super) fn element_lines(&self, element: &Node, column: usize) -> Vec<String> {
        let Rendered { head, mut tail } = self.element(element, column);
        tail.insert(0, format!("{}- {head}", " ".repeat(column)));
        tail
    }
}

/// A scalar in the quotes that the one before it had; `None` if it should be written as new ones are.
pub(super) fn in_quotes_of(old: &Node, new: &Node) -> Option<String> {
    let Value::Text(text) = &new.value else { return None };
    match old.style {
        Style::DoubleQuoted => Some(double_quoted(text)),
        Style::SingleQuoted => single_quoted(text),
        Style::Plain | Style::Literal | Style::Folded | Style::Block | Style::Flow | Style::Pair | Style::Alias => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::value::from_json;
    use super::*;

    fn node() -> Node {
        let value = serde_json::json!({
            "a": [1, "x y", "yes", [], {}, ["b", {"c": null, "d e": "f\ng"}]],
            "on": {"h": {"i": true}},
            "t": "l\n\n m\n",
            "u": "{x}",
        });
        from_json(&value).unwrap()
    }

    #[test]
    fn values_in_brackets() {
        insta::assert_snapshot!(json(&node()), @r#"{"a": [1, "x y", "yes", [], {}, ["b", {"c": null, "d e": "f\ng"}]], "on": {"h": {"i": true}}, "t": "l\n\n m\n", "u": "{x}"}"#);
        insta::assert_snapshot!(flow(&node()), @r#"{a: [1, x y, "yes", [], {}, [b, {c: null, d e: "f\ng"}]], "on": {h: {i: true}}, t: "l\n\n m\n", u: "{x}"}"#);
        let pretty = Pretty { unit: "  ", eol: "\n", as_json: true };
        insta::assert_snapshot!(pretty.write(&node(), "  "), @r#"
        {
            "a": [
              1,
              "x y",
              "yes",
              [],
              {},
              [
                "b",
                {
                  "c": null,
                  "d e": "f\ng"
                }
              ]
            ],
            "on": {
              "h": {
                "i": true
              }
            },
            "t": "l\n\n m\n",
            "u": "{x}"
          }
        "#);
    }

    #[test]
    fn values_by_indentation() {
        let Value::Map(entries) = node().value else { panic!() };
        let indents = Indents { map: 2, list: 0, literals: true };
        insta::assert_snapshot!(indents.map_lines(&entries, 2).join("\n"), @r#"
        a:
        - 1
        - x y
        - "yes"
        - []
        - {}
        - - b
          - c: null
            d e: |-
              f
              g
        "on":
          h:
            i: true
        t: |
          l

           m
        u: "{x}"
        "#);
        let indents = Indents { map: 4, list: 2, literals: false };
        insta::assert_snapshot!(indents.map_lines(&entries, 0).join("\n"), @r#"
        a:
          - 1
          - x y
          - "yes"
          - []
          - {}
          - - b
            - c: null
              d e: "f\ng"
        "on":
            h:
                i: true
        t: "l\n\n m\n"
        u: "{x}"
        "#);
    }
}
