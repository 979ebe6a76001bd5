//! `patch`: edits a JSON or YAML file and leaves every other byte as it was.

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::context::Context;
use super::resolver::{Resolver, is_false};
use super::step::{Planned, StepFiles, Written};
use super::work::{Outcome, StepFailure, Tools, not_there};
use crate::document::{Data, DataValue, Sink, Spanned, Text, exactly_one, span_of};
use crate::edit::{self, DocumentSelector, EditError, Format, Operation, Pointer, Refusal};
use crate::types::{ContextPath, Diagnostic, Failure, Route, Span};

/// Edits a JSON or YAML file with JSON Patch operations (RFC 6902) or with a merge patch (RFC 7386). Give exactly one
/// of `ops` and `merge`. The rest of the file stays as it was, byte for byte.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("oneOf" = [{"required": ["ops"]}, {"required": ["merge"]}]))]
#[schemars(example = json!({"path": "etc/daemon.json", "ops": [{"op": "remove", "path": "/mirror-registries"}]}))]
#[schemars(example = json!({
    "path": "etc/custom-resources.yaml",
    "document": {"kind": "Installation", "name": "default"},
    "merge": {"spec": {"registry": "sea.hub:5000"}},
}))]
pub struct Patch {
    /// The file in the context.
    #[schemars(example = &"etc/daemon.json")]
    pub path: Text,
    /// The YAML document to edit, if the file has several.
    #[serde(default)]
    #[schemars(example = json!({"kind": "Installation", "name": "default"}))]
    pub document: Option<Spanned<DocumentChoice>>,
    /// The operations, in order.
    #[serde(default)]
    #[schemars(length(min = 1), example = json!([{"op": "remove", "path": "/mirror-registries"}]))]
    pub ops: Option<Spanned<Vec<Spanned<PatchOperation>>>>,
    /// The content to merge into the document: maps are merged key by key, `null` removes its key, everything else
    /// (lists, too) replaces what is there. Templates work in its strings.
    #[serde(default)]
    #[schemars(extend("type" = "object", "minProperties" = 1), example = json!({"log-opts": {"max-size": "100m"}, "mirror-registries": null}))]
    pub merge: Option<Data>,
    /// It is fine if the file is not there, and if there is nothing to remove.
    #[serde(default)]
    pub optional: bool,
}

/// The YAML document to edit, if the file has several: the one that fits all given fields.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
pub struct DocumentChoice {
    /// The document's `kind`.
    #[serde(default)]
    #[schemars(example = &"Installation")]
    pub kind: Option<Text>,
    /// The document's `metadata.name`.
    #[serde(default)]
    #[schemars(example = &"default")]
    pub name: Option<Text>,
    /// The document's `metadata.namespace`.
    #[serde(default)]
    #[schemars(example = &"kube-system")]
    pub namespace: Option<Text>,
    /// The document's number from 0.
    #[serde(default)]
    #[schemars(example = 0)]
    pub index: Option<Spanned<u32>>,
}

/// One operation of JSON Patch (RFC 6902).
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename = "Operation", rename_all = "camelCase", deny_unknown_fields)]
#[schemars(transform = needs_of_operations)]
pub struct PatchOperation {
    /// What to do.
    #[schemars(example = &"add")]
    pub op: Spanned<OperationName>,
    /// Where, as a JSON Pointer (RFC 6901): `/spec/registry`.
    #[schemars(example = &"/spec/registry")]
    pub path: Text,
    /// The value of `add`, `replace` and `test`; templates work in its strings.
    #[serde(default)]
    #[schemars(example = &"{{ values.hub }}")]
    pub value: Option<Data>,
    /// Where `move` and `copy` take the value from, as a JSON Pointer.
    #[serde(default)]
    #[schemars(example = &"/spec/old")]
    pub from: Option<Text>,
}

