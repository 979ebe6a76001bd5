//! The step `copy` as written.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::recipe::Text;

/// Copies a file that lies beside the recipe. (A whole folder is taken by the context entry `directory`.)
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = json!({"from": "files/motd", "path": "etc/motd"}))]
pub struct CopyFile {
    /// The file in the recipe's folder or below.
    #[schemars(example = &"files/motd")]
    pub from: Text,
    /// The file in the context. Folders that are missing are made.
    #[schemars(example = &"etc/motd")]
    pub path: Text,
    /// The permission bits, in octal and in quotes; default: those of the file that is there, else 0755 where the owner of
    /// `from` may execute it, else 0644.
    #[serde(default)]
    #[schemars(example = &"0755")]
    pub mode: Option<Text>,
    /// Whether `{{ … }}` works in the file's text, as in `content` of `write`; default: `false`, the bytes as they are.
    #[serde(default)]
    #[schemars(example = true)]
    pub template: bool,
    /// It is fine if there is no `from`.
    #[serde(default)]
    pub optional: bool,
}
