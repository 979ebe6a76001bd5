//! The report of a verification.

use serde::Serialize;

use crate::diff::{Difference, Origin};
use crate::types::{Epoch, Platform};

/// What verifying a recipe found. Serialised, it is `recipe verify -o json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    /// The recipe's name.
    pub recipe: String,
    /// The format version of what was made.
    pub format_version: u32,
    /// The time that what was made carries: an input like any other.
    pub source_date_epoch: Epoch,
    /// Whether all images are the same.
    pub is_same: bool,
    /// The images, in the order of the stages.
    pub images: Vec<ImageVerdict>,
}

/// An existing image, compared with the one that the recipe makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ImageVerdict {
    /// The complete name.
    pub name: String,
    /// The platform.
    pub platform: Platform,
    /// Where the image that is there was found.
    pub from: Origin,
    /// Its id.
    pub id: String,
    /// The id that the recipe's image has.
    pub expected: String,
    /// Whether another recipe made it, other values, another lock of a base image, or another format version.
    pub is_of_other_recipe: bool,
    /// The first difference: `old` is what is there, `new` what the recipe makes. `None` if they are the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<Difference>,
    /// Where that is in a blob of the image's registry: the container images that the blob is a part of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cached: Vec<String>,
}
