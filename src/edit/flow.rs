//! Edits of collections in brackets: all of JSON, and the flow style of YAML.

use super::Refusal;
use super::render::{Pretty, compact_json, flow, in_quotes_of, json, key};
use super::route::Route;
use super::splice::{Splice, after_line_end, is_last_in_line, line_end, line_end_style, line_start, next_content};
use super::value::text_node;
use crate::syntax::{Node, Style, Value};

/// A text with brackets.
pub(super) struct Brackets<'t> {
    /// The text.
    pub(super) text: &'t str,
    /// Whether it is JSON, else YAML.
    pub(super) as_json: bool,
}

/// How the entries of a collection are laid out.
enum Layout<'t> {
    /// One below the other, indented by this, the closing bracket by that.
    Lines { indent: String, outer: String },
    /// In one line, with this between a comma and an entry, and this behind a colon.
    Line { gap: &'t str, colon: &'static str },
}

impl<'t> Brackets<'t> {
    /// A new entry: at the end of a map, before an index of a list.
    pub(super) fn insert(&self, route: &Route<'t>, token: &str, value: &Node) -> Vec<Splice> {
        let collection = route.node;
        let entries = Entries::of(self.text, collection);
        let is_map = matches!(collection.value, Value::Map(_));
        let layout = if entries.count == 0 { self.outer_layout(route) } else { self.layout(collection, &entries) };
        let entry = self.entry(is_map.then_some(token), value, &layout, collection.span.start);
        if entries.count == 0 {
            return self.first(collection, &layout, &entry);
        }
        let at = if is_map { entries.count } else { token.parse().unwrap_or(entries.count) };
        let eol = line_end_style(self.text, collection.span.start);
        let gap = match &layout {
            Layout::Lines { indent, .. } => format!("{eol}{indent}"),
            Layout::Line { gap, .. } => (*gap).to_owned(),
        };
        let is_in_lines = matches!(layout, Layout::Lines { .. });
        // Behind a comma that is there, below its comment.
        let behind = |comma: usize| {
            let behind = comma + 1;
            if is_in_lines && self.has_comment(behind) { line_end(self.text, behind) } else { behind }
        };
        if at == 0 {
            return vec![Splice::insert(entries.start(0), format!("{entry},{gap}"))];
        }
        if let Some(comma) = entries.comma(at - 1) {
            return vec![Splice::insert(behind(comma), format!("{gap}{entry},"))];
        }
        let end = entries.end(at - 1);
        if is_in_lines && self.has_comment(end) {
            let line_end = line_end(self.text, end);
            return vec![Splice::insert(end, ","), Splice::insert(line_end, format!("{gap}{entry}"))];
        }
        vec![Splice::insert(end, format!(",{gap}{entry}"))]
    }

    /// The only entry of what was empty.
    fn first(&self, collection: &Node, layout: &Layout<'_>, entry: &str) -> Vec<Splice> {
        let (open, close) = (collection.span.start + 1, collection.span.end.saturating_sub(1));
        let inner = &self.text[open..close];
        if !inner.trim_matches([' ', '\t', '\n', '\r']).is_empty() {
            // There is a comment inside.
            return vec![Splice::insert(open, entry)];
        }
        let eol = line_end_style(self.text, open);
        match layout {
            Layout::Lines { indent, outer } => {
                vec![Splice::new(open, close, format!("{eol}{indent}{entry}{eol}{outer}"))]
            }
            Layout::Line { .. } => vec![Splice::new(open, close, entry)],
        }
    }

    fn entry(&self, name: Option<&str>, value: &Node, layout: &Layout<'_>, at: usize) -> String {
        let colon = match layout {
            Layout::Lines { .. } => " ",
            Layout::Line { colon, .. } => colon,
        };
        let value = self.value(value, layout, at);
        match name {
            None => value,
            Some(name) => format!("{}:{colon}{value}", key(&text_node(name), self.as_json)),
        }
    }

