//! Edits of made-up documents, held against another parser and an implementation of RFC 6902 that knows no text.

mod generator;

use std::ops::Range;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use self::generator::{Text, any_text};
use super::documents::parse;
use super::route::Route;
use super::*;
use crate::syntax::{Node, Style, Value};

/// What another parser makes of a text; none where it is none to it.
fn meaning(text: &str) -> Option<Vec<Json>> {
    let text = text.trim_start_matches('\u{feff}');
    serde_yaml::Deserializer::from_str(text).map(|document| Json::deserialize(document).ok()).collect()
}

/// RFC 6902 on values; none where it says that there is an error.
fn reference(root: &mut Json, operation: &Operation) -> Option<()> {
    let path = operation.path();
    match operation {
        Operation::Test { value, .. } => (root.pointer(&path.to_string())? == value).then_some(()),
        Operation::Replace { value, .. } => {
            *root.pointer_mut(&path.to_string())? = value.clone();
            Some(())
        }
        Operation::Copy { from, .. } => {
            let value = root.pointer(&from.to_string())?.clone();
            reference(root, &Operation::Add { path: path.clone(), value })
        }
        Operation::Move { from, .. } if from.is_above(path) => None,
        Operation::Move { from, .. } if from == path => root.pointer(&path.to_string()).map(drop),
        Operation::Move { from, .. } => {
            let value = root.pointer(&from.to_string())?.clone();
            reference(root, &Operation::Remove { path: from.clone() })?;
            reference(root, &Operation::Add { path: path.clone(), value })
        }
        Operation::Add { value, .. } => {
            let Some((parent, token)) = path.split_last() else {
                *root = value.clone();
                return Some(());
            };
            match root.pointer_mut(&parent.to_string())? {
                Json::Object(entries) => {
                    entries.insert(token.to_owned(), value.clone());
                }
                Json::Array(elements) => {
                    let at = if token == "-" { elements.len() } else { token.parse().ok()? };
                    (at <= elements.len()).then(|| elements.insert(at, value.clone()))?;
                }
                _ => return None,
            }
            Some(())
        }
        Operation::Remove { .. } => {
            let (parent, token) = path.split_last()?;
            match root.pointer_mut(&parent.to_string())? {
                Json::Object(entries) => entries.shift_remove(token).map(drop),
                Json::Array(elements) => {
                    let at = token.parse().ok().filter(|at| *at < elements.len())?;
                    elements.remove(at);
                    Some(())
                }
                _ => None,
            }
        }
    }
}

/// All routes of a document, those of new entries included.
fn routes(node: &Node, at: &Pointer, out: &mut Vec<Pointer>) {
    out.push(at.clone());
    match &node.value {
        Value::Map(entries) => {
            for (key, value) in entries {
                routes(value, &at.child(key.scalar().unwrap()), out);
            }
            out.push(at.child("new"));
        }
        Value::List(elements) => {
            for (index, value) in elements.iter().enumerate() {
                routes(value, &at.child(&index.to_string()), out);
            }
            out.push(at.child("-"));
        }
        Value::Plain(_) | Value::Text(_) | Value::Alias(_) => {}
    }
}

fn any_value() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        (-5_i64..1000).prop_map(Json::from),
        prop::sample::select(vec![
            "sea.hub:5000",
            "yes",
            "010",
            "",
            "a: b",
            "# c",
            "l\nm\n",
            "l\n\n  m",
            "- x",
            "it's \"q\"",
            "é\u{1f600}",
            " x",
            "x\ty",
            "{{ y }}",
            "a, b",
            "*a",
            "null",
            "1e3",
            "\u{7}\\",
            "x\n\n",
            "2001-01-01",
        ])
        .prop_map(Json::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Json::from),
            prop::collection::vec(("[a-z]{1,2}|a b|on|1", inner), 0..3)
                .prop_map(|entries| Json::Object(entries.into_iter().collect())),
        ]
    })
}

/// An operation on one of the routes, chosen by numbers.
fn operation(kind: u8, routes: &[Pointer], which: [prop::sample::Index; 2], value: Json) -> Operation {
    let (path, from) = (which[0].get(routes).clone(), which[1].get(routes).clone());
    match kind {
        0 | 1 => Operation::Add { path, value },
        2 | 3 => Operation::Remove { path },
        4 | 5 => Operation::Replace { path, value },
        6 => Operation::Move { from, path },
        7 => Operation::Copy { from, path },
        _ => Operation::Test { path, value },
    }
}

