//! The steps on image references as written.

use schemars::{JsonSchema, Schema, json_schema};
use serde::Deserialize;
use serde_json::json;

use crate::recipe::{Spanned, Text};

/// Points image references in Kubernetes manifests from `<registry>/<repository>:<tag>` to `<to>/<repository>:<tag>`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = json!({"paths": ["etc/tigera-operator.yaml"], "to": "sea.hub:5000"}))]
pub struct RewriteImages {
    /// Globs of the manifests.
    #[schemars(length(min = 1), example = ["etc/tigera-operator.yaml"])]
    pub paths: Vec<Text>,
    /// The registry to point to, `HOST` or `HOST:PORT`.
    #[schemars(example = &"sea.hub:5000")]
    pub to: Text,
    /// Globs on the complete reference (`docker.io/library/nginx:latest`) of what is rewritten; default: all.
    #[serde(default)]
    #[schemars(example = ["docker.io/calico/*"])]
    pub from: Option<Vec<Text>>,
    /// Globs on the complete reference of what stays as it is.
    #[serde(default)]
    #[schemars(example = ["docker.io/library/*"])]
    pub ignore: Vec<Text>,
    /// How many references must be rewritten.
    #[serde(default)]
    #[schemars(example = 1)]
    pub expect: Option<Spanned<u32>>,
    /// It is fine if there is nothing to rewrite.
    #[serde(default)]
    pub optional: bool,
}

/// Writes the list of images that the lite builder caches.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = json!({"images": ["quay.io/tigera/operator:v1.17.4", {"image": "calico/cni:v3.19.1", "for": "tigera operator"}]}))]
pub struct ImageList {
    /// The list's path in the context; default: `imageList`.
    #[serde(default)]
    #[schemars(example = &"imageList")]
    pub path: Option<Text>,
    /// The images.
    #[serde(default)]
    #[schemars(example = json!(["quay.io/tigera/operator:v1.17.4", {"image": "calico/cni:v3.19.1", "for": "tigera operator"}]))]
    pub images: Vec<Spanned<ListedImage>>,
    /// Globs of manifests in the context whose images are listed too.
    #[serde(default)]
    #[schemars(example = ["etc/*.yaml"])]
    pub from: Vec<Text>,
    /// Globs on the complete reference (`docker.io/library/nginx:latest`) of what `from` leaves out.
    #[serde(default)]
    #[schemars(example = ["argoproj.io/*"])]
    pub ignore: Vec<Text>,
    /// It is fine if the list is empty.
    #[serde(default)]
    pub optional: bool,
}

/// An image of a list: its reference, or, where no manifest asks for it, the reference and who needs it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = or_reference)]
pub struct ListedImage {
    /// The reference; `docker-daemon:NAME` is an image that only the local Docker engine has, which the cluster gets as
    /// `NAME`.
    #[schemars(example = &"calico/cni:v3.19.1")]
    pub image: Text,
    /// Who needs it although no manifest asks for it.
    #[serde(default, rename = "for")]
    #[schemars(example = &"tigera operator")]
    pub needed_by: Option<Text>,
}

/// The parser takes the reference alone, too.
fn or_reference(schema: &mut Schema) {
    let description = schema.remove("description");
    let map = std::mem::take(schema);
    *schema = json_schema!({"anyOf": [{"type": "string", "description": "The reference."}, map]});
    schema.insert("description".to_owned(), description.unwrap_or_default());
}
