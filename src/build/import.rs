//! A pulled sealer image → its document and the folders of its layers.
//!
//! In a registry an image is a manifest whose config is the image's document as JSON and whose i-th layer is the gzipped
//! tar of the document's i-th layer that has an id.

use std::io::{self, Read};

use crate::archive::GzipReader;
use crate::disk::Dir;
use crate::image::{ContainerImage, Descriptor, Image, ImageError, UnpackError, unpack as unpack_layer};
use crate::store::StagedLayer;
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
        source: ImageError,
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
    /// A layer's archive was refused.
    #[error("cannot unpack layer {layer}")]
    Unpack {
        /// The layer's id.
        layer: Digest,
        /// Why.
        source: UnpackError,
    },
}

impl ImportError {
    /// What kind of failure it is.
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Read { .. } | Self::Document { .. } | Self::Count { .. } => FailureKind::Failed,
            Self::Unpack { source, .. } => source.kind(),
        }
    }
}

/// The document of a pulled image, under the name that was asked for.
pub(super) fn document(
    name: &SealerName,
    pulled: &ContainerImage,
    open: &dyn Fn(Digest) -> io::Result<fs_err::File>,
) -> Result<Image, ImportError> {
    let digest = pulled.config.digest;
    let mut bytes = Vec::new();
    open(digest)
        .and_then(|file| file.take(MAX_DOCUMENT).read_to_end(&mut bytes))
        .map_err(|source| ImportError::Read { image: pulled.reference.clone(), digest, source })?;
    let image = Image::from_config_json(&bytes)
        .map_err(|source| ImportError::Document { image: pulled.reference.clone(), source })?;
    Ok(image.under_name(name))
}

/// Each layer's id with the blob that holds it.
pub(super) fn layers(document: &Image, pulled: &ContainerImage) -> Result<Vec<(Digest, Descriptor)>, ImportError> {
    let ids: Vec<Digest> = document.content_layers().collect();
    if ids.len() != pulled.layers.len() {
        let (document, manifest) = (ids.len(), pulled.layers.len());
        return Err(ImportError::Count { image: pulled.reference.clone(), document, manifest });
    }
    Ok(ids.into_iter().zip(pulled.layers.iter().cloned()).collect())
}

/// Unpacks a layer into a fresh folder. One whose stream does not hash to its id is taken with a warning and marked: a
/// real sealer's archives of layers with symlinks never do.
pub(super) fn unpack(
    folder: &Dir,
    layer: Digest,
    blob: &Descriptor,
    open: &dyn Fn(Digest) -> io::Result<fs_err::File>,
    observer: &dyn Observer,
) -> Result<StagedLayer, ImportError> {
    let refused = |source| ImportError::Unpack { layer, source };
    let file = open(blob.digest).map_err(|error| refused(UnpackError::from(error)))?;
    let unpacked = unpack_layer(GzipReader::new(file), folder).map_err(refused)?;
    for note in &unpacked.notes {
        observer.event(Event::Warning { message: format!("layer {layer}: {note}") });
    }
    let verified = unpacked.stream == layer;
    if !verified {
        let message = format!("layer {layer} does not hash to its id (its archive is {}); it is taken unverified", unpacked.stream);
        observer.event(Event::Warning { message });
    }
    Ok(StagedLayer { dir: folder.path().to_owned(), id: layer, size: unpacked.stream_size, cache_id: None, verified })
}
