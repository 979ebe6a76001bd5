//! An image → an archive that `docker load` takes.
//!
//! Sorted by name, 0:0, all with one time, no folders of their own. A tar says sizes before contents, so each layer is
//! decompressed twice: once to measure and verify it, once to write it.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use serde::Serialize;

use super::CONFIG_LIMIT;
use crate::archive::{ArchiveError, Decompressed};
use crate::image::{Blobs, ContainerImage, Descriptor, diff_ids};
use crate::tar::{Limits, TarError, TarWriter};
use crate::types::{Digest, DigestWriter, Epoch, FailureKind, ImageRef, Reportable, VerifyingReader};

/// Why an image is not written as an archive for `docker load`.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DockerArchiveError {
    /// The name to load it under has no tag, or a digest next to it.
    #[error("`{0}` is not a name to load an image under: expected a repository with a tag and without a digest")]
    Name(Box<ImageRef>),
    /// A blob could not be opened or read, or is not what its digest says.
    #[error("cannot read the {what} `{digest}` of `{image}`")]
    Blob {
        /// Config or layer.
        what: &'static str,
        /// Its digest.
        digest: Digest,
        /// The image.
        image: Box<ImageRef>,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The config is not what it should be.
    #[error("the config `{digest}` of `{image}` is not the config of a container image")]
    Config {
        /// Its digest.
        digest: Digest,
        /// The image.
        image: Box<ImageRef>,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The config is larger than any honest one.
    #[error("the config `{digest}` of `{image}` is refused: it has {size} bytes, more than {CONFIG_LIMIT}")]
    ConfigSize {
        /// Its digest.
        digest: Digest,
        /// The image.
        image: Box<ImageRef>,
        /// Its size in bytes.
        size: u64,
    },
    /// Config and manifest disagree on how many layers there are.
    #[error("`{image}` is inconsistent: its manifest has {layers} layers, its config {diff_ids}")]
    Count {
        /// The image.
        image: Box<ImageRef>,
        /// Layers in the manifest.
        layers: usize,
        /// Diff ids in the config.
        diff_ids: usize,
    },
    /// A layer's decompressed content is not what the config says.
    #[error("the layer `{digest}` of `{image}` decompresses to `{found}`, but its config says `{expected}`")]
    DiffId {
        /// The layer's digest.
        digest: Digest,
        /// The image.
        image: Box<ImageRef>,
        /// The config's diff id.
        expected: Digest,
        /// The digest of what it decompresses to.
        found: Digest,
    },
    /// A layer cannot be decompressed.
    #[error("cannot decompress the layer `{digest}` of `{image}`")]
    Layer {
        /// The layer's digest.
        digest: Digest,
        /// The image.
        image: Box<ImageRef>,
        /// Why.
        #[source]
        source: ArchiveError,
    },
    /// Writing the archive failed.
    #[error("cannot write the archive of `{image}`")]
    Write {
        /// The image.
        image: Box<ImageRef>,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Reportable for DockerArchiveError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Name(_) => FailureKind::Invalid,
            Self::DiffId { .. } | Self::Count { .. } => FailureKind::Verification,
            Self::Blob { source, .. } | Self::Layer { source: ArchiveError::Read(source), .. } => {
                FailureKind::of_read(source)
            }
            // A blob that was whole when it was fetched is not what its digest says any more, or never was a layer.
            Self::Layer { source: ArchiveError::Damaged(..) | ArchiveError::Tar(TarError::CutShort(_)), .. } => {
                FailureKind::Verification
            }
            Self::Layer { source, .. } => source.kind(),
            Self::Config { .. } | Self::ConfigSize { .. } | Self::Write { .. } => FailureKind::Failed,
        }
    }
}

/// Writes `image` under the name `name` to `out`, which is not flushed.
///
/// Every blob is verified while it is read: the compressed layer against its digest, the decompressed against the
/// config's diff id. One that is damaged is thrown away.
pub(crate) fn write_docker_archive<W: Write>(
    image: &ContainerImage,
    blobs: &dyn Blobs,
    name: &ImageRef,
    epoch: Epoch,
    out: W,
) -> Result<W, DockerArchiveError> {
    let source = Source { image, blobs };
    write(&source, name, epoch, out).map_err(|error| source.without_damaged(error))
}

fn write<W: Write>(source: &Source<'_>, name: &ImageRef, epoch: Epoch, out: W) -> Result<W, DockerArchiveError> {
    let image = source.image;
    let familiar = familiar(name)?;
    let config = source.config()?;
    let diff_ids = source.diff_ids(&config)?;
    let mut layers = BTreeMap::new();
    for (layer, diff_id) in image.layers.iter().zip(&diff_ids) {
        let size = source.measure(layer, *diff_id)?;
        layers.insert(*diff_id, (layer, size));
    }
    let config_name = format!("{}.json", image.config.digest.hex());
    let manifest = [Manifest {
        config: &config_name,
        repo_tags: [familiar],
        layers: diff_ids.iter().copied().map(layer_name).collect(),
    }];
    let manifest = format!("{}\n", serde_json::json!(manifest));

    let mut entries = BTreeMap::from([
        (config_name.clone(), Entry::Bytes(&config)),
        ("manifest.json".to_owned(), Entry::Bytes(manifest.as_bytes())),
    ]);
    for (diff_id, (layer, size)) in layers {
        entries.insert(layer_name(diff_id), Entry::Layer { layer, diff_id, size });
    }
    let write = |error| DockerArchiveError::Write { image: Box::new(image.reference.clone()), source: error };
    let mut tar = TarWriter::new(out, epoch);
    for (name, entry) in entries {
        match entry {
            Entry::Bytes(bytes) => tar.file(name.as_bytes(), 0o644, bytes.len() as u64, bytes).map_err(write)?,
            Entry::Layer { layer, diff_id, size } => {
                let content = VerifyingReader::new(source.layer(layer)?, diff_id, size);
                tar.file(name.as_bytes(), 0o644, size, content).map_err(write)?;
            }
        }
    }
    tar.finish().map_err(write)
}

