//! YAML files as people and tools write them, in all their forms.

use std::fmt::{self, Write as _};

use proptest::prelude::*;

/// A file and how many documents it has.
#[derive(Debug, Clone)]
pub(super) struct Text {
    pub(super) text: String,
    pub(super) documents: usize,
}

/// A value in a form.
#[derive(Debug, Clone)]
enum Form {
    Inline(String),
    /// Header and lines of a block scalar; an empty line is blank.
    Block(&'static str, Vec<&'static str>),
    /// Entries, and by how much they are indented.
    Map(Vec<Entry>, usize),
    /// Elements, and whether they are indented below a key.
    List(Vec<Entry>, bool),
}

#[derive(Debug, Clone)]
struct Entry {
    above: Vec<&'static str>,
    behind: &'static str,
    anchor: bool,
    value: Form,
}

fn inline() -> impl Strategy<Value = Form> {
    let scalars = vec![
        "",
        "1",
        "1.50",
        "x",
        "x y",
        "'a''b'",
        "\"q\\n\\u00e9\"",
        "true",
        "null",
        "~",
        "https://a.b/c#d",
        "é",
        "[]",
        "{}",
        "''",
        "[a, 'b', {c: 1}]",
        "{a: 1, \"b\": [x, y], c: {}}",
        "{ a: 1 }",
        "[1,2]",
        "[\n  a, # c\n\n  b\n  ]",
        "{\n  a: 1, # c\n  # d\n  b: x,\n  }",
        "\"m\n   n\"",
        "p\n    q",
        "'r\n\n   s'",
        "*a",
        "sea.hub:5000",
        "{a: , b: 2}",
        "[[1], [2, 3]]",
        "{\n  a: 1,\n  b: {}\n  }",
    ];
    prop::sample::select(scalars).prop_map(|text| Form::Inline(text.to_owned()))
}

fn block() -> impl Strategy<Value = Form> {
    let headers = vec!["|", "|-", "|+", ">", ">-", ">+", "| # c", "|2", "|2-"];
    let lines = vec!["x", "y z", "", "# no comment", "  deeper", "- a: b", "é"];
    (prop::sample::select(headers), prop::collection::vec(prop::sample::select(lines), 0..4)).prop_map(
        |(header, mut lines)| {
            // The first line says how deep the block is.
            lines.insert(0, if header.contains('2') { "  first" } else { "first" });
            Form::Block(header, lines)
        },
    )
}

fn form() -> impl Strategy<Value = Form> {
    let leaf = prop_oneof![4 => inline(), 1 => block()];
    leaf.prop_recursive(4, 20, 4, |inner| {
        let entries = prop::collection::vec(entry(inner), 1..4);
        (entries, 2_usize..5, 0_u8..4).prop_map(|(entries, indent, kind)| match kind {
            0 => Form::List(entries, false),
            1 => Form::List(entries, true),
            _ => Form::Map(entries, indent),
        })
    })
}

fn entry(value: impl Strategy<Value = Form>) -> impl Strategy<Value = Entry> {
    let above = prop::sample::select(vec!["", "# c", "#\ttabs\t", "# - a: b", "\u{1}", "  # deep"]);
    let behind = prop::sample::select(vec!["", "", " # c", "\t#\tt", "  "]);
    (prop::collection::vec(above, 0..2), behind, prop::bool::weighted(0.1), value)
        .prop_map(|(above, behind, anchor, value)| Entry { above, behind, anchor, value })
}

