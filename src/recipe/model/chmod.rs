//! The step `chmod` as written.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::recipe::Text;

/// Sets permission bits.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = json!({"paths": ["scripts/*.sh"], "mode": "0700"}))]
pub struct Chmod {
    /// Whose bits are set; each must match something. A glob means the files that it matches (`scripts/**`: all below
    /// `scripts`), never folders. A path without `*`, `?`, `[` and `{` means the file or folder of that name, and of a folder
    /// only itself, not what is in it.
    #[schemars(length(min = 1), example = ["scripts/*.sh"])]
    pub paths: Vec<Text>,
    /// The permission bits, in octal and in quotes.
    #[schemars(example = &"0755")]
    pub mode: Text,
    /// It is fine if a glob matches nothing.
    #[serde(default)]
    pub optional: bool,
}
