//! The store with what this run has made so far: everything is staged, and nothing is tagged before the end.
//!
//! A run that makes several images commits them together when all are whole. So a failure in the last stage leaves the
//! store as it was, and a later stage still finds what an earlier one made.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use crate::disk::{Dir, DiskError};
use crate::image::{ContainerImage, Image, LayerError, Merged, Owners, layer_id_at};
use crate::store::{Commit, StagedLayer, Staging, Store, StoreError};
use crate::words::{Digest, FailureKind, Observer, Platform, SealerName};

use super::import::{self, ImportError};

/// A store and what is staged beside it.
pub struct Workspace<'a> {
    store: &'a Store,
    staging: Staging,
    layers: BTreeMap<Digest, StagedLayer>,
    images: Vec<Image>,
    folders: usize,
}

/// Why something could not be staged or committed.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file system refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A folder cannot be a layer.
    #[error(transparent)]
    Layer(#[from] LayerError),
    /// A pulled image cannot be taken.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// A layer that the image names is not there.
    #[error("layer {layer} of `{image}` is not in the store; pull or load the image again")]
    LayerGone {
        /// The image's name.
        image: String,
        /// The layer's id.
        layer: Digest,
    },
}

impl WorkspaceError {
    /// What kind of failure it is.
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Store(error) => error.kind(),
            Self::Disk(error) => error.kind(),
            Self::Layer(error) => error.kind(),
            Self::Import(error) => error.kind(),
            Self::LayerGone { .. } => FailureKind::Failed,
        }
    }
}

impl<'a> Workspace<'a> {
    /// Stages beside `store`. Nothing is left of it when it is dropped.
    pub fn new(store: &'a Store) -> Result<Self, WorkspaceError> {
        let staging = store.stage()?;
        Ok(Self { store, staging, layers: BTreeMap::new(), images: Vec::new(), folders: 0 })
    }

    /// An image that this run made or that the store has.
    pub fn find(&self, name: &SealerName, platform: &Platform) -> Result<Option<Image>, WorkspaceError> {
        let made = self.images.iter().rev().find(|image| image.name() == name.to_string() && image.platform() == *platform);
        match made {
            Some(image) => Ok(Some(image.clone())),
            None => Ok(self.store.find(name, platform)?),
        }
    }

    /// The folder of a layer, of this run or of the store.
    pub fn layer_dir(&self, id: &Digest) -> Option<PathBuf> {
        match self.layers.get(id) {
            Some(staged) => Some(staged.dir.clone()),
            None if self.store.has_layer(id) => Some(self.store.layer_dir(id)),
            None => None,
        }
    }

    /// An image's layers that have content, as one file system.
    pub fn merged(&self, image: &Image) -> Result<Merged, WorkspaceError> {
        let mut merged = Merged::default();
        for layer in image.content_layers() {
            merged.push(self.layer_of(image, &layer)?);
        }
        Ok(merged)
    }

    /// The folder of one of an image's layers.
    pub fn layer_of(&self, image: &Image, layer: &Digest) -> Result<PathBuf, WorkspaceError> {
        let gone = || WorkspaceError::LayerGone { image: image.name().to_owned(), layer: *layer };
        self.layer_dir(layer).ok_or_else(gone)
    }

    /// A fresh empty folder beside the store.
    pub fn folder(&mut self) -> Result<Dir, WorkspaceError> {
        self.folders += 1;
        Ok(self.staging.dir().make_folder(self.folders.to_string(), 0o700)?)
    }

    /// Makes a folder of this workspace a layer; none where it is empty.
    pub fn keep_layer(&mut self, folder: &Dir, source: Option<Digest>) -> Result<Option<Digest>, WorkspaceError> {
        let Some(id) = layer_id_at(folder, &Owners::of_this_machine())? else { return Ok(None) };
        let staged = StagedLayer {
            dir: folder.path().to_owned(),
            id: id.digest,
            size: id.tar_size,
            cache_id: source,
            verified: true,
        };
        self.layers.entry(id.digest).or_insert(staged);
        Ok(Some(id.digest))
    }

    /// Takes an image that was pulled: unpacks the layers that are not there yet.
    pub fn import(
        &mut self,
        name: &SealerName,
        pulled: &ContainerImage,
        open: &dyn Fn(Digest) -> io::Result<fs_err::File>,
        observer: &dyn Observer,
    ) -> Result<Image, WorkspaceError> {
        let document = import::document(name, pulled, open)?;
        for (layer, blob) in import::layers(&document, pulled)? {
            if self.layer_dir(&layer).is_none() {
                let folder = self.folder()?;
                let staged = import::unpack(&folder, layer, &blob, open, observer)?;
                self.layers.insert(layer, staged);
            }
        }
        self.images.push(document.clone());
        Ok(document)
    }

    /// Adds an image that was made; later builds of this run find it.
    pub fn add(&mut self, image: Image) {
        self.images.push(image);
    }

    /// Whether anything was made that a commit would bring to the store.
    pub fn is_empty(&self) -> bool {
        self.images.is_empty()
    }

    /// Puts everything into the store: layers first, tags last.
    pub fn commit(self) -> Result<(), WorkspaceError> {
        let Self { store, staging, layers, images, .. } = self;
        store.commit(staging, Commit { images, layers: layers.into_values().collect() })?;
        Ok(())
    }
}
