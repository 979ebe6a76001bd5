//! Images of the store → what a registry stores: configs, and layers as gzipped tars.
//!
//! A layer is compressed once: the cache keeps the blob, and remembers which layer it is. Only a layer whose stream was
//! verified against its id is remembered, so the cache has the right blob for an id even if the store's files change.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use crate::archive::GzipWriter;
use crate::cache::{Cache, CacheError, Expected, UrlRecord};
use crate::disk::Dir;
use crate::image::layer::{LayerError, Owners, write_layer_at};
use crate::image::pushed::{LAYER_TYPE, pushed_config};
use crate::image::{Blobs, Descriptor};
use crate::store::{Store, StoreError, StoredImage};
use crate::transport::{PushImage, PushLayer};
use crate::types::{Digest, DigestWriter, Event, FailureKind, ImageRef, Observer, Reportable};

/// Why an image cannot be made ready to be pushed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExportError {
    /// An error of the store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A layer's files could not be read or packed.
    #[error("cannot pack layer {layer} of `{image}`")]
    Layer {
        /// The image's name.
        image: String,
        /// The layer.
        layer: Digest,
        /// Why.
        source: LayerError,
    },
    /// The packed layer could not be stored.
    #[error("cannot store the packed layer {layer} of `{image}`")]
    Cache {
        /// The image's name.
        image: String,
        /// The layer.
        layer: Digest,
        /// Why.
        source: CacheError,
    },
    /// Neither a registry nor a real sealer supports such an image.
    #[error("`{image}` cannot be pushed: its layer {layer} is there twice; build the image again")]
    Twice {
        /// The image's name.
        image: String,
        /// The layer.
        layer: Digest,
    },
}

impl Reportable for ExportError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Store(error) => error.kind(),
            Self::Layer { source, .. } => source.kind(),
            Self::Cache { source, .. } => source.kind(),
            Self::Twice { .. } => FailureKind::Failed,
        }
    }
}

/// Makes images of the store ready to be pushed.
pub(crate) struct Exporter<'a> {
    /// Where the images are.
    pub store: &'a Store,
    /// Where packed layers are kept.
    pub cache: &'a Cache,
    /// Receives the events.
    pub observer: &'a dyn Observer,
    /// How many threads may compress.
    pub threads: NonZeroUsize,
}

impl Exporter<'_> {
    /// Packs the layers that are not packed yet, in the order of the images and their layers.
    pub(crate) fn export(&self, images: &[StoredImage]) -> Result<Vec<PushImage>, ExportError> {
        // Damaged images cannot help here, and are ignored.
        let others = self.store.images()?.images;
        images.iter().map(|image| self.image(image, &others)).collect()
    }

    fn image(&self, stored: &StoredImage, others: &[StoredImage]) -> Result<PushImage, ExportError> {
        let image = stored.document.image();
        let (mut seen, mut layers) = (BTreeSet::new(), Vec::new());
        for layer in image.layer_ids() {
            if !seen.insert(layer) {
                return Err(ExportError::Twice { image: image.name.to_string(), layer });
            }
            let blob = self.layer(stored, layer)?;
            let path = self.cache.path(blob.digest);
            layers.push(PushLayer { blob, path, shared_with: sharing(layer, stored, others) });
        }
        Ok(PushImage { platform: image.platform.clone(), config: pushed_config(image), layers })
    }

    fn layer(&self, image: &StoredImage, layer: Digest) -> Result<Descriptor, ExportError> {
        let key = format!("layer {layer} as gzip");
        if let Some(known) = self.cache.url(&key) {
            let blob = descriptor(known.digest, known.size);
            let is_there = self.cache.look(blob.digest, Some(blob.size)).size().is_some();
            if is_there && self.cache.discard_if_damaged(&blob).is_none() {
                return Ok(blob);
            }
        }
        let (blob, found) = self.pack(image, layer)?;
        if let Some(message) = self.store.judge(image, layer, found)? {
            self.observer.event(Event::Warning { message });
            return Ok(blob);
        }
        let record =
            UrlRecord { url: key.clone(), digest: blob.digest, size: blob.size, etag: None, last_modified: None };
        let kept = self.cache.put_url(&key, &record);
        kept.map_err(|source| ExportError::Cache { image: image.name.to_string(), layer, source })?;
        Ok(blob)
    }

    /// The packed layer, and what its stream hashes to; `None` if the layer is empty.
    fn pack(&self, image: &StoredImage, layer: Digest) -> Result<(Descriptor, Option<Digest>), ExportError> {
        let name = || image.name.to_string();
        let in_layer = |source| ExportError::Layer { image: name(), layer, source };
        let in_cache = |source| ExportError::Cache { image: name(), layer, source };
        let dir = match Dir::open(&self.store.layer_dir(&layer)) {
            Err(error) if error.is_not_found() => return Err(StoreError::NoLayer { image: name(), layer }.into()),
            dir => dir.map_err(|error| in_layer(error.into()))?,
        };
        let writer = self.cache.writer().map_err(in_cache)?;
        let mut stream = DigestWriter::new(GzipWriter::new(writer, self.threads));
        let any = write_layer_at(&dir, &Owners::of_this_machine(), &mut stream).map_err(in_layer)?;
        let (gzip, digest, _) = stream.finish();
        let found = any.then_some(digest);
        if found != Some(layer) {
            // Before it is stored, so that a refused layer leaves nothing behind.
            self.store.judge(image, layer, found)?;
        }
        let writer = gzip.finish().map_err(|error| in_layer(LayerError::Write(error)))?;
        let (digest, size) = writer.finish(Expected::default()).map_err(in_cache)?;
        Ok((descriptor(digest, size), found))
    }
}

fn descriptor(digest: Digest, size: u64) -> Descriptor {
    Descriptor { media_type: LAYER_TYPE.to_owned(), digest, size }
}

/// Other images of the store that have a layer.
fn sharing(layer: Digest, image: &StoredImage, others: &[StoredImage]) -> Vec<ImageRef> {
    let mut names: Vec<ImageRef> = Vec::new();
    for other in others.iter().filter(|other| other.name != image.name) {
        let reference = other.name.reference();
        if other.document.image().layer_ids().any(|id| id == layer) && !names.contains(reference) {
            names.push(reference.clone());
        }
    }
    names
}
