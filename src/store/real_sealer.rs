//! What a real sealer left in the store.

use serde::{Deserialize, Serialize};

use super::store_root::LAYERDB;
use super::{Store, StoreError};
use crate::types::Digest;

/// What a real sealer writes beside every layer that it builds, pulls or loads, and nobody else: the headers of the tar.
const TAR_SPLIT: &str = "tar-data.json.gz";

/// Which note it left: the file's inode and when it was written, in seconds since 1970 and nanoseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SealersNote {
    inode: u64,
    written: (i64, u32),
}

impl Store {
    /// The note that a real sealer left of a layer, if it filled its folder.
    pub(super) fn sealers_note(&self, layer: &Digest) -> Result<Option<SealersNote>, StoreError> {
        let Some(folder) = self.folder(&format!("{LAYERDB}/{}", layer.hex()))? else { return Ok(None) };
        let meta = folder.meta_if_there(TAR_SPLIT)?;
        Ok(meta.map(|meta| SealersNote { inode: meta.identity.1, written: (meta.mtime.seconds, meta.mtime.nanos) }))
    }

    /// Whether a real sealer filled a layer's folder. Then its content need not hash to its id, and that is no damage:
    /// the id of a tree with symlinks is random, and its load and pull lose symlinks, owners, setuid bits and times of
    /// whiteouts. Source: SEALER.md, "What re-hashing proves".
    pub fn is_real_sealers(&self, layer: &Digest) -> Result<bool, StoreError> {
        Ok(self.sealers_note(layer)?.is_some())
    }
}