/// The lines of what an operation may touch: of the entry, or of the collection that gets a new one.
///
/// Where a collection loses its last entry, the line of its own key changes too: from where that is, the lines between
/// are given as well.
fn touched(text: &str, root: &Node, operation: &Operation) -> (usize, Range<usize>, usize) {
    let path = operation.path();
    let found = Route::find(root, path, true).ok();
    let route = found.or_else(|| Route::find(root, &path.split_last()?.0, true).ok()).unwrap();
    let entry_start = |(collection, at): &(&Node, usize)| match &collection.value {
        Value::Map(entries) => entries[*at].0.whole().start,
        Value::List(elements) if *at > 0 => splice::next_content(text, elements[*at - 1].span.end),
        _ => collection.span.start,
    };
    let line_start = |rung| splice::line_start(text, entry_start(rung));
    let own = match route.rungs.last() {
        None => 0,
        // A new element comes directly below the one before, above the comments of the one behind.
        Some(rung @ (Node { value: Value::List(elements), style: Style::Block, .. }, at)) if *at > 0 => match operation
        {
            Operation::Add { .. } | Operation::Copy { .. } => splice::line_end(text, elements[at - 1].span.end),
            _ => line_start(rung),
        },
        // In brackets the comma before it may come or go.
        Some((Node { value: Value::List(elements), .. }, at)) if *at > 0 => {
            splice::line_start(text, elements[at - 1].span.end)
        }
        Some((Node { value: Value::Map(entries), style: Style::Flow, .. }, at)) if *at > 0 => {
            splice::line_start(text, entries[at - 1].1.span.end)
        }
        Some(rung) => line_start(rung),
    };
    let end = splice::line_end(text, route.node.span.end.max(own));
    let end = splice::after_line_end(text, end);
    let is_last = route.rungs.last().is_some_and(|(collection, _)| match &collection.value {
        Value::Map(entries) => entries.len() == 1,
        Value::List(elements) => elements.len() == 1,
        _ => false,
    });
    let holder = route.rungs.len().checked_sub(2).filter(|_| is_last && matches!(operation, Operation::Remove { .. }));
    match holder.map(|holder| line_start(&route.rungs[holder])) {
        Some(holder) if holder < own => {
            let behind = splice::after_line_end(text, splice::line_end(text, holder));
            (holder, behind..own, end)
        }
        // A file without a line end at its end loses the one before what goes.
        _ if end == text.len() => (splice::before_line_end(text, own), own..own, end),
        _ => (own, own..own, end),
    }
}

fn with_tabs(document: &Json) -> String {
    let mut out = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"\t");
    document.serialize(&mut serde_json::Serializer::with_formatter(&mut out, formatter)).unwrap();
    String::from_utf8(out).unwrap()
}

