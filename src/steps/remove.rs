//! `remove`: takes files, symlinks and folders out of the context.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::context::Context;
use super::resolver::{Resolver, is_false};
use super::step::{Effect, FieldPaths, Planned, StepFiles, Written};
use super::work::{Outcome, StepFailure, Tools};
use crate::document::{Sink, Text, some_paths};
use crate::types::{Route, Span};

/// Removes files, symlinks and folders from the context; a folder is removed with everything in it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = json!({"paths": ["statics/*.yml"]}))]
pub struct Remove {
    /// Globs of what to remove; each must match something. `*` stops at `/`, `**` does not.
    #[schemars(length(min = 1), example = ["statics/*.yml"])]
    pub paths: Vec<Text>,
    /// It is fine if there is nothing to remove.
    #[serde(default)]
    pub optional: bool,
}

/// Removes what globs match.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedRemove {
    /// The globs; a glob that matches a folder removes everything in it.
    pub paths: Vec<String>,
    /// It is fine if there is nothing to remove.
    #[serde(default, skip_serializing_if = "is_false")]
    pub optional: bool,
}

impl Written for Remove {
    type Planned = PlannedRemove;

    fn check(&mut self, at: Span, sink: &Sink) {
        some_paths(&self.paths, at, sink);
    }

    fn resolve(&self, _: Span, route: &Route, resolver: &mut Resolver<'_>) -> Option<PlannedRemove> {
        let paths = resolver.globs(&self.paths, &route.then("paths"))?;
        Some(PlannedRemove { paths, optional: self.optional })
    }
}

impl Planned for PlannedRemove {
    const NAME: &str = "remove";

    fn files(&self) -> StepFiles<'_> {
        StepFiles { found: FieldPaths::list("paths", &self.paths), ..StepFiles::new(self.optional) }
    }

    fn effect(&self) -> Effect<'_> {
        Effect::Removes(&self.paths)
    }

    fn run(&self, context: &Context, _: &Tools<'_>) -> Result<Outcome, StepFailure> {
        let matching = context.topmost(&self.paths)?;
        if !matching.unmatched.is_empty() && !self.optional {
            return Err(StepFailure::nothing_matches("nothing", "paths", &self.paths, &matching.unmatched));
        }
        if matching.found.is_empty() {
            return Ok(Outcome::Skipped("nothing to remove".to_owned()));
        }
        for path in &matching.found {
            context.remove(path)?;
        }
        let names: Vec<String> = matching.found.iter().map(|path| path.display().to_string()).collect();
        let mut detail = names.join(", ");
        if !matching.unmatched.is_empty() {
            let unmatched: Vec<String> = matching.unmatched.iter().map(|glob| format!("`{glob}`")).collect();
            detail = format!("{detail}; nothing matches {}", unmatched.join(", "));
        }
        Ok(Outcome::Changed(detail))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::steps::tests::World;

    #[test]
    fn whatever_matches_goes_and_folders_with_all_that_is_in_them() {
        let world = World::new()
            .file("etc/a.conf", "a", 0o644)
            .file("etc/b.conf", "b", 0o644)
            .file("etc/keep", "k", 0o644)
            .file("opt/deep/er/x", "x", 0o600)
            .file("opt/y.conf", "y", 0o644)
            .link("etc/link", "/etc/passwd")
            .link("dangling", "nowhere")
            .folder("empty");
        let mut log = Vec::new();
        for step in [
            json!({"paths": ["etc/*.conf", "none/*"]}),
            json!({"paths": ["*.conf"]}),
            json!({"paths": ["etc/*.conf", "none/*"], "optional": true}),
            json!({"paths": ["opt", "opt/y.conf", "opt/**/x"]}),
            json!({"paths": ["etc/link", "dangling", "empty"]}),
            json!({"paths": ["empty"], "optional": true}),
        ] {
            log.push(format!("{}: {}", step["paths"], world.run(json!({"remove": step}))));
        }
        insta::assert_snapshot!(log.join("\n"), @r#"
        ["etc/*.conf","none/*"]: paths/1: Failed: error: nothing of the context matches `none/*`
        ["*.conf"]: paths/0: Failed: error: nothing of the context matches `*.conf`
        ["etc/*.conf","none/*"]: Changed("etc/a.conf, etc/b.conf; nothing matches `none/*`")
        ["opt","opt/y.conf","opt/**/x"]: Changed("opt")
        ["etc/link","dangling","empty"]: Changed("dangling, empty, etc/link")
        ["empty"]: Skipped("nothing to remove")
        "#);
        assert_eq!(world.context(), ["etc/ 0755 7", "etc/keep 0644 7 k"]);
        assert_eq!(world.run(json!({"remove": {"paths": ["**"]}})), "Changed(\"etc\")");
        assert_eq!(world.context(), [""; 0]);
    }

    #[test]
    fn names_that_are_no_utf_8_go_too() {
        use std::os::unix::ffi::OsStrExt;
        let world = World::new().file("d/x", "x", 0o644);
        let name = std::ffi::OsStr::from_bytes(b"d/\xff.conf");
        fs_err::write(world.path("context").join(name), "").unwrap();
        world.try_run(json!({"remove": {"paths": ["d/*.conf"]}})).unwrap();
        assert_eq!(world.context()[1..], ["d/x 0644 7 x"]);
    }
}
