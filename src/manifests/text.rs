//! Texts that are not documents: templates, scripts, prose. Lines `image: x` are found in them, and references by whole
//! words.

use super::model::{Finding, Kind, Mention, Piece, Problem, Role};
use super::texts::{DocumentText, place_of, pointer};
use super::walk::{Found, is_at_registry, is_template, names_an_image, says_where_and_which};
use crate::types::{ImageRef, Span};

/// Searches a text. In the file itself a line is certain; in a text inside a string it is likely.
pub(super) fn search(
    registry: &str,
    (texts, text_index): (&[DocumentText], usize),
    route: &[String],
    is_of_objects: bool,
    is_file: bool,
    found: &mut Found,
) {
    let text = &texts[text_index].text;
    let route = if is_file { String::new() } else { pointer(route) };
    let document = texts[text_index].parent.as_ref().map_or(0, |parent| parent.document);
    let place = |span: Span| place_of(texts, text_index, span, route.clone(), document);
    let mention = |kind: Kind, word: &str, image: ImageRef, is_certain: bool| {
        let at = span_in(text, word);
        let pieces = vec![Piece { node: None, at, role: Role::Reference(word.to_owned()) }];
        let is_certain = is_certain || is_at_registry(word, registry);
        let reference = word.to_owned();
        Mention { kind, reference, image, place: place(at), is_certain, text_index, pieces }
    };
    for line in text.lines() {
        if line.trim_start().starts_with('#') {
            continue;
        }
        let mut named = None;
        if let Some((key, value)) = value(line) {
            if is_template(value) {
                let text = value;
                let at = place(span_in(&texts[text_index].text, value));
                found.findings.push(Finding { place: at, problem: Problem::Template { text: text.to_owned() } });
                continue;
            }
            named = word(value).filter(|word| key.is_exact || says_where_or_which(word));
            match named.map(|word| (word, word.parse::<ImageRef>())) {
                Some((word, Ok(image))) => {
                    found.mentions.push(mention(Kind::Key, word, image, key.is_exact && is_file));
                }
                Some((word, Err(error))) if key.is_exact && is_file && !begins_something_else(word) => {
                    let (text, why) = (word.to_owned(), error.to_string());
                    let problem = Problem::NotAReference { text, is_container: false, why };
                    found.findings.push(Finding { place: place(span_in(&texts[text_index].text, word)), problem });
                }
                Some(_) | None => {}
            }
        }
        if !is_of_objects {
            continue;
        }
        for word in words(line).filter(|word| named.is_none_or(|named| !overlaps(named, word))) {
            if let Some(image) = says_where_and_which(word) {
                found.mentions.push(mention(Kind::Value, word, image, false));
            }
        }
    }
}

fn says_where_or_which(word: &str) -> bool {
    word.contains([':', '@']) || word.split_once('/').is_some_and(|(host, _)| host.contains('.') || host == "localhost")
}

fn overlaps(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_ptr() as usize..a.as_ptr() as usize + a.len(), b.as_ptr() as usize);
    a.contains(&b)
}

/// Where a part of a text is in it.
fn span_in(text: &str, part: &str) -> Span {
    let start = part.as_ptr() as usize - text.as_ptr() as usize;
    Span::new(start, start + part.len())
}

/// Whether a word is the start of one of YAML's other forms.
fn begins_something_else(word: &str) -> bool {
    word.is_empty() || word.starts_with(['{', '[', '|', '>', '&', '*', '!', '#'])
}

struct Key {
    /// It is `image` and not only ends so.
    is_exact: bool,
}

/// What is after the key of a line whose key is or ends in `image`.
fn value(line: &str) -> Option<(Key, &str)> {
    let line = line.trim_start_matches(['\u{feff}', ' ', '\t', '-', '{']);
    let (key, value) = line.split_once(':')?;
    let key = key.trim().trim_matches(['"', '\'']);
    // A key is one word: a sentence that ends in `image:` is not a key.
    let is_word = key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/'));
    if !is_word || !names_an_image(key) || !value.starts_with([' ', '\t', '"', '\'']) {
        return None;
    }
    let value = value.trim();
    let value =
        if value.starts_with(['"', '\'']) { value } else { value.split(" #").next().unwrap_or_default().trim_end() };
    Some((Key { is_exact: key == "image" }, value))
}

/// The value's first word, or what is in its quotes.
fn word(value: &str) -> Option<&str> {
    match value.chars().next()? {
        quote @ ('"' | '\'') => value[1..].split(quote).next(),
        _ => value.split([' ', '\t', ',', '}']).next(),
    }
}

/// The words of a line that may be references, comments left out.
fn words(line: &str) -> impl Iterator<Item = &str> {
    let line = line.split(" #").next().unwrap_or_default();
    let ends = |c: char| {
        c.is_whitespace()
            || matches!(
                c,
                '"' | '\'' | '`' | '=' | ',' | ';' | '(' | ')' | '<' | '>' | '|' | '[' | ']' | '{' | '}' | '\\'
            )
    };
    line.split(ends).map(|word| word.trim_end_matches(['.', ':', '!', '?'])).filter(|word| word.contains('/'))
}

/// What sealer v0.8.5 takes for an image in a line: whatever is behind a key that ends in `image`, if it is a
/// reference.
pub(super) fn sealers(line: &str) -> Option<ImageRef> {
    let (key, value) = line.split_once(':')?;
    if key.contains('#') || !key.trim_end_matches('"').ends_with("image") {
        return None;
    }
    let value: String = value.chars().filter(|c| !matches!(c, '"' | ' ' | '\r' | '\n')).collect();
    value.parse().ok()
}
