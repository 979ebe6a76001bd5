//! The images that a build stands on or takes files from.

use std::fmt;
use std::str::FromStr;

use super::image_source::{ImageSource, engine_name};
use super::{ImageRef, ReferenceError, SealerName};

/// An image to build on or to take files from, and its source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BaseSource {
    /// A sealer image: of this run, of the store, or pulled.
    Sealer(SealerName),
    /// A container image of the local Docker engine; the reference has a tag and no digest.
    Engine(ImageRef),
}

impl BaseSource {
    /// The sealer image's name; `None` for an engine's image.
    #[must_use]
    pub fn sealer(&self) -> Option<&SealerName> {
        match self {
            Self::Sealer(name) => Some(name),
            Self::Engine(_) => None,
        }
    }

    /// The short name, without defaults; for people.
    #[must_use]
    pub(crate) fn familiar(&self) -> String {
        match self {
            Self::Sealer(name) => name.familiar(),
            Self::Engine(_) => self.to_string(),
        }
    }

    /// The container image, or the pushed sealer image, to request.
    #[must_use]
    pub fn image(&self) -> ImageSource {
        match self {
            Self::Sealer(name) => ImageSource::Registry(name.reference().clone()),
            Self::Engine(reference) => ImageSource::Engine(reference.clone()),
        }
    }
}

impl From<SealerName> for BaseSource {
    fn from(name: SealerName) -> Self {
        Self::Sealer(name)
    }
}

impl FromStr for BaseSource {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        match engine_name(text) {
            Some(source) => source.map(|source| Self::Engine(source.reference().clone())),
            None => text.parse().map(Self::Sealer),
        }
    }
}

impl fmt::Display for BaseSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sealer(name) => fmt::Display::fmt(name, f),
            Self::Engine(_) => fmt::Display::fmt(&self.image(), f),
        }
    }
}

crate::types::serde_as_text!(BaseSource);
