//! The step `move` as written.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::recipe::Text;

/// Moves a file, a symlink or a folder with all that is in it. Modes and times stay; nothing is ever overwritten.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = json!({"from": "statics/audit-policy.yml", "to": "etc/audit-policy.yml"}))]
pub struct MovePath {
    /// What is moved.
    #[schemars(example = &"statics/audit-policy.yml")]
    pub from: Text,
    /// Its new path, at which nothing may be yet. Folders above it that are missing are made.
    #[schemars(example = &"etc/audit-policy.yml")]
    pub to: Text,
    /// It is fine if there is no `from`.
    #[serde(default)]
    pub optional: bool,
}