enum Entry<'a> {
    Bytes(&'a [u8]),
    Layer { layer: &'a Descriptor, diff_id: Digest, size: u64 },
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Manifest<'a> {
    config: &'a str,
    repo_tags: [String; 1],
    layers: Vec<String>,
}

fn layer_name(diff_id: Digest) -> String {
    format!("{}/layer.tar", diff_id.hex())
}

/// The name as `docker images` shows it: without `docker.io/` and `library/`.
fn familiar(name: &ImageRef) -> Result<String, DockerArchiveError> {
    let (Some(_), None) = (name.tag(), name.digest()) else {
        return Err(DockerArchiveError::Name(Box::new(name.clone())));
    };
    Ok(name.familiar())
}

struct Source<'a> {
    image: &'a ContainerImage,
    blobs: &'a dyn Blobs,
}

type Layer = Decompressed<VerifyingReader<fs_err::File>>;

impl Source<'_> {
    fn blob(&self, what: &'static str, blob: &Descriptor) -> Result<VerifyingReader<fs_err::File>, DockerArchiveError> {
        let file = self.blobs.open(blob.digest).map_err(|source| self.blob_error(what, blob.digest, source))?;
        Ok(VerifyingReader::new(file, blob.digest, blob.size))
    }

    fn blob_error(&self, what: &'static str, digest: Digest, source: io::Error) -> DockerArchiveError {
        DockerArchiveError::Blob { what, digest, image: Box::new(self.image.reference.clone()), source }
    }

    /// Removes the blob of the error if it is damaged, and reports that instead: a decompressor may fail on a wrong
    /// byte with another error, before the digest is known.
    fn without_damaged(&self, error: DockerArchiveError) -> DockerArchiveError {
        let (what, suspects): (_, Vec<&Descriptor>) = match &error {
            DockerArchiveError::Blob { what, digest, .. } => {
                (*what, self.image.blobs().filter(|blob| blob.digest == *digest).take(1).collect())
            }
            DockerArchiveError::Layer { digest, .. } | DockerArchiveError::DiffId { digest, .. } => {
                ("layer", self.image.layers.iter().filter(|layer| layer.digest == *digest).take(1).collect())
            }
            // Between measuring and writing anything can happen to a file.
            DockerArchiveError::Write { .. } => ("layer", self.image.layers.iter().collect()),
            DockerArchiveError::Name(_)
            | DockerArchiveError::Config { .. }
            | DockerArchiveError::ConfigSize { .. }
            | DockerArchiveError::Count { .. } => return error,
        };
        let damaged = |blob: &&Descriptor| self.blobs.discard_if_damaged(blob).map(|source| (blob.digest, source));
        match suspects.iter().find_map(damaged) {
            Some((digest, source)) => self.blob_error(what, digest, source),
            None => error,
        }
    }

    fn config(&self) -> Result<Vec<u8>, DockerArchiveError> {
        let Descriptor { digest, size, .. } = self.image.config;
        if size > CONFIG_LIMIT {
            return Err(DockerArchiveError::ConfigSize { digest, image: Box::new(self.image.reference.clone()), size });
        }
        let mut bytes = Vec::new();
        let mut reader = self.blob("config", &self.image.config)?;
        reader.read_to_end(&mut bytes).map_err(|source| self.blob_error("config", digest, source))?;
        Ok(bytes)
    }

    fn diff_ids(&self, config: &[u8]) -> Result<Vec<Digest>, DockerArchiveError> {
        let image = || Box::new(self.image.reference.clone());
        let found = diff_ids(config).map_err(|source| DockerArchiveError::Config {
            digest: self.image.config.digest,
            image: image(),
            source,
        })?;
        let (layers, diff_ids) = (self.image.layers.len(), found.len());
        if layers != diff_ids {
            return Err(DockerArchiveError::Count { image: image(), layers, diff_ids });
        }
        Ok(found)
    }

    /// The layer, decompressed by what its first bytes say: media types are often wrong, and the diff id decides.
    fn layer(&self, layer: &Descriptor) -> Result<Layer, DockerArchiveError> {
        Decompressed::new(self.blob("layer", layer)?, &Limits::LAYER).map_err(|source| self.layer_error(layer, source))
    }

    fn layer_error(&self, layer: &Descriptor, source: ArchiveError) -> DockerArchiveError {
        DockerArchiveError::Layer { digest: layer.digest, image: Box::new(self.image.reference.clone()), source }
    }

    /// Decompresses a layer to nowhere: its size, if it is what the config says.
    fn measure(&self, layer: &Descriptor, expected: Digest) -> Result<u64, DockerArchiveError> {
        let mut writer = DigestWriter::new(io::sink());
        let copied = io::copy(&mut self.layer(layer)?, &mut writer);
        copied.map_err(|error| self.layer_error(layer, ArchiveError::from_read(error)))?;
        let (_, found, size) = writer.finish();
        if found != expected {
            let image = Box::new(self.image.reference.clone());
            return Err(DockerArchiveError::DiffId { digest: layer.digest, image, expected, found });
        }
        Ok(size)
    }
}

#[cfg(test)]
pub(super) mod tests;
