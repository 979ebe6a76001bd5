//! The step `remove` as written.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::recipe::Text;

/// Removes files, symlinks and folders from the context; a folder goes with all that is in it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = json!({"paths": ["statics/*.yml"]}))]
pub struct Remove {
    /// Globs of what goes; each must match something. `*` stops at `/`, `**` does not.
    #[schemars(length(min = 1), example = ["statics/*.yml"])]
    pub paths: Vec<Text>,
    /// It is fine if there is nothing to remove.
    #[serde(default)]
    pub optional: bool,
}
