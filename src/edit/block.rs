//! Edits of YAML collections that are written by indentation.

use super::Refusal;
use super::render::{Indents, Rendered, flow, in_quotes_of};
use super::route::Route;
use super::splice::{
    Splice, after_line_end, before_line_end, is_first_in_line, is_last_in_line, line_end, line_end_style, line_start,
    next_content,
};
use super::value::text_node;
use crate::syntax::{Node, Properties, Style, Value};

/// A YAML text and how it indents.
pub(super) struct Page<'t> {
    text: &'t str,
    indents: Indents,
}

/// The place of a replaced value.
enum Holder {
    Root,
    /// Behind a key in this column.
    Key(usize),
    /// Behind a dash in this column.
    Dash(usize),
}

fn unusual(why: &str) -> Refusal {
    Refusal::Layout(Some(why.to_owned()))
}

impl<'t> Page<'t> {
    /// A text that indents as the document at `root` does at its top.
    pub(super) fn new(text: &'t str, root: &Node, literals: bool) -> Self {
        let mut found = (None, None);
        find_indents(text, root, &mut found);
        Self { text, indents: Indents { map: found.0.unwrap_or(2), list: found.1.unwrap_or(2), literals } }
    }

    /// A new entry: at the end of a map, before an index of a list.
    pub(super) fn insert(&self, collection: &Node, token: &str, value: &Node) -> Result<Vec<Splice>, Refusal> {
        let start = collection.span.start;
        let column = column(self.text, start);
        let (at, lines, count) = match &collection.value {
            Value::Map(entries) => {
                let lines = self.indents.entry_lines(&text_node(token), value, column);
                // What ends with the file can have nothing after it without becoming longer by a line end.
                let at = entries.len() - usize::from(self.ends_open(collection));
                (at, lines, entries.len())
            }
            Value::List(elements) => {
                let at = token.parse().unwrap_or(elements.len());
                if at == elements.len() && self.ends_open(collection) {
                    return Err(unusual("the file ends inside a block scalar; add a line end to the file first"));
                }
                (at, self.indents.element_lines(value, column), elements.len())
            }
            Value::Plain(_) | Value::Text(_) | Value::Alias(_) => return Err(Refusal::Layout(None)),
        };
        if at == count {
            return self.below(collection.span.end, &lines);
        }
        if at > 0 && !self.ends_open(collection) {
            return self.below(entry_end(collection, at - 1), &lines);
        }
        let before = self.entry_start(collection, at);
        let eol = line_end_style(self.text, before);
        let mut text = lines.join(eol).trim_start_matches(' ').to_owned();
        text.push_str(eol);
        text.push_str(&" ".repeat(column));
        Ok(vec![Splice::insert(before, text)])
    }

    /// Removes an entry; an empty collection becomes `{}` or `[]`.
    pub(super) fn remove(&self, route: &Route<'_>) -> Result<Vec<Splice>, Refusal> {
        let Some((collection, at)) = route.rungs.last().copied() else { return Err(Refusal::RemoveRoot) };
        let (start, end) = (self.entry_start(collection, at), entry_end(collection, at));
        if !is_last_in_line(self.text, end) {
            return Err(Refusal::Layout(None));
        }
        if count(collection) == 1 {
            return Ok(self.empty(route, collection, start, end));
        }
        if is_first_in_line(self.text, start) {
            let before = at.checked_sub(1).map(|before| last_leaf(entry_value(collection, before)));
            return Ok(vec![self.without_lines(start, end, before)]);
        }
        // The first entry of a map shares its line with the dash of the list around it.
        let next = self.entry_start(collection, at + 1);
        let line_end = line_end(self.text, end);
        let gap = &self.text[after_line_end(self.text, line_end)..next];
        if gap.bytes().all(|b| b == b' ') {
            return Ok(vec![Splice::delete(start, next)]);
        }
        let behind_dash = self.text[..start].trim_end_matches(' ').len();
        Ok(vec![Splice::delete(behind_dash, line_end)])
    }

