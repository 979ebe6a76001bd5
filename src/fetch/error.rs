//! Why a URL could not be fetched.

use crate::cache::CacheError;
use crate::transport::{HttpError, Tried};
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
    /// Anyone on the way could change the file.
    #[error("`{url}` is an http URL, and anyone on the way can change the file: give its sha256, or use https")]
    NeedsDigest {
        /// The URL.
        url: String,
    },
    /// It is not in the cache, and the network is switched off.
    #[error("`{url}` is not in the cache, and the network is switched off; fetch it with the network on")]
    Offline {
        /// The URL.
        url: String,
    },
    /// No server returned it.
    #[error("cannot fetch `{url}`: {tried}")]
    Tried {
        /// The URL.
        url: String,
        /// What those said who were asked for it.
        tried: Tried<HttpError>,
    },
    /// The cache failed.
    #[error("cannot store `{url}`")]
    Cache {
        /// The URL.
        url: String,
        /// Why.
        source: CacheError,
    },
}

fn decisive(tried: &Tried<HttpError>) -> Option<&HttpError> {
    tried.decisive(|error| error.kind() == FailureKind::Verification)
}

impl Reportable for FetchError {
    fn help(&self) -> Option<String> {
        match self {
            Self::Tried { tried, .. } => {
                decisive(tried).and_then(|error| error.help("`--url-mirror` can name a mirror"))
            }
            Self::Scheme { .. } | Self::NeedsDigest { .. } | Self::Offline { .. } | Self::Cache { .. } => None,
        }
    }

    fn kind(&self) -> FailureKind {
        match self {
            Self::Scheme { .. } | Self::NeedsDigest { .. } => FailureKind::Invalid,
            Self::Offline { .. } => FailureKind::Failed,
            Self::Tried { tried, .. } => decisive(tried).map_or(FailureKind::Failed, HttpError::kind),
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
        let tried = |tried| FetchError::Tried { url: url.clone(), tried: Tried(tried) };
        insta::assert_snapshot!(tried(vec![down()]).help().unwrap(), @"check that the server is up and that `host.invalid` is the right address; `--url-mirror` can name a mirror");
        let expected = too_long.help("");
        assert_eq!(tried(vec![too_long, down()]).help(), expected);
        assert_eq!(FetchError::Scheme { url: url.clone() }.help(), None);
    }
}
