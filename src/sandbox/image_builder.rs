//! Small valid images, made in memory and put into a [`Registry`].

use hyper::body::Bytes;
use serde_json::{Value, json};

use super::registry::Registry;
use super::tree::{Tree, gzip};
use crate::image::{Descriptor, Document};
use crate::types::{Digest, ImageRef, Platform};

/// Which documents an image is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Docker's manifest list and schema 2 manifest.
    Docker,
    /// OCI's index and manifest.
    Oci,
}

/// How layers are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// With gzip, as nearly all are.
    Gzip,
    /// Not compressed.
    Plain,
}

impl Form {
    /// The media type of a list or index.
    #[must_use]
    pub fn list(self) -> &'static str {
        match self {
            Self::Docker => "application/vnd.docker.distribution.manifest.list.v2+json",
            Self::Oci => "application/vnd.oci.image.index.v1+json",
        }
    }

    /// The media type of a manifest.
    #[must_use]
    pub fn manifest(self) -> &'static str {
        match self {
            Self::Docker => "application/vnd.docker.distribution.manifest.v2+json",
            Self::Oci => "application/vnd.oci.image.manifest.v1+json",
        }
    }

    /// The media type of a config.
    #[must_use]
    pub fn config(self) -> &'static str {
        match self {
            Self::Docker => "application/vnd.docker.container.image.v1+json",
            Self::Oci => "application/vnd.oci.image.config.v1+json",
        }
    }

    /// The media type of a layer.
    #[must_use]
    pub fn layer(self, packing: Packing) -> &'static str {
        match (self, packing) {
            (Self::Docker, Packing::Gzip) => "application/vnd.docker.image.rootfs.diff.tar.gzip",
            (Self::Docker, Packing::Plain) => "application/vnd.docker.image.rootfs.diff.tar",
            (Self::Oci, Packing::Gzip) => "application/vnd.oci.image.layer.v1.tar+gzip",
            (Self::Oci, Packing::Plain) => "application/vnd.oci.image.layer.v1.tar",
        }
    }
}

/// Makes an image for one platform.
#[derive(Debug, Clone)]
pub struct ImageBuilder {
    platform: Platform,
    form: Form,
    packing: Packing,
    layers: Vec<Tree>,
    entrypoint: Vec<String>,
    config: Option<Value>,
}

impl ImageBuilder {
    /// An image without layers, in Docker's form and with gzip.
    #[must_use]
    pub fn new(platform: &Platform) -> Self {
        Self {
            platform: platform.clone(),
            form: Form::Docker,
            packing: Packing::Gzip,
            layers: Vec::new(),
            entrypoint: Vec::new(),
            config: None,
        }
    }

    /// Other documents.
    #[must_use]
    pub fn form(self, form: Form) -> Self {
        Self { form, ..self }
    }

    /// Other layers.
    #[must_use]
    pub fn packing(self, packing: Packing) -> Self {
        Self { packing, ..self }
    }

    /// One more layer, on top.
    #[must_use]
    pub fn layer(mut self, tree: Tree) -> Self {
        self.layers.push(tree);
        self
    }

    /// The program that the image runs.
    #[must_use]
    pub(crate) fn entrypoint(self, program: &str) -> Self {
        Self { entrypoint: vec![program.to_owned()], ..self }
    }

    /// Uses this document as config, because sealer's images have their own kind.
    #[must_use]
    pub fn config(self, config: Value) -> Self {
        Self { config: Some(config), ..self }
    }

    /// Makes it; the same bytes each time.
    #[must_use]
    pub fn build(self) -> BuiltImage {
        let form = self.form;
        let tars: Vec<Bytes> = self.layers.iter().map(|tree| Bytes::from(tree.tar())).collect();
        let diff_ids: Vec<Digest> = tars.iter().map(|tar| Digest::of(tar)).collect();
        let pack = |tar: &Bytes| match self.packing {
            Packing::Gzip => Bytes::from(gzip(tar)),
            Packing::Plain => tar.clone(),
        };
        let layers: Vec<_> = tars.iter().map(|tar| blob(form.layer(self.packing), pack(tar))).collect();
        let config = self.config.clone().unwrap_or_else(|| self.docker_config(&diff_ids));
        let config = blob(form.config(), config.to_string().into());
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": form.manifest(),
            "config": described(&config.0),
            "layers": layers.iter().map(|(layer, _)| described(layer)).collect::<Vec<_>>(),
        });
        let manifest = document(form.manifest(), &manifest);
        BuiltImage { platform: self.platform, manifest, config, layers, diff_ids, tars, listed_size: None }
    }

    /// Format: OCI image-spec `config.md`.
    fn docker_config(&self, diff_ids: &[Digest]) -> Value {
        let mut config = json!({
            "architecture": self.platform.architecture(),
            "os": self.platform.os(),
            "created": "2020-09-13T12:26:40Z",
            "config": {"Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]},
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
            "history": vec![json!({"created": "2020-09-13T12:26:40Z", "created_by": "sandbox"}); diff_ids.len()],
        });
        if !self.entrypoint.is_empty() {
            config["config"]["Entrypoint"] = json!(self.entrypoint);
        }
        if let Some(variant) = self.platform.variant() {
            config["variant"] = json!(variant);
        }
        config
    }
}

