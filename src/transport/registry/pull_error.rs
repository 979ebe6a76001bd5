//! Why an image could not be pulled.

use crate::cache::CacheError;
use crate::image::ManifestError;
use crate::transport::{ConfError, HttpError, RegistryError, Tried};
use crate::types::{FailureKind, ImageRef, Reportable};

/// Why an image could not be pulled. References are boxed, being large.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The user's settings forbid it.
    #[error("`{reference}` cannot be pulled")]
    Settings {
        /// The image.
        reference: Box<ImageRef>,
        /// Why.
        source: ConfError,
    },
    /// No server returned it.
    #[error("`{reference}`: {what} cannot be pulled: {tried}")]
    Tried {
        /// The image.
        reference: Box<ImageRef>,
        /// Which part of it: `its manifest`, `its blob sha256:…`.
        what: String,
        /// What those said who were asked for it.
        tried: Tried<RegistryError>,
    },
    /// One of its documents cannot be used.
    #[error("`{reference}` cannot be used")]
    Manifest {
        /// The image.
        reference: Box<ImageRef>,
        /// Why.
        source: ManifestError,
    },
    /// It is not in the cache, and the network is switched off.
    #[error("`{reference}`: {what} is not in the cache, and the network is switched off; fetch it with the network on")]
    Offline {
        /// The image.
        reference: Box<ImageRef>,
        /// Which part of it.
        what: String,
    },
    /// The cache failed.
    #[error("cannot store `{reference}`")]
    Cache {
        /// The image.
        reference: Box<ImageRef>,
        /// Why.
        source: CacheError,
    },
    /// The work was stopped, or panicked, before it was done.
    #[error("`{reference}`: the work was stopped")]
    Stopped {
        /// The image.
        reference: Box<ImageRef>,
    },
}

impl PullError {
    /// The registry's final answer, if a retry would not help; `None` if the answer may change later or for another
    /// user.
    #[must_use]
    pub fn refusal(&self) -> Option<&'static str> {
        match self {
            Self::Tried { tried, .. } => match tried.0.last()? {
                RegistryError::Missing(_) => Some("its registry does not have it"),
                RegistryError::Credentials(refusal) if refusal.who.is_none() => Some("its registry asks for a login"),
                RegistryError::Http(HttpError::Answer { .. } | HttpError::Redirect { .. }) => {
                    Some("its host is not a registry")
                }
                RegistryError::Http(error @ HttpError::Status { .. }) if !error.is_transient() => {
                    Some("its registry does not return it")
                }
                RegistryError::Credentials(_) | RegistryError::Http(_) | RegistryError::Digest { .. } => None,
            },
            // An image for other platforms is an image.
            Self::Manifest { source, .. } => {
                let is_image = matches!(source, ManifestError::NoPlatform { .. } | ManifestError::OtherPlatform { .. });
                (!is_image).then_some("its registry has something there that is not an image")
            }
            Self::Settings { .. } | Self::Offline { .. } | Self::Cache { .. } | Self::Stopped { .. } => None,
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

impl Reportable for PullError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Settings { source, .. } => source.kind(),
            Self::Tried { tried, .. } => {
                tried.decisive(RegistryError::is_wrong_content).map_or(FailureKind::Failed, RegistryError::kind)
            }
            Self::Manifest { source, .. } => source.kind(),
            Self::Offline { .. } | Self::Stopped { .. } => FailureKind::Failed,
            Self::Cache { source, .. } => source.kind(),
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Tried { tried, .. } => tried.decisive(RegistryError::is_wrong_content).and_then(RegistryError::help),
            Self::Settings { .. }
            | Self::Manifest { .. }
            | Self::Offline { .. }
            | Self::Cache { .. }
            | Self::Stopped { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::http::error::ErrorBody;
    use crate::types::Digest;

    fn tried(errors: Vec<RegistryError>) -> PullError {
        PullError::Tried {
            reference: Box::new("h/r:1".parse().unwrap()),
            what: "its manifest".to_owned(),
            tried: Tried(errors),
        }
    }

    fn down() -> RegistryError {
        let (url, reason) = ("http://127.0.0.1:1/v2/".into(), "connection refused".to_owned());
        HttpError::Connect { url, reason }.into()
    }

    fn missing() -> RegistryError {
        HttpError::Status { url: "http://h/".into(), status: 404, body: ErrorBody::default(), retry_after: None }.into()
    }

    #[test]
    fn wrong_content_counts_whoever_gave_it_and_what_a_mirror_lacks_does_not() {
        let (expected, found) = (Digest::of(b"a"), Digest::of(b"b"));
        let digest = || RegistryError::Digest { url: "http://h/".into(), expected, found };
        let wrong = |source| RegistryError::from(HttpError::Wrong { url: "http://h/".into(), source });
        let size = CacheError::WrongSize { expected: 1, found: 2, cut: false };
        for (errors, kind) in [
            (vec![digest(), down()], FailureKind::Verification),
            (vec![wrong(CacheError::WrongDigest { expected, found }), down()], FailureKind::Verification),
            (vec![wrong(size), missing(), down()], FailureKind::Verification),
            (vec![missing(), down()], FailureKind::Retry),
            (vec![down(), missing()], FailureKind::Verification),
            (vec![], FailureKind::Failed),
        ] {
            let error = tried(errors);
            assert_eq!(error.kind(), kind, "{error}");
        }
    }

    #[test]
    fn help_says_what_to_do_about_what_counts() {
        insta::assert_snapshot!(tried(vec![missing(), down()]).help().unwrap(), @"check that the server is up and that `127.0.0.1:1` is the right address; registries.conf can name a mirror");
        assert_eq!(tried(vec![down(), missing()]).help(), RegistryError::help(&missing()));
        assert_eq!(tried(vec![]).help(), None);
        // The digest comes from the registry here, so the recipe does not need to be checked.
        let source = CacheError::WrongSize { expected: 1, found: 2, cut: false };
        let wrong = HttpError::Wrong { url: "http://h/".into(), source }.into();
        insta::assert_snapshot!(tried(vec![wrong, down()]).help().unwrap(), @"a mirror or proxy on the way may have something else; registries.conf says which servers are used");
    }
}