fn check(text: &str, format: Format, picked: usize, operation: &Operation) -> Result<(), TestCaseError> {
    let before = text.trim_start_matches('\u{feff}');
    let selector = DocumentSelector { index: u32::try_from(picked).ok(), ..DocumentSelector::default() };
    let Some(mut expected) = meaning(text) else { return Err(TestCaseError::reject("they do not read it")) };
    let is_possible = reference(&mut expected[picked], operation).is_some();
    match patch(text.as_bytes(), format, Some(&selector), std::slice::from_ref(operation)) {
        Ok(bytes) => {
            let after = String::from_utf8(bytes).unwrap();
            prop_assert!(is_possible, "{operation:?} is an error, but gave\n{after}");
            prop_assert_eq!(meaning(&after), Some(expected), "{:?} gave\n{}", operation, after);
            prop_assert_eq!(text.starts_with('\u{feff}'), after.starts_with('\u{feff}'));
            let after = after.trim_start_matches('\u{feff}');
            if before.contains("\r\n") {
                prop_assert!(!after.replace("\r\n", "").contains('\n'), "{:?} mixed line ends", operation);
            }
            if !matches!(operation, Operation::Move { .. } | Operation::Test { .. }) {
                let root = &parse(before, format).unwrap()[picked];
                let (start, between, end) = touched(before, root, operation);
                prop_assert!(after.starts_with(&before[..start]), "{:?} touched the start:\n{}", operation, after);
                prop_assert!(
                    after[start..].contains(before[between].trim_end()),
                    "{:?} lost a comment:\n{}",
                    operation,
                    after
                );
                // The entry that comes to share the dash's line needs no indentation any more.
                let is_removed = matches!(operation, Operation::Remove { .. });
                let behind = if is_removed { before[end..].trim_start_matches(' ') } else { &before[end..] };
                // Comments go where a block scalar would take them for text.
                let is_comment = |line: &&str| line.trim().is_empty() || line.trim().starts_with('#');
                let comments: usize = behind.split_inclusive('\n').take_while(is_comment).map(str::len).sum();
                let has_scalar = is_removed && before.contains(['|', '>']);
                prop_assert!(
                    after.ends_with(behind) || (has_scalar && after.ends_with(&behind[comments..])),
                    "{:?} touched the end:\n{}",
                    operation,
                    after
                );
            }
            Ok(())
        }
        Err(EditError::Operation { reason, .. }) => {
            let is_known = match &reason {
                Refusal::ThroughAlias { .. } | Refusal::Anchored { .. } | Refusal::AnchorInside { .. } => true,
                Refusal::Layout(Some(why)) => why.contains("the file ends inside"),
                _ => !is_possible || matches!(reason, Refusal::RemoveRoot),
            };
            prop_assert!(is_known, "{operation:?}: {reason}");
            Ok(())
        }
        Err(error) => Err(TestCaseError::fail(error.to_string())),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, max_shrink_iters: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn yaml_edits_do_what_they_say_and_nothing_else(
        Text { text, documents } in any_text(),
        kind in 0_u8..9,
        picked in any::<prop::sample::Index>(),
        which in any::<[prop::sample::Index; 2]>(),
        value in any_value(),
    ) {
        let picked = picked.index(documents);
        let roots = parse(text.trim_start_matches('\u{feff}'), Format::Yaml);
        let roots = roots.map_err(|error| TestCaseError::fail(format!("{error}:\n{text}")))?;
        prop_assert_eq!(roots.len(), documents);
        let mut all = Vec::new();
        routes(&roots[picked], &Pointer::root(), &mut all);
        check(&text, Format::Yaml, picked, &operation(kind, &all, which, value))?;
    }

    #[test]
    fn sorting_changes_the_order_of_keys_and_nothing_else(Text { text, documents } in any_text()) {
        let Ok(sorted) = sort_keys(text.as_bytes(), Format::Yaml) else { return Ok(()) };
        let sorted = String::from_utf8(sorted).unwrap();
        prop_assert_eq!(parse(sorted.trim_start_matches('\u{feff}'), Format::Yaml).unwrap().len(), documents);
        if let Some(expected) = meaning(&text) {
            prop_assert_eq!(meaning(&sorted), Some(expected), "{}", sorted);
        }
        // Every byte is there again, also those of comments.
        let bytes = |text: &str| { let mut bytes = text.as_bytes().to_vec(); bytes.sort_unstable(); bytes };
        prop_assert_eq!(bytes(&text), bytes(&sorted), "{}", sorted);
        prop_assert_eq!(sort_keys(sorted.as_bytes(), Format::Yaml).unwrap(), sorted.as_bytes());
    }

    #[test]
    fn json_edits_do_what_they_say_and_nothing_else(
        document in any_value(),
        form in 0_u8..4,
        kind in 0_u8..9,
        which in any::<[prop::sample::Index; 2]>(),
        value in any_value(),
    ) {
        // An object at the top, so that there is a place for everything.
        let document = json!({"top": document, "x": [1, {"y": 2}]});
        let text = match form {
            0 => document.to_string(),
            1 => serde_json::to_string_pretty(&document).unwrap(),
            2 => with_tabs(&document).replace('\n', "\r\n") + "\r\n",
            _ => format!("\u{feff} {document:#} "),
        };
        let root = &parse(text.trim_start_matches('\u{feff}'), Format::Json).unwrap()[0];
        let mut all = Vec::new();
        routes(root, &Pointer::root(), &mut all);
        let operation = operation(kind, &all, which, value);
        let mut expected: Json = document;
        let is_possible = reference(&mut expected, &operation).is_some();
        match patch(text.as_bytes(), Format::Json, None, std::slice::from_ref(&operation)) {
            Ok(bytes) => {
                let after = String::from_utf8(bytes).unwrap();
                let after = after.trim_start_matches('\u{feff}');
                let found: Json = serde_json::from_str(after).unwrap();
                prop_assert!(is_possible);
                prop_assert_eq!(&found, &expected, "{:?} gave\n{}", operation, after);
                // What a pretty printer wrote stays as it would write it, but for the order of moved keys.
                if form == 1 && serde_json::to_string_pretty(&expected).unwrap().len() != after.len() {
                    prop_assert!(false, "{operation:?} gave\n{after}");
                }
            }
            Err(error) => prop_assert!(!is_possible || operation.path().tokens().is_empty(), "{}", error),
        }
    }

    #[test]
    fn no_text_makes_an_edit_panic(
        text in "([ab?:,#&*!|>'\"%@`{}\\[\\]~ é\u{feff}-]|\r|\n|\t| {2}|: |- |---\n|&a |\\*a ){0,40}",
        kind in 0_u8..9,
        which in any::<[prop::sample::Index; 2]>(),
        value in any_value(),
    ) {
        for format in [Format::Yaml, Format::Json] {
            let Ok(roots) = parse(text.trim_start_matches('\u{feff}'), format) else { continue };
            let Some(root) = roots.first() else { continue };
            let mut all = Vec::new();
            routes(root, &Pointer::root(), &mut all);
            let selector = DocumentSelector { index: Some(0), ..DocumentSelector::default() };
            let operation = operation(kind, &all, which, value.clone());
            let _ = patch(text.as_bytes(), format, Some(&selector), &[operation]);
        }
    }
}