/// One platform's image: its documents and blobs.
#[derive(Debug, Clone)]
pub struct BuiltImage {
    /// The platform it is for.
    pub platform: Platform,
    /// The manifest.
    pub manifest: Document,
    /// The config.
    pub config: (Descriptor, Bytes),
    /// The layers as they are transferred, from the lowest.
    pub layers: Vec<(Descriptor, Bytes)>,
    /// The digests of the layers' tar streams.
    pub diff_ids: Vec<Digest>,
    /// The layers' tar streams.
    pub tars: Vec<Bytes>,
    /// What a list says about the manifest's size, if it is not the truth.
    pub listed_size: Option<u64>,
}

impl BuiltImage {
    /// Puts it into the registry, under the reference's tag if it has one; the manifest's digest.
    pub fn push(&self, registry: &mut Registry, reference: &ImageRef) -> Digest {
        self.put(registry, &Registry::name_of(reference), reference.tag())
    }

    fn put(&self, registry: &mut Registry, repository: &str, tag: Option<&str>) -> Digest {
        for (_, bytes) in std::iter::once(&self.config).chain(&self.layers) {
            registry.put_blob(repository, bytes.clone());
        }
        let Document { descriptor, bytes } = &self.manifest;
        registry.put_manifest(repository, tag, &descriptor.media_type, bytes.clone())
    }
}

/// Images of several platforms under one tag.
#[derive(Debug, Clone)]
pub struct ImageList {
    form: Form,
    images: Vec<BuiltImage>,
}

impl ImageList {
    /// A list of these images.
    #[must_use]
    pub fn new(form: Form, images: Vec<BuiltImage>) -> Self {
        Self { form, images }
    }

    /// The images, in the order of the list.
    #[must_use]
    pub fn images(&self) -> &[BuiltImage] {
        &self.images
    }

    /// The image for this platform.
    #[must_use]
    pub fn image(&self, platform: &Platform) -> Option<&BuiltImage> {
        self.images.iter().find(|image| image.platform == *platform)
    }

    /// The list itself.
    #[must_use]
    pub fn document(&self) -> Document {
        let entry = |image: &BuiltImage| {
            let mut entry = described(&image.manifest.descriptor);
            if let Some(size) = image.listed_size {
                entry["size"] = json!(size);
            }
            entry["platform"] = json!({"architecture": image.platform.architecture(), "os": image.platform.os()});
            if let Some(variant) = image.platform.variant() {
                entry["platform"]["variant"] = json!(variant);
            }
            entry
        };
        let manifests: Vec<_> = self.images.iter().map(entry).collect();
        let list = json!({"schemaVersion": 2, "mediaType": self.form.list(), "manifests": manifests});
        document(self.form.list(), &list)
    }

    /// Puts it and its images into the registry, under the reference's tag if it has one; the list's digest.
    pub fn push(&self, registry: &mut Registry, reference: &ImageRef) -> Digest {
        let repository = Registry::name_of(reference);
        for image in &self.images {
            image.put(registry, &repository, None);
        }
        registry.put_manifest(&repository, reference.tag(), self.form.list(), self.document().bytes)
    }
}

fn blob(media_type: &str, bytes: Bytes) -> (Descriptor, Bytes) {
    let digest = Digest::of(&bytes);
    (Descriptor { media_type: media_type.to_owned(), digest, size: bytes.len() as u64 }, bytes)
}

fn document(media_type: &str, value: &Value) -> Document {
    // Three blanks, as in Docker: no code may rely on another layout.
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"   ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    serde::Serialize::serialize(value, &mut serializer).expect("a JSON value can be written to memory");
    let descriptor =
        Descriptor { media_type: media_type.to_owned(), digest: Digest::of(&bytes), size: bytes.len() as u64 };
    Document { descriptor, bytes }
}

fn described(descriptor: &Descriptor) -> Value {
    json!({"mediaType": descriptor.media_type, "size": descriptor.size, "digest": descriptor.digest})
}
