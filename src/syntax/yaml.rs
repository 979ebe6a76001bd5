//! YAML text → trees, over the events of `granit-parser`.

use std::collections::HashMap;
use std::sync::Arc;

use granit_parser::{ErrorKind, Event, Marker, Parser, ScalarStyle, StrInput, StructureStyle};

use super::quotes::{self, Blanked};
use super::{Alias, Limits, Node, Properties, Style, SyntaxError, Value, shortened, yaml_error};
use crate::types::Span;

/// One document of a YAML text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YamlDocument {
    /// Its one node; an empty plain scalar if the document is empty.
    pub root: Node,
    /// From its `---` (the first document: from the text's start) to the next one's `---` or the text's end.
    pub span: Span,
}

/// Reads all documents of a text; empty if it has nothing but comments.
///
/// Duplicate keys, keys that are not scalars, alias bombs and all that breaks `limits` are errors. Tags are kept as
/// written and nothing is made of them.
pub fn parse_yaml(text: &str, limits: Limits) -> Result<Vec<YamlDocument>, SyntaxError> {
    limits.check_size(text)?;
    let mut reader = Reader::new(text, text, limits, HashMap::new());
    match reader.documents() {
        Err(error) if reader.has_shallow_quotes => {
            let Some(Blanked { text: blanked, quotes }) = quotes::blank(text) else { return Err(error) };
            let count = quotes.len();
            let mut reader = Reader::new(text, &blanked, limits, quotes);
            let documents = reader.documents()?;
            if reader.unquoted == count { Ok(documents) } else { Err(error) }
        }
        result => result,
    }
}

struct Reader<'t> {
    text: &'t str,
    limits: Limits,
    events: Parser<'t, StrInput<'t>>,
    /// Where the last thing ended that was read; the next node's own bytes lie after it.
    behind: usize,
    /// Nodes made so far, aliases followed.
    spent: usize,
    anchored: HashMap<usize, Sized>,
    /// Quotes that the events know only without their line ends, and how many of them came.
    quotes: HashMap<usize, usize>,
    unquoted: usize,
    /// Whether the events ended at a line inside quotes that is not indented.
    has_shallow_quotes: bool,
}

/// A finished node with what following its aliases costs.
struct Sized {
    node: Arc<Node>,
    count: usize,
    height: usize,
}

/// A collection whose end has not come yet.
struct Open {
    start: usize,
    style: Style,
    properties: Option<Box<Properties>>,
    anchor: usize,
    content: Content,
    count: usize,
    height: usize,
}

enum Content {
    Map { entries: Vec<(Node, Node)>, key: Option<Node> },
    List(Vec<Node>),
}

impl<'t> Reader<'t> {
    /// Reads `text` by the events of `blanked`, which is as long.
    fn new(text: &'t str, blanked: &'t str, limits: Limits, quotes: HashMap<usize, usize>) -> Self {
        let options = granit_parser::options! {
            emit_anchor_events: true,
            emit_comments: false,
            flow_nesting_limit: limits.depth,
            block_nesting_limit: limits.depth,
        };
        Self {
            text,
            limits,
            events: Parser::new_from_str_with_options(blanked, options),
            behind: 0,
            spent: 0,
            anchored: HashMap::new(),
            quotes,
            unquoted: 0,
            has_shallow_quotes: false,
        }
    }

    fn documents(&mut self) -> Result<Vec<YamlDocument>, SyntaxError> {
        let mut documents: Vec<YamlDocument> = Vec::new();
        let mut stack: Vec<Open> = Vec::new();
        while let Some((event, span)) = self.next()? {
            let (node, count, height, anchor) = match event {
                Event::DocumentStart(explicit, _) => {
                    let start = if documents.is_empty() || !explicit {
                        self.document_start(&documents, span)
                    } else {
                        span.start
                    };
                    if let Some(last) = documents.last_mut() {
                        last.span.end = start;
                    }
                    self.behind = span.end;
                    // The root is put in when it is complete; until then the document is an empty one.
                    let empty = Node::new(Span::new(span.end, span.end), Value::Plain(String::new()));
                    documents.push(YamlDocument { root: empty, span: Span::new(start, self.text.len()) });
                    continue;
                }
                Event::SequenceStart(style, anchor, _) => {
                    self.open(&mut stack, span, style, anchor, Content::List(Vec::new()))?;
                    continue;
                }
                Event::MappingStart(style, anchor, _) => {
                    self.open(&mut stack, span, style, anchor, Content::Map { entries: Vec::new(), key: None })?;
                    continue;
                }
                Event::SequenceEnd | Event::MappingEnd => {
                    let Some(open) = stack.pop() else { continue };
                    let (count, height, anchor) = (open.count, open.height, open.anchor);
                    (self.close(open, span)?, count, height, anchor)
                }
                Event::Scalar(text, style, anchor, _) => {
                    let node = self.scalar(text.into_owned(), style, anchor, span, stack.last())?;
                    self.spend(1, node.span)?;
                    (node, 1, 0, anchor)
                }
                Event::Alias(id) => {
                    let (node, count, height) = self.alias(id, span)?;
                    if stack.len() + height > self.limits.depth {
                        return Err(SyntaxError::new(node.span, self.limits.too_deep()));
                    }
                    (node, count, height, 0)
                }
                // The ends of the stream and of documents; the options enable no other events.
                _ => continue,
            };
            if anchor != 0 {
                self.spend(count, node.span)?;
                self.anchored.insert(anchor, Sized { node: Arc::new(node.clone()), count, height });
            }
            match stack.last_mut() {
                None => {
                    if let Some(document) = documents.last_mut() {
                        document.root = node;
                    }
                }
                Some(parent) => parent.take(node, count, height)?,
            }
        }
        Ok(documents)
    }

