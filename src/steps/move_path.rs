//! `move`: gives a file, a symlink or a folder another path.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::context::Context;
use super::resolver::{Resolver, is_false};
use super::step::{Effect, FieldPaths, Planned, StepFiles, Written};
use super::work::{InField, Outcome, StepFailure, Tools, missing_at};
use crate::document::Text;
use crate::types::{ContextPath, Route, Span};

/// Moves a file, a symlink or a folder with everything in it. Modes and times stay; nothing is ever overwritten.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = json!({"from": "statics/audit-policy.yml", "to": "etc/audit-policy.yml"}))]
pub struct MovePath {
    /// What to move.
    #[schemars(example = &"statics/audit-policy.yml")]
    pub from: Text,
    /// Its new path. Nothing may be there yet. Missing folders above it are made.
    #[schemars(example = &"etc/audit-policy.yml")]
    pub to: Text,
    /// It is fine if `from` is not there.
    #[serde(default)]
    pub optional: bool,
}

/// Gives something another path.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedMovePath {
    /// What to move.
    pub from: ContextPath,
    /// Its new path.
    pub to: ContextPath,
    /// It is fine if `from` is missing.
    #[serde(default, skip_serializing_if = "is_false")]
    pub optional: bool,
}

impl Written for MovePath {
    type Planned = PlannedMovePath;

    fn resolve(&self, _: Span, route: &Route, resolver: &mut Resolver<'_>) -> Option<PlannedMovePath> {
        let from = resolver.file(&self.from, &route.then("from"));
        let to = resolver.changed_file(&self.to, &route.then("to"));
        let (from, to) = (from?, to?);
        if from == to {
            resolver
                .mistake(self.to.span, format!("`{to}` is both the old and the new path: the step would do nothing"));
        } else if to.as_path().starts_with(from.as_path()) {
            resolver.mistake(self.to.span, format!("`{from}` cannot be moved into itself, to `{to}`"));
        }
        Some(PlannedMovePath { from, to, optional: self.optional })
    }
}

impl Planned for PlannedMovePath {
    const NAME: &str = "move";

    fn title(&self) -> String {
        format!("move {} to {}", self.from, self.to)
    }

    fn files(&self) -> StepFiles<'_> {
        let (found, written) = (FieldPaths::one("from", &self.from), FieldPaths::one("to", &self.to));
        StepFiles { found, written, ..StepFiles::new(self.optional) }
    }

    fn effect(&self) -> Effect<'_> {
        Effect::Moves { from: &self.from, to: &self.to }
    }

    fn run(&self, context: &Context, _: &Tools<'_>) -> Result<Outcome, StepFailure> {
        let Self { from, to, optional } = self;
        if context.meta(from).in_field("from")?.is_none() {
            return missing_at("from", from, *optional, context);
        }
        context.rename(from, to).in_field("to")?;
        Ok(Outcome::Changed(format!("{from} becomes {to}")))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::steps::tests::World;

    #[test]
    fn everything_can_be_moved_and_nothing_is_overwritten() {
        let world = World::new()
            .file("a/file", "f", 0o4711)
            .file("a/folder/x", "x", 0o600)
            .file("there", "t", 0o644)
            .link("a/link", "../there");
        // Both are names of one file: rename(2) would do nothing.
        fs_err::hard_link(world.path("context/there"), world.path("context/twin")).unwrap();
        let mut log = Vec::new();
        for (from, to) in [
            ("a/file", "b/new/file"),
            ("a/folder", "b/folder"),
            ("a/link", "link"),
            ("there", "twin"),
            ("there", "b"),
            ("there", "twin/x"),
            ("non", "x"),
            ("a/fil", "x"),
        ] {
            log.push(format!("{from} to {to}: {}", world.run(json!({"move": {"from": from, "to": to}}))));
        }
        log.push(world.run(json!({"move": {"from": "none", "to": "there", "optional": true}})));
        insta::assert_snapshot!(log.join("\n"), @r#"
        a/file to b/new/file: Changed("a/file becomes b/new/file")
        a/folder to b/folder: Changed("a/folder becomes b/folder")
        a/link to link: Changed("a/link becomes link")
        there to twin: to: Failed: error: the context already has `twin`, a file; `remove` it first if you want to replace it
        there to b: to: Failed: error: the context already has `b`, a folder; `remove` it first if you want to replace it
        there to twin/x: to: Failed: error: `twin/x` leads through `twin`, which is a file in the context, expected a folder
        non to x: from: Failed: error: `non` is not in the context
        a/fil to x: from: Failed: error: `a/fil` is not in the context
        Skipped("`none` is not in the context")
        "#);
        insta::assert_snapshot!(world.context().join("\n"), @"
        a/ 0755 7
        b/ 0755 1000
        b/folder/ 0755 7
        b/folder/x 0600 7 x
        b/new/ 0755 1000
        b/new/file 4711 7 f
        link 7 -> ../there
        there 0644 7 t
        twin 0644 7 t
        ");
    }
}
