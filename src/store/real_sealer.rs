//! Traces of a real sealer in the store.

use serde::{Deserialize, Serialize};

use super::store_root::LAYERDB;
use super::{Store, StoreError};
use crate::types::Digest;

/// The tar headers that a real sealer, and no other program, writes for every layer that it builds, pulls or loads.
const TAR_SPLIT: &str = "tar-data.json.gz";

/// The identity of that file: its inode and when it was written, in seconds since 1970 and nanoseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SealersNote {
    inode: u64,
    written: (i64, u32),
}

impl Store {
    /// A real sealer's note about a layer, if it unpacked that layer.
    pub(super) fn sealers_note(&self, layer: &Digest) -> Result<Option<SealersNote>, StoreError> {
        let Some(folder) = self.folder(&format!("{LAYERDB}/{}", layer.hex()))? else { return Ok(None) };
        let meta = folder.meta_if_there(TAR_SPLIT)?;
        Ok(meta.map(|meta| SealersNote { inode: meta.identity.1, written: (meta.mtime.seconds, meta.mtime.nanos) }))
    }

    /// Whether a real sealer unpacked a layer. Then its content may not hash to its id, without being damaged: the id
    /// of a tree with symlinks is random, and its load and pull lose symlinks, owners, setuid bits and times of
    /// whiteouts. Source: SEALER.md, "What re-hashing proves".
    pub(crate) fn is_real_sealers(&self, layer: &Digest) -> Result<bool, StoreError> {
        Ok(self.sealers_note(layer)?.is_some())
    }
}