    fn empty(&self, route: &Route<'_>, collection: &Node, start: usize, end: usize) -> Vec<Splice> {
        let brackets = if matches!(collection.value, Value::Map(_)) { "{}" } else { "[]" };
        let holder = route.rungs.len().checked_sub(2).map(|above| route.rungs[above]);
        let opener = holder.and_then(|(holder, at)| self.opener(holder, at));
        match collection.properties.as_ref().map(|properties| properties.span.end).or(opener) {
            Some(opener) if is_first_in_line(self.text, start) => {
                vec![Splice::insert(opener, format!(" {brackets}")), self.without_lines(start, end, None)]
            }
            _ => vec![Splice::new(start, line_end(self.text, end), brackets)],
        }
    }

    /// Another value at the route's end, whose holder is a block collection, or which is the root itself.
    pub(super) fn replace(&self, route: &Route<'_>, value: &Node) -> Result<Vec<Splice>, Refusal> {
        let old = route.node;
        let (holder, opener) = match route.rungs.last() {
            None => (Holder::Root, None),
            Some((holder, at)) => {
                let column = column(self.text, self.entry_start(holder, *at));
                let opener = self.opener(holder, *at);
                match holder.value {
                    Value::Map(_) => (Holder::Key(column), opener),
                    _ => (Holder::Dash(column), opener),
                }
            }
        };
        let mut new = match holder {
            Holder::Root => self.root(value),
            Holder::Key(column) => self.indents.value(value, column),
            Holder::Dash(column) => self.indents.element(value, column),
        };
        if let Some(quoted) = in_quotes_of(old, value) {
            new = Rendered { head: quoted, tail: Vec::new() };
        }
        // An anchor that nothing repeats may stay in front of a scalar; a tag says what the old value was.
        let properties = old.properties.as_deref();
        let is_scalar = matches!(value.value, Value::Plain(_) | Value::Text(_)) && new.tail.is_empty();
        let stays = |properties: &&Properties| properties.tag.is_none() && is_scalar;
        if let Some(stays) = properties.filter(stays) {
            return self.replace_value(old, old.span.start, Some(stays.span.end), &new);
        }
        self.replace_value(old, properties.map_or(old.span.start, |gone| gone.span.start), opener, &new)
    }

    /// The bytes from `start` to the old value's end, properties that go with it included.
    fn replace_value(
        &self,
        old: &Node,
        start: usize,
        opener: Option<usize>,
        new: &Rendered,
    ) -> Result<Vec<Splice>, Refusal> {
        match old.style {
            Style::Block => {
                let mut splices = self.replace_block(old, opener, new)?;
                if let Some(gone) = old.properties.as_deref().filter(|gone| gone.span.start == start) {
                    let from = self.text[..start].trim_end_matches([' ', '\t']).len();
                    splices.push(Splice::delete(from, gone.span.end));
                }
                Ok(splices)
            }
            Style::Literal | Style::Folded => self.replace_literal(old, start, opener, new),
            _ => self.replace_inline(start, old.span.end, opener, new),
        }
    }

    fn root(&self, value: &Node) -> Rendered {
        match &value.value {
            Value::Map(entries) if !entries.is_empty() => {
                Rendered { head: String::new(), tail: self.indents.map_lines(entries, 0) }
            }
            Value::List(elements) if !elements.is_empty() => {
                Rendered { head: String::new(), tail: self.indents.list_lines(elements, 0) }
            }
            _ => Rendered { head: flow(value), tail: Vec::new() },
        }
    }

    fn replace_block(&self, old: &Node, opener: Option<usize>, new: &Rendered) -> Result<Vec<Splice>, Refusal> {
        let (start, end) = (old.span.start, old.span.end);
        if !is_last_in_line(self.text, end) {
            return Err(Refusal::Layout(None));
        }
        match opener {
            Some(opener) if is_first_in_line(self.text, start) => {
                let head = (!new.head.is_empty()).then(|| Splice::insert(opener, format!(" {}", new.head)));
                Ok(head.into_iter().chain([self.lines(start, end, &new.tail)]).collect())
            }
            None if is_first_in_line(self.text, start) => {
                let mut lines = new.tail.clone();
                if !new.head.is_empty() {
                    lines.insert(0, new.head.clone());
                }
                Ok(vec![self.lines(start, end, &lines)])
            }
            _ if new.head.is_empty() => Err(Refusal::Layout(None)),
            _ => {
                let eol = line_end_style(self.text, start);
                let text: Vec<&str> = std::iter::once(&new.head).chain(&new.tail).map(String::as_str).collect();
                Ok(vec![Splice::new(start, line_end(self.text, end), text.join(eol))])
            }
        }
    }

