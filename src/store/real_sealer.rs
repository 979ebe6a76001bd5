//! What a real sealer left in the store.

use super::store_root::LAYERDB;
use super::{Store, StoreError};
use crate::words::Digest;

/// What a real sealer writes beside every layer that it builds, pulls or loads, and nobody else: the headers of the tar.
const TAR_SPLIT: &str = "tar-data.json.gz";

impl Store {
    /// Whether a real sealer filled a layer's folder. Then its content need not hash to its id, and that is no damage:
    /// the id of a tree with symlinks is random, and its load and pull lose symlinks, owners, setuid bits and times of
    /// whiteouts. Source: SEALER.md, "What re-hashing proves".
    pub fn is_real_sealers(&self, layer: &Digest) -> Result<bool, StoreError> {
        self.has(&format!("{LAYERDB}/{}", layer.hex()), TAR_SPLIT)
    }
}