/// The fields that each operation needs.
fn needs_of_operations(schema: &mut Schema) {
    schema.insert(
        "oneOf".to_owned(),
        json!([
            {"properties": {"op": {"enum": ["add", "replace", "test"]}, "from": false}, "required": ["value"]},
            {"properties": {"op": {"enum": ["move", "copy"]}, "value": false}, "required": ["from"]},
            {"properties": {"op": {"const": "remove"}, "from": false, "value": false}},
        ]),
    );
}

/// The operations of JSON Patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum OperationName {
    /// Adds a key or an element, or replaces a key's value.
    Add,
    /// Removes a key or an element.
    Remove,
    /// Replaces a value that is there.
    Replace,
    /// Removes a value and adds it elsewhere.
    Move,
    /// Adds a copy of a value from elsewhere.
    Copy,
    /// Fails if a value is not the given one.
    Test,
}

impl OperationName {
    /// The name as RFC 6902 writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Remove => "remove",
            Self::Replace => "replace",
            Self::Move => "move",
            Self::Copy => "copy",
            Self::Test => "test",
        }
    }
}

/// Edits a JSON or YAML file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedPatch {
    /// The file in the context.
    pub path: ContextPath,
    /// The document to edit, if there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<DocumentSelector>,
    /// The operations, in order; empty if `merge` is given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ops: Vec<Operation>,
    /// A merge patch (RFC 7386), a map.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge: Option<Value>,
    /// It is fine if the file is not there.
    #[serde(default, skip_serializing_if = "is_false")]
    pub optional: bool,
}

impl Written for Patch {
    type Planned = PlannedPatch;

    fn check(&mut self, at: Span, sink: &Sink) {
        if self.path.span == Span::default() {
            return;
        }
        let fields = [("ops", span_of(self.ops.as_ref())), ("merge", span_of(self.merge.as_ref()))];
        exactly_one(&fields, at, "what is edited", sink);
        if let Some(ops) = self.ops.as_ref().filter(|ops| ops.is_empty())
            && !sink.has_error_in(ops.span)
        {
            sink.add(Diagnostic::error(ops.span, "`ops` is empty").with_label("expected at least one operation"));
        }
        if let Some(merge) = &self.merge
            && !sink.has_error_at(merge.span)
        {
            match &merge.value {
                DataValue::Map(entries) if entries.is_empty() => {
                    sink.add(Diagnostic::error(merge.span, "`merge` is empty").with_label("expected at least one key"));
                }
                DataValue::Map(_) => {}
                DataValue::Null
                | DataValue::Bool(_)
                | DataValue::Number(_)
                | DataValue::Text(_)
                | DataValue::List(_) => {
                    let message = format!("`merge` must be a map, not {}", merge.kind());
                    sink.add(Diagnostic::error(merge.span, message).with_label("expected keys and their new values"));
                }
            }
        }
        if let Some(document) = &self.document {
            let DocumentChoice { kind, name, namespace, index } = &document.value;
            let by_content = [kind, name, namespace].into_iter().flatten().next();
            if by_content.is_none() && index.is_none() && !sink.has_error_in(document.span) {
                sink.add(
                    Diagnostic::error(document.span, "nothing says which document is meant")
                        .with_label("expected `kind`, `name`, `namespace` or `index`"),
                );
            }
        }
        for operation in self.ops.iter().flat_map(|ops| ops.iter()) {
            fields_of_operation(operation, sink);
        }
    }

    fn resolve(&self, _: Span, route: &Route, resolver: &mut Resolver<'_>) -> Option<PlannedPatch> {
        let path = resolver.document(&self.path, &route.then("path"));
        let document = match &self.document {
            Some(choice) => Some(document(choice, &route.then("document"), resolver)?),
            None => None,
        };
        let mut ops = Vec::new();
        for (index, op) in self.ops.iter().flat_map(|ops| ops.iter()).enumerate() {
            let route = route.then("ops").then(index);
            resolver.mark(&route, op.span);
            // All are checked, so that all mistakes are found; after a mistake nothing of the stage is used.
            ops.extend(operation(&op.value, op.span, &route, resolver));
        }
        let merge = match &self.merge {
            Some(merge) => {
                resolver.mark(&route.then("merge"), merge.span);
                Some(resolver.render_data(merge)?)
            }
            None => None,
        };
        Some(PlannedPatch { path: path?, document, ops, merge, optional: self.optional })
    }
}