    fn value(&self, value: &Node, layout: &Layout<'_>, at: usize) -> String {
        match layout {
            Layout::Lines { indent, outer } => {
                let eol = line_end_style(self.text, at);
                Pretty { unit: unit(indent, outer), eol, as_json: self.as_json }.write(value, indent)
            }
            Layout::Line { colon: "", .. } if self.as_json => compact_json(value),
            Layout::Line { .. } if self.as_json => json(value),
            Layout::Line { .. } => flow(value),
        }
    }

    /// The layout of the entries that there are.
    fn layout(&self, collection: &Node, entries: &Entries<'_>) -> Layout<'t> {
        let last = entries.count - 1;
        if let Some(indent) = self.indent_of(entries.start(last)) {
            let outer = self.indent_of(collection.span.end - 1);
            let outer = outer.unwrap_or_else(|| self.margin(collection.span.start)).to_owned();
            return Layout::Lines { indent: indent.to_owned(), outer };
        }
        let is_tight = match &collection.value {
            Value::Map(map) => {
                let colon = next_content(self.text, map[last].0.span.end);
                colon + 1 == map[last].1.whole().start && map[last].1.span.end > colon + 1
            }
            _ => false,
        };
        let gap = last
            .checked_sub(1)
            .and_then(|before| entries.comma(before))
            .map(|comma| &self.text[comma + 1..entries.start(last)])
            .filter(|gap| gap.bytes().all(|b| b == b' '));
        let gap = gap.unwrap_or(if self.as_json && is_tight { "" } else { " " });
        Layout::Line { gap, colon: if self.as_json && is_tight { "" } else { " " } }
    }

    /// The layout for entries of an empty collection: that of the collection around it.
    fn outer_layout(&self, route: &Route<'t>) -> Layout<'t> {
        let around = route.rungs.last().filter(|(holder, _)| holder.style == Style::Flow);
        let layout = around.map(|(holder, _)| self.layout(holder, &Entries::of(self.text, holder)));
        match layout {
            Some(Layout::Lines { indent, outer }) => {
                Layout::Lines { indent: format!("{indent}{}", unit(&indent, &outer)), outer: indent }
            }
            Some(line) => line,
            None => Layout::Line { gap: " ", colon: " " },
        }
    }

    /// Removes an entry.
    pub(super) fn remove(&self, collection: &Node, at: usize) -> Result<Vec<Splice>, Refusal> {
        let entries = Entries::of(self.text, collection);
        if entries.count == 1 {
            return Ok(vec![Splice::delete(collection.span.start + 1, collection.span.end - 1)]);
        }
        let (start, end) = (entries.start(at), entries.end(at));
        let own_comma = entries.comma(at);
        let behind = own_comma.map_or(end, |comma| comma + 1);
        let has_lines = self.indent_of(start).is_some() && is_last_in_line(self.text, behind);
        let lines =
            Splice::delete(line_start(self.text, start), after_line_end(self.text, line_end(self.text, behind)));
        if at + 1 < entries.count {
            if has_lines {
                return Ok(vec![lines]);
            }
            let next = entries.start(at + 1);
            let stays = self.text[behind..next].contains('#');
            return Ok(vec![Splice::delete(start, if stays { behind } else { next })]);
        }
        // The last one: the comma before it goes, and its own stays if it has one.
        let before = entries.end(at - 1);
        let comma = entries.comma(at - 1).ok_or(Refusal::Layout(None))?;
        if !self.text[before..start].contains('#') {
            let to = if own_comma.is_none() && self.has_comment(end) { line_end(self.text, end) } else { end };
            return Ok(vec![Splice::delete(before, to)]);
        }
        let entry = if has_lines { lines } else { Splice::delete(start, behind) };
        if own_comma.is_some() {
            return Ok(vec![entry]);
        }
        Ok(vec![Splice::delete(comma, comma + 1), entry])
    }

    /// Another value at the route's end, which is in brackets or the root.
    pub(super) fn replace(&self, route: &Route<'t>, value: &Node) -> Vec<Splice> {
        let old = route.node;
        let holder = route.rungs.last().filter(|(holder, _)| holder.style == Style::Flow);
        let layout = match holder {
            Some((holder, _)) => self.layout(holder, &Entries::of(self.text, holder)),
            None if self.text[old.span.range()].contains(['\n', '\r']) => {
                Layout::Lines { indent: String::new(), outer: String::new() }
            }
            None => Layout::Line { gap: " ", colon: " " },
        };
        let new = in_quotes_of(old, value).filter(|_| !self.as_json);
        let new = new.unwrap_or_else(|| self.value(value, &layout, old.span.start));
        if old.span.start < old.span.end {
            let start = if old.tag().is_some() { old.whole().start } else { old.span.start };
            return vec![Splice::new(start, old.span.end, new)];
        }
        let has_colon = self.text[..old.whole().start].trim_end_matches([' ', '\t']).ends_with(':');
        let has_blank = has_colon && self.text[old.span.end..].starts_with(' ');
        let gap = if has_colon { " " } else { ": " };
        vec![if has_blank {
            Splice::insert(old.span.end + 1, new)
        } else {
            Splice::insert(old.span.end, format!("{gap}{new}"))
        }]
    }

    /// What is before `at` in its line, if that is nothing but blanks.
    fn indent_of(&self, at: usize) -> Option<&'t str> {
        let before = &self.text[line_start(self.text, at)..at];
        let is_first_line = at == before.len();
        (before.bytes().all(|b| matches!(b, b' ' | b'\t')) && !is_first_line).then_some(before)
    }

    /// The blanks that the line of `at` begins with.
    fn margin(&self, at: usize) -> &'t str {
        let line = &self.text[line_start(self.text, at)..at];
        &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
    }

