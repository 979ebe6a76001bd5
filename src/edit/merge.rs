//! Merge patches (RFC 7386), translated to operations.

use serde_json::Value as Json;

use super::documents::Documents;
use super::route::Route;
use super::value::{equal, from_json};
use super::{DocumentSelector, EditError, Format, Operation, Pointer, patch};
use crate::syntax::{Node, Value};

/// Merges `merge` into one document of a file: maps are merged key by key, a null removes its key, all else replaces.
///
/// Equal values are not changed. A null that has nothing to remove is refused as a remove is, except where `lenient`.
///
/// Everything else is as with [`patch`](super::patch()): errors name the operation
/// that the merge came down to.
pub(crate) fn merge(
    document: &[u8],
    format: Format,
    selector: Option<&DocumentSelector>,
    merge: &Json,
    lenient: bool,
) -> Result<Vec<u8>, EditError> {
    let file = Documents::read(document, format)?;
    let picked = file.pick(selector)?;
    let mut operations = Vec::new();
    collect(&file.roots[picked], &Pointer::root(), merge, &mut operations);
    if lenient {
        let is_there = |path: &Pointer| Route::find(&file.roots[picked], path, true).is_ok();
        operations.retain(|operation| !matches!(operation, Operation::Remove { path } if !is_there(path)));
    }
    patch(document, format, selector_of(selector, picked, &file).as_ref(), &operations)
}

/// The document by its index: operations may change what it was picked by.
fn selector_of(selector: Option<&DocumentSelector>, picked: usize, file: &Documents) -> Option<DocumentSelector> {
    selector?;
    let before = file.roots[..picked].iter().filter(|root| !super::selector::is_empty(root)).count();
    Some(DocumentSelector { index: u32::try_from(before).ok(), ..DocumentSelector::default() })
}

fn collect(root: &Node, path: &Pointer, merge: &Json, operations: &mut Vec<Operation>) {
    let there = Route::find(root, path, true).ok().map(|route| route.node.followed());
    match (merge, there.map(|node| &node.value)) {
        (Json::Object(changes), Some(Value::Map(_))) => {
            for (key, change) in changes {
                collect(root, &path.child(key), change, operations);
            }
        }
        (Json::Null, _) if !path.tokens().is_empty() => operations.push(Operation::Remove { path: path.clone() }),
        _ => {
            let value = without_nulls(merge);
            let is_there = there.is_some_and(|node| from_json(&value).is_ok_and(|value| equal(node, &value)));
            if !is_there {
                operations.push(Operation::Add { path: path.clone(), value });
            }
        }
    }
}

/// Merged into nothing, a map has no nulls.
fn without_nulls(merge: &Json) -> Json {
    match merge {
        Json::Object(entries) => entries
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key.clone(), without_nulls(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_are_merged_and_the_rest_replaced() {
        for (document, change, expected) in [
            (
                "a: 1 # c\nb: 2\n",
                r#"{"a": 3, "b": null, "c": {"d": 1, "e": null}, "f": null}"#,
                "a: 3 # c\nc:\n  d: 1\n",
            ),
            ("a: {b: 1, c: 1}\n", r#"{"a": {"b": 1, "c": [null]}}"#, "a: {b: 1, c: [null]}\n"),
            ("a: [1]\n", r#"{"a": {"b": 2}}"#, "a:\n  b: 2\n"),
            ("a: 1.0 # c\n", r#"{"a": 1}"#, "a: 1.0 # c\n"),
            ("kind: A\n---\nkind: B\n", r#"{"kind": "C", "x": 1}"#, "kind: A\n---\nkind: C\nx: 1\n"),
        ] {
            let selector = DocumentSelector { kind: Some("B".to_owned()), ..DocumentSelector::default() };
            let selector = Some(&selector).filter(|_| document.contains("---"));
            let change = serde_json::from_str(change).unwrap();
            let merged = merge(document.as_bytes(), Format::Yaml, selector, &change, true).unwrap();
            assert_eq!(String::from_utf8(merged).unwrap(), expected);
        }
    }

    #[test]
    fn a_null_that_has_nothing_to_remove_is_refused() {
        let refused = |change: &str| {
            let change = serde_json::from_str(change).unwrap();
            merge(b"a: {b: 1}\n", Format::Yaml, None, &change, false).unwrap_err().to_string()
        };
        assert_eq!(refused(r#"{"nope": null}"#), "`ops[0]` (`remove /nope`): `/` has no key `nope`");
        assert_eq!(
            refused(r#"{"a": {"b": 2, "bb": null}}"#),
            "`ops[1]` (`remove /a/bb`): `/a` has no key `bb`; did you mean `b`?"
        );
    }
}
