//! Why a URL could not be fetched.

use crate::cache::CacheError;
use crate::transport::{HttpError, chain};
use crate::words::FailureKind;

/// Why a URL could not be fetched. URLs are without query string and credentials.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Neither http nor https.
    #[error("`{url}` is neither an https nor an http URL")]
    Scheme {
        /// The URL.
        url: String,
    },
    /// Whoever is on the way could change what comes.
    #[error("`{url}` is an http URL, whose content anyone on the way can change: write its sha256, or use https")]
    NeedsDigest {
        /// The URL.
        url: String,
    },
    /// It is not in the cache, and nothing may be asked.
    #[error("`{url}` is not in the cache, and the network is switched off; fetch it with the network on")]
    Offline {
        /// The URL.
        url: String,
    },
    /// Nobody who was asked gave it.
    #[error("`{url}` cannot be fetched: {}", messages(.tried))]
    Tried {
        /// The URL.
        url: String,
        /// What each said, in their order: mirrors, then the URL itself. Each names its URL.
        tried: Vec<HttpError>,
    },
    /// The cache failed.
    #[error("`{url}` cannot be kept")]
    Cache {
        /// The URL.
        url: String,
        /// Why.
        source: CacheError,
    },
}

fn messages(tried: &[HttpError]) -> String {
    tried.iter().map(|error| chain(error)).collect::<Vec<_>>().join("; ")
}

impl FetchError {
    /// The kind of failure.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Scheme { .. } | Self::NeedsDigest { .. } => FailureKind::Invalid,
            Self::Offline { .. } => FailureKind::Failed,
            // Whoever gave something else than was meant is news, also where somebody else did not answer at all.
            Self::Tried { tried, .. } if tried.iter().any(|error| error.kind() == FailureKind::Verification) => {
                FailureKind::Verification
            }
            // Mirrors may lack what they like; what the URL itself gave counts, and it is asked last.
            Self::Tried { tried, .. } => tried.last().map_or(FailureKind::Failed, HttpError::kind),
            Self::Cache { source, .. } => source.kind(),
        }
    }
}
