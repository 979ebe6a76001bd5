//! A docker archive → blobs and a manifest in the cache, the same for the same image.

use std::num::NonZeroUsize;
use std::thread::available_parallelism;

use serde_json::{Value, json};

use super::EngineError;
use crate::archive::GzipWriter;
use crate::cache::{Cache, CacheError, Expected, Look, UrlRecord};
use crate::image::pushed::{CONFIG_TYPE, LAYER_TYPE, descriptor};
use crate::image::{
    ContainerImage, Descriptor, DockerArchive, DockerArchiveReadError, Document, Manifest, ManifestKind,
};
use crate::types::{Digest, ImageSource, Platform};

const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// The most bytes of a manifest of our making: it has 127 layers at most.
const MANIFEST_LIMIT: u64 = 1 << 20;

/// The image that was converted from that id before, if all of it is still in the cache.
pub(super) fn known(cache: &Cache, id: Digest, source: &ImageSource, platform: &Platform) -> Option<ContainerImage> {
    let record = cache.url(&key(id))?;
    let bytes = cache.document(record.digest, MANIFEST_LIMIT)?;
    let image = image(bytes, record.digest, source, platform)?;
    let is_whole = image.blobs().all(|blob| matches!(cache.look(blob.digest, Some(blob.size)), Look::Present(_)));
    is_whole.then_some(image)
}

/// Converts the archive to an image, and records it under that id.
pub(super) fn convert(
    archive: &DockerArchive,
    cache: &Cache,
    id: Digest,
    source: &ImageSource,
    platform: &Platform,
) -> Result<ContainerImage, EngineError> {
    let not_kept = |error: CacheError| EngineError::Cache { image: source.clone(), source: error };
    let config = archive.config();
    let size = config.len() as u64;
    cache.put(config, Expected::exactly(archive.id(), size)).map_err(not_kept)?;
    let mut layers: Vec<Value> = Vec::new();
    for index in 0..archive.layer_count() {
        let (digest, size) = layer(archive, index, cache, source)?;
        layers.push(descriptor(&Descriptor { media_type: LAYER_TYPE.to_owned(), digest, size }));
    }
    let config = descriptor(&Descriptor { media_type: CONFIG_TYPE.to_owned(), digest: archive.id(), size });
    let written = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers});
    let bytes = serde_json::to_vec(&written).expect("a JSON value is always JSON");
    let digest = cache.put(&bytes, Expected::default()).map_err(not_kept)?;
    let record =
        UrlRecord { url: source.to_string(), digest, size: bytes.len() as u64, etag: None, last_modified: None };
    cache.put_url(&key(id), &record).map_err(not_kept)?;
    Ok(image(bytes, digest, source, platform).expect("a manifest of our own making is understood"))
}

fn layer(
    archive: &DockerArchive,
    index: usize,
    cache: &Cache,
    source: &ImageSource,
) -> Result<(Digest, u64), EngineError> {
    let not_kept = |error: CacheError| EngineError::Cache { image: source.clone(), source: error };
    let threads = available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let gzip = GzipWriter::new(cache.writer().map_err(not_kept)?, threads);
    let gzip = archive.copy_layer(index, gzip).map_err(|error| match error {
        DockerArchiveReadError::Write { source: error, .. } => not_kept(error.into()),
        error => EngineError::Archive { image: source.clone(), source: error },
    })?;
    let blob = gzip.finish().map_err(|error| not_kept(error.into()))?;
    blob.finish(Expected::default()).map_err(not_kept)
}

/// Reads a manifest that we made; `None` if it is not one.
fn image(bytes: Vec<u8>, digest: Digest, source: &ImageSource, platform: &Platform) -> Option<ContainerImage> {
    let manifest = Manifest::parse(&bytes, Some(MANIFEST)).ok()?;
    let ManifestKind::Image { config, layers } = manifest.kind else { return None };
    let descriptor = Descriptor { media_type: manifest.media_type, digest, size: bytes.len() as u64 };
    Some(ContainerImage {
        reference: source.reference().clone(),
        platform: platform.clone(),
        list: None,
        manifest: Document { descriptor, bytes },
        config,
        layers,
    })
}

/// The cache key of a conversion; a change of the conversion must change the number.
fn key(id: Digest) -> String {
    format!("docker-daemon:{id}#1")
}