    fn replace_literal(
        &self,
        old: &Node,
        start: usize,
        opener: Option<usize>,
        new: &Rendered,
    ) -> Result<Vec<Splice>, Refusal> {
        let (header_start, end) = (old.span.start, old.span.end);
        let header_line_end = line_end(self.text, header_start);
        let header = &self.text[header_start..header_line_end];
        let header_end = header_start + header.find([' ', '\t']).unwrap_or(header.len());
        let from = if new.head.is_empty() { opener.unwrap_or(start).min(start) } else { start };
        let mut splices = vec![Splice::new(from, header_end, new.head.clone())];
        if end > header_line_end {
            splices.push(self.lines(after_line_end(self.text, header_line_end), end, &new.tail));
        } else if !new.tail.is_empty() {
            splices.extend(self.below(header_end, &new.tail)?);
        }
        Ok(splices)
    }

    fn replace_inline(
        &self,
        start: usize,
        end: usize,
        opener: Option<usize>,
        new: &Rendered,
    ) -> Result<Vec<Splice>, Refusal> {
        let below = if new.tail.is_empty() { Vec::new() } else { self.below(end, &new.tail)? };
        let here = if new.head.is_empty() {
            let opener = opener.ok_or(Refusal::Layout(None))?;
            if line_start(self.text, start) > opener {
                return Ok(vec![self.lines(start, end, &new.tail)]);
            }
            Splice::delete(opener.min(start), end)
        } else if start == end {
            let blanks = self.text[end..].len() - self.text[end..].trim_start_matches([' ', '\t']).len();
            let line_is_empty = line_end(self.text, end) == end + blanks;
            Splice::new(end, if line_is_empty { end + blanks } else { end }, format!(" {}", new.head))
        } else {
            Splice::new(start, end, new.head.clone())
        };
        Ok(std::iter::once(here).chain(below).collect())
    }

    /// New lines below the one that `end` is in, where some content ends.
    fn below(&self, end: usize, lines: &[String]) -> Result<Vec<Splice>, Refusal> {
        if !is_last_in_line(self.text, end) {
            return Err(Refusal::Layout(None));
        }
        let line_end = line_end(self.text, end);
        let next = after_line_end(self.text, line_end);
        let eol = line_end_style(self.text, end);
        let text: String = if next > line_end {
            lines.iter().flat_map(|line| [line.as_str(), eol]).collect()
        } else {
            lines.iter().flat_map(|line| [eol, line.as_str()]).collect()
        };
        Ok(vec![Splice::insert(next, text)])
    }

    /// Other lines for those from `start` to `end`.
    fn lines(&self, start: usize, end: usize, lines: &[String]) -> Splice {
        if lines.is_empty() {
            return self.without_lines(start, end, None);
        }
        let eol = line_end_style(self.text, start);
        let line_end = line_end(self.text, end);
        Splice::new(line_start(self.text, start), line_end, lines.join(eol))
    }

    /// The lines from `start` to `end` gone, a file without a final line end still having none.
    fn without_lines(&self, start: usize, end: usize, leaf_before: Option<&Node>) -> Splice {
        let first = line_start(self.text, start);
        let line_end = line_end(self.text, end);
        let next = after_line_end(self.text, line_end);
        let block_scalar = leaf_before.filter(|leaf| matches!(leaf.style, Style::Literal | Style::Folded));
        match block_scalar {
            Some(scalar) => Splice::delete(first, self.behind_comments(scalar, next)),
            None if next > line_end => Splice::delete(first, next),
            None => Splice::delete(before_line_end(self.text, first), line_end),
        }
    }

