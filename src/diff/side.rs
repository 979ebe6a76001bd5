//! One of the two images, with the folders of its layers.

use std::path::PathBuf;

use super::DiffError;
use crate::disk::{Dir, tree_size};
use crate::image::model::{Image, LayerKind};
use crate::rootfs::Overlay;
use crate::store::{Store, StoreError};
use crate::types::Digest;

/// An image whose layers lie unpacked in a store.
#[derive(Debug, Clone)]
pub(crate) struct Side {
    /// Its document.
    pub image: Image,
    pub(super) layers: Vec<SideLayer>,
}

/// A layer that has content.
#[derive(Debug, Clone)]
pub(super) struct SideLayer {
    pub(super) id: Digest,
    pub(super) kind: LayerKind,
    pub(super) value: String,
    pub(super) folder: PathBuf,
    /// Its content was never verified against its id, or a real sealer unpacked it.
    is_doubtful: bool,
}

impl Side {
    /// An image of `store`, all of whose layers must be there.
    pub(crate) fn of_store(store: &Store, image: &Image) -> Result<Self, DiffError> {
        let mut layers = Vec::new();
        for layer in &image.layers {
            let Some(id) = layer.id else { continue };
            if !store.has_layer(&id)? {
                return Err(StoreError::NoLayer { image: image.name.to_string(), layer: id }.into());
            }
            layers.push(SideLayer {
                id,
                kind: layer.kind,
                value: layer.value.clone(),
                folder: store.layer_dir(&id),
                is_doubtful: store.is_unverified(&id)? || store.is_real_sealers(&id)?,
            });
        }
        Ok(Self { image: image.clone(), layers })
    }

    /// All its layers as one tree.
    pub(super) fn overlay(&self) -> Overlay {
        Overlay::new(self.layers.iter().map(|layer| layer.folder.clone()).collect())
    }

    /// The same, but its layers are not trusted to match their ids: they are read.
    #[must_use]
    pub(crate) fn doubted(mut self) -> Self {
        self.layers.iter_mut().for_each(|layer| layer.is_doubtful = true);
        self
    }
}

impl SideLayer {
    /// Bytes of its files, as sealer counts them.
    pub(super) fn size(&self) -> Result<u64, DiffError> {
        Ok(tree_size(&Dir::open(&self.folder)?)?)
    }

    /// Whether both are the same without a look at what is in them: one folder, or one id that both were seen to have.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.folder == other.folder || (self.id == other.id && !self.is_doubtful && !other.is_doubtful)
    }
}
