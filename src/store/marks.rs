//! The state of a layer's files: the marks next to the store's data, and the current hash of the files.
//!
//! A layer whose files were verified against its id has a mark, `recipe/verified/<layer hex>`, that says which folder
//! was verified: a real sealer may delete the layer and pull it again, and that new folder was not verified. The folder
//! is identified by its inode and its creation time, which a rename does not change and a copy does not share. A mark
//! that does not match the folder is ignored, and so is one that is older than a real sealer's note about the layer.
//!
//! A mark is written before its folder is renamed into place. While one folder replaces another, the file describes
//! both, so that after a kill the state of either folder is known.

use serde::{Deserialize, Serialize};

use super::real_sealer::SealersNote;
use super::store_root::{LAYERS, UNVERIFIED, VERIFIED};
use super::{Store, StoreError};
use crate::disk::{Dir, DiskError, is_all_of_root};
use crate::image::layer::{LayerId, Owners, layer_id_at};
use crate::types::Digest;

/// The state of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LayerState {
    /// It does not exist.
    Missing,
    /// Its tree hashes to its id.
    Whole,
    /// It does not, and never was verified: normal for layers of a real sealer.
    Unverified,
    /// It does not, and there is no sign that it ever did: a real sealer loaded or pulled it, or it was changed on
    /// disk.
    Different,
    /// It does not, but this same folder was verified before: somebody changed it on disk.
    Changed,
}

/// A layer with the id that its files hash to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LayerReading {
    /// The state that follows from the id.
    pub state: LayerState,
    /// What they hash to; `None` if there are none.
    pub found: Option<LayerId>,
}

/// Which folder was verified against a layer's id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    inode: u64,
    /// Seconds since 1970 and nanoseconds; `None` if the file system does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    born: Option<(i64, u32)>,
    /// For a tree with owners other than root: a digest of the machine's owners, because their names are hashed, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    owners: Option<Digest>,
    /// The note that a real sealer had left of the layer, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<SealersNote>,
}

impl Mark {
    /// A mark for a folder that hashes to its id now.
    pub(super) fn of(dir: &Dir, note: Option<SealersNote>) -> Result<Self, DiskError> {
        let owners = (!is_all_of_root(dir)?).then(|| Owners::of_this_machine().digest());
        let born = dir.birth()?.map(|born| (born.seconds, born.nanos));
        Ok(Self { inode: dir.own_meta()?.identity.1, born, owners, note })
    }

    /// Whether this folder is the verified one, no real sealer replaced its content since, and everything that its hash
    /// depends on is unchanged.
    fn fits(&self, dir: &Dir, note: Option<&SealersNote>) -> Result<bool, DiskError> {
        let born = dir.birth()?.map(|born| (born.seconds, born.nanos));
        let is_it = self.inode == dir.own_meta()?.identity.1 && self.born == born && self.note.as_ref() == note;
        Ok(is_it && self.owners.is_none_or(|owners| owners == Owners::of_this_machine().digest()))
    }
}

impl Store {
    /// Whether a layer's content was never verified against its id.
    pub fn is_unverified(&self, layer: &Digest) -> Result<bool, StoreError> {
        self.has(UNVERIFIED, &layer.hex())
    }

    /// Whether a layer's current folder was verified against its id when it was stored.
    pub fn was_verified(&self, layer: &Digest) -> Result<bool, StoreError> {
        match self.open_layer(layer)? {
            Some(dir) => self.is_marked(&dir, layer),
            None => Ok(false),
        }
    }

    /// Reads a layer and returns its state. Without root, trees with other owners are [`LayerState::Different`].
    pub(crate) fn check_layer(&self, layer: &Digest) -> Result<LayerState, StoreError> {
        Ok(self.read_layer(layer)?.state)
    }

    /// As [`Store::check_layer`], with what the files hash to.
    pub(crate) fn read_layer(&self, layer: &Digest) -> Result<LayerReading, StoreError> {
        match self.open_layer(layer)? {
            Some(dir) => self.read_layer_at(&dir, layer),
            None => Ok(LayerReading { state: LayerState::Missing, found: None }),
        }
    }

    pub(super) fn open_layer(&self, layer: &Digest) -> Result<Option<Dir>, StoreError> {
        let Some(layers) = self.folder(LAYERS)? else { return Ok(None) };
        match layers.folder(layer.hex()) {
            Err(error) if error.is_not_found() => Ok(None),
            dir => Ok(Some(dir?)),
        }
    }

    pub(super) fn read_layer_at(&self, dir: &Dir, layer: &Digest) -> Result<LayerReading, StoreError> {
        let found = layer_id_at(dir, &Owners::of_this_machine())?;
        let state = if found.is_some_and(|id| id.digest == *layer) {
            LayerState::Whole
        } else if self.is_marked(dir, layer)? {
            LayerState::Changed
        } else if self.is_unverified(layer)? {
            LayerState::Unverified
        } else {
            LayerState::Different
        };
        Ok(LayerReading { state, found })
    }

    /// Whether a folder has a matching mark. A mark that cannot be read is ignored.
    pub(super) fn is_marked(&self, dir: &Dir, layer: &Digest) -> Result<bool, StoreError> {
        Ok(self.mark_of(dir, layer)?.is_some())
    }

    fn mark_of(&self, dir: &Dir, layer: &Digest) -> Result<Option<Mark>, StoreError> {
        let Some(bytes) = self.read(VERIFIED, &layer.hex())? else { return Ok(None) };
        let marks: Vec<Mark> = serde_json::from_slice(&bytes).unwrap_or_default();
        let note = self.sealers_note(layer)?;
        for mark in marks {
            if mark.fits(dir, note.as_ref())? {
                return Ok(Some(mark));
            }
        }
        Ok(None)
    }

    /// The mark that says that `new` hashes to a layer's id, and that still describes the current folder.
    pub(super) fn marks_with(&self, new: &Dir, layer: &Digest) -> Result<String, StoreError> {
        // A folder that cannot be opened has no mark.
        let there = self.open_layer(layer).ok().flatten();
        let is_there = there.as_ref().is_some_and(|there| {
            matches!((there.own_meta(), new.own_meta()), (Ok(there), Ok(new)) if there.identity == new.identity)
        });
        // A layer that replaces another one also replaces its mark.
        let note = if is_there { self.sealers_note(layer)? } else { None };
        let there = there.map(|dir| self.mark_of(&dir, layer)).transpose()?.flatten();
        let new = Mark::of(new, note)?;
        let marks: Vec<Mark> = std::iter::once(new.clone()).chain(there.filter(|there| *there != new)).collect();
        Ok(serde_json::to_string(&marks).expect("numbers and a digest are always JSON"))
    }
}

#[cfg(test)]
mod tests;
