//! A pulled sealer image → its document and the folders of its layers.
//!
//! In a registry an image is a manifest whose config is the image's document as JSON and whose i-th layer is the gzipped
//! tar of the document's i-th layer that has an id.

use std::io::{self, Read};

use crate::archive::{ArchiveError, Decompressed, Limits as ArchiveLimits};
use crate::image::layer::{LayerError, LayerId, Limits, unpack as unpack_stream};
use crate::image::model::{Image, ModelError};
use crate::image::{Blobs, ContainerImage, Descriptor};
use crate::store::{StagedFolder, StagedLayer};
use crate::words::{Digest, Event, FailureKind, ImageRef, Observer, SealerName};

/// The largest document of an image, in bytes.
const MAX_DOCUMENT: u64 = 4 << 20;

/// Why a pulled image cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
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
    /// The config is no document of a sealer image.
    #[error("`{image}` is no sealer image")]
    Document {
        /// The image.
        image: ImageRef,
        /// Why.
        source: ModelError,
    },
    /// Document and manifest do not agree.
    #[error("`{image}`: the document has {document} layers with an id, the manifest {manifest}")]
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
    /// A layer's blob is packed in a way that is not understood.
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

impl ImportError {
    /// What kind of failure it is.
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Read { .. } | Self::Blob { .. } | Self::Document { .. } | Self::Count { .. } => FailureKind::Failed,
            Self::Compression { source, .. } => source.kind(),
            Self::Unpack { source, .. } => source.kind(),
        }
    }
}

/// The document of a pulled image, under the name that was asked for.
pub(super) fn document(name: &SealerName, pulled: &ContainerImage, blobs: &dyn Blobs) -> Result<Image, ImportError> {
    let digest = pulled.config.digest;
    let mut bytes = Vec::new();
    blobs
        .open(digest)
        .and_then(|file| file.take(MAX_DOCUMENT).read_to_end(&mut bytes))
        .map_err(|source| ImportError::Read { image: pulled.reference.clone(), digest, source })?;
    let image =
        Image::from_json(&bytes).map_err(|source| ImportError::Document { image: pulled.reference.clone(), source })?;
    Ok(if image.name == *name { image } else { image.renamed(name) })
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

/// Unpacks a layer into a fresh folder. One whose stream does not hash to its id is taken with a warning and marked: a
/// real sealer's archives of layers with symlinks never do.
pub(super) fn unpack(
    folder: StagedFolder,
    layer: Digest,
    blob: &Descriptor,
    blobs: &dyn Blobs,
    observer: &dyn Observer,
) -> Result<StagedLayer, ImportError> {
    let digest = blob.digest;
    let file = blobs.open(digest).map_err(|source| ImportError::Blob { layer, digest, source })?;
    let limits = ArchiveLimits::default();
    let stream = Decompressed::new(file, &limits)
        .map_err(|source| ImportError::Compression { layer, source: Box::new(source) })?;
    let unpacked = unpack_stream(stream, folder.dir(), Limits::default())
        .map_err(|source| ImportError::Unpack { layer, source: Box::new(source) })?;
    for note in &unpacked.notes {
        observer.event(Event::Warning { message: format!("layer {layer}: {note}") });
    }
    let verified = unpacked.stream == layer && unpacked.is_faithful();
    if !verified {
        let message = format!(
            "layer {layer} does not hash to its id (its stream is {}); it is taken unverified",
            unpacked.stream
        );
        observer.event(Event::Warning { message });
    }
    let id = LayerId { digest: layer, tar_size: unpacked.stream_size };
    Ok(StagedLayer { folder, id, cache_id: None, verified })
}
