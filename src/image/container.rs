//! Container images (and sealer's own, pushed) as registries know them: documents that point to blobs.

use serde::Deserialize;

use crate::types::{Digest, ImageRef, Platform, VerifyingReader};

/// A document's description of a blob: type, digest and size in bytes. OCI image-spec `descriptor.md`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descriptor {
    /// The media type.
    pub media_type: String,
    /// The digest of the blob's bytes.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// A document's original bytes, with their description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Type, digest and size of `bytes`.
    pub descriptor: Descriptor,
    /// The document, byte for byte: its digest is over exactly these.
    pub bytes: Vec<u8>,
}

/// One platform of an image, complete: every blob that it names is available and verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerImage {
    /// The reference that was asked for.
    pub reference: ImageRef,
    /// The platform that was asked for.
    pub platform: Platform,
    /// The list or index under the tag, if there is one, as it is.
    pub list: Option<Document>,
    /// The platform's manifest.
    pub manifest: Document,
    /// The manifest's config.
    pub config: Descriptor,
    /// The manifest's layers, from the lowest.
    pub layers: Vec<Descriptor>,
}

impl ContainerImage {
    /// What the tag stands for: the list if there is one, else the manifest.
    #[must_use]
    pub fn root(&self) -> &Descriptor {
        &self.list.as_ref().unwrap_or(&self.manifest).descriptor
    }

    /// Config and layers, in this order.
    pub fn blobs(&self) -> impl Iterator<Item = &Descriptor> {
        std::iter::once(&self.config).chain(&self.layers)
    }
}

/// The fields of a config that are used here.
#[derive(Deserialize)]
struct Config {
    rootfs: RootFs,
}

#[derive(Deserialize)]
struct RootFs {
    #[serde(default)]
    diff_ids: Vec<Digest>,
}

/// The diff ids of an image's layers, from the lowest, by its config: each the sha256 of a layer's stream before it was
/// compressed. OCI image-spec `config.md`, `rootfs`.
pub(crate) fn diff_ids(config: &[u8]) -> serde_json::Result<Vec<Digest>> {
    serde_json::from_slice(config).map(|Config { rootfs }| rootfs.diff_ids)
}

/// Where the bytes of verified blobs are read from.
pub(crate) trait Blobs {
    /// Opens a blob. A blob that is not there is [`std::io::ErrorKind::NotFound`].
    fn open(&self, digest: Digest) -> std::io::Result<fs_err::File>;

    /// Removes a blob whose bytes do not match its digest, so that it is fetched again.
    fn discard(&self, digest: Digest);

    /// Verifies a suspicious blob; if it does not match its descriptor, it is removed and the error of reading it
    /// ([`std::io::ErrorKind::InvalidData`]) is returned.
    fn discard_if_damaged(&self, blob: &Descriptor) -> Option<std::io::Error> {
        let mut reader = VerifyingReader::new(self.open(blob.digest).ok()?, blob.digest, blob.size);
        let error = std::io::copy(&mut reader, &mut std::io::sink()).err()?;
        (error.kind() == std::io::ErrorKind::InvalidData).then(|| {
            self.discard(blob.digest);
            error
        })
    }
}
