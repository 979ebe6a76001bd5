//! Context entries as written.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::document::{Spanned, Text};

/// Where files of a context come from.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum ContextEntry {
    /// The files of one layer of an image.
    Layer(LayerEntry),
    /// The files of an image, all its layers merged.
    Rootfs(RootfsEntry),
    /// The files of a folder next to the recipe.
    Directory(DirectoryEntry),
}

/// The files of one layer of an image. Exactly one of `containing`, `id` and `index` picks the layer.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("oneOf" = [{"required": ["containing"]}, {"required": ["id"]}, {"required": ["index"]}]))]
#[schemars(example = json!({"of": "kubernetes:v1.19.8", "containing": "cri/docker.tar.gz"}))]
pub struct LayerEntry {
    /// The image's name; `docker-daemon:NAME` is a container image of the local Docker engine.
    #[schemars(example = &"kubernetes:v1.19.8")]
    pub of: Text,
    /// A path that exactly one layer of the image has; it picks that layer.
    #[serde(default)]
    #[schemars(example = &"cri/docker.tar.gz")]
    pub containing: Option<Text>,
    /// The layer's id, `sha256:…`.
    #[serde(default)]
    #[schemars(example = &"sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03")]
    pub id: Option<Text>,
    /// The layer's number from 0; only layers with content count.
    #[serde(default)]
    #[schemars(example = 0)]
    pub index: Option<Spanned<u32>>,
    /// Globs of the paths to take; default: all. `*` stops at `/`, `**` does not.
    #[serde(default)]
    #[schemars(length(min = 1), example = ["etc/*.yaml", "charts/**"])]
    pub paths: Option<Vec<Text>>,
    /// The folder of the context to put them in; default: the context itself.
    #[serde(default)]
    #[schemars(example = &"manifests")]
    pub to: Option<Text>,
}

/// The files of an image as a cluster sees them: all its layers merged, the later ones over the earlier ones.
///
/// Files that a later layer removes are not there. If several layers have the same folder, its attributes are those of
/// the last of them. The image's registry (`registry/`) is one of its folders: set `paths` to leave it out.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = json!({"of": "kubernetes:v1.19.8", "paths": ["etc", "scripts/*.sh"]}))]
pub struct RootfsEntry {
    /// The image's name.
    #[schemars(example = &"kubernetes:v1.19.8")]
    pub of: Text,
    /// Globs of the paths to take; default: all. `*` stops at `/`, `**` does not.
    #[serde(default)]
    #[schemars(length(min = 1), example = ["etc/*.yaml", "charts/**"])]
    pub paths: Option<Vec<Text>>,
    /// The folder of the context to put them in; default: the context itself.
    #[serde(default)]
    #[schemars(example = &"manifests")]
    pub to: Option<Text>,
}

/// The files of a folder next to the recipe, dot files too.
///
/// Files get the mode 0755 if their owner may execute them, else 0644. Folders that the context does not have yet get
/// 0755. Everything belongs to root and has the constant time. A symlink stays a symlink; it must not lead out of the
/// folder.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = json!({"path": "charts/my-app", "to": "charts/my-app"}))]
pub struct DirectoryEntry {
    /// The folder, in the recipe's folder or below.
    #[schemars(example = &"charts/my-app")]
    pub path: Text,
    /// The folder of the context to put its files in; default: the context itself.
    #[serde(default)]
    #[schemars(example = &"charts/my-app")]
    pub to: Option<Text>,
}
