//! The image document's parts.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::clusterfile::clusterfile_of;
use super::{CLUSTERFILE_ANNOTATION, ImageId, ModelError, default_clusterfile, to_go_yaml};
use crate::types::{Digest, Platform, SealerName};

/// The greatest document that is read, in bytes.
const MAX_SIZE: usize = 4 << 20;
/// What sealer writes as its own version, and so do we: it must not change ids.
const SEALER_VERSION: &str = "latest";

/// A sealer image for one platform: its name, its layers, what runs when the cluster starts.
///
/// Documents up to v0.6.1 are read too: a CMD was a layer without id and there was no `image_config`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The complete name.
    pub name: SealerName,
    /// The id; [`Image::with_id`] computes it.
    pub id: Option<ImageId>,
    /// The annotations, the Clusterfile among them.
    pub annotations: BTreeMap<String, String>,
    /// The layers from the lowest; only those with an id have content.
    pub layers: Vec<Layer>,
    /// The platform of the image.
    pub platform: Platform,
    /// CMD and ARG.
    pub config: ImageConfig,
    /// What sealer says about itself, `latest`.
    pub sealer_version: String,
}

/// One line of the Kubefile that made a layer, or the registry's cache.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Layer {
    /// The layer's id; `None` if it has no content.
    #[serde(default, deserialize_with = "empty_is_none")]
    pub id: Option<Digest>,
    /// The instruction that made it.
    #[serde(rename = "type")]
    pub kind: LayerKind,
    /// The text after the Kubefile's keyword; `registry cache` or, since v0.6, `rootfs cache` of the cache.
    #[serde(default)]
    pub value: String,
}

/// The instruction that made a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum LayerKind {
    /// `COPY` of files.
    Copy,
    /// The changes of a `RUN`.
    Run,
    /// `CMD`, up to v0.6.1; without content.
    Cmd,
    /// The registry's cache of container images, or a base that is not there.
    Base,
}

impl LayerKind {
    /// As the document writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Copy => "COPY",
            Self::Run => "RUN",
            Self::Cmd => "CMD",
            Self::Base => "BASE",
        }
    }
}

/// What an image does when its cluster starts, its own and what it has from its base.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ImageConfig {
    /// The CMDs.
    pub cmd: Commands,
    /// The ARGs.
    pub args: Arguments,
    /// `application` if the base's layers were left out.
    #[serde(deserialize_with = "none_if_empty")]
    pub image_type: Option<String>,
}

/// The CMD lines, one entry each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Commands {
    /// The image's own.
    #[serde(deserialize_with = "null_is_default")]
    pub current: Vec<String>,
    /// Its base's, which run first.
    #[serde(deserialize_with = "null_is_default")]
    pub parent: Vec<String>,
}

/// The ARGs and their values.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Arguments {
    /// The image's own.
    #[serde(deserialize_with = "null_is_default")]
    pub current: BTreeMap<String, String>,
    /// Its base's.
    #[serde(deserialize_with = "null_is_default")]
    pub parent: BTreeMap<String, String>,
}

impl Image {
    /// An image with its id. The Clusterfile is sealer's default unless `annotations` bring one.
    #[must_use]
    pub fn new(
        name: &SealerName,
        platform: Platform,
        layers: Vec<Layer>,
        config: ImageConfig,
        mut annotations: BTreeMap<String, String>,
    ) -> Self {
        annotations.entry(CLUSTERFILE_ANNOTATION.to_owned()).or_insert_with(|| default_clusterfile(name));
        let sealer_version = SEALER_VERSION.to_owned();
        Self { name: name.clone(), id: None, annotations, layers, platform, config, sealer_version }.with_id()
    }

    /// The same image under the id that its content has.
    #[must_use]
    pub fn with_id(self) -> Self {
        Self { id: Some(self.computed_id()), ..self }
    }

    /// The id that its content has, whatever it says about itself.
    #[must_use]
    pub(crate) fn computed_id(&self) -> ImageId {
        let without = Self { id: None, ..self.clone() };
        ImageId::of(without.to_yaml().as_bytes())
    }

    /// The same image under another name: name and Clusterfile change, and with them the id.
    #[must_use]
    pub fn renamed(&self, name: &SealerName) -> Self {
        let mut renamed = Self { name: name.clone(), ..self.clone() };
        if let Some(clusterfile) = renamed.annotations.get_mut(CLUSTERFILE_ANNOTATION) {
            *clusterfile = clusterfile_of(clusterfile, name);
        }
        renamed.with_id()
    }

    /// The ids of the layers that have content, from the lowest.
    pub fn layer_ids(&self) -> impl Iterator<Item = Digest> {
        self.layers.iter().filter_map(|layer| layer.id)
    }

    /// Reads the YAML of the store and of saved archives.
    pub(crate) fn from_yaml(yaml: &[u8]) -> Result<Self, ModelError> {
        if yaml.len() > MAX_SIZE {
            return Err(ModelError::Size(yaml.len()));
        }
        let read: Read = serde_yaml::from_slice(yaml).map_err(ModelError::Yaml)?;
        read.image()
    }

    /// Reads the JSON of a pushed image's config; other parts of it are ignored.
    pub(crate) fn from_json(json: &[u8]) -> Result<Self, ModelError> {
        if json.len() > MAX_SIZE {
            return Err(ModelError::Size(json.len()));
        }
        let read: Read = serde_json::from_slice(json).map_err(ModelError::Json)?;
        read.image()
    }

