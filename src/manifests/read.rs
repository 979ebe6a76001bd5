//! From bytes to all that they say.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Field, Finding, KubernetesObject, Problem, Scanned};
use super::place::Place;
use super::string_map::StringMap;
use super::text;
use super::texts::{DocumentText, Parent};
use super::walk::{Embedded, Found, Walk};
use crate::edit::{Format, is_empty_document, parse_documents};
use crate::syntax::{Node, SyntaxError, Value};
use crate::types::{ImageRef, Source, Span};

/// How many texts may be inside one another.
const DEEPEST: usize = 3;

/// The form of a file, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// YAML or JSON.
    Document,
    /// A template of one: text.
    Template,
}

/// What is known before a file is searched.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scan<'a> {
    pub(crate) form: Form,
    /// How clusters call the image's own registry, `HOST[:PORT]`.
    pub(crate) registry: &'a str,
    /// The images that the image lists name.
    pub(crate) listed: &'a BTreeSet<ImageRef>,
}

/// The objects of Kubernetes in a file.
pub(crate) fn objects(bytes: &[u8]) -> Vec<KubernetesObject> {
    scan(bytes, &Scan { form: Form::Document, registry: "", listed: &BTreeSet::new() }).objects
}

/// Searches a file.
pub(crate) fn scan(bytes: &[u8], scan: &Scan<'_>) -> Scanned {
    if is_utf16(bytes) {
        let place =
            Place { span: Span::new(0, bytes.len().min(2)), line: 1, column: 1, route: String::new(), document: 0 };
        let findings = vec![Finding { place, problem: Problem::Utf16 }];
        return Scanned { mentions: Vec::new(), objects: Vec::new(), findings, texts: Vec::new(), has_mark: false };
    }
    let whole = String::from_utf8_lossy(bytes);
    let (text, has_mark) = whole.strip_prefix('\u{feff}').map_or((&*whole, false), |text| (text, true));
    let mut search = Search {
        scan,
        texts: Vec::new(),
        found: Found::default(),
        objects: Vec::new(),
        is_of_objects: true,
        source: Source::new("", text),
    };
    search.file(bytes, text);
    search.listed();
    search.passed_over();
    search.finish(has_mark)
}

fn is_utf16(bytes: &[u8]) -> bool {
    let has_mark = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
    let start = &bytes[..bytes.len().min(64)];
    let has_zeros = |odd: usize| start.len() > 3 && start.iter().skip(odd).step_by(2).all(|byte| *byte == 0);
    has_mark || has_zeros(0) != has_zeros(1)
}

struct Search<'s> {
    scan: &'s Scan<'s>,
    texts: Vec<DocumentText>,
    found: Found,
    objects: Vec<KubernetesObject>,
    /// Whether anything in the file is an object of Kubernetes: else only keys `image` count.
    is_of_objects: bool,
    source: Source,
}

