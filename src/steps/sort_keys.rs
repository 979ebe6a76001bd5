//! `sortKeys`: puts the keys of a JSON or YAML file in order.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::context::Context;
use super::resolver::{Resolver, is_false};
use super::step::{Planned, StepFiles, Written};
use super::work::{Outcome, StepFailure, Tools, not_there};
use crate::document::Text;
use crate::edit::{Format, sort_keys};
use crate::types::{ContextPath, Route, Span};

/// Puts the keys of all maps of a JSON or YAML file in order. A comment moves with the key below it or on its line.
/// Lists, values and everything else stay as they were, byte for byte.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = json!({"path": "etc/daemon.json"}))]
pub struct SortKeys {
    /// The file in the context.
    #[schemars(example = &"etc/daemon.json")]
    pub path: Text,
    /// It is fine if the file is not there.
    #[serde(default)]
    pub optional: bool,
}

/// Puts the keys of a file in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedSortKeys {
    /// The file in the context.
    pub path: ContextPath,
    /// It is fine if the file is not there.
    #[serde(default, skip_serializing_if = "is_false")]
    pub optional: bool,
}

impl Written for SortKeys {
    type Planned = PlannedSortKeys;

    fn resolve(&self, _: Span, route: &Route, resolver: &mut Resolver<'_>) -> Option<PlannedSortKeys> {
        let path = resolver.document(&self.path, &route.then("path"))?;
        Some(PlannedSortKeys { path, optional: self.optional })
    }
}

impl Planned for PlannedSortKeys {
    const NAME: &str = "sortKeys";

    fn files(&self) -> StepFiles<'_> {
        StepFiles::edited(&self.path, self.optional)
    }

    fn run(&self, context: &Context, _: &Tools<'_>) -> Result<Outcome, StepFailure> {
        let Some(old) = context.read(&self.path)? else { return not_there(&self.path, self.optional, context) };
        let format = Format::of_path(&self.path).unwrap_or(Format::Yaml);
        let new = sort_keys(&old, format).map_err(|error| {
            let mut failed = StepFailure::of("path", error);
            failed.failure.message = format!("`{}`: {}", self.path, failed.failure.message);
            failed
        })?;
        Ok(Outcome::of(context.put(&self.path, &new)?, "keys in order".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::steps::tests::World;

    #[test]
    fn keys_are_put_in_order() {
        let world = World::new()
            .file("etc/daemon.json", "{\"b\": 1, \"a\": {\"d\": 1, \"c\": 2}}\n", 0o600)
            .file("etc/sorted.yaml", "a: 1\nb: 2\n", 0o644)
            .file("etc/anchors.yaml", "b: &x 1\na: *x\n", 0o644)
            .file("etc/broken.yaml", "a: [\n", 0o644);
        let mut log = Vec::new();
        for step in [
            json!({"path": "etc/daemon.json"}),
            json!({"path": "etc/daemon.json"}),
            json!({"path": "etc/sorted.yaml"}),
            json!({"path": "etc/anchors.yaml"}),
            json!({"path": "etc/broken.yaml"}),
            json!({"path": "etc/demon.json"}),
            json!({"path": "etc/demon.json", "optional": true}),
        ] {
            log.push(format!("{step}: {}", world.run(json!({"sortKeys": step}))));
        }
        insta::assert_snapshot!(log.join("\n"));
        insta::assert_snapshot!(world.context().join("\n"));
    }
}
