//! A docker archive → blobs and a manifest in the cache, the same for the same image.

use std::num::NonZeroUsize;
use std::thread::available_parallelism;

use serde::{Deserialize, Serialize};

use super::EngineError;
use crate::archive::GzipWriter;
use crate::cache::{Cache, CacheError, Expected, Look, UrlRecord};
use crate::image::{
    ContainerImage, Descriptor, DockerArchive, DockerArchiveReadError, Document, Manifest, ManifestKind,
};
use crate::words::{Digest, ImageSource, Platform};

const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const CONFIG: &str = "application/vnd.docker.container.image.v1+json";
const LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";

/// The most bytes of a manifest of our making: it has 127 layers at most.
const MANIFEST_LIMIT: u64 = 1 << 20;

/// Image manifest version 2, schema 2, with the fields in the order in which it is written.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    schema_version: u32,
    media_type: String,
    config: WrittenDescriptor,
    layers: Vec<WrittenDescriptor>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenDescriptor {
    media_type: String,
    size: u64,
    digest: Digest,
}

impl WrittenDescriptor {
    fn new(media_type: &str, digest: Digest, size: u64) -> Self {
        Self { media_type: media_type.to_owned(), size, digest }
    }
}

/// The image that was made of that id before, if all of it is still in the cache.
pub(super) fn known(cache: &Cache, id: Digest, source: &ImageSource, platform: &Platform) -> Option<ContainerImage> {
    let record = cache.url(&key(id))?;
    let bytes = cache.document(record.digest, MANIFEST_LIMIT)?;
    let image = image(bytes, record.digest, source, platform)?;
    let is_whole = image.blobs().all(|blob| matches!(cache.look(blob.digest, Some(blob.size)), Look::Present(_)));
    is_whole.then_some(image)
}

/// Makes the image of the archive, and remembers that it is the one of that id.
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
    let mut layers: Vec<WrittenDescriptor> = Vec::new();
    for index in 0..archive.layer_count() {
        let (digest, size) = layer(archive, index, cache, source)?;
        layers.push(WrittenDescriptor::new(LAYER, digest, size));
    }
    let config = WrittenDescriptor::new(CONFIG, archive.id(), size);
    let written = Written { schema_version: 2, media_type: MANIFEST.to_owned(), config, layers };
    let bytes = serde_json::to_vec(&written).expect("strings and numbers are always JSON");
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
        DockerArchiveReadError::Write { source: error, .. } => {
            EngineError::Disk { image: source.clone(), source: error }
        }
        error => EngineError::Archive { image: source.clone(), source: error },
    })?;
    let blob = gzip.finish().map_err(|error| EngineError::Disk { image: source.clone(), source: error })?;
    blob.finish(Expected::default()).map_err(not_kept)
}

/// What a manifest of our making says; none where it is no such.
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

/// What the conversion is remembered under; another way to convert would be another number.
fn key(id: Digest) -> String {
    format!("docker-daemon:{id}#1")
}
