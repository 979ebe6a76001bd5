//! The recipe as written. The doc comments are the descriptions of the JSON Schema, so they speak to recipe authors.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Spanned, Text};

/// How base images are derived: stages of context → steps → Kubefile → image.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Recipe {
    /// The version of this format.
    pub api_version: Text,
    /// Always `Recipe`.
    pub kind: Text,
    /// What the recipe is called.
    pub metadata: Metadata,
    /// Defaults of the values that templates use; `-f/--values FILE` and `--set KEY=VALUE` override them, in that order.
    #[serde(default)]
    pub values: Spanned<Map<String, Value>>,
    /// A JSON Schema (2020-12, only local `$ref`) that the merged values must satisfy.
    #[serde(default)]
    pub values_schema: Option<Spanned<Value>>,
    /// The platforms to build for; default: this machine's. `--platform` narrows it.
    #[serde(default)]
    pub platforms: Option<Vec<Text>>,
    /// How the cluster calls the image's own registry; default `sea.hub:5000`.
    #[serde(default)]
    pub cluster_registry: Option<Text>,
    /// The stages, each of which makes one image for each platform; a later one may build on an earlier one's image.
    pub stages: Vec<Stage>,
}

/// What the recipe is called.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metadata {
    /// A short name of lower-case letters, digits and `-`.
    pub name: Text,
    /// What the recipe is for, in a sentence.
    #[serde(default)]
    pub description: Option<Text>,
}

/// One derived image: files are gathered, changed and handed to the lite builder.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Stage {
    /// The stage's name, unique in the recipe.
    pub name: Text,
    /// The name of the image that the stage makes.
    pub image: Text,
    /// Where the files of the context come from; later entries win.
    #[serde(default)]
    pub context: Vec<Spanned<ContextEntry>>,
    /// What is changed in the context, in order.
    #[serde(default)]
    pub steps: Vec<Spanned<Step>>,
    /// The Kubefile that the lite builder carries out on the context.
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
pub struct LayerEntry {
    /// The image's name.
    pub of: Text,
    /// A path that exactly one layer of the image holds: that layer.
    #[serde(default)]
    pub containing: Option<Text>,
    /// The layer's id, `sha256:…`.
    #[serde(default)]
    pub id: Option<Text>,
    /// The layer's number from 0, counting those that have content.
    #[serde(default)]
    pub index: Option<Spanned<u32>>,
    /// Globs of the paths to take; default: all. `*` stops at `/`, `**` does not.
    #[serde(default)]
    pub paths: Option<Vec<Text>>,
    /// The folder of the context to put them in; default: the context itself.
    #[serde(default)]
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
pub struct ReplaceArchive {
    /// The archive in the context.
    pub path: Text,
    /// Where the new archive is fetched from. One of `url` and `file` is needed.
    #[serde(default)]
    pub url: Option<Text>,
    /// The new archive, beside the recipe.
    #[serde(default)]
    pub file: Option<Text>,
    /// The sha256 of the new archive as 64 hex digits; needed where `url` is plain http.
    #[serde(default)]
    pub sha256: Option<Text>,
    /// The folder of the new archive whose content is taken; default: all.
    #[serde(default)]
    pub root: Option<Text>,
    /// Globs of old paths that may be missing in the new archive.
    #[serde(default)]
    pub allow_missing: Vec<Text>,
    /// It is fine if there is nothing to replace.
    #[serde(default)]
    pub optional: bool,
}

/// Writes an image for the platform, straight from its registry, as an archive that `docker load` takes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReplaceImage {
    /// The archive in the context.
    pub path: Text,
    /// The image.
    pub image: Text,
    /// The name that `docker load` gives it; default: `image`.
    #[serde(default, rename = "as")]
    pub as_name: Option<Text>,
    /// It is fine if there is nothing to replace.
    #[serde(default)]
    pub optional: bool,
}

/// Edits a JSON or YAML file by JSON Patch operations (RFC 6902).
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Patch {
    /// The file in the context.
    pub path: Text,
    /// Which of several YAML documents is meant.
    #[serde(default)]
    pub document: Option<Spanned<DocumentChoice>>,
    /// The operations, in order.
    pub ops: Vec<Spanned<Operation>>,
    /// It is fine if the file is not there.
    #[serde(default)]
    pub optional: bool,
}

/// Which of several YAML documents is meant: the one that all given fields fit.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DocumentChoice {
    /// The document's `kind`.
    #[serde(default)]
    pub kind: Option<Text>,
    /// The document's `metadata.name`.
    #[serde(default)]
    pub name: Option<Text>,
    /// The document's `metadata.namespace`.
    #[serde(default)]
    pub namespace: Option<Text>,
    /// The document's number from 0.
    #[serde(default)]
    pub index: Option<Spanned<u32>>,
}

/// One operation of JSON Patch (RFC 6902).
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Operation {
    /// What is done.
    pub op: Spanned<OperationName>,
    /// Where, as a JSON Pointer (RFC 6901): `/spec/registry`.
    pub path: Text,
    /// The value of `add`, `replace` and `test`.
    #[serde(default)]
    pub value: Option<Spanned<Value>>,
    /// Where `move` and `copy` take the value from, as a JSON Pointer.
    #[serde(default)]
    pub from: Option<Text>,
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
pub struct RewriteImages {
    /// Globs of the manifests.
    pub paths: Vec<Text>,
    /// The registry to point to, `HOST` or `HOST:PORT`.
    pub to: Text,
    /// Globs on the complete reference (`docker.io/library/nginx:latest`) of what is rewritten; default: all.
    #[serde(default)]
    pub from: Option<Vec<Text>>,
    /// How many references must be rewritten.
    #[serde(default)]
    pub expect: Option<Spanned<u32>>,
    /// It is fine if there is nothing to rewrite.
    #[serde(default)]
    pub optional: bool,
}

/// Writes the list of images that the lite builder caches.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImageList {
    /// The list's path in the context; default: `imageList`.
    #[serde(default)]
    pub path: Option<Text>,
    /// The images.
    #[serde(default)]
    pub images: Vec<Spanned<ListedImage>>,
    /// Globs of manifests in the context whose images are listed too.
    #[serde(default)]
    pub from: Vec<Text>,
    /// It is fine if the list is empty.
    #[serde(default)]
    pub optional: bool,
}

/// An image of a list: its reference, or, where no manifest asks for it, the reference and who needs it.
#[derive(Debug, Clone)]
pub struct ListedImage {
    /// The reference.
    pub image: Text,
    /// Who needs it although no manifest asks for it.
    pub needed_by: Option<Text>,
}
