//! A pulled sealer image → its document and the folders of its layers.
//!
//! In a registry an image is a manifest whose config is the image's document as JSON and whose i-th layer is the
//! compressed tar of the document's i-th layer that has an id.

use std::io::{self, Read};

use crate::archive::{ArchiveError, Decompressed};
use crate::image::layer::{LayerError, LayerId, Owners, Unpacked, layer_id_at, unpack as unpack_stream};
use crate::image::model::{Image, ModelError};
use crate::image::{Blobs, ContainerImage, Descriptor};
use crate::store::{StagedFolder, StagedLayer};
use crate::tar::Limits;
use crate::types::{Digest, Event, FailureKind, ImageRef, Observer, Platform, Reportable, SealerName, VerifyingReader};

/// The largest document of an image, in bytes.
const MAX_DOCUMENT: u64 = 4 << 20;

/// Why a pulled image cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportError {
    /// A blob of the cache could not be read.
    #[error("cannot read blob {digest} of `{image}`")]
    Read {
        /// The image.
        image: ImageRef,
        /// The blob.
        digest: Digest,
        /// Why.
        source: io::Error,
    },
    /// The config is too large for a document.
    #[error("`{image}` is not a sealer image: its config has {size} bytes, but a document has at most {MAX_DOCUMENT}")]
    Large {
        /// The image.
        image: ImageRef,
        /// The config's size in bytes.
        size: u64,
    },
    /// The document is for another platform than the requested one.
    #[error("`{image}`: the document is for {document}, but the list says {asked}")]
    Platform {
        /// The image.
        image: ImageRef,
        /// The document's platform.
        document: Platform,
        /// The platform that was asked for.
        asked: Platform,
    },
    /// The config is not a document of a sealer image.
    #[error("`{image}` is not a sealer image")]
    Document {
        /// The image.
        image: ImageRef,
        /// Why.
        source: ModelError,
    },
    /// The config of a container image that is used as a base is not valid.
    #[error("the config of `{image}` is not the config of a container image")]
    Config {
        /// The image.
        image: ImageRef,
        /// Why.
        source: serde_json::Error,
    },
    /// A layer of a container image is not what its config says.
    #[error("layer {layer} of `{image}` is not what its config says: its stream hashes to {found}")]
    DiffId {
        /// The image.
        image: ImageRef,
        /// The diff id that the config says.
        layer: Digest,
        /// The digest of its bytes.
        found: Digest,
    },
    /// Document and manifest do not agree.
    #[error("`{image}`: the document has {document} layers with an id, but the manifest has {manifest}")]
    Count {
        /// The image.
        image: ImageRef,
        /// Layers in the document.
        document: usize,
        /// Layers in the manifest.
        manifest: usize,
    },
    /// A layer's blob could not be read.
    #[error("cannot read layer {layer} from blob {digest}")]
    Blob {
        /// The layer's id.
        layer: Digest,
        /// The blob.
        digest: Digest,
        /// Why.
        source: io::Error,
    },
    /// A layer's blob has an unsupported format.
    #[error("cannot unpack layer {layer}")]
    Compression {
        /// The layer's id.
        layer: Digest,
        /// Why.
        source: Box<ArchiveError>,
    },
    /// A layer's stream was refused.
    #[error("cannot unpack layer {layer}")]
    Unpack {
        /// The layer's id.
        layer: Digest,
        /// Why.
        source: Box<LayerError>,
    },
}

impl Reportable for ImportError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Read { source, .. } | Self::Blob { source, .. } => FailureKind::of_read(source),
            Self::Large { .. }
            | Self::Platform { .. }
            | Self::Document { .. }
            | Self::Config { .. }
            | Self::Count { .. } => FailureKind::Failed,
            Self::DiffId { .. } => FailureKind::Verification,
            Self::Compression { source, .. } => source.kind(),
            Self::Unpack { source, .. } => source.kind(),
        }
    }

    fn help(&self) -> Option<String> {
        let help = "the damaged copy was removed from the cache: run the command again to fetch it again";
        self.is_damaged_blob().then(|| help.to_owned())
    }
}

impl ImportError {
    /// Whether a blob of the cache did not match its digest; such a blob is removed.
    fn is_damaged_blob(&self) -> bool {
        match self {
            Self::Read { source, .. } | Self::Blob { source, .. } => source.kind() == io::ErrorKind::InvalidData,
            Self::Large { .. }
            | Self::Platform { .. }
            | Self::Document { .. }
            | Self::Config { .. }
            | Self::Count { .. }
            | Self::DiffId { .. }
            | Self::Compression { .. }
            | Self::Unpack { .. } => false,
        }
    }
}

/// The document of a pulled image, under the requested name. It only reads the image's config.
pub(crate) fn document(name: &SealerName, pulled: &ContainerImage, blobs: &dyn Blobs) -> Result<Image, ImportError> {
    let reference = || pulled.reference.clone();
    if pulled.config.size > MAX_DOCUMENT {
        return Err(ImportError::Large { image: reference(), size: pulled.config.size });
    }
    let bytes = config(pulled, blobs)?;
    let image = Image::from_json(&bytes).map_err(|source| ImportError::Document { image: reference(), source })?;
    if image.platform != pulled.platform {
        let (document, asked) = (image.platform, pulled.platform.clone());
        return Err(ImportError::Platform { image: reference(), document, asked });
    }
    Ok(if image.name == *name { image } else { image.renamed(name) })
}

