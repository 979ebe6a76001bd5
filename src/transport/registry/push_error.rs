//! Why an image could not be pushed.

use crate::transport::{ConfError, RegistryError};
use crate::words::{FailureKind, ImageRef};

/// Why an image could not be pushed. References are boxed, being large.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The user's settings forbid it.
    #[error("`{reference}` cannot be pushed")]
    Settings {
        /// The image.
        reference: Box<ImageRef>,
        /// Why not.
        source: ConfError,
    },
    /// What it would be called says already what it is.
    #[error("`{0}` cannot be pushed: it is named by a digest, which a push makes; name it by a tag")]
    Named(Box<ImageRef>),
    /// The registry did not take a part of it. The tag is what it was.
    #[error("`{reference}`: {what} cannot be pushed")]
    Refused {
        /// The image.
        reference: Box<ImageRef>,
        /// Which part of it: `its blob sha256:…`.
        what: String,
        /// What the registry said.
        source: RegistryError,
    },
}

impl PushError {
    /// The kind of failure.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Settings { source, .. } => source.kind(),
            Self::Named(_) => FailureKind::Failed,
            Self::Refused { source, .. } => source.kind(),
        }
    }

    /// What to do next, where there is more to say than the message does.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Refused { source: RegistryError::Http(error), .. } => {
                error.help("a push goes to the registry itself, where registries.conf says that it is")
            }
            Self::Refused { source, .. } => source.help(),
            Self::Settings { .. } | Self::Named(_) => None,
        }
    }
}
