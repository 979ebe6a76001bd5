//! Errors in an archive of `docker save`.

use std::io;

use crate::archive::ArchiveError;
use crate::types::{Digest, FailureKind, Reportable};

use super::CONFIG_LIMIT;

/// Why an archive of `docker save` is refused. Names from inside it are printable.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DockerArchiveReadError {
    /// The tar is refused.
    #[error("the docker archive is refused")]
    Archive(#[from] ArchiveError),
    /// A file that must be there is not.
    #[error("the docker archive has no `{0}`")]
    Missing(String),
    /// A name in its manifest is not valid for such archives.
    #[error("the docker archive's manifest.json names `{0}`: expected {1}")]
    Name(String, &'static str),
    /// A named entry is not a file.
    #[error("`{0}` in the docker archive is not a regular file")]
    NoFile(String),
    /// A document is larger than any honest one.
    #[error("`{name}` in the docker archive is refused: it has {size} bytes, more than {CONFIG_LIMIT}")]
    Size {
        /// Its name.
        name: String,
        /// Its size in bytes.
        size: u64,
    },
    /// A document cannot be parsed.
    #[error("`{name}` in the docker archive cannot be read")]
    Document {
        /// Its name.
        name: String,
        /// Why.
        source: serde_json::Error,
    },
    /// None or several images.
    #[error("the docker archive has {0} images, expected one")]
    Images(usize),
    /// The config is not what its name says.
    #[error("the config `{name}` in the docker archive hashes to {found}")]
    Config {
        /// Its name.
        name: String,
        /// The digest of its bytes.
        found: Digest,
    },
    /// Config and manifest disagree on how many layers there are.
    #[error("the docker archive is inconsistent: its manifest.json has {layers} layers, its config {diff_ids}")]
    Count {
        /// Layers of manifest.json.
        layers: usize,
        /// Diff ids of the config.
        diff_ids: usize,
    },
    /// A layer is not what the config says.
    #[error("the layer `{name}` in the docker archive hashes to {found}, but its config says {expected}")]
    DiffId {
        /// Its name.
        name: String,
        /// The config's diff id.
        expected: Digest,
        /// The digest of its bytes.
        found: Digest,
    },
    /// A layer cannot be read or decompressed.
    #[error("cannot read the layer `{name}` of the docker archive")]
    Layer {
        /// Its name.
        name: String,
        /// Why.
        source: ArchiveError,
    },
    /// Writing a layer failed.
    #[error("cannot store the layer `{name}` of the docker archive")]
    Write {
        /// Its name.
        name: String,
        /// Why.
        source: io::Error,
    },
}

impl Reportable for DockerArchiveReadError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Config { .. } | Self::DiffId { .. } | Self::Count { .. } => FailureKind::Verification,
            Self::Archive(error) | Self::Layer { source: error, .. } => error.kind(),
            Self::Missing(_)
            | Self::Name(..)
            | Self::NoFile(_)
            | Self::Size { .. }
            | Self::Document { .. }
            | Self::Images(_)
            | Self::Write { .. } => FailureKind::Failed,
        }
    }
}