impl Search<'_> {
    fn file(&mut self, bytes: &[u8], text: &str) {
        let read = match self.scan.form {
            Form::Template => None,
            Form::Document => Some(match std::str::from_utf8(bytes) {
                Ok(_) => read(text),
                Err(error) => {
                    let at = error.valid_up_to();
                    let why = format!(
                        "the document is not UTF-8: byte {at} does not start a character; convert it to UTF-8 first"
                    );
                    Err(SyntaxError::new(Span::new(at.min(text.len()), at.min(text.len())), why))
                }
            }),
        };
        match read {
            Some(Ok((format, roots))) => {
                self.is_of_objects = roots.iter().any(is_of_kubernetes);
                self.objects(&roots);
                self.search(DocumentText { text: text.to_owned(), format: Some(format), roots, parent: None });
            }
            unread => {
                if let Some(Err(SyntaxError { span, message })) = unread {
                    let place = self.place(span, String::new(), 0);
                    let why = format!("line {}, column {}: {message}", place.line, place.column);
                    let why = if std::str::from_utf8(bytes).is_ok() { why } else { message };
                    self.found.findings.push(Finding { place, problem: Problem::Unreadable { why } });
                }
                self.is_of_objects = text.lines().any(|line| {
                    let line = line.trim_start_matches([' ', '-', '{', '"', '\'']);
                    ["kind", "apiVersion"].iter().any(|key| {
                        line.strip_prefix(key).is_some_and(|rest| rest.trim_start_matches(['"', '\'']).starts_with(':'))
                    })
                });
                self.search(DocumentText { text: text.to_owned(), format: None, roots: Vec::new(), parent: None });
            }
        }
    }

    fn objects(&mut self, roots: &[Node]) {
        for root in roots.iter().filter(|root| is_of_kubernetes(root)) {
            let mut fields = BTreeMap::new();
            self.fields(root, "", 2, &mut fields);
            self.objects.push(KubernetesObject { fields });
        }
    }

    fn fields(&self, node: &Node, above: &str, depth: usize, fields: &mut BTreeMap<String, Field>) {
        let Value::Map(entries) = &node.value else { return };
        for (key, value) in entries {
            let Some(key) = key.scalar() else { continue };
            if let Some(text) = value.scalar() {
                let line = self.source.position(value.span.start).line;
                fields.insert(format!("{above}{key}"), Field { text: text.to_owned(), line });
            } else if depth > 0 {
                self.fields(value, &format!("{above}{key}/"), depth - 1, fields);
            }
        }
    }

    /// Searches a text, and then those inside it.
    fn search(&mut self, mut document_text: DocumentText) {
        let number = self.texts.len();
        let roots = std::mem::take(&mut document_text.roots);
        let (route, mut document, depth) = match &document_text.parent {
            Some(parent) => (parent.route.clone(), parent.document, parent.depth),
            None => (Vec::new(), 0, 0),
        };
        let is_embedded = document_text.parent.is_some();
        self.texts.push(document_text);
        let mut embedded = Vec::new();
        if self.texts[number].format.is_none() {
            let is_file = !is_embedded;
            text::search(
                self.scan.registry,
                (&self.texts, number),
                &route,
                self.is_of_objects,
                is_file,
                &mut self.found,
            );
        }
        for root in roots.iter().filter(|root| !is_empty_document(root)) {
            let mut walk = Walk::new(self.scan.registry, &self.texts, number, self.is_of_objects, &mut self.found);
            walk.document = document;
            walk.route.clone_from(&route);
            walk.root(root);
            embedded.append(&mut walk.embedded);
            document += usize::from(!is_embedded);
        }
        for Embedded { node, route, document } in embedded {
            if depth < DEEPEST {
                self.embedded(number, &node, route, document, depth + 1);
            }
        }
        self.texts[number].roots = roots;
    }

    fn embedded(&mut self, text_index: usize, node: &Node, route: Vec<String>, document: usize, depth: usize) {
        let (Value::Text(inner) | Value::Plain(inner)) = &node.value else { return };
        let is_json = inner.trim_start().starts_with(['{', '[']);
        let json = is_json.then(|| parse_documents(inner, Format::Json).ok()).flatten();
        let is_one_line = !inner.contains('\n');
        let (format, roots) = match json {
            Some(roots) => (Some(Format::Json), roots),
            None if is_one_line => return,
            None => match parse_documents(inner, Format::Yaml) {
                Ok(roots) if is_structured(&roots) => (Some(Format::Yaml), roots),
                Ok(_) | Err(_) => (None, Vec::new()),
            },
        };
        let map = StringMap::of(node, &self.texts[text_index].text);
        let parent = Parent { text_index, node: node.span, map, route, document, depth };
        self.search(DocumentText { text: inner.clone(), format, roots, parent: Some(parent) });
    }

    /// Takes those of the other strings that a list, or anything found, names; what is certain in one place is so in
    /// all.
    fn listed(&mut self) {
        let certain = self.found.mentions.iter().filter(|mention| mention.is_certain);
        let certain: BTreeSet<ImageRef> = certain.map(|mention| mention.image.clone()).collect();
        for mention in &mut self.found.mentions {
            mention.is_certain |= certain.contains(&mention.image) || self.scan.listed.contains(&mention.image);
        }
        let candidates = std::mem::take(&mut self.found.candidates);
        if candidates.is_empty() {
            return;
        }
        let known: BTreeSet<ImageRef> = self.found.mentions.iter().map(|mention| mention.image.clone()).collect();
        for mention in candidates {
            if known.contains(&mention.image) || self.scan.listed.contains(&mention.image) {
                self.found.mentions.push(mention);
            }
        }
    }

    /// Tells what sealer's search of lines takes, and this one does not.
    fn passed_over(&mut self) {
        let mut told: BTreeSet<usize> = BTreeSet::new();
        let line = |place: &Place| self.source.position(place.span.start).line;
        told.extend(self.found.mentions.iter().map(|mention| line(&mention.place)));
        told.extend(self.found.findings.iter().map(|finding| line(&finding.place)));
        let known: BTreeSet<&ImageRef> = self.found.mentions.iter().map(|mention| &mention.image).collect();
        let mut start = 0;
        for (index, line) in self.source.text().split_inclusive('\n').enumerate() {
            let begins = start;
            start += line.len();
            let Some(image) = text::sealers(line).filter(|_| !told.contains(&(index + 1))) else { continue };
            if known.contains(&image) {
                continue;
            }
            let place = Place {
                span: Span::new(begins, begins + line.trim_end().len()),
                line: index + 1,
                column: 1,
                route: String::new(),
                document: 0,
            };
            self.found.findings.push(Finding { place, problem: Problem::PassedOver { reference: image.familiar() } });
        }
    }

    fn place(&self, span: Span, route: String, document: usize) -> Place {
        let position = self.source.position(span.start);
        Place { span, line: position.line, column: position.column, route, document }
    }

    fn finish(mut self, has_mark: bool) -> Scanned {
        let mark = if has_mark { '\u{feff}'.len_utf8() } else { 0 };
        let at_file = |place: &mut Place| {
            let position = self.source.position(place.span.start);
            (place.line, place.column) = (position.line, position.column);
            place.span = Span::new(place.span.start + mark, place.span.end + mark);
        };
        for finding in &mut self.found.findings {
            if let Problem::RepeatedKey { first, .. } = &mut finding.problem {
                *first = self.source.position(*first).line;
            }
        }
        let Found { mut mentions, mut findings, .. } = std::mem::take(&mut self.found);
        let places = mentions.iter_mut().map(|mention| &mut mention.place);
        for place in places.chain(findings.iter_mut().map(|finding| &mut finding.place)) {
            at_file(place);
        }
        mentions.sort_by_key(|mention| mention.place.span);
        findings.sort_by_key(|finding| finding.place.span);
        Scanned { mentions, objects: self.objects, findings, texts: self.texts, has_mark }
    }
}

