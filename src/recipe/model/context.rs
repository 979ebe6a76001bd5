//! Context entries as written.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::recipe::{Spanned, Text};

/// Where files of a context come from.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum ContextEntry {
    /// The files of one layer of an image.
    Layer(LayerEntry),
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
    /// A path that exactly one layer of the image holds: that layer.
    #[serde(default)]
    #[schemars(example = &"cri/docker.tar.gz")]
    pub containing: Option<Text>,
    /// The layer's id, `sha256:…`.
    #[serde(default)]
    #[schemars(example = &"sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03")]
    pub id: Option<Text>,
    /// The layer's number from 0, counting those that have content.
    #[serde(default)]
    #[schemars(example = 0)]
    pub index: Option<Spanned<u32>>,
    /// Globs of the paths to take; default: all. `*` stops at `/`, `**` does not.
    #[serde(default)]
    #[schemars(example = ["etc/*.yaml", "charts/**"])]
    pub paths: Option<Vec<Text>>,
    /// The folder of the context to put them in; default: the context itself.
    #[serde(default)]
    #[schemars(example = &"manifests")]
    pub to: Option<Text>,
}
