//! Why an image could not be read from the engine.

use super::{EngineFault, EngineHost};
use crate::cache::CacheError;
use crate::image::{DockerArchiveReadError, ManifestError};
use crate::types::{Digest, FailureKind, ImageSource, Platform, Reportable};

/// Why an image could not be read from the Docker engine.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EngineError {
    /// It gave no answer, or not a useful one.
    #[error("{}", told(image, host, fault))]
    Fault {
        /// The image.
        image: ImageSource,
        /// The engine's host.
        host: EngineHost,
        /// Why.
        fault: EngineFault,
    },
    /// The engine does not have the image.
    #[error("the Docker engine at `{host}` has no image `{}`", image.reference().familiar())]
    NoImage {
        /// The image.
        image: ImageSource,
        /// The engine's host.
        host: EngineHost,
        /// A name that the engine has and that may have been meant.
        near: Option<String>,
    },
    /// The engine's image is for another platform.
    #[error("`{image}` is for {found} in the Docker engine, not for {asked}")]
    Platform {
        /// The image.
        image: ImageSource,
        /// The platform that was asked for.
        asked: Platform,
        /// The existing one.
        found: Platform,
    },
    /// The engine sent another image than it announced.
    #[error("the Docker engine at `{host}` says that `{image}` is {said}, but sends {found}")]
    Other {
        /// The image.
        image: ImageSource,
        /// The engine's host.
        host: EngineHost,
        /// The announced id.
        said: Digest,
        /// The id of what it sent.
        found: Digest,
    },
    /// The engine sent an archive that is refused.
    #[error("cannot use `{image}` from the Docker engine")]
    Archive {
        /// The image.
        image: ImageSource,
        /// Why.
        source: DockerArchiveReadError,
    },
    /// The image's config is not valid, or for another platform.
    #[error("cannot use `{image}` from the Docker engine")]
    Config {
        /// The image.
        image: ImageSource,
        /// Why.
        source: ManifestError,
    },
    /// The cache could not keep the image.
    #[error("cannot store `{image}` from the Docker engine")]
    Cache {
        /// The image.
        image: ImageSource,
        /// Why.
        source: CacheError,
    },
}

fn told(image: &ImageSource, host: &EngineHost, fault: &EngineFault) -> String {
    match fault {
        EngineFault::Host(_) | EngineFault::NoSocket | EngineFault::Denied | EngineFault::Unreachable(_) => {
            format!("cannot ask the Docker engine at `{host}` for `{image}`: {fault}")
        }
        EngineFault::Answer { .. } => format!("cannot get `{image}` from the Docker engine at `{host}`: {fault}"),
        EngineFault::Broken(_) => format!("the Docker engine at `{host}` did not send all of `{image}`: {fault}"),
        EngineFault::Strange(_) => {
            format!("cannot get `{image}`: the answer at `{host}` is not that of a known Docker engine: {fault}")
        }
    }
}

impl Reportable for EngineError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Fault { fault, .. } => match fault {
                // A stopped engine leaves no socket, or one that refuses connections: both mean the same.
                EngineFault::NoSocket
                | EngineFault::Unreachable(_)
                | EngineFault::Broken(_)
                | EngineFault::Answer { status: 500.., .. } => FailureKind::Retry,
                EngineFault::Answer { .. } | EngineFault::Host(_) | EngineFault::Denied | EngineFault::Strange(_) => {
                    FailureKind::Failed
                }
            },
            Self::NoImage { .. } | Self::Platform { .. } | Self::Other { .. } => FailureKind::Verification,
            Self::Archive { source, .. } => source.kind(),
            Self::Config { source, .. } => source.kind(),
            Self::Cache { source, .. } => source.kind(),
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Fault { fault, .. } => match fault {
                EngineFault::Host(_) => Some(
                    "set DOCKER_HOST to `unix:///PATH` or `tcp://HOST:PORT`, or unset it for the usual socket"
                        .to_owned(),
                ),
                EngineFault::Denied => Some(
                    "run this as root, or as a user of the group that owns the socket, usually `docker`".to_owned(),
                ),
                EngineFault::NoSocket | EngineFault::Unreachable(_) => Some(
                    "start the engine, or set DOCKER_HOST to where it listens; an image from a registry needs no engine"
                        .to_owned(),
                ),
                EngineFault::Answer { .. } | EngineFault::Broken(_) | EngineFault::Strange(_) => None,
            },
            Self::NoImage { near: Some(near), .. } => Some(format!("did you mean `docker-daemon:{near}`?")),
            Self::NoImage { image, .. } => {
                let name = image.reference().familiar();
                Some(format!(
                    "`docker images` lists its images; build or load `{name}` first, or remove `docker-daemon:`"
                ))
            }
            Self::Platform { image, asked, .. } => {
                let name = image.reference().familiar();
                Some(format!("build or pull `{name}` for {asked} first: an engine keeps one platform per name"))
            }
            Self::Other { .. } | Self::Archive { .. } | Self::Config { .. } | Self::Cache { .. } => None,
        }
    }
}