fn fields_of_operation(operation: &Spanned<PatchOperation>, sink: &Sink) {
    let PatchOperation { op, path, value, from } = &operation.value;
    if path.span == Span::default() || op.span == Span::default() || sink.has_error_in(op.span) {
        return;
    }
    let (verb, needs_value, needs_from) = match op.value {
        OperationName::Add => ("add", true, false),
        OperationName::Replace => ("replace", true, false),
        OperationName::Test => ("test", true, false),
        OperationName::Remove => ("remove", false, false),
        OperationName::Move => ("move", false, true),
        OperationName::Copy => ("copy", false, true),
    };
    for (field, span, needed) in
        [("value", span_of(value.as_ref()), needs_value), ("from", span_of(from.as_ref()), needs_from)]
    {
        match (span, needed) {
            (None, true) => sink.add(
                Diagnostic::error(op.span, format!("`{verb}` needs `{field}`"))
                    .with_label(format!("expected `{field}` next to it")),
            ),
            (Some(span), false) => {
                sink.add(
                    Diagnostic::error(span, format!("`{verb}` takes no `{field}`")).with_label("not expected here"),
                );
            }
            (None, false) | (Some(_), true) => {}
        }
    }
}

fn document(choice: &Spanned<DocumentChoice>, route: &Route, resolver: &mut Resolver<'_>) -> Option<DocumentSelector> {
    resolver.mark(route, choice.span);
    let mut text = |text: &Option<Text>, name: &str| match text {
        Some(text) => resolver.render(text, &route.then(name)).map(Some),
        None => Some(None),
    };
    let selector = DocumentSelector {
        kind: text(&choice.kind, "kind")?,
        name: text(&choice.name, "name")?,
        namespace: text(&choice.namespace, "namespace")?,
        index: choice.index.as_ref().map(|index| index.value),
    };
    if selector == DocumentSelector::default() {
        resolver.mistake(
            choice.span,
            "`document` is empty: expected at least one of `kind`, `name`, `namespace` and `index`",
        );
        return None;
    }
    Some(selector)
}

fn operation(written: &PatchOperation, span: Span, route: &Route, resolver: &mut Resolver<'_>) -> Option<Operation> {
    let path: Option<Pointer> = resolver.parsed(&written.path, &route.then("path"));
    let name = written.op.value;
    let takes_value = matches!(name, OperationName::Add | OperationName::Replace | OperationName::Test);
    let takes_from = matches!(name, OperationName::Move | OperationName::Copy);
    let word = name.as_str();
    for (field, takes, given) in
        [("value", takes_value, written.value.is_some()), ("from", takes_from, written.from.is_some())]
    {
        match (takes, given) {
            (true, false) => resolver.mistake(span, format!("`{word}` needs a `{field}`")),
            (false, true) => resolver.mistake(span, format!("`{word}` takes no `{field}`")),
            (true, true) | (false, false) => {}
        }
    }
    let value = match &written.value {
        Some(value) => {
            resolver.mark(&route.then("value"), value.span);
            Some(resolver.render_data(value)?)
        }
        None => None,
    };
    let from: Option<Pointer> = match &written.from {
        Some(from) => Some(resolver.parsed(from, &route.then("from"))?),
        None => None,
    };
    let path = path?;
    Some(match name {
        OperationName::Add => Operation::Add { path, value: value? },
        OperationName::Remove => Operation::Remove { path },
        OperationName::Replace => Operation::Replace { path, value: value? },
        OperationName::Move => Operation::Move { from: from?, path },
        OperationName::Copy => Operation::Copy { from: from?, path },
        OperationName::Test => Operation::Test { path, value: value? },
    })
}

impl Planned for PlannedPatch {
    const NAME: &str = "patch";

