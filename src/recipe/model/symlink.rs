//! The step `symlink` as written.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::recipe::Text;

/// Makes a symlink, or points one that is there elsewhere.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = json!({"path": "bin/k", "target": "kubectl"}))]
pub struct Symlink {
    /// The symlink in the context. Folders that are missing are made; a file or folder that is there is not overwritten.
    #[schemars(example = &"bin/k")]
    pub path: Text,
    /// What it points to, as it shall stand in the image: relative to the symlink's folder, or absolute. It need not be
    /// there, and it is never followed here.
    #[schemars(length(min = 1), example = &"kubectl")]
    pub target: Text,
    /// Every step takes this word; there is always something to make.
    #[serde(default)]
    pub optional: bool,
}
