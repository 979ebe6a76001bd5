//! The id of a sealer image.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ModelError;
use crate::types::Digest;

/// 64 lower-case hex digits, the name of an image's YAML in the store. Never compared with a hash: sealer's `tag` and
/// `merge` make ids that cannot be recomputed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageId(Digest);

impl ImageId {
    /// The id of a document's YAML, written without `spec.id`.
    #[must_use]
    pub fn of(yaml: &[u8]) -> Self {
        Self(Digest::of(yaml))
    }
}

impl FromStr for ImageId {
    type Err = ModelError;

    fn from_str(text: &str) -> Result<Self, ModelError> {
        Digest::from_hex(text).map(Self).map_err(|_| ModelError::Id(text.to_owned()))
    }
}

impl fmt::Display for ImageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.hex())
    }
}

impl fmt::Debug for ImageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for ImageId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ImageId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
