//! `patch`: edits a JSON or YAML file and leaves every other byte as it was.

use serde_json::Value;

use crate::edit::{self, DocumentSelector, EditError, Format, Operation, Refusal};
use crate::plan::Route;
use crate::types::{ContextPath, Failure, FailureKind};

use super::{Context, Outcome, StepFailure, not_there};

/// The step's fields: either `ops` or `merge`.
pub(super) struct Patch<'a> {
    pub(super) path: &'a ContextPath,
    pub(super) document: Option<&'a DocumentSelector>,
    pub(super) ops: &'a [Operation],
    pub(super) merge: Option<&'a Value>,
}

impl Patch<'_> {
    pub(super) fn run(&self, optional: bool, context: &Context) -> Result<Outcome, StepFailure> {
        let path = self.path;
        let Some(format) = Format::of_path(path) else {
            let help = "the name must end in .json, .yaml or .yml".to_owned();
            return Err(StepFailure::new("path", format!("`{path}` is neither JSON nor YAML")).with_help(Some(help)));
        };
        let Some(old) = context.read(path)? else { return not_there(path, optional, context) };
        let (new, done) = if let Some(merge) = self.merge {
            let merged = |lenient| edit::merge(&old, format, self.document, merge, lenient);
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
            let (new, left) = self.operated(&old, format, optional);
            if left.is_empty()
                && let Err(EditError::Operation { reason, .. }) = new
            {
                return Ok(Outcome::Skipped(format!("`{path}`: {reason}")));
            }
            (new, left.iter().map(|index| self.ops[*index].to_string()).collect::<Vec<_>>().join(", "))
        };
        let new = new.map_err(|error| self.refused(&error))?;
        Ok(Outcome::of(context.put(path, &new)?, done))
    }

    /// The document after the operations, and the numbers of those that were done. Nothing to remove is fine where the step
    /// is optional: such operations are left out, the others are done; where none is left, the last one's error stands for
    /// the document.
    fn operated(&self, old: &[u8], format: Format, optional: bool) -> (Result<Vec<u8>, EditError>, Vec<usize>) {
        let mut left: Vec<usize> = (0..self.ops.len()).collect();
        loop {
            let ops: Vec<Operation> = left.iter().map(|index| self.ops[*index].clone()).collect();
            match edit::patch(old, format, self.document, &ops) {
                Err(EditError::Operation { index, operation, reason }) => {
                    let written = left[index];
                    let is_fine = optional && is_nothing_to_remove(&self.ops[written], &reason);
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

    fn refused(&self, error: &EditError) -> StepFailure {
        let at = match error {
            EditError::Operation { .. } if self.merge.is_some() => Route::stage().then("merge"),
            EditError::Operation { index, .. } => Route::stage().then("ops").then(index).then("path"),
            EditError::Unselected { .. } | EditError::Selection { .. } => Route::stage().then("document"),
            EditError::Encoding { .. } | EditError::Syntax { .. } | EditError::Empty => Route::stage().then("path"),
        };
        let mut failure = Failure::from_error(FailureKind::Failed, error);
        if let (EditError::Operation { operation, reason, .. }, Some(_)) = (error, self.merge) {
            failure.message = format!("`merge` (`{operation}`): {reason}");
        }
        StepFailure { at, failure: Failure { message: format!("`{}`: {}", self.path, failure.message), ..failure } }
    }
}

/// What a merge patch is about, for people.
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
mod tests {
    use serde_json::json;

    use crate::steps::tests::World;

    const DOCUMENT: &str = "{\n  \"a\": 1, \"b\": [1]\n}\n";

    #[test]
    fn documents_are_patched_and_merged() {
        let mut log = Vec::new();
        for step in [
            json!({"ops": [{"op": "replace", "path": "/a", "value": 2}]}),
            json!({"ops": [{"op": "test", "path": "/a", "value": 1}]}),
            json!({"ops": [{"op": "remove", "path": "/c"}], "optional": true}),
            json!({"ops": [{"op": "remove", "path": "/c"}, {"op": "remove", "path": "/a"}], "optional": true}),
            json!({"merge": {"a": null, "b": {"c": [2]}}}),
            json!({"merge": {"none": null}}),
            json!({"merge": {"a": 2, "none": null}}),
            json!({"merge": {"a": 2, "none": null}, "optional": true}),
            json!({"merge": {"none": null}, "optional": true}),
            json!({"merge": {"a": 1}}),
            json!({"ops": [{"op": "remove", "path": "/c"}]}),
            json!({"ops": [{"op": "remove", "path": "/c"}, {"op": "replace", "path": "/d", "value": 1}], "optional": true}),
            json!({"merge": {"a": 1}, "document": {"index": 1}}),
        ] {
            let world = World::new().file("a.json", DOCUMENT, 0o600);
            let mut whole = step.clone();
            whole["path"] = json!("a.json");
            log.push(format!("{step}\n{}\n{}\n", world.run(json!({"patch": whole})), world.context()[0]));
        }
        insta::assert_snapshot!(log.join("\n"), @r#"
        {"ops":[{"op":"replace","path":"/a","value":2}]}
        Changed("replace /a")
        a.json 0600 1000 {\n  \"a\": 2, \"b\": [1]\n}\n

        {"ops":[{"op":"test","path":"/a","value":1}]}
        Unchanged("test /a")
        a.json 0600 7 {\n  \"a\": 1, \"b\": [1]\n}\n

        {"ops":[{"op":"remove","path":"/c"}],"optional":true}
        Skipped("`a.json`: `/` has no key `c`; did you mean `a`?")
        a.json 0600 7 {\n  \"a\": 1, \"b\": [1]\n}\n

        {"ops":[{"op":"remove","path":"/c"},{"op":"remove","path":"/a"}],"optional":true}
        Changed("remove /a")
        a.json 0600 1000 {\n  \"b\": [1]\n}\n

        {"merge":{"a":null,"b":{"c":[2]}}}
        Changed("merge a, b")
        a.json 0600 1000 {\n  \"b\": {\n    \"c\": [\n      2\n    ]\n  }\n}\n

        {"merge":{"none":null}}
        merge: Failed: error: `a.json`: `merge` (`remove /none`): `/` has no key `none`
        a.json 0600 7 {\n  \"a\": 1, \"b\": [1]\n}\n

        {"merge":{"a":2,"none":null}}
        merge: Failed: error: `a.json`: `merge` (`remove /none`): `/` has no key `none`
        a.json 0600 7 {\n  \"a\": 1, \"b\": [1]\n}\n

        {"merge":{"a":2,"none":null},"optional":true}
        Changed("merge a, none")
        a.json 0600 1000 {\n  \"a\": 2, \"b\": [1]\n}\n

        {"merge":{"none":null},"optional":true}
        Skipped("`a.json`: `/` has no key `none`")
        a.json 0600 7 {\n  \"a\": 1, \"b\": [1]\n}\n

        {"merge":{"a":1}}
        Unchanged("merge a")
        a.json 0600 7 {\n  \"a\": 1, \"b\": [1]\n}\n

        {"ops":[{"op":"remove","path":"/c"}]}
        ops/0/path: Failed: error: `a.json`: `ops[0]` (`remove /c`): `/` has no key `c`; did you mean `a`?
        a.json 0600 7 {\n  \"a\": 1, \"b\": [1]\n}\n

        {"ops":[{"op":"remove","path":"/c"},{"op":"replace","path":"/d","value":1}],"optional":true}
        ops/1/path: Failed: error: `a.json`: `ops[1]` (`replace /d`): `/` has no key `d`; did you mean `a`?
        a.json 0600 7 {\n  \"a\": 1, \"b\": [1]\n}\n

        {"merge":{"a":1},"document":{"index":1}}
        document: Failed: error: `a.json`: `document: {index: 1}` matches no document; the file has 0: no kind
        a.json 0600 7 {\n  \"a\": 1, \"b\": [1]\n}\n
        "#);
    }

    #[test]
    fn what_cannot_be_patched_is_said() {
        let world = World::new()
            .file("etc/a.json", DOCUMENT, 0o600)
            .file("empty.yaml", "", 0o644)
            .file("alias.yaml", "a: &x {b: 1}\nc: *x\n", 0o644)
            .file("a.txt", "", 0o644)
            .folder("dir.json");
        let mut log = Vec::new();
        for path in ["a.json", "empty.yaml", "alias.yaml", "a.txt", "dir.json"] {
            log.push(format!("{path}: {}", world.run(json!({"patch": {"path": path, "merge": {"a": {"b": 2}}}}))));
        }
        log.push(world.run(json!({"patch": {"path": "a.json", "merge": {"a": 2}, "optional": true}})));
        insta::assert_snapshot!(log.join("\n"), @r#"
        a.json: path: Failed: error: `a.json` is not in the context
          help: did you mean `etc/a.json`?
        empty.yaml: path: Failed: error: `empty.yaml`: the file has no document, only blanks and comments
        alias.yaml: merge: Failed: error: `alias.yaml`: `merge` (`add /a/b`): `&x` at `/a` is used by `*x` in line 2, which would change as well
        a.txt: path: Failed: error: `a.txt` is neither JSON nor YAML
          help: the name must end in .json, .yaml or .yml
        dir.json: path: Failed: error: `dir.json` in the context is a folder, expected a file
        Skipped("`a.json` is not in the context")
        "#);
    }
}