    /// The next event with its byte range, tag included.
    fn next(&mut self) -> Result<Option<(Event<'t>, Place)>, SyntaxError> {
        match self.events.next_event() {
            None => Ok(None),
            Some(Err(error)) => {
                self.has_shallow_quotes = matches!(error.kind(), ErrorKind::InvalidQuotedScalarIndent);
                let at = self.byte(*error.marker());
                Err(yaml_error::describe(error.kind(), self.text, at, &self.limits))
            }
            Some(Ok((event, span))) => {
                let tag = span.tag_span().map(|tag| Span::new(self.byte(tag.start), self.byte(tag.end)));
                let (start, end) = (self.byte(span.start), self.byte(span.end));
                Ok(Some((event, Place { start, end: end.max(start), tag })))
            }
        }
    }

    fn byte(&self, marker: Marker) -> usize {
        let byte = marker.byte_offset().unwrap_or(self.text.len());
        self.text.floor_char_boundary(byte)
    }

    fn spend(&mut self, count: usize, at: Span) -> Result<(), SyntaxError> {
        self.spent = self.spent.saturating_add(count);
        if self.spent > self.limits.nodes {
            return Err(SyntaxError::new(at, self.limits.too_many()));
        }
        Ok(())
    }

    /// Without a `---` of its own a document starts where the text does, or where the one before it ended.
    fn document_start(&self, documents: &[YamlDocument], span: Place) -> usize {
        if documents.is_empty() { 0 } else { self.behind.min(span.start) }
    }

    /// The anchor and the tag of the node whose event was just read: the anchor's own event is the next one.
    fn properties(&mut self, anchor: usize, tag: Option<Span>) -> Result<Option<Box<Properties>>, SyntaxError> {
        let mut found: Option<Properties> =
            tag.map(|span| Properties { span, anchor: None, tag: Some(self.text[span.range()].to_owned()) });
        if anchor != 0
            && let Some((Event::Anchor(_, name), place)) = self.next()?
        {
            let span = Span::new(place.start, place.end);
            let properties = found.get_or_insert(Properties { span, anchor: None, tag: None });
            properties.span.start = properties.span.start.min(span.start);
            properties.span.end = properties.span.end.max(span.end);
            properties.anchor = Some(name.into_owned());
        }
        if let Some(properties) = &found {
            self.behind = self.behind.max(properties.span.end);
        }
        Ok(found.map(Box::new))
    }

    fn open(
        &mut self,
        stack: &mut Vec<Open>,
        place: Place,
        style: StructureStyle,
        anchor: usize,
        content: Content,
    ) -> Result<(), SyntaxError> {
        let properties = self.properties(anchor, place.tag)?;
        let is_value = stack.last().is_some_and(Open::awaits_value);
        let start = match content {
            // The events place a list that is not indented at its first element instead of its first `-`.
            Content::List(_) if is_value && style == StructureStyle::Block => self.find(b"-", place.start),
            Content::List(_) | Content::Map { .. } => None,
        };
        let place = Place { start: start.unwrap_or(place.start), ..place };
        let bracket = matches!(self.text.as_bytes().get(place.start), Some(b'{' | b'['));
        let style = match style {
            StructureStyle::Block => Style::Block,
            StructureStyle::Flow if bracket && place.end > place.start => Style::Flow,
            StructureStyle::Flow => Style::Pair,
        };
        let at = Span::new(place.start, place.start + usize::from(style == Style::Flow));
        if stack.len() >= self.limits.depth {
            return Err(SyntaxError::new(at, self.limits.too_deep()));
        }
        self.spend(1, at)?;
        self.behind = self.behind.max(at.end);
        stack.push(Open { start: place.start, style, properties, anchor, content, count: 1, height: 1 });
        Ok(())
    }

