//! The recipe as written. The doc comments are the descriptions of the JSON Schema, so they speak to recipe authors.

mod context;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::document::{Data, Declared, Spanned, Text};
use crate::steps::Step;
use crate::types::Source;

pub(crate) use context::{ContextEntry, DirectoryEntry, LayerEntry, RootfsEntry};

/// How base images are derived: stages of context → steps → Kubefile → image.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Recipe {
    /// The version of this format.
    #[schemars(extend("const" = crate::recipe::API_VERSION))]
    pub api_version: Text,
    /// Always `Recipe`.
    #[schemars(extend("const" = crate::recipe::KIND))]
    pub kind: Text,
    /// The recipe's name and what it is for.
    pub metadata: Metadata,
    /// Default values for templates; `-f/--values FILE` and `--set KEY=VALUE` override them, in that order. A value is
    /// a string, an integer, a boolean, a list or a map. Put a version in quotes if YAML would read a number.
    #[serde(default)]
    #[schemars(extend("type" = "object", "additionalProperties" = {"$ref": "#/$defs/Value"}))]
    #[schemars(example = json!({"kubernetes": "v1.19.8", "docker": "19.03.15"}))]
    pub values: Option<Data>,
    /// A JSON Schema (2020-12, only local `$ref`) that the merged values must satisfy.
    #[serde(default)]
    #[schemars(extend("type" = "object"))]
    #[schemars(example = json!({"type": "object", "properties": {"docker": {"type": "string", "pattern": r"^\d+\.\d+\.\d+$"}}}))]
    pub values_schema: Option<Data>,
    /// The platforms to build for; default: this machine's. `--platform` picks some of them.
    #[serde(default)]
    #[schemars(example = ["linux/amd64", "linux/arm64"])]
    pub platforms: Option<Spanned<Vec<Text>>>,
    /// The name that the cluster uses for the image's own registry; default `sea.hub:5000`.
    #[serde(default)]
    #[schemars(example = &"sea.hub:5000")]
    pub cluster_registry: Option<Text>,
    /// The stages; each makes one image for each platform, and a later stage may build on the image of an earlier one.
    #[schemars(length(min = 1))]
    pub stages: Spanned<Vec<Stage>>,
}

/// The recipe's name and what it is for.
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

/// One derived image: sealer gathers files, changes them and hands them to the lite builder.
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
    /// The changes to the context, in order.
    #[serde(default)]
    pub steps: Vec<Spanned<Step>>,
    /// The Kubefile that the lite builder runs on the context.
    #[schemars(example = &"FROM scratch\nCOPY . .\n")]
    pub kubefile: Text,
}

impl Recipe {
    /// What the recipe with the text `source` says about its values.
    #[must_use]
    pub fn declared<'a>(&'a self, source: &'a Source) -> Declared<'a> {
        Declared { source, defaults: self.values.as_ref(), schema: self.values_schema.as_ref() }
    }
}
