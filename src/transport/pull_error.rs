//! Why an image could not be pulled.

use std::fmt;

use super::shown::chain;
use super::{ConfError, RegistryError};
use crate::cache::CacheError;
use crate::image::ManifestError;
use crate::words::{FailureKind, ImageRef};

/// Why an image could not be pulled. References are boxed, being large.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The user's settings forbid it.
    #[error("`{reference}` cannot be pulled")]
    Settings {
        /// The image.
        reference: Box<ImageRef>,
        /// Why not.
        source: ConfError,
    },
    /// Nobody who was asked gave it.
    #[error("`{reference}`: {what} cannot be pulled: {tried}")]
    Tried {
        /// The image.
        reference: Box<ImageRef>,
        /// Which part of it: `its manifest`, `its blob sha256:…`.
        what: String,
        /// Who was asked and said what, in their order: mirrors, then the registry itself.
        tried: Tried,
    },
    /// A document of it is of no use.
    #[error("`{reference}` cannot be used")]
    Manifest {
        /// The image.
        reference: Box<ImageRef>,
        /// Why.
        source: ManifestError,
    },
    /// It is not in the cache, and nothing may be asked.
    #[error("`{reference}`: {what} is not in the cache, and the network is switched off; fetch it with the network on")]
    Offline {
        /// The image.
        reference: Box<ImageRef>,
        /// Which part of it.
        what: String,
    },
    /// The cache failed.
    #[error("`{reference}` cannot be kept")]
    Cache {
        /// The image.
        reference: Box<ImageRef>,
        /// Why.
        source: CacheError,
    },
    /// The work was stopped, or fell over, before it was done.
    #[error("`{reference}`: the work was stopped")]
    Stopped {
        /// The image.
        reference: Box<ImageRef>,
    },
}

/// Who was asked, `HOST/REPOSITORY`, and what each said.
#[derive(Debug)]
pub struct Tried(pub Vec<(String, RegistryError)>);

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Each error names the URL that was asked.
        let messages: Vec<String> = self.0.iter().map(|(_, error)| chain(error)).collect();
        f.write_str(&messages.join("; "))
    }
}

impl PullError {
    /// The kind of failure.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Settings { source, .. } => source.kind(),
            // Mirrors may lack what they like; what the registry itself said counts, and it is asked last.
            Self::Tried { tried, .. } => tried.0.last().map_or(FailureKind::Failed, |(_, error)| error.kind()),
            Self::Manifest { source, .. } => source.kind(),
            Self::Offline { .. } | Self::Stopped { .. } => FailureKind::Failed,
            Self::Cache { source, .. } => source.kind(),
        }
    }

    /// The image that could not be pulled.
    #[must_use]
    pub fn reference(&self) -> &ImageRef {
        match self {
            Self::Settings { reference, .. }
            | Self::Tried { reference, .. }
            | Self::Manifest { reference, .. }
            | Self::Offline { reference, .. }
            | Self::Cache { reference, .. }
            | Self::Stopped { reference } => reference,
        }
    }
}
