//! The recipe as written. The doc comments are the descriptions of the JSON Schema, so they speak to recipe authors.

use schemars::{JsonSchema, Schema, json_schema};
use serde::Deserialize;
use serde_json::json;

use super::{Data, Spanned, Text};

/// How base images are derived: stages of context → steps → Kubefile → image.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Recipe {
    /// The version of this format.
    #[schemars(extend("const" = super::API_VERSION))]
    pub api_version: Text,
    /// Always `Recipe`.
    #[schemars(extend("const" = super::KIND))]
    pub kind: Text,
    /// What the recipe is called.
    pub metadata: Metadata,
    /// Defaults of the values that templates use; `-f/--values FILE` and `--set KEY=VALUE` override them, in that order.
    /// Strings, integers, booleans, lists and maps; a version needs quotes where YAML takes it for a number.
    #[serde(default)]
    #[schemars(extend("type" = "object", "additionalProperties" = {"$ref": "#/$defs/Value"}))]
    #[schemars(example = json!({"kubernetes": "v1.19.8", "docker": "19.03.15"}))]
    pub values: Option<Data>,
    /// A JSON Schema (2020-12, only local `$ref`) that the merged values must satisfy.
    #[serde(default)]
    #[schemars(extend("type" = "object"))]
    #[schemars(example = json!({"type": "object", "properties": {"docker": {"type": "string", "pattern": r"^\d+\.\d+\.\d+$"}}}))]
    pub values_schema: Option<Data>,
    /// The platforms to build for; default: this machine's. `--platform` narrows it.
    #[serde(default)]
    #[schemars(example = ["linux/amd64", "linux/arm64"])]
    pub platforms: Option<Vec<Text>>,
    /// How the cluster calls the image's own registry; default `sea.hub:5000`.
    #[serde(default)]
    #[schemars(example = &"sea.hub:5000")]
    pub cluster_registry: Option<Text>,
    /// The stages, each of which makes one image for each platform; a later one may build on an earlier one's image.
    #[schemars(length(min = 1))]
    pub stages: Spanned<Vec<Stage>>,
}

/// What the recipe is called.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metadata {
    /// A short name of lower-case letters, digits and `-`.
    #[schemars(regex(pattern = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"), example = &"rawdocker")]
    pub name: Text,
    /// What the recipe is for, in a sentence.
    #[serde(default)]
    pub description: Option<Text>,
}

/// One derived image: files are gathered, changed and handed to the lite builder.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Stage {
    /// The stage's name, unique in the recipe: lower-case letters, digits and `-`.
    #[schemars(regex(pattern = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"), example = &"alpine")]
    pub name: Text,
    /// The name of the image that the stage makes.
    #[schemars(example = &"kubernetes-rawdocker:{{ values.kubernetes }}")]
    pub image: Text,
    /// Where the files of the context come from; later entries win.
    #[serde(default)]
    pub context: Vec<Spanned<ContextEntry>>,
    /// What is changed in the context, in order.
    #[serde(default)]
    pub steps: Vec<Spanned<Step>>,
    /// The Kubefile that the lite builder carries out on the context.
    #[schemars(example = &"FROM scratch\nCOPY . .\n")]
    pub kubefile: Text,
}

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
    /// The image's name.
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

/// A change to the context. A step that would do nothing is an error, unless it says `optional: true`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Step {
    /// Replaces an archive by another one's content.
    ReplaceArchive(ReplaceArchive),
    /// Replaces a `docker save` archive by another image's.
    ReplaceImage(ReplaceImage),
    /// Edits a JSON or YAML file; what is not edited stays as it was, byte for byte.
    Patch(Patch),
    /// Points the image references of Kubernetes manifests to another registry.
    RewriteImages(RewriteImages),
    /// Writes the list of images that the lite builder caches in the image's registry.
    ImageList(ImageList),
}

/// Replaces an archive by what lies under `root` in another one, packed in the form that the name of `path` says.
///
/// Every path that the old archive had must be there again, as executable as before, and a file with an execute bit must
/// be a program for the platform or start with `#!`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("oneOf" = [{"required": ["url"]}, {"required": ["file"]}]))]
#[schemars(example = json!({
    "path": "cri/docker.tar.gz",
    "url": "https://download.docker.com/linux/static/stable/x86_64/docker-19.03.15.tgz",
    "root": "docker",
}))]
pub struct ReplaceArchive {
    /// The archive in the context.
    #[schemars(example = &"cri/docker.tar.gz")]
    pub path: Text,
    /// Where the new archive is fetched from. One of `url` and `file` is needed.
    #[serde(default)]
    #[schemars(
        example = &"https://download.docker.com/linux/static/stable/{{ platform.machine }}/docker-{{ values.docker }}.tgz"
    )]
    pub url: Option<Text>,
    /// The new archive, beside the recipe.
    #[serde(default)]
    #[schemars(example = &"docker.tgz")]
    pub file: Option<Text>,
    /// The sha256 of the new archive as 64 hex digits; needed where `url` is plain http.
    #[serde(default)]
    #[schemars(example = &"5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03")]
    pub sha256: Option<Text>,
    /// The folder of the new archive whose content is taken; default: all.
    #[serde(default)]
    #[schemars(example = &"docker")]
    pub root: Option<Text>,
    /// Globs of old paths that may be missing in the new archive.
    #[serde(default)]
    #[schemars(example = ["docker-init"])]
    pub allow_missing: Vec<Text>,
    /// It is fine if there is nothing to replace.
    #[serde(default)]
    pub optional: bool,
}