    fn close(&mut self, open: Open, place: Place) -> Result<Node, SyntaxError> {
        let (first, last, value) = match open.content {
            Content::Map { entries, .. } => {
                self.check_keys(&entries)?;
                let first = entries.first().map(|(key, _)| key.whole().start);
                (first, entries.last().map(|(_, value)| value.span.end), Value::Map(entries))
            }
            Content::List(elements) => (None, elements.last().map(|last| last.span.end), Value::List(elements)),
        };
        let start = first.map_or(open.start, |first| first.min(open.start));
        let end = if open.style == Style::Flow { place.end } else { last.unwrap_or(start).max(start) };
        self.behind = self.behind.max(end);
        Ok(Node { span: Span::new(start, end), value, style: open.style, properties: open.properties })
    }

    fn scalar(
        &mut self,
        text: String,
        style: ScalarStyle,
        anchor: usize,
        place: Place,
        holder: Option<&Open>,
    ) -> Result<Node, SyntaxError> {
        let properties = self.properties(anchor, place.tag)?;
        let is_written = place.end > place.start;
        let is_blanked = self.quotes.get(&place.start) == Some(&place.end);
        let text = if is_blanked { self.unquote(Span::new(place.start, place.end))? } else { text };
        let (span, style, value) = match style {
            ScalarStyle::Plain if is_written => (Span::new(place.start, place.end), Style::Plain, Value::Plain(text)),
            ScalarStyle::Plain => {
                let at = self.empty_at(place.start, holder, properties.is_some());
                (Span::new(at, at), Style::Plain, Value::Plain(String::new()))
            }
            ScalarStyle::SingleQuoted => (Span::new(place.start, place.end), Style::SingleQuoted, Value::Text(text)),
            ScalarStyle::DoubleQuoted => (Span::new(place.start, place.end), Style::DoubleQuoted, Value::Text(text)),
            ScalarStyle::Literal => (self.block_scalar(place), Style::Literal, Value::Text(self.ended(text, place))),
            ScalarStyle::Folded => (self.block_scalar(place), Style::Folded, Value::Text(self.ended(text, place))),
        };
        self.behind = self.behind.max(span.end).max(place.end);
        Ok(Node { span, value, style, properties })
    }

    /// The content of quotes whose line ends were hidden from the events.
    fn unquote(&mut self, span: Span) -> Result<String, SyntaxError> {
        self.unquoted += 1;
        // On its own a quoted text may be indented as it likes.
        for event in Parser::new_from_str(&self.text[span.range()]) {
            match event {
                Ok((Event::Scalar(text, ..), _)) => return Ok(text.into_owned()),
                Ok(_) => {}
                Err(error) => {
                    let at = error.marker().byte_offset().map_or(span.start, |offset| span.start + offset);
                    let at = self.text.floor_char_boundary(at);
                    return Err(yaml_error::describe(error.kind(), self.text, at, &self.limits));
                }
            }
        }
        Err(SyntaxError::new(span, "a quoted string is not closed"))
    }

    /// Where a node stands that is not written: after its `:`, its `-` or its properties. The events place values
    /// before their `:`, and elements behind a comment.
    fn empty_at(&self, place: usize, holder: Option<&Open>, has_properties: bool) -> usize {
        let behind = self.behind.min(place);
        let is_value = holder.is_some_and(Open::awaits_value);
        let is_element =
            holder.is_some_and(|open| open.style == Style::Block && matches!(open.content, Content::List(_)));
        if has_properties && (is_value || is_element) {
            behind
        } else if is_element {
            self.find(b"-", place).map_or(place, |dash| dash + 1)
        } else if !is_value {
            place
        } else if self.text.as_bytes().get(place) == Some(&b':') {
            place + 1
        } else if self.text[behind..place].contains('\n') {
            behind
        } else {
            place
        }
    }

