//! `patch` as written → concrete.

use crate::edit::{DocumentSelector, Format, Operation, Pointer};
use crate::plan::{PlannedStep, Route};
use crate::recipe::{self, OperationName, Spanned, Text};
use crate::types::{Diagnostic, Span};

use super::StageResolver;

impl StageResolver<'_> {
    pub(super) fn patch(&mut self, written: &recipe::Patch, route: &Route) -> Option<PlannedStep> {
        let path = self.changed_file(&written.path, &route.then("path"));
        if path.as_ref().is_some_and(|path| Format::of_path(path).is_none()) {
            let message = format!("`{}` does not have the name of a JSON or YAML file", written.path.value);
            let mistake = Diagnostic::error(written.path.span, message);
            self.mistakes.push(mistake.with_label("expected a name that ends in .json, .yaml or .yml"));
        }
        let document = match &written.document {
            Some(choice) => Some(self.document(choice, &route.then("document"))?),
            None => None,
        };
        let mut ops = Vec::new();
        for (index, op) in written.ops.iter().flat_map(|ops| ops.iter()).enumerate() {
            let route = route.then("ops").then(index);
            self.mark(&route, op.span);
            // All are looked at, so that all mistakes are found; after one of them nothing of the stage is used.
            ops.extend(self.operation(&op.value, op.span, &route));
        }
        let merge = match &written.merge {
            Some(merge) => {
                self.mark(&route.then("merge"), merge.span);
                Some(self.render_data(merge)?)
            }
            None => None,
        };
        Some(PlannedStep::Patch { path: path?, document, ops, merge, optional: written.optional })
    }

    fn document(&mut self, choice: &Spanned<recipe::DocumentChoice>, route: &Route) -> Option<DocumentSelector> {
        self.mark(route, choice.span);
        let mut text = |text: &Option<Text>, name: &str| match text {
            Some(text) => self.render(text, &route.then(name)).map(Some),
            None => Some(None),
        };
        let selector = DocumentSelector {
            kind: text(&choice.kind, "kind")?,
            name: text(&choice.name, "name")?,
            namespace: text(&choice.namespace, "namespace")?,
            index: choice.index.as_ref().map(|index| index.value),
        };
        if selector == DocumentSelector::default() {
            self.mistake(
                choice.span,
                "`document` is empty: expected at least one of `kind`, `name`, `namespace` and `index`",
            );
            return None;
        }
        Some(selector)
    }

    fn operation(&mut self, written: &recipe::Operation, span: Span, route: &Route) -> Option<Operation> {
        let path: Option<Pointer> = self.parsed(&written.path, &route.then("path"));
        let name = written.op.value;
        let takes_value = matches!(name, OperationName::Add | OperationName::Replace | OperationName::Test);
        let takes_from = matches!(name, OperationName::Move | OperationName::Copy);
        let word = name.as_str();
        for (field, takes, given) in
            [("value", takes_value, written.value.is_some()), ("from", takes_from, written.from.is_some())]
        {
            match (takes, given) {
                (true, false) => self.mistake(span, format!("`{word}` needs a `{field}`")),
                (false, true) => self.mistake(span, format!("`{word}` takes no `{field}`")),
                (true, true) | (false, false) => {}
            }
        }
        let value = match &written.value {
            Some(value) => {
                self.mark(&route.then("value"), value.span);
                Some(self.render_data(value)?)
            }
            None => None,
        };
        let from: Option<Pointer> = match &written.from {
            Some(from) => Some(self.parsed(from, &route.then("from"))?),
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
}
