//! Where the files of a context come from.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::types::{BaseSource, ContextPath, Digest};

/// Where files of a context come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ContextSource {
    /// One layer of an image.
    Layer {
        /// The image.
        of: BaseSource,
        /// Which layer.
        layer: LayerChoice,
        /// Globs of the paths to take; empty: all.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        paths: Vec<String>,
        /// The folder of the context that they go to.
        #[serde(default, skip_serializing_if = "ContextPath::is_root")]
        to: ContextPath,
    },
    /// All layers of an image, merged.
    Rootfs {
        /// The image.
        of: BaseSource,
        /// Globs of the paths to take; empty: all.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        paths: Vec<String>,
        /// The folder of the context that they go to.
        #[serde(default, skip_serializing_if = "ContextPath::is_root")]
        to: ContextPath,
    },
    /// A folder next to the recipe.
    Directory {
        /// The folder, relative to the recipe's.
        path: ContextPath,
        /// The folder of the context that its files go to.
        #[serde(default, skip_serializing_if = "ContextPath::is_root")]
        to: ContextPath,
    },
}

impl ContextSource {
    /// The image that the files come from, if they come from one.
    #[must_use]
    pub fn image(&self) -> Option<&BaseSource> {
        match self {
            Self::Layer { of, .. } | Self::Rootfs { of, .. } => Some(of),
            Self::Directory { .. } => None,
        }
    }
}

impl fmt::Display for ContextSource {
    /// For people: `etc/*.yaml of the layer with etc/a.yaml of kubernetes:v1.19.8, to manifests`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = |paths: &[String]| if paths.is_empty() { "everything".to_owned() } else { paths.join(", ") };
        let to = match self {
            Self::Layer { of, layer, paths, to } => {
                write!(f, "{} of {layer} of {}", what(paths), of.familiar())?;
                to
            }
            Self::Rootfs { of, paths, to } => {
                write!(f, "{} of all layers of {}", what(paths), of.familiar())?;
                to
            }
            Self::Directory { path, to } => {
                write!(f, "everything of the folder {path} next to the recipe")?;
                to
            }
        };
        if to.is_root() { Ok(()) } else { write!(f, ", to {to}") }
    }
}

/// The choice of a layer of an image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LayerChoice {
    /// The only one that has a path.
    Containing(ContextPath),
    /// The one with an id.
    Id(Digest),
    /// The one with a number from 0; only layers with content count.
    Index(u32),
}

impl fmt::Display for LayerChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Containing(path) => write!(f, "the layer with {path}"),
            Self::Id(id) => write!(f, "the layer {id}"),
            Self::Index(index) => write!(f, "layer {index}"),
        }
    }
}
