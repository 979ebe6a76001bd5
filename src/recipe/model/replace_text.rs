//! The step `replaceText` as written.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::recipe::{Spanned, Text};

/// Replaces text in a file that is neither JSON nor YAML (`patch` edits those). All places that fit are replaced.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = json!({"path": "scripts/init.sh", "find": "prepare the node", "replace": "prepare this node", "expect": 1}))]
#[schemars(example = json!({
    "path": "scripts/docker.sh",
    "find": r"^# A stand-in for (?<name>\S+) from .*$",
    "replace": "# ${name}",
    "regex": true,
}))]
pub struct ReplaceText {
    /// The file in the context. It need not be UTF-8.
    #[schemars(example = &"scripts/init.sh")]
    pub path: Text,
    /// What is looked for: this text, or what this regular expression matches where `regex` is set.
    #[schemars(length(min = 1), example = &"prepare the node")]
    pub find: Text,
    /// What takes its place; empty: nothing. Where `regex` is set, `$1` and `${name}` are what the groups of `find` matched,
    /// and `$$` is a dollar sign.
    #[schemars(example = &"prepare this node")]
    pub replace: Text,
    /// `find` is a regular expression in the syntax of Rust's `regex`: `^` and `$` match at the start and the end of every
    /// line, whether it ends as on Unix or on Windows, and `.` matches no line end (`(?s).` does). No look-around, no
    /// backreferences.
    #[serde(default)]
    #[schemars(example = true)]
    pub regex: bool,
    /// How many places must be replaced; default: any number but none.
    #[serde(default)]
    #[schemars(range(min = 1), example = 1)]
    pub expect: Option<Spanned<u32>>,
    /// It is fine if the file is not there, and if there is nothing to replace.
    #[serde(default)]
    pub optional: bool,
}