/// Writes an image for the platform, straight from its registry, as an archive that `docker load` takes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = json!({"path": "images/registry.tar", "image": "registry:2.7.1"}))]
pub struct ReplaceImage {
    /// The archive in the context.
    #[schemars(example = &"images/registry.tar")]
    pub path: Text,
    /// The image.
    #[schemars(example = &"registry:2.7.1")]
    pub image: Text,
    /// The name that `docker load` gives it; default: `image`.
    #[serde(default, rename = "as")]
    #[schemars(example = &"registry:2.7.1")]
    pub as_name: Option<Text>,
    /// It is fine if there is nothing to replace.
    #[serde(default)]
    pub optional: bool,
}

/// Edits a JSON or YAML file by JSON Patch operations (RFC 6902).
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = json!({"path": "etc/daemon.json", "ops": [{"op": "remove", "path": "/mirror-registries"}]}))]
pub struct Patch {
    /// The file in the context.
    #[schemars(example = &"etc/daemon.json")]
    pub path: Text,
    /// Which of several YAML documents is meant.
    #[serde(default)]
    #[schemars(example = json!({"kind": "Installation", "name": "default"}))]
    pub document: Option<Spanned<DocumentChoice>>,
    /// The operations, in order.
    #[schemars(length(min = 1), example = json!([{"op": "remove", "path": "/mirror-registries"}]))]
    pub ops: Vec<Spanned<Operation>>,
    /// It is fine if the file is not there.
    #[serde(default)]
    pub optional: bool,
}

/// Which of several YAML documents is meant: the one that all given fields fit.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
pub struct DocumentChoice {
    /// The document's `kind`.
    #[serde(default)]
    #[schemars(example = &"Installation")]
    pub kind: Option<Text>,
    /// The document's `metadata.name`.
    #[serde(default)]
    #[schemars(example = &"default")]
    pub name: Option<Text>,
    /// The document's `metadata.namespace`.
    #[serde(default)]
    #[schemars(example = &"kube-system")]
    pub namespace: Option<Text>,
    /// The document's number from 0.
    #[serde(default)]
    #[schemars(example = 0)]
    pub index: Option<Spanned<u32>>,
}

/// One operation of JSON Patch (RFC 6902).
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(transform = needs_of_operations)]
pub struct Operation {
    /// What is done.
    #[schemars(example = &"add")]
    pub op: Spanned<OperationName>,
    /// Where, as a JSON Pointer (RFC 6901): `/spec/registry`.
    #[schemars(example = &"/spec/registry")]
    pub path: Text,
    /// The value of `add`, `replace` and `test`; templates work in its strings.
    #[serde(default)]
    #[schemars(example = &"{{ values.hub }}")]
    pub value: Option<Data>,
    /// Where `move` and `copy` take the value from, as a JSON Pointer.
    #[serde(default)]
    #[schemars(example = &"/spec/old")]
    pub from: Option<Text>,
}

/// Which operation needs which field.
fn needs_of_operations(schema: &mut Schema) {
    schema.insert(
        "oneOf".to_owned(),
        json!([
            {"properties": {"op": {"enum": ["add", "replace", "test"]}, "from": false}, "required": ["value"]},
            {"properties": {"op": {"enum": ["move", "copy"]}, "value": false}, "required": ["from"]},
            {"properties": {"op": {"const": "remove"}, "from": false, "value": false}},
        ]),
    );
}

/// The operations of JSON Patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum OperationName {
    /// Adds a key or an element, or replaces a key's value.
    Add,
    /// Removes a key or an element.
    Remove,
    /// Replaces a value that is there.
    Replace,
    /// Removes a value and adds it elsewhere.
    Move,
    /// Adds a value that stands elsewhere.
    Copy,
    /// Fails unless a value is the given one.
    Test,
}

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
    /// It is fine if the list is empty.
    #[serde(default)]
    pub optional: bool,
}

/// An image of a list: its reference, or, where no manifest asks for it, the reference and who needs it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = or_reference)]
pub struct ListedImage {
    /// The reference.
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