    /// Whether nothing but a comment follows in the line.
    fn has_comment(&self, at: usize) -> bool {
        is_last_in_line(self.text, at) && self.text[at..line_end(self.text, at)].contains('#')
    }
}

/// By how much entries are indented.
fn unit<'t>(indent: &'t str, outer: &str) -> &'t str {
    indent.strip_prefix(outer).filter(|unit| !unit.is_empty()).unwrap_or("  ")
}

/// The entries of a collection in brackets, by their bytes.
struct Entries<'a> {
    text: &'a str,
    collection: &'a Node,
    count: usize,
}

impl<'a> Entries<'a> {
    fn of(text: &'a str, collection: &'a Node) -> Self {
        let count = match &collection.value {
            Value::Map(entries) => entries.len(),
            Value::List(elements) => elements.len(),
            Value::Plain(_) | Value::Text(_) | Value::Alias(_) => 0,
        };
        Self { text, collection, count }
    }

    /// Where an entry begins, its `?`, anchor and tag included.
    fn start(&self, at: usize) -> usize {
        let before = match at.checked_sub(1) {
            None => self.collection.span.start,
            Some(before) => self.comma(before).unwrap_or_else(|| self.end(before)),
        };
        next_content(self.text, before + 1)
    }

    /// Where its value ends. A value that is not written keeps the blank after its `:`, without which some readers take
    /// the `:` for a part of the key.
    fn end(&self, at: usize) -> usize {
        match &self.collection.value {
            Value::Map(entries) => {
                let span = entries[at].1.span;
                let has_blank = span.start == span.end && self.text[span.end..].starts_with(' ');
                span.end + usize::from(has_blank)
            }
            Value::List(elements) => elements[at].span.end,
            Value::Plain(_) | Value::Text(_) | Value::Alias(_) => self.collection.span.end,
        }
    }

    /// The comma after it.
    fn comma(&self, at: usize) -> Option<usize> {
        let comma = next_content(self.text, self.end(at));
        (self.text.as_bytes().get(comma) == Some(&b',')).then_some(comma)
    }
}
