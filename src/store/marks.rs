//! What is known of a layer's files: the marks beside the store, and what the files hash to now.
//!
//! A layer whose files were seen to hash to its id has a mark, `recipe/verified/<layer hex>`, that says which folder was
//! seen: a real sealer may delete the layer and pull it again, and what it puts there was never seen by us. The folder is
//! told by its inode and its time of birth, which no rename changes and which a copied folder does not share. A mark that
//! does not fit the folder counts as none, and so does one from before a real sealer left its note of the layer.
//!
//! A mark is written before its folder is renamed into place. While one folder takes the place of another the file speaks
//! of both, so that whichever is there after a kill is known for what it is.

use serde::{Deserialize, Serialize};

use super::real_sealer::SealersNote;
use super::store_root::{LAYERS, UNVERIFIED, VERIFIED};
use super::{Store, StoreError};
use crate::disk::{Dir, DiskError, is_all_of_root};
use crate::image::layer::{LayerId, Owners, layer_id_at};
use crate::types::Digest;

/// What is known of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayerState {
    /// It is not there.
    Missing,
    /// Its tree hashes to its id.
    Whole,
    /// It does not, and never was seen to: sealer's own layers are like that.
    Unverified,
    /// It does not, and nothing says that it ever did: a real sealer loaded or pulled it, or it was changed on disk.
    Different,
    /// It does not, and this very folder was seen to: somebody changed it on disk.
    Changed,
}

/// What a layer's files hash to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerReading {
    /// What that says of it.
    pub state: LayerState,
    /// What they hash to; none where there are none.
    pub found: Option<LayerId>,
}

/// Which folder was seen to hash to a layer's id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    inode: u64,
    /// Seconds since 1970 and nanoseconds; none where the file system does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    born: Option<(i64, u32)>,
    /// Of a tree that is not all root's: which owners the machine knew, as their names are hashed, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    owners: Option<Digest>,
    /// The note that a real sealer had left of the layer, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<SealersNote>,
}

impl Mark {
    /// The mark of a folder that hashes to its id now.
    pub(super) fn of(dir: &Dir, note: Option<SealersNote>) -> Result<Self, DiskError> {
        let owners = (!is_all_of_root(dir)?).then(|| Owners::of_this_machine().digest());
        let born = dir.birth()?.map(|born| (born.seconds, born.nanos));
        Ok(Self { inode: dir.own_meta()?.identity.1, born, owners, note })
    }

    /// Whether this folder is the one that was seen, no real sealer filled it since, and whatever its hash depends on is
    /// as it was.
    fn fits(&self, dir: &Dir, note: Option<&SealersNote>) -> Result<bool, DiskError> {
        let born = dir.birth()?.map(|born| (born.seconds, born.nanos));
        let is_it = self.inode == dir.own_meta()?.identity.1 && self.born == born && self.note.as_ref() == note;
        Ok(is_it && self.owners.is_none_or(|owners| owners == Owners::of_this_machine().digest()))
    }
}

impl Store {
    /// Whether a layer's content was never seen to hash to its id.
    pub fn is_unverified(&self, layer: &Digest) -> Result<bool, StoreError> {
        self.has(UNVERIFIED, &layer.hex())
    }

    /// Whether the folder that is there for a layer was seen to hash to its id, when it came.
    pub fn was_verified(&self, layer: &Digest) -> Result<bool, StoreError> {
        match self.open_layer(layer)? {
            Some(dir) => self.is_marked(&dir, layer),
            None => Ok(false),
        }
    }

    /// Reads a layer and says what it is worth. As somebody else than root, trees with owners are [`LayerState::Different`].
    pub fn check_layer(&self, layer: &Digest) -> Result<LayerState, StoreError> {
        Ok(self.read_layer(layer)?.state)
    }

    /// As [`Store::check_layer`], with what the files hash to.
    pub fn read_layer(&self, layer: &Digest) -> Result<LayerReading, StoreError> {
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

    /// Whether a folder has a mark that fits it. What cannot be read is none.
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

    /// The file that says that `new` hashes to a layer's id, and still speaks of the folder that is there.
    pub(super) fn marks_with(&self, new: &Dir, layer: &Digest) -> Result<String, StoreError> {
        // A folder that cannot be opened is known by nobody.
        let there = self.open_layer(layer).ok().flatten();
        let is_there = there.as_ref().is_some_and(|there| {
            matches!((there.own_meta(), new.own_meta()), (Ok(there), Ok(new)) if there.identity == new.identity)
        });
        // What takes the place of a layer takes that of what is said of it, too.
        let note = if is_there { self.sealers_note(layer)? } else { None };
        let there = there.map(|dir| self.mark_of(&dir, layer)).transpose()?.flatten();
        let new = Mark::of(new, note)?;
        let marks: Vec<Mark> = std::iter::once(new.clone()).chain(there.filter(|there| *there != new)).collect();
        Ok(serde_json::to_string(&marks).expect("numbers and a digest are always JSON"))
    }
}

#[cfg(test)]
mod tests;
