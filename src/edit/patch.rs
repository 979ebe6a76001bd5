//! Operations on a document's bytes, each of them checked against what it should have done.

use super::apply::Change;
use super::documents::{Documents, parse};
use super::route::{Route, Slot};
use super::splice::{self, Splice};
use super::value::{copied, equal, from_json, same, shown};
use super::{DocumentSelector, EditError, Format, Operation, Pointer, Refusal, anchors, block, flow};
use crate::syntax::{Node, Style, Value};
use crate::types::Span;

/// Applies `operations` in order to one document of a file, and changes nothing else.
///
/// Without a selector the file must hold exactly one document. Strings are written without quotes where every reader of
/// YAML takes them for strings even so; the quotes of a replaced string are kept. New values are written by indentation
/// where their neighbours are, else in brackets. An empty file cannot be edited.
///
/// # Errors
/// See [`EditError`]; nothing is changed then. Where an edit cannot be done without changing more than it says, it is
/// refused: aliases and what they repeat, layouts that are too unusual.
pub(crate) fn patch(
    document: &[u8],
    format: Format,
    selector: Option<&DocumentSelector>,
    operations: &[Operation],
) -> Result<Vec<u8>, EditError> {
    let mut file = Documents::read(document, format)?;
    let picked = file.pick(selector)?;
    for (index, operation) in operations.iter().enumerate() {
        run(&mut file, picked, operation).map_err(|reason| EditError::operation(index, operation, reason))?;
    }
    Ok(file.into_bytes())
}

fn run(file: &mut Documents, picked: usize, operation: &Operation) -> Result<(), Refusal> {
    let read = |file: &Documents, path: &Pointer| copied(Route::find(&file.roots[picked], path, true)?.node);
    match operation {
        Operation::Add { path, value } => add(file, picked, path, from_json(value)?),
        Operation::Remove { path } => change(file, picked, Change::Remove { path: path.clone() }),
        Operation::Replace { path, value } => {
            change(file, picked, Change::Replace { path: path.clone(), value: from_json(value)? })
        }
        Operation::Copy { from, path } => {
            let value = read(file, from)?;
            add(file, picked, path, value)
        }
        Operation::Move { from, path } if from.is_above(path) => Err(Refusal::MoveIntoItself),
        Operation::Move { from, path } => {
            let value = read(file, from)?;
            if from == path {
                return Ok(());
            }
            change(file, picked, Change::Remove { path: from.clone() })?;
            add(file, picked, path, value)
        }
        Operation::Test { path, value } => {
            let (found, expected) = (Route::find(&file.roots[picked], path, true)?.node, from_json(value)?);
            if equal(found, &expected) {
                return Ok(());
            }
            Err(Refusal::Differs { found: shown(found), expected: shown(&expected) })
        }
    }
}

fn add(file: &mut Documents, picked: usize, path: &Pointer, value: Node) -> Result<(), Refusal> {
    let Some((parent, token)) = path.split_last() else {
        return change(file, picked, Change::Replace { path: path.clone(), value });
    };
    let slot = Route::find(&file.roots[picked], &parent, false)?.slot(&parent, token)?;
    let new = match slot {
        Slot::There => Change::Replace { path: path.clone(), value },
        Slot::NewKey => Change::Insert { path: path.clone(), value },
        Slot::NewElement(at) => Change::Insert { path: parent.child(&at.to_string()), value },
    };
    change(file, picked, new)
}

/// One change: splices, reads again, compares.
fn change(file: &mut Documents, picked: usize, change: Change) -> Result<(), Refusal> {
    let mut plans = Vec::new();
    for literals in [true, false] {
        let plan = plan(file, picked, &change, literals)?;
        if !plans.contains(&plan) {
            plans.push(plan);
        }
    }
    if !change.apply(&mut file.roots[picked]) {
        return Err(Refusal::Layout(None));
    }
    let mut why = None;
    for mut plan in plans {
        let Some(text) = splice::apply(&file.text, &mut plan) else { continue };
        match parse(&text, file.format) {
            Ok(roots) if is_same(&roots, &file.roots) => {
                file.text = text;
                file.roots = roots;
                return Ok(());
            }
            Ok(_) => {}
            Err(error) => why = why.or(Some(error.message)),
        }
    }
    Err(Refusal::Layout(why))
}

fn is_same(a: &[Node], b: &[Node]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
}

fn plan(file: &Documents, picked: usize, change: &Change, literals: bool) -> Result<Vec<Splice>, Refusal> {
    let (text, root) = (file.text.as_str(), &file.roots[picked]);
    let brackets = flow::Brackets { text, as_json: file.format == Format::Json };
    let page = block::Page::new(text, root, literals);
    let a_pair = || Refusal::Layout(Some("a pair in a list has no braces of its own; add braces first".to_owned()));
    match change {
        Change::Insert { path, value } => {
            let Some((parent, token)) = path.split_last() else { return Err(Refusal::Layout(None)) };
            let route = Route::find(root, &parent, false)?;
            anchors::check(text, root, &route, &parent, None)?;
            match route.node.style {
                Style::Block => page.insert(route.node, token, value),
                Style::Pair => Err(a_pair()),
                _ => Ok(brackets.insert(&route, token, value)),
            }
        }
        Change::Replace { path, value } => {
            let route = Route::find(root, path, false)?;
            anchors::check(text, root, &route, path, Some(route.node.whole()))?;
            let holder = route.rungs.last().map_or(route.node.style, |(holder, _)| holder.style);
            if holder == Style::Block { page.replace(&route, value) } else { Ok(brackets.replace(&route, value)) }
        }
        Change::Remove { path } => {
            let route = Route::find(root, path, false)?;
            let Some((holder, at)) = route.rungs.last().copied() else { return Err(Refusal::RemoveRoot) };
            let start = match &holder.value {
                Value::Map(entries) => entries[at].0.whole().start,
                _ => route.node.whole().start,
            };
            anchors::check(text, root, &route, path, Some(Span::new(start, route.node.span.end)))?;
            match holder.style {
                Style::Block => page.remove(&route),
                Style::Pair => Err(a_pair()),
                _ => brackets.remove(holder, at),
            }
        }
    }
}

#[cfg(test)]
mod tests;