/// Parses a text as JSON if it starts like JSON and is valid, else as YAML (which includes most JSON).
fn read(text: &str) -> Result<(Format, Vec<Node>), SyntaxError> {
    if text.trim_ascii_start().starts_with(['{', '[']) {
        return match parse_documents(text, Format::Json) {
            Ok(roots) => Ok((Format::Json, roots)),
            // What is not YAML either is probably meant as JSON.
            Err(error) => parse_documents(text, Format::Yaml).map(|roots| (Format::Yaml, roots)).map_err(|_| error),
        };
    }
    parse_documents(text, Format::Yaml).map(|roots| (Format::Yaml, roots))
}

/// Whether a document, or an element of its list, is an object of Kubernetes.
fn is_of_kubernetes(root: &Node) -> bool {
    let has_key = |node: &Node| node.get("kind").or_else(|| node.get("apiVersion")).and_then(Node::scalar).is_some();
    match &root.value {
        Value::List(elements) => elements.iter().any(has_key),
        Value::Map(_) | Value::Plain(_) | Value::Text(_) | Value::Alias(_) => has_key(root),
    }
}

fn is_structured(roots: &[Node]) -> bool {
    roots.iter().any(|root| matches!(root.value, Value::Map(_) | Value::List(_))) || roots.iter().all(is_empty_document)
}