    /// The YAML as sealer prints it, final newline included.
    #[must_use]
    pub(crate) fn to_yaml(&self) -> String {
        to_go_yaml(&self.to_json())
    }

    /// The document as sealer's JSON has it, keys in the order of its fields; of a pushed image's config the first
    /// part.
    #[must_use]
    pub(crate) fn to_json(&self) -> Value {
        let mut metadata = Map::new();
        metadata.insert("name".to_owned(), json!(self.name));
        metadata.insert("creationTimestamp".to_owned(), Value::Null);
        if !self.annotations.is_empty() {
            metadata.insert("annotations".to_owned(), json!(self.annotations));
        }
        let mut spec = Map::new();
        if let Some(id) = self.id {
            spec.insert("id".to_owned(), json!(id));
        }
        if !self.layers.is_empty() {
            spec.insert("layers".to_owned(), self.layers.iter().map(Layer::to_json).collect());
        }
        spec.insert("sealer_version".to_owned(), json!(self.sealer_version));
        spec.insert("platform".to_owned(), platform_json(&self.platform));
        spec.insert("image_config".to_owned(), self.config.to_json());
        json!({"kind": "Image", "metadata": metadata, "spec": spec, "status": {}})
    }
}

impl Layer {
    fn to_json(&self) -> Value {
        let mut layer = Map::new();
        if let Some(id) = self.id {
            layer.insert("id".to_owned(), json!(id));
        }
        layer.insert("type".to_owned(), json!(self.kind.as_str()));
        if !self.value.is_empty() {
            layer.insert("value".to_owned(), json!(self.value));
        }
        Value::Object(layer)
    }
}

impl ImageConfig {
    fn to_json(&self) -> Value {
        fn pair(current: (bool, Value), parent: (bool, Value)) -> Value {
            let pairs = [("current", current), ("parent", parent)];
            let there = pairs.into_iter().filter(|(_, (empty, _))| !empty);
            Value::Object(there.map(|(key, (_, value))| (key.to_owned(), value)).collect())
        }
        let (cmd, args) = (&self.cmd, &self.args);
        let mut config = Map::new();
        if let Some(image_type) = &self.image_type {
            config.insert("image_type".to_owned(), json!(image_type));
        }
        let commands = |list: &Vec<String>| (list.is_empty(), json!(list));
        config.insert("cmd".to_owned(), pair(commands(&cmd.current), commands(&cmd.parent)));
        let arguments = |map: &BTreeMap<String, String>| (map.is_empty(), json!(map));
        config.insert("args".to_owned(), pair(arguments(&args.current), arguments(&args.parent)));
        Value::Object(config)
    }
}

fn platform_json(platform: &Platform) -> Value {
    let mut parts = Map::new();
    parts.insert("architecture".to_owned(), json!(platform.architecture()));
    parts.insert("os".to_owned(), json!(platform.os()));
    if let Some(variant) = platform.variant() {
        parts.insert("variant".to_owned(), json!(variant));
    }
    Value::Object(parts)
}

/// The document as it is read: tolerant, for sealer's versions differ.
#[derive(Deserialize)]
struct Read {
    #[serde(default)]
    kind: Option<String>,
    metadata: ReadMetadata,
    spec: ReadSpec,
}

#[derive(Deserialize)]
struct ReadMetadata {
    name: SealerName,
    #[serde(default, deserialize_with = "null_is_default")]
    annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct ReadSpec {
    #[serde(default)]
    id: Option<ImageId>,
    #[serde(default, deserialize_with = "null_is_default")]
    layers: Vec<Layer>,
    #[serde(default)]
    sealer_version: String,
    #[serde(default)]
    platform: ReadPlatform,
    #[serde(default, deserialize_with = "null_is_default")]
    image_config: ImageConfig,
}

#[derive(Deserialize)]
#[serde(default)]
struct ReadPlatform {
    architecture: String,
    os: String,
    variant: Option<String>,
}

impl Default for ReadPlatform {
    /// What sealer built for before it knew platforms.
    fn default() -> Self {
        Self { architecture: "amd64".to_owned(), os: "linux".to_owned(), variant: None }
    }
}

impl Read {
    fn image(self) -> Result<Image, ModelError> {
        if let Some(kind) = self.kind.filter(|kind| kind != "Image") {
            return Err(ModelError::Kind(kind));
        }
        let Self { metadata, spec, .. } = self;
        let platform = Platform::new(&spec.platform.os, &spec.platform.architecture, spec.platform.variant.as_deref());
        Ok(Image {
            name: metadata.name,
            id: spec.id,
            annotations: metadata.annotations,
            layers: spec.layers,
            platform,
            config: spec.image_config,
            sealer_version: spec.sealer_version,
        })
    }
}

fn null_is_default<'de, D: serde::Deserializer<'de>, T: Default + Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    Option::<T>::deserialize(from).map(Option::unwrap_or_default)
}

fn none_if_empty<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Option::<String>::deserialize(from).map(|text| text.filter(|text| !text.is_empty()))
}

fn empty_is_none<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Digest>, D::Error> {
    none_if_empty(from)?.map(|text| text.parse().map_err(serde::de::Error::custom)).transpose()
}

/// What `inspect` prints: the images as a list, then an empty line.
#[must_use]
pub(crate) fn inspect(images: &[Image]) -> String {
    let list = Value::Array(images.iter().map(Image::to_json).collect());
    to_go_yaml(&list) + "\n"
}
