//! Why a URL could not be fetched.

use crate::cache::CacheError;
use crate::transport::HttpError;
use crate::types::chain;
use crate::types::{FailureKind, Reportable};

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

impl Reportable for FetchError {
    fn help(&self) -> Option<String> {
        match self {
            Self::Tried { tried, .. } => {
                // As with the kind: the wrong content first, then what the URL itself gave.
                let wrong = tried.iter().find(|error| error.kind() == FailureKind::Verification);
                wrong.or(tried.last()).and_then(|error| error.help("`--url-mirror` can name a mirror"))
            }
            Self::Scheme { .. } | Self::NeedsDigest { .. } | Self::Offline { .. } | Self::Cache { .. } => None,
        }
    }

    fn kind(&self) -> FailureKind {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_says_what_to_do_about_what_counts() {
        let url = "https://host.invalid/x".to_owned();
        let down = || HttpError::Connect { url: url.as_str().into(), reason: "no such host".to_owned() };
        let too_long = HttpError::TooLong { url: url.as_str().into(), limit: 1 };
        let tried = |tried| FetchError::Tried { url: url.clone(), tried };
        insta::assert_snapshot!(tried(vec![down()]).help().unwrap(), @"is the server up, and is `host.invalid` the right place? `--url-mirror` can name a mirror");
        let expected = too_long.help("");
        assert_eq!(tried(vec![too_long, down()]).help(), expected);
        assert_eq!(FetchError::Scheme { url: url.clone() }.help(), None);
    }
}
