//! `symlink`: makes a symlink; what it points to is text of the image and never followed here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::context::Context;
use super::resolver::{Resolver, is_false};
use super::step::{Effect, FieldPaths, Planned, StepFiles, Written};
use super::work::{Outcome, StepFailure, Tools};
use crate::document::{Sink, Text, not_empty};
use crate::types::{ContextPath, Diagnostic, Route, Span};

/// The longest target of a symlink on Linux: `PATH_MAX` with its final zero.
const LONGEST_TARGET: usize = 4095;

/// How many characters of an invalid target are shown.
const SHOWN: usize = 80;

/// Makes a symlink, or changes what an existing one points to.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = json!({"path": "bin/k", "target": "kubectl"}))]
pub struct Symlink {
    /// The symlink in the context. Missing folders are made; a file or folder that is there is not overwritten.
    #[schemars(example = &"bin/k")]
    pub path: Text,
    /// What it points to in the image: relative to the symlink's folder, or absolute. It need not be there, and it is
    /// never followed here.
    #[schemars(length(min = 1), example = &"kubectl")]
    pub target: Text,
    /// It has no effect here: there is always something to make.
    #[serde(default)]
    pub optional: bool,
}

/// Makes a symlink.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedSymlink {
    /// The symlink in the context.
    pub path: ContextPath,
    /// What it points to; never followed.
    pub target: String,
    /// Set in the recipe; it has no effect here.
    #[serde(default, skip_serializing_if = "is_false")]
    pub optional: bool,
}

impl Written for Symlink {
    type Planned = PlannedSymlink;

    fn check(&mut self, _: Span, sink: &Sink) {
        not_empty(&self.target, "target", sink);
    }

    fn resolve(&self, _: Span, route: &Route, resolver: &mut Resolver<'_>) -> Option<PlannedSymlink> {
        let path = resolver.changed_file(&self.path, &route.then("path"));
        let target = resolver.render(&self.target, &route.then("target"))?;
        if target.is_empty() || target.len() > LONGEST_TARGET || target.contains(['\0', '\n', '\r']) {
            let shown: String = target.chars().take(SHOWN).collect();
            let more = if shown.len() < target.len() { "…" } else { "" };
            let message = format!("`{}{more}` is not a path that a symlink can point to", shown.escape_debug());
            resolver.mistake(self.target.span, message);
        } else if path.as_ref().is_some_and(|path| is_own_place(path.as_str(), &target)) {
            let message = format!(
                "`{target}` is the symlink's own path on the cluster's machines: sealer takes such a symlink for a \
                 damaged one and leaves it out"
            );
            let mistake = Diagnostic::error(self.target.span, message);
            resolver
                .mistakes
                .push(mistake.with_help("name the file that it should point to on the cluster's machines"));
        }
        Some(PlannedSymlink { path: path?, target, optional: self.optional })
    }
}

impl Planned for PlannedSymlink {
    const NAME: &str = "symlink";

    fn files(&self) -> StepFiles<'_> {
        StepFiles { written: FieldPaths::one("path", &self.path), ..StepFiles::new(self.optional) }
    }

    fn effect(&self) -> Effect<'_> {
        Effect::Links(&self.path)
    }

    fn run(&self, context: &Context, _: &Tools<'_>) -> Result<Outcome, StepFailure> {
        let changed = context.symlink(&self.path, &self.target)?;
        Ok(Outcome::of(changed, format!("points to {}", self.target)))
    }
}

/// Whether a target is the link's own path in sealer's store, as sealer writes it by mistake.
fn is_own_place(path: &str, target: &str) -> bool {
    let Some(inside) = target.strip_prefix("/var/lib/sealer/") else { return false };
    inside.strip_suffix(path).is_some_and(|folder| folder.ends_with('/'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::steps::tests::World;

    #[test]
    fn targets_are_text_and_only_symlinks_are_replaced() {
        let world = World::new().file("bin/file", "f", 0o644).link("bin/old", "file").folder("dir");
        let mut log = Vec::new();
        for (path, target) in [
            ("bin/new", "file"),
            ("usr/bin/x", "/usr/bin/y"),
            ("out", "../../../../etc/passwd"),
            ("bin/old", "file"),
            ("bin/old", "other"),
            ("bin/file", "x"),
            ("dir", "x"),
            ("bin/file/x", "x"),
        ] {
            log.push(format!("{path}: {}", world.run(json!({"symlink": {"path": path, "target": target}}))));
        }
        insta::assert_snapshot!(log.join("\n"), @r#"
        bin/new: Changed("points to file")
        usr/bin/x: Changed("points to /usr/bin/y")
        out: Changed("points to ../../../../etc/passwd")
        bin/old: Unchanged("points to file")
        bin/old: Changed("points to other")
        bin/file: path: Failed: error: the context already has `bin/file`, a file; `remove` it first if you want to replace it
        dir: path: Failed: error: the context already has `dir`, a folder; `remove` it first if you want to replace it
        bin/file/x: path: Failed: error: `bin/file/x` leads through `bin/file`, which is a file in the context, expected a folder
        "#);
        insta::assert_snapshot!(world.context().join("\n"), @"
        bin/ 0755 7
        bin/file 0644 7 f
        bin/new 1000 -> file
        bin/old 1000 -> other
        dir/ 0755 7
        out 1000 -> ../../../../etc/passwd
        usr/ 0755 1000
        usr/bin/ 0755 1000
        usr/bin/x 1000 -> /usr/bin/y
        ");
    }
}