    fn files(&self) -> StepFiles<'_> {
        StepFiles::edited(&self.path, self.optional)
    }

    fn run(&self, context: &Context, _: &Tools<'_>) -> Result<Outcome, StepFailure> {
        let (path, document, optional) = (&self.path, self.document.as_ref(), self.optional);
        let Some(format) = Format::of_path(path) else {
            let help = "the name must end in .json, .yaml or .yml".to_owned();
            return Err(StepFailure::new("path", format!("`{path}` is neither JSON nor YAML")).with_help(Some(help)));
        };
        let Some(old) = context.read(path)? else { return not_there(path, optional, context) };
        let (new, done) = if let Some(merge) = &self.merge {
            let merged = |lenient| edit::merge(&old, format, document, merge, lenient);
            let strict = merged(false);
            match &strict {
                Err(EditError::Operation { reason, .. }) if optional && is_no_place(reason) => {
                    let lenient = merged(true);
                    if lenient.as_ref().is_ok_and(|new| *new == old) {
                        return Ok(Outcome::Skipped(format!("`{path}`: {reason}")));
                    }
                    (lenient, keys_of(merge))
                }
                _ => (strict, keys_of(merge)),
            }
        } else {
            let (new, left) = self.operated(&old, format);
            if left.is_empty()
                && let Err(EditError::Operation { reason, .. }) = new
            {
                return Ok(Outcome::Skipped(format!("`{path}`: {reason}")));
            }
            (new, left.iter().map(|index| self.ops[*index].to_string()).collect::<Vec<_>>().join(", "))
        };
        let new = new.map_err(|error| self.refused(error))?;
        Ok(Outcome::of(context.put(path, &new)?, done))
    }
}

impl PlannedPatch {
    /// The document after the operations, and the numbers of those that were done. If the step is optional, operations
    /// with nothing to remove are left out, and the others are done. If none is left, the result is the error of the
    /// last one.
    fn operated(&self, old: &[u8], format: Format) -> (Result<Vec<u8>, EditError>, Vec<usize>) {
        let mut left: Vec<usize> = (0..self.ops.len()).collect();
        loop {
            let ops: Vec<Operation> = left.iter().map(|index| self.ops[*index].clone()).collect();
            match edit::patch(old, format, self.document.as_ref(), &ops) {
                Err(EditError::Operation { index, operation, reason }) => {
                    let written = left[index];
                    let is_fine = self.optional && is_nothing_to_remove(&self.ops[written], &reason);
                    if is_fine {
                        left.remove(index);
                    }
                    if !is_fine || left.is_empty() {
                        return (Err(EditError::Operation { index: written, operation, reason }), left);
                    }
                }
                patched => return (patched, left),
            }
        }
    }

    fn refused(&self, error: EditError) -> StepFailure {
        let at = match &error {
            EditError::Operation { .. } if self.merge.is_some() => Route::stage().then("merge"),
            EditError::Operation { index, .. } => Route::stage().then("ops").then(index).then("path"),
            EditError::Unselected { .. } | EditError::Selection { .. } => Route::stage().then("document"),
            EditError::Encoding { .. } | EditError::Syntax { .. } | EditError::Empty | EditError::Order(_) => {
                Route::stage().then("path")
            }
        };
        let merged = match (&error, &self.merge) {
            (EditError::Operation { operation, reason, .. }, Some(_)) => {
                Some(format!("`merge` (`{operation}`): {reason}"))
            }
            _ => None,
        };
        let mut failure = Failure::from(error);
        failure.message = merged.unwrap_or(failure.message);
        StepFailure { at, failure: Failure { message: format!("`{}`: {}", self.path, failure.message), ..failure } }
    }
}

/// The subject of a merge patch, for people.
fn keys_of(merge: &Value) -> String {
    let keys: Vec<&str> = merge.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect();
    format!("merge {}", keys.join(", "))
}

fn is_nothing_to_remove(operation: &Operation, reason: &Refusal) -> bool {
    matches!(operation, Operation::Remove { .. }) && is_no_place(reason)
}

fn is_no_place(reason: &Refusal) -> bool {
    matches!(reason, Refusal::NoKey { .. } | Refusal::NoIndex { .. })
}

#[cfg(test)]
mod tests;
