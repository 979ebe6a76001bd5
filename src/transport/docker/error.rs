//! Why an image is not had from the engine.

use std::io;

use super::EnginePlace;
use crate::cache::CacheError;
use crate::image::{DockerArchiveReadError, ManifestError};
use crate::words::{Digest, FailureKind, ImageSource, Platform};

/// Why an image is not had from the Docker engine.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The place is none that is asked.
    #[error("cannot ask the Docker engine at `{place}` for `{image}`: {why}")]
    Place {
        /// The image.
        image: ImageSource,
        /// The place.
        place: EnginePlace,
        /// Why.
        why: &'static str,
    },
    /// Nobody answers there.
    #[error("cannot ask the Docker engine at `{place}` for `{image}`: {why}")]
    Unreachable {
        /// The image.
        image: ImageSource,
        /// The place.
        place: EnginePlace,
        /// What the system or the client said.
        why: String,
        /// What the system said, where it was the system.
        kind: Option<io::ErrorKind>,
    },
    /// The engine does not have the image.
    #[error("the Docker engine at `{place}` has no image `{}`", image.reference().familiar())]
    NoImage {
        /// The image.
        image: ImageSource,
        /// The place.
        place: EnginePlace,
        /// A name that the engine has and that may have been meant.
        near: Option<String>,
    },
    /// The engine's image is for another platform.
    #[error("`{image}` is for {found} in the Docker engine, not for {asked}")]
    Platform {
        /// The image.
        image: ImageSource,
        /// What was asked for.
        asked: Platform,
        /// What is there.
        found: Platform,
    },
    /// The engine answered that something failed.
    #[error("the Docker engine at `{place}` cannot give `{image}`: {message} (status {status})")]
    Answer {
        /// The image.
        image: ImageSource,
        /// The place.
        place: EnginePlace,
        /// The HTTP status.
        status: u16,
        /// What the engine said, printable.
        message: String,
    },
    /// The answer stopped coming, or is too long.
    #[error("the Docker engine at `{place}` did not give `{image}` whole: {why}")]
    Broken {
        /// The image.
        image: ImageSource,
        /// The place.
        place: EnginePlace,
        /// Why.
        why: String,
    },
    /// The answer is none that an engine gives.
    #[error("what answers at `{place}`, asked for `{image}`, is no Docker engine that is understood: {why}")]
    Strange {
        /// The image.
        image: ImageSource,
        /// The place.
        place: EnginePlace,
        /// Why.
        why: String,
    },
    /// What the engine gave is another image than it said.
    #[error("the Docker engine at `{place}` says that `{image}` is {said}, and gives {found}")]
    Other {
        /// The image.
        image: ImageSource,
        /// The place.
        place: EnginePlace,
        /// The id that it said.
        said: Digest,
        /// The id of what it gave.
        found: Digest,
    },
    /// What the engine gave is no archive that is taken.
    #[error("what the Docker engine gives as `{image}` cannot be taken")]
    Archive {
        /// The image.
        image: ImageSource,
        /// Why.
        source: DockerArchiveReadError,
    },
    /// The image's config is no config, or of another platform.
    #[error("what the Docker engine gives as `{image}` cannot be taken")]
    Config {
        /// The image.
        image: ImageSource,
        /// Why.
        source: ManifestError,
    },
    /// The cache could not keep the image.
    #[error("cannot keep `{image}` of the Docker engine")]
    Cache {
        /// The image.
        image: ImageSource,
        /// Why.
        source: CacheError,
    },
    /// The disk could not keep the image.
    #[error("cannot keep `{image}` of the Docker engine")]
    Disk {
        /// The image.
        image: ImageSource,
        /// Why.
        source: io::Error,
    },
}

impl EngineError {
    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Unreachable { kind, .. } => match kind {
                // An engine that does not run leaves no socket, or one that refuses: it is the same.
                Some(io::ErrorKind::PermissionDenied) => FailureKind::Failed,
                Some(_) | None => FailureKind::Retry,
            },
            Self::NoImage { .. } | Self::Platform { .. } | Self::Other { .. } => FailureKind::Verification,
            Self::Answer { status, .. } if *status >= 500 => FailureKind::Retry,
            Self::Answer { .. } | Self::Strange { .. } | Self::Place { .. } | Self::Disk { .. } => FailureKind::Failed,
            Self::Broken { .. } => FailureKind::Retry,
            Self::Archive { source, .. } => source.kind(),
            Self::Config { source, .. } => source.kind(),
            Self::Cache { source, .. } => source.kind(),
        }
    }

    /// What to do next, where that can be told.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Place { .. } => Some(
                "set DOCKER_HOST to `unix:///PATH` or `tcp://HOST:PORT`, or unset it for the usual socket".to_owned(),
            ),
            Self::Unreachable { kind: Some(io::ErrorKind::PermissionDenied), .. } => {
                Some("run this as root, or as a user of the group that owns the socket, usually `docker`".to_owned())
            }
            Self::Unreachable { .. } => Some(
                "start the engine, or say in DOCKER_HOST where it listens; an image of a registry needs none"
                    .to_owned(),
            ),
            Self::NoImage { near: Some(near), .. } => Some(format!("did you mean `docker-daemon:{near}`?")),
            Self::NoImage { image, .. } => {
                let name = image.reference().familiar();
                Some(format!(
                    "`docker images` lists what it has; build or load `{name}` first, or leave `docker-daemon:` out"
                ))
            }
            Self::Platform { image, asked, .. } => {
                let name = image.reference().familiar();
                Some(format!("build or pull `{name}` for {asked} first: an engine has one platform under a name"))
            }
            Self::Answer { .. }
            | Self::Broken { .. }
            | Self::Strange { .. }
            | Self::Other { .. }
            | Self::Archive { .. }
            | Self::Config { .. }
            | Self::Cache { .. }
            | Self::Disk { .. } => None,
        }
    }
}
