//! Keys in order: entries of maps change places, and nothing in them changes.
//!
//! An entry of a block map takes with it the comment lines directly above it, the comment at its line's end, and the comment
//! lines below it that are indented deeper than its key. All else (blank lines, other comments) stays where it is.

use std::ops::Range;

use super::documents::{Documents, parse};
use super::splice::{after_line_end, before_line_end, is_first_in_line, is_last_in_line, line_end, line_start};
use super::value::same;
use super::{EditError, Format, Refusal};
use crate::syntax::{Node, Style, Value};

/// Sorts the keys of every map of all documents of a file: as texts, by their bytes.
///
/// # Errors
/// See [`EditError`]. Where entries cannot change places without changing what the file means, it is refused: an alias would
/// stand before its anchor, a comment in brackets belongs to nobody knows which key.
pub(crate) fn sort_keys(document: &[u8], format: Format) -> Result<Vec<u8>, EditError> {
    let mut file = Documents::read(document, format)?;
    let sorter = Sorter { text: &file.text };
    let sorted = sorter.joined(0..file.text.len(), file.roots.iter()).map_err(EditError::Order)?;
    let roots = parse(&sorted, format).map_err(|_| {
        let why = "an alias would come before its anchor".to_owned();
        EditError::Order(Refusal::Layout(Some(why)))
    })?;

    let is_same = roots.len() == file.roots.len() && roots.iter().zip(&file.roots).all(|(new, old)| same(new, old));
    if !is_same || !roots.iter().all(is_sorted) {
        return Err(EditError::Order(Refusal::Layout(None)));
    }
    (file.text, file.roots) = (sorted, roots);
    Ok(file.into_bytes())
}

fn is_sorted(node: &Node) -> bool {
    match &node.value {
        Value::Map(entries) => {
            entries.is_sorted_by(|(one, _), (other, _)| one.scalar() <= other.scalar())
                && entries.iter().all(|(_, value)| is_sorted(value))
        }
        Value::List(elements) => elements.iter().all(is_sorted),
        Value::Plain(_) | Value::Text(_) | Value::Alias(_) => true,
    }
}

struct Sorter<'t> {
    text: &'t str,
}

/// The bytes of an entry that change places with those of others.
struct Entry<'n> {
    key: &'n str,
    value: &'n Node,
    /// The comment lines directly above it.
    above: Range<usize>,
    /// From the first byte of the key to the last byte that belongs to the entry, without a line end.
    body: Range<usize>,
}