    /// Behind the comments at `at` that a block scalar would take for text if they came directly below it: those that
    /// are indented as its text is, and blank lines where it keeps them.
    fn behind_comments(&self, scalar: &Node, at: usize) -> usize {
        let written = &self.text[scalar.span.range()];
        let (header, body) = written.split_at(line_end(written, 0));
        let keeps = header.split([' ', '\t']).next().is_some_and(|header| header.contains('+'));
        let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
        let is_blank = |line: &&str| line.trim_matches([' ', '\t']).is_empty();
        // An indicator gives the least indentation; text of only blanks may begin anywhere.
        let indicator = header.split('#').next().and_then(|header| header.bytes().find(u8::is_ascii_digit));
        let body_indent = match indicator {
            Some(digit) => usize::from(digit - b'0'),
            None => body.split(['\n', '\r']).filter(|line| !is_blank(line)).map(indent).min().unwrap_or(1),
        };
        let (mut behind, mut line) = (at, at);
        while line < self.text.len() {
            let end = line_end(self.text, line);
            let content = self.text[line..end].trim_start_matches([' ', '\t']);
            let next = after_line_end(self.text, end);
            let is_deep_comment = content.starts_with('#') && indent(&self.text[line..end]) >= body_indent;
            if !(content.is_empty() || is_deep_comment) {
                break;
            }
            if is_deep_comment || keeps {
                behind = next;
            }
            if next == end {
                break;
            }
            line = next;
        }
        behind
    }

    /// The byte where an entry's key or dash stands, `?` and the key's anchor included.
    fn entry_start(&self, collection: &Node, at: usize) -> usize {
        match at.checked_sub(1) {
            None => collection.span.start,
            Some(before) => next_content(self.text, entry_end(collection, before)),
        }
    }

    /// The byte after the `:` or `-` in front of a value.
    fn opener(&self, holder: &Node, at: usize) -> Option<usize> {
        match &holder.value {
            Value::Map(entries) => {
                let colon = next_content(self.text, entries[at].0.span.end);
                (self.text.as_bytes().get(colon) == Some(&b':')).then_some(colon + 1)
            }
            _ => Some(self.entry_start(holder, at) + 1),
        }
    }

    /// Whether the file ends inside a block scalar at the node's end that a line end after it would change.
    fn ends_open(&self, node: &Node) -> bool {
        let leaf = last_leaf(node);
        matches!(leaf.style, Style::Literal | Style::Folded)
            && line_end(self.text, leaf.span.end) == self.text.len()
            && !self.text[leaf.span.start..line_end(self.text, leaf.span.start)]
                .split([' ', '\t'])
                .next()
                .is_some_and(|header| header.contains('-'))
    }
}

fn column(text: &str, at: usize) -> usize {
    at - line_start(text, at)
}

fn count(collection: &Node) -> usize {
    match &collection.value {
        Value::Map(entries) => entries.len(),
        Value::List(elements) => elements.len(),
        Value::Plain(_) | Value::Text(_) | Value::Alias(_) => 0,
    }
}

fn entry_value(collection: &Node, at: usize) -> &Node {
    match &collection.value {
        Value::Map(entries) => &entries[at].1,
        Value::List(elements) => &elements[at],
        Value::Plain(_) | Value::Text(_) | Value::Alias(_) => collection,
    }
}

fn entry_end(collection: &Node, at: usize) -> usize {
    entry_value(collection, at).span.end
}

/// The scalar, alias or collection in brackets that a node ends with.
fn last_leaf(node: &Node) -> &Node {
    let mut node = node;
    while node.style == Style::Block {
        match count(node).checked_sub(1) {
            Some(last) => node = entry_value(node, last),
            None => break,
        }
    }
    node
}

/// The first differences between a key's column and those of a map and a list below it.
fn find_indents(text: &str, node: &Node, found: &mut (Option<usize>, Option<usize>)) {
    if node.style != Style::Block || (found.0.is_some() && found.1.is_some()) {
        return;
    }
    match &node.value {
        Value::Map(entries) => {
            for (key, value) in entries {
                if value.style == Style::Block && is_first_in_line(text, value.span.start) {
                    let deeper = column(text, value.span.start).checked_sub(column(text, key.whole().start));
                    match value.value {
                        Value::Map(_) => found.0 = found.0.or(deeper.filter(|columns| *columns > 0)),
                        _ => found.1 = found.1.or(deeper),
                    }
                }
                find_indents(text, value, found);
            }
        }
        Value::List(elements) => elements.iter().for_each(|element| find_indents(text, element, found)),
        Value::Plain(_) | Value::Text(_) | Value::Alias(_) => {}
    }
}