    /// The bytes of a block scalar from its `|` or `>` to the end of its last line, the line's end left out.
    ///
    /// The events give only the content and the blank lines after it, which belong to it only under `|+`.
    fn block_scalar(&self, place: Place) -> Span {
        let Some(start) = self.find(b"|>", place.start) else { return Span::new(place.start, place.end) };
        let line = &self.text[start..];
        let header_end = start + line.find(['\n', '\r']).unwrap_or(line.len());
        let header = self.text[start..header_end].split('#').next().unwrap_or_default();
        let header_text_end = start + header.trim_end().len();
        if place.end <= header_end {
            return Span::new(start, header_text_end);
        }
        let content = &self.text[header_end..place.end];
        let kept = if header.contains('+') {
            // The events may count the next line's indentation as well.
            let lines = content.trim_end_matches([' ', '\t']);
            let lines = if lines.ends_with(['\n', '\r']) { lines } else { content };
            lines.strip_suffix("\r\n").or_else(|| lines.strip_suffix(['\n', '\r'])).unwrap_or(lines)
        } else {
            content.trim_end_matches([' ', '\t', '\n', '\r'])
        };
        if kept.is_empty() {
            return Span::new(start, header_text_end);
        }
        // Blanks that end the last line are content.
        let blanks = content[kept.len()..].find(['\n', '\r']).unwrap_or(content.len() - kept.len());
        Span::new(start, header_end + kept.len() + blanks)
    }

    /// The content of a block scalar. The events add a line end to its last line even if the text has none; other
    /// readers, and the specification, do not.
    fn ended(&self, mut value: String, place: Place) -> String {
        let last_line = self.text.rsplit(['\n', '\r']).next().unwrap_or_default();
        if place.end == self.text.len() && !last_line.trim_matches([' ', '\t']).is_empty() && value.ends_with('\n') {
            value.pop();
        }
        value
    }

    /// Finds one of `marks` between what was read last and the byte where content begins.
    fn find(&self, marks: &[u8], content: usize) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let mut at = self.behind;
        while at < content {
            match bytes[at] {
                byte if marks.contains(&byte) => return Some(at),
                b'#' => at += self.text[at..].find(['\n', '\r'])?,
                b' ' | b'\t' | b'\n' | b'\r' | b':' | b'-' | b'?' => at += 1,
                _ => return None,
            }
        }
        None
    }

    fn alias(&mut self, id: usize, place: Place) -> Result<(Node, usize, usize), SyntaxError> {
        let span = Span::new(place.start, place.end);
        let name = self.text[span.range()].trim_start_matches('*');
        let Some(Sized { node, count, height }) = self.anchored.get(&id) else {
            return Err(SyntaxError::new(span, format!("the alias `*{name}` is inside the value that it repeats")));
        };
        let (count, height) = (*count, *height);
        let alias = Alias { name: name.into(), target: Arc::clone(node) };
        self.spend(count, span)?;
        self.behind = self.behind.max(span.end);
        Ok((Node::new(span, Value::Alias(alias)), count, height))
    }

    /// Refuses a map that has a key twice, at the place of the second.
    fn check_keys(&self, entries: &[(Node, Node)]) -> Result<(), SyntaxError> {
        if self.limits.repeated_keys {
            return Ok(());
        }
        let mut keys: Vec<(&str, Span)> =
            entries.iter().filter_map(|(key, _)| Some((key.scalar()?, key.span))).collect();
        keys.sort_unstable();
        let twice = keys.windows(2).filter(|pair| pair[0].0 == pair[1].0).min_by_key(|pair| pair[1].1);
        let Some([(name, first), (_, second)]) = twice else { return Ok(()) };
        let line = self.text[..first.start].bytes().filter(|b| *b == b'\n').count() + 1;
        Err(SyntaxError::new(*second, format!("the key `{}` is there twice; first in line {line}", shortened(name))))
    }
}

impl Open {
    /// Whether the next node is the value of a key.
    fn awaits_value(&self) -> bool {
        matches!(self.content, Content::Map { key: Some(_), .. })
    }

    /// Puts a finished node in.
    fn take(&mut self, node: Node, count: usize, height: usize) -> Result<(), SyntaxError> {
        self.count = self.count.saturating_add(count);
        self.height = self.height.max(height + 1);
        match &mut self.content {
            Content::List(elements) => elements.push(node),
            Content::Map { entries, key } => match key.take() {
                Some(key) => entries.push((key, node)),
                None if node.scalar().is_none() => {
                    let is_flow_map = matches!(node.value, Value::Map(_)) && node.style == Style::Flow;
                    let hint = if is_flow_map { "; a string that starts with `{{` needs quotes" } else { "" };
                    return Err(SyntaxError::new(
                        node.span,
                        format!("a key must be a string, not a list or a map{hint}"),
                    ));
                }
                None => *key = Some(node),
            },
        }
        Ok(())
    }
}

/// Bytes of an event.
#[derive(Clone, Copy)]
struct Place {
    start: usize,
    end: usize,
    tag: Option<Span>,
}

#[cfg(test)]
mod tests;
