//! The steps on whole files and their names, concrete.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::types::{ContextPath, Digest};

use super::FileMode;
use super::model::is_false;

/// Replaces text in a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReplaceText {
    /// The file in the context.
    pub path: ContextPath,
    /// What is looked for.
    pub find: String,
    /// What takes its place.
    pub replace: String,
    /// `find` is a regular expression, and `replace` names its groups.
    #[serde(default, skip_serializing_if = "is_false")]
    pub regex: bool,
    /// How many places must be replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<u32>,
    /// Nothing to replace is fine.
    #[serde(default, skip_serializing_if = "is_false")]
    pub optional: bool,
}

/// Writes a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WriteFile {
    /// The file in the context.
    pub path: ContextPath,
    /// Its content.
    pub content: String,
    /// Its mode; none: that of what is there, else 0644.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<FileMode>,
    /// Said in the recipe, and without meaning here.
    #[serde(default, skip_serializing_if = "is_false")]
    pub optional: bool,
}

/// Copies a file from the recipe's side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CopyFile {
    /// The file in the recipe's folder or below.
    pub from: ContextPath,
    /// The file in the context.
    pub path: ContextPath,
    /// Its mode; none: that of what is there, else 0755 or 0644 as the owner of `from` may execute it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<FileMode>,
    /// The names that the expressions in the file's text see (`values`, `platform`, `recipe`), with sorted keys; none: the
    /// bytes are taken as they are.
    ///
    /// The text itself is read only when the step runs, as all that lies outside the recipe is: so the plan carries what it
    /// is rendered with, and stays whole without the recipe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Value>,
    /// A missing `from` is fine.
    #[serde(default, skip_serializing_if = "is_false")]
    pub optional: bool,
}

/// Fetches a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Download {
    /// Where it is fetched from, http or https.
    pub url: url::Url,
    /// Its sha256, where the recipe says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Digest>,
    /// The file in the context.
    pub path: ContextPath,
    /// The file of the fetched archive that is taken; none: what is fetched, as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<ContextPath>,
    /// Its mode; none: that of what is there, else 0755 for a member that may be executed, else 0644.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<FileMode>,
    /// Said in the recipe, and without meaning here.
    #[serde(default, skip_serializing_if = "is_false")]
    pub optional: bool,
}

/// Removes what globs match.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Remove {
    /// The globs; one that matches a folder takes all that is in it.
    pub paths: Vec<String>,
    /// Nothing to remove is fine.
    #[serde(default, skip_serializing_if = "is_false")]
    pub optional: bool,
}

/// Gives something another path.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MovePath {
    /// What is moved.
    pub from: ContextPath,
    /// Its new path.
    pub to: ContextPath,
    /// A missing `from` is fine.
    #[serde(default, skip_serializing_if = "is_false")]
    pub optional: bool,
}

/// Sets permission bits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Chmod {
    /// Globs of files; a path without wildcards is that file or folder itself.
    pub paths: Vec<String>,
    /// The bits.
    pub mode: FileMode,
    /// A glob without a match is fine.
    #[serde(default, skip_serializing_if = "is_false")]
    pub optional: bool,
}

/// Makes a symlink.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Symlink {
    /// The symlink in the context.
    pub path: ContextPath,
    /// What it points to; never followed.
    pub target: String,
    /// Said in the recipe, and without meaning here.
    #[serde(default, skip_serializing_if = "is_false")]
    pub optional: bool,
}
