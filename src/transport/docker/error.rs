//! Why an image is not had from the engine.

use super::{EngineFault, EngineHost};
use crate::cache::CacheError;
use crate::image::{DockerArchiveReadError, ManifestError};
use crate::types::{Digest, FailureKind, ImageSource, Platform, Reportable};

/// Why an image is not had from the Docker engine.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// It gave no answer, or none that is of use.
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
        /// What was asked for.
        asked: Platform,
        /// What is there.
        found: Platform,
    },
    /// What the engine gave is another image than it said.
    #[error("the Docker engine at `{host}` says that `{image}` is {said}, and gives {found}")]
    Other {
        /// The image.
        image: ImageSource,
        /// The engine's host.
        host: EngineHost,
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
}

fn told(image: &ImageSource, host: &EngineHost, fault: &EngineFault) -> String {
    match fault {
        EngineFault::Host(_) | EngineFault::NoSocket | EngineFault::Denied | EngineFault::Unreachable(_) => {
            format!("cannot ask the Docker engine at `{host}` for `{image}`: {fault}")
        }
        EngineFault::Answer { .. } => format!("the Docker engine at `{host}` cannot give `{image}`: {fault}"),
        EngineFault::Broken(_) => format!("the Docker engine at `{host}` did not give `{image}` whole: {fault}"),
        EngineFault::Strange(_) => {
            format!("what answers at `{host}`, asked for `{image}`, is no Docker engine that is understood: {fault}")
        }
    }
}

impl Reportable for EngineError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Fault { fault, .. } => match fault {
                // An engine that does not run leaves no socket, or one that refuses: it is the same.
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
                    "start the engine, or say in DOCKER_HOST where it listens; an image of a registry needs none"
                        .to_owned(),
                ),
                EngineFault::Answer { .. } | EngineFault::Broken(_) | EngineFault::Strange(_) => None,
            },
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
            Self::Other { .. } | Self::Archive { .. } | Self::Config { .. } | Self::Cache { .. } => None,
        }
    }
}
