//! The step `download` as written.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::recipe::Text;

/// Fetches a file and puts it into the context: as it is, or one file that lies in it as in an archive.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = json!({
    "url": "https://download.docker.com/linux/static/stable/x86_64/docker-19.03.15.tgz",
    "path": "cri/docker-upstream.tgz",
}))]
pub struct Download {
    /// Where the file is fetched from, https or http.
    #[schemars(example = &"https://download.docker.com/linux/static/stable/x86_64/docker-19.03.15.tgz")]
    pub url: Text,
    /// The sha256 of the file as 64 hex digits; needed where `url` is plain http.
    #[serde(default)]
    #[schemars(example = &"5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03")]
    pub sha256: Option<Text>,
    /// The file in the context. Folders that are missing are made.
    #[schemars(example = &"cri/docker-upstream.tgz")]
    pub path: Text,
    /// The path of a file in the archive that is fetched (tar, .gz, .xz, .zst, .bz2): only that file is taken.
    #[serde(default)]
    #[schemars(example = &"docker/runc")]
    pub member: Option<Text>,
    /// The permission bits, in octal and in quotes; default: those of the file that is there, else 0755 for a `member` that
    /// may be executed, else 0644.
    #[serde(default)]
    #[schemars(example = &"0755")]
    pub mode: Option<Text>,
    /// Every step takes this word; a file that cannot be fetched is an error all the same.
    #[serde(default)]
    pub optional: bool,
}