/// Files of one to three documents.
pub(super) fn any_text() -> impl Strategy<Value = Text> {
    let top = prop::collection::vec(entry(form()), 1..4);
    let document = (top, 2_usize..4, any::<bool>(), prop::sample::select(vec!["", "# tail\n", "\n\n", "...\n# x\n"]));
    let eol = prop::sample::select(vec!["\n", "\n", "\r\n"]);
    (prop::collection::vec(document, 1..4), eol, any::<bool>(), any::<bool>()).prop_map(
        |(documents, eol, has_mark, has_end)| {
            let mut text = String::new();
            let count = documents.len();
            for (index, (entries, indent, is_list, tail)) in documents.into_iter().enumerate() {
                if index > 0 {
                    text.push_str("---\n");
                }
                let mut writer = Writer { text: String::new(), has_anchor: false };
                let form = if is_list { Form::List(entries, false) } else { Form::Map(entries, indent) };
                writer.collection(&form, 0, true);
                text.push_str(&writer.text);
                text.push_str(tail);
            }
            if !has_end {
                text.truncate(text.trim_end_matches('\n').len());
            }
            let text = text.replace('\n', eol);
            Text { text: if has_mark { format!("\u{feff}{text}") } else { text }, documents: count }
        },
    )
}

struct Writer {
    text: String,
    has_anchor: bool,
}

impl Writer {
    fn put(&mut self, text: fmt::Arguments<'_>) {
        self.text.write_fmt(text).unwrap();
    }

    /// The lines of a collection; its first one goes on where the text ends unless `on_own_line`.
    fn collection(&mut self, form: &Form, column: usize, on_own_line: bool) {
        let (entries, indent, is_map) = match form {
            Form::Map(entries, indent) => (entries, *indent, true),
            Form::List(entries, is_indented) => (entries, usize::from(*is_indented) * 2, false),
            Form::Inline(_) | Form::Block(..) => return,
        };
        for (at, entry) in entries.iter().enumerate() {
            if at > 0 || on_own_line {
                for line in &entry.above {
                    let line = line.trim_matches('\u{1}');
                    let gap = if line.is_empty() { 0 } else { column };
                    self.put(format_args!("{}{line}\n", " ".repeat(gap)));
                }
                self.text.push_str(&" ".repeat(column));
            }
            if is_map {
                let key = ["k", "'on'", "\"b c\"", "long-key"][at % 4];
                self.put(format_args!("{key}:"));
                self.value(
                    entry,
                    column,
                    column + indent,
                    column + usize::from(!matches!(entry.value, Form::List(_, false))) * 2,
                    false,
                );
            } else {
                self.text.push('-');
                self.value(entry, column, column + 2, column + 2, true);
            }
        }
    }

    fn value(&mut self, entry: &Entry, column: usize, map: usize, list: usize, is_element: bool) {
        let is_alias = matches!(&entry.value, Form::Inline(text) if text == "*a");
        if entry.anchor && !is_alias && !self.has_anchor {
            self.text.push_str(" &a");
        }
        let has_anchor_here = entry.anchor && !is_alias && !self.has_anchor;
        match &entry.value {
            Form::Inline(text) => {
                let text = if is_alias && !self.has_anchor { "x" } else { text };
                if !text.is_empty() {
                    let text = text.replace('\n', &format!("\n{}", " ".repeat(column)));
                    self.put(format_args!(" {text}"));
                }
                // Behind nothing, other parsers take no tabs.
                let behind = if text.is_empty() { entry.behind.replace('\t', " ") } else { entry.behind.to_owned() };
                self.put(format_args!("{behind}\n"));
            }
            Form::Block(header, lines) => {
                self.put(format_args!(" {header}\n"));
                // An indicator counts from the collection's column.
                for line in lines {
                    let gap = if line.is_empty() { 0 } else { column + 2 };
                    self.put(format_args!("{}{line}\n", " ".repeat(gap)));
                }
            }
            Form::Map(..) | Form::List(..) if is_element && entry.behind.is_empty() && !has_anchor_here => {
                self.text.push(' ');
                self.collection(&entry.value, column + 2, false);
            }
            Form::Map(..) => {
                self.put(format_args!("{}\n", entry.behind.replace('\t', " ")));
                self.collection(&entry.value, map, true);
            }
            Form::List(..) => {
                self.put(format_args!("{}\n", entry.behind.replace('\t', " ")));
                self.collection(&entry.value, list, true);
            }
        }
        // Only what is complete can be repeated.
        self.has_anchor |= has_anchor_here;
    }
}