/// The bytes of an image's config.
pub(super) fn config(pulled: &ContainerImage, blobs: &dyn Blobs) -> Result<Vec<u8>, ImportError> {
    let (digest, size) = (pulled.config.digest, pulled.config.size);
    let mut bytes = Vec::new();
    let read = blobs.open(digest).and_then(|file| VerifyingReader::new(file, digest, size).read_to_end(&mut bytes));
    read.map_err(|source| {
        discard_if_damaged(blobs, digest, &source);
        ImportError::Read { image: pulled.reference.clone(), digest, source }
    })?;
    Ok(bytes)
}

/// A blob that does not match its digest is useless, so it is removed.
fn discard_if_damaged(blobs: &dyn Blobs, digest: Digest, error: &io::Error) {
    if error.kind() == io::ErrorKind::InvalidData {
        blobs.discard(digest);
    }
}

/// Each layer's id with the blob that holds it.
pub(super) fn layers(document: &Image, pulled: &ContainerImage) -> Result<Vec<(Digest, Descriptor)>, ImportError> {
    let ids: Vec<Digest> = document.layer_ids().collect();
    if ids.len() != pulled.layers.len() {
        let (document, manifest) = (ids.len(), pulled.layers.len());
        return Err(ImportError::Count { image: pulled.reference.clone(), document, manifest });
    }
    Ok(ids.into_iter().zip(pulled.layers.iter().cloned()).collect())
}

/// Unpacks the stream in a blob into a fresh folder.
pub(super) fn stream(
    folder: &StagedFolder,
    layer: Digest,
    blob: &Descriptor,
    blobs: &dyn Blobs,
) -> Result<Unpacked, ImportError> {
    let (digest, size) = (blob.digest, blob.size);
    let file = blobs.open(digest).map_err(|source| ImportError::Blob { layer, digest, source })?;
    let mut verified = Verified { inner: VerifyingReader::new(file, digest, size), damage: None };
    let unpacked = Decompressed::new(&mut verified, &Limits::LAYER)
        .map_err(|source| ImportError::Compression { layer, source: Box::new(source) })
        .and_then(|stream| {
            unpack_stream(stream, folder.dir(), &Limits::LAYER)
                .map_err(|source| ImportError::Unpack { layer, source: Box::new(source) })
        });
    // Wrong bytes explain all other errors.
    if let Some(source) = verified.damage {
        blobs.discard(digest);
        return Err(ImportError::Blob { layer, digest, source });
    }
    unpacked
}

/// Unpacks a layer into a fresh folder. A layer whose stream does not hash to its id is accepted with a warning and
/// marked: archives by a real sealer of layers with symlinks never do.
pub(super) fn unpack(
    folder: StagedFolder,
    layer: Digest,
    blob: &Descriptor,
    blobs: &dyn Blobs,
    observer: &dyn Observer,
) -> Result<StagedLayer, ImportError> {
    let unpacked = stream(&folder, layer, blob, blobs)?;
    for note in unpacked.notes.iter().filter(|note| note.is_news()) {
        observer.event(Event::Warning { message: format!("layer {layer}: {note}") });
    }
    let is_own = unpacked.stream == layer;
    if !is_own {
        let message = format!(
            "layer {layer} does not hash to its id (its stream is {}); it is stored as unverified",
            unpacked.stream
        );
        observer.event(Event::Warning { message });
    } else if !unpacked.is_faithful() {
        let message =
            format!("layer {layer} could not be stored exactly (only root can set owners); it is marked unverified");
        observer.event(Event::Warning { message });
    }
    // Later checks compare the hash of the files.
    let verified = is_own && unpacked.is_faithful() && hashes_to(&folder, layer)?;
    if is_own && unpacked.is_faithful() && !verified {
        let message = format!(
            "layer {layer} matched its id on arrival, but its files do not hash to it on this machine (owners have \
             other names here, or attributes were left out); it is marked unverified"
        );
        observer.event(Event::Warning { message });
    }
    let id = LayerId { digest: layer, tar_size: unpacked.stream_size };
    Ok(StagedLayer { folder, id, cache_id: None, verified })
}

fn hashes_to(folder: &StagedFolder, layer: Digest) -> Result<bool, ImportError> {
    let found = layer_id_at(folder.dir(), &Owners::of_this_machine());
    let found = found.map_err(|source| ImportError::Unpack { layer, source: Box::new(source) })?;
    Ok(found.is_some_and(|found| found.digest == layer))
}

/// Remembers that the bytes did not match the blob, because outer readers wrap or replace the error.
struct Verified<R> {
    inner: VerifyingReader<R>,
    damage: Option<io::Error>,
}

impl<R: Read> Read for Verified<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buf).inspect_err(|error| {
            if error.kind() == io::ErrorKind::InvalidData {
                self.damage = Some(io::Error::new(error.kind(), error.to_string()));
            }
        })
    }
}