impl Sorter<'_> {
    /// The bytes `within`, which hold these nodes in their order, with the keys of the nodes sorted.
    fn joined<'n>(&self, within: Range<usize>, nodes: impl Iterator<Item = &'n Node>) -> Result<String, Refusal> {
        let mut out = String::new();
        let mut at = within.start;
        for node in nodes.filter(|node| matches!(node.value, Value::Map(_) | Value::List(_))) {
            let bounds = self.bounds(node);
            // A map that shares its first line with the list that it is in begins where that does.
            let bounds = bounds.start.max(at)..bounds.end.min(within.end);
            out.push_str(&self.text[at..bounds.start]);
            out.push_str(&self.sorted(bounds.clone(), node)?);
            at = bounds.end;
        }
        out.push_str(&self.text[at..within.end]);
        Ok(out)
    }

    /// The bytes that sorting a node may change.
    fn bounds(&self, node: &Node) -> Range<usize> {
        match (&node.value, node.style) {
            (Value::Map(entries), Style::Block) => match (entries.first(), entries.last()) {
                (Some(first), Some(last)) => {
                    let (first, last) = (self.entry(first), self.entry(last));
                    let start = if first.above.is_empty() { self.slot(first.body.start) } else { first.above.start };
                    start..last.body.end
                }
                _ => node.span.range(),
            },
            (Value::List(elements), Style::Block) => {
                let bounds = |element: Option<&Node>| element.map(|element| self.bounds(element));
                let start = bounds(elements.first()).map_or(node.span.start, |first| first.start.min(node.span.start));
                let end = bounds(elements.last()).map_or(node.span.end, |last| last.end.max(node.span.end));
                start..end
            }
            _ => node.span.range(),
        }
    }

    /// Where the line of a key starts, if nothing but indentation and the dashes of lists stands before it; else the key.
    fn slot(&self, key: usize) -> usize {
        let start = line_start(self.text, key);
        let is_free = self.text[start..key].bytes().all(|byte| matches!(byte, b' ' | b'-'));
        if is_free { start } else { key }
    }

    fn sorted(&self, within: Range<usize>, node: &Node) -> Result<String, Refusal> {
        match &node.value {
            Value::Plain(_) | Value::Text(_) | Value::Alias(_) => Ok(self.text[within].to_owned()),
            Value::List(elements) => self.joined(within, elements.iter()),
            Value::Map(entries) => {
                let is_block = node.style == Style::Block;
                let entries: Vec<Entry<'_>> = if is_block {
                    entries.iter().map(|entry| self.entry(entry)).collect()
                } else {
                    entries.iter().map(Self::flow_entry).collect()
                };
                let mut order: Vec<usize> = (0..entries.len()).collect();
                order.sort_by_key(|index| entries[*index].key);
                let moves = order.iter().enumerate().any(|(place, index)| place != *index);
                if moves {
                    self.check(&within, &entries, is_block)?;
                }
                self.placed(within, &entries, &order)
            }
        }
    }

    /// The entries in another order, each in the place of another; what stands between them stays.
    fn placed(&self, within: Range<usize>, entries: &[Entry<'_>], order: &[usize]) -> Result<String, Refusal> {
        let mut out = String::new();
        let mut at = within.start;
        for (place, index) in order.iter().enumerate() {
            let (there, entry) = (&entries[place], &entries[*index]);
            let prefix = self.slot(there.body.start).max(at);
            let start = if there.above.is_empty() { prefix } else { there.above.start };
            out.push_str(&self.text[at..start]);
            out.push_str(&self.text[entry.above.clone()]);
            out.push_str(&self.text[prefix..there.body.start]);
            out.push_str(&self.joined(entry.body.clone(), std::iter::once(entry.value))?);
            at = there.body.end;
        }
        out.push_str(&self.text[at..within.end]);
        Ok(out)
    }

    /// Whether entries can change places as they are written.
    fn check(&self, within: &Range<usize>, entries: &[Entry<'_>], is_block: bool) -> Result<(), Refusal> {
        let refused = |at: usize, why: &str| {
            let line = self.text[..at].matches('\n').count() + 1;
            Err(Refusal::Layout(Some(format!("line {line}: {why}"))))
        };
        if !is_block {
            let ends = std::iter::once(within.start).chain(entries.iter().map(|entry| entry.body.end));
            let starts = entries.iter().map(|entry| entry.body.start).chain([within.end]);
            let comment = ends.zip(starts).find(|(end, start)| self.text[*end..*start].contains('#'));
            return match comment {
                Some((end, _)) => {
                    refused(end, "a comment inside of brackets, and no way to tell which key it belongs to")
                }
                None => Ok(()),
            };
        }
        for (place, entry) in entries.iter().enumerate() {
            if place > 0 && !is_first_in_line(self.text, entry.body.start) {
                return refused(entry.body.start, "the key is not the first thing in its line");
            }
            if !is_last_in_line(self.text, entry.body.end) {
                return refused(entry.body.end, "something follows the value in its line");
            }
        }
        Ok(())
    }

    fn flow_entry((key, value): &(Node, Node)) -> Entry<'_> {
        let (start, end) = (key.whole().start, value.whole().end.max(key.whole().end));
        Entry { key: key.scalar().unwrap_or_default(), value, above: start..start, body: start..end }
    }

    fn entry<'n>(&self, (key, value): &'n (Node, Node)) -> Entry<'n> {
        let start = key.whole().start;
        let column = start - line_start(self.text, start);
        let mut above = line_start(self.text, start)..line_start(self.text, start);
        if is_first_in_line(self.text, start) {
            while above.start > 0 {
                let line = line_start(self.text, before_line_end(self.text, above.start));
                if self.comment_column(line).is_none_or(|found| found > column) {
                    break;
                }
                above.start = line;
            }
        } else {
            above = start..start;
        }
        // A block scalar may end with its line end, and with blank lines that belong to it.
        let written = value.whole().end.max(key.whole().end);
        let mut end = if self.text[..written].ends_with(['\n', '\r']) {
            before_line_end(self.text, written)
        } else {
            line_end(self.text, written)
        };
        loop {
            let next = after_line_end(self.text, end);
            if next == end || self.comment_column(next).is_none_or(|found| found <= column) {
                break;
            }
            end = line_end(self.text, next);
        }
        Entry { key: key.scalar().unwrap_or_default(), value, above, body: start..end }
    }

    /// The column of a comment that is alone in its line.
    fn comment_column(&self, line: usize) -> Option<usize> {
        let text = &self.text[line..line_end(self.text, line)];
        let content = text.trim_start_matches([' ', '\t']);
        content.starts_with('#').then_some(text.len() - content.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(text: &str, format: Format) -> String {
        match sort_keys(text.as_bytes(), format) {
            Ok(bytes) => String::from_utf8(bytes).unwrap(),
            Err(error) => format!("error: {error}\n"),
        }
    }

    #[test]
    fn comments_go_with_their_keys_and_all_else_stays() {
        insta::assert_snapshot!(sorted(
            "# about the file\n\n# about spec\nspec: # what\n  # of z\n  z: 1\n\n  a: [x, y] # two\n  # below a\n  \
             list:\n  - name: n\n    # who\n    image: i\n  - {b: 1, a: 2}\n\n# the kind\nkind: K\ntext: |\n  b: 1\n  a: 2\nempty:\n",
            Format::Yaml
        ), @"
        # about the file

        empty:

        # the kind
        kind: K
        # about spec
        spec: # what
          a: [x, y] # two

          # below a
          list:
            # who
          - image: i
            name: n
          - {a: 2, b: 1}
          # of z
          z: 1
        text: |
          b: 1
          a: 2
        ");
    }

    #[test]
    fn json_keeps_its_layout() {
        insta::assert_snapshot!(
            sorted("{\n  \"b\": {\"z\": 1, \"y\": [2, {\"d\": 1,\n \"c\": 2}]},\n  \"a\": \"x\"\n}\n", Format::Json),
            @r#"
        {
          "a": "x",
          "b": {"y": [2, {"c": 2,
         "d": 1}], "z": 1}
        }
        "#
        );
    }

    #[test]
    fn every_document_and_every_line_end_is_kept() {
        assert_eq!(sorted("b: 1\r\na: 2\r\n---\nd: 1\nc: 2", Format::Yaml), "a: 2\r\nb: 1\r\n---\nc: 2\nd: 1");
        assert_eq!(sorted("\u{feff}b: 1\na: 2\n", Format::Yaml), "\u{feff}a: 2\nb: 1\n");
        for text in ["", "# x\n", "a\n", "- b\n- a\n", "a: 1\nb: 2\n", "{}\n"] {
            assert_eq!(sorted(text, Format::Yaml), text);
        }
    }

    #[test]
    fn what_cannot_be_sorted_is_refused() {
        let refused = ["b: &x 1\na: *x\n", "{b: 1, # of b\n a: 2}\n", "b: |+\n  x\n\na: 1\n"]
            .map(|text| sorted(text, Format::Yaml));
        insta::assert_snapshot!(refused.concat());
    }
}
