//! The store together with the new images of this run: everything is staged, and nothing is tagged before the end.
//!
//! A run with several images commits them together when all are complete. So a failure in the last stage leaves the
//! store unchanged, and a later stage still finds the images of earlier ones.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::disk::{Dir, DiskError};
use crate::image::layer::{LayerError, Owners, layer_id_at};
use crate::image::model::{Image, ImageDocument, Layer, LayerKind};
use crate::image::{Blobs, ContainerImage};
use crate::rootfs::Overlay;
use crate::store::{Commit, LayerReading, LayerState, StagedFolder, StagedLayer, Staging, Store, StoreError};
use crate::types::{Digest, Failure, FailureKind, Observer, Platform, Reportable, SealerName};

use super::Bases;
use super::import::{self, ImportError};
use super::import_container;

/// A store and what is staged next to it.
pub(crate) struct Workspace<'a> {
    store: &'a Store,
    staging: Staging,
    layers: BTreeMap<Digest, StagedLayer>,
    images: Vec<ImageDocument>,
    /// Bases whose names belong to another image in the store: they are only used during the run.
    borrowed: Vec<Image>,
    /// Bases of container images, by config.
    containers: BTreeMap<(Digest, Platform), Image>,
    bases: Bases,
    /// Layers of bases that were checked.
    seen: BTreeSet<Digest>,
}

/// Why something could not be staged or committed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorkspaceError {
    /// An error of the store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A pulled image cannot be used.
    #[error(transparent)]
    Import(#[from] ImportError),
}

impl From<DiskError> for WorkspaceError {
    fn from(error: DiskError) -> Self {
        Self::Store(error.into())
    }
}

impl From<LayerError> for WorkspaceError {
    fn from(error: LayerError) -> Self {
        Self::Store(error.into())
    }
}

impl Reportable for WorkspaceError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Store(error) => error.kind(),
            Self::Import(error) => error.kind(),
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Import(error) => error.help(),
            Self::Store(_) => None,
        }
    }
}

impl<'a> Workspace<'a> {
    /// Stages next to `store`. All of it is removed when it is dropped.
    pub(crate) fn new(store: &'a Store) -> Result<Self, WorkspaceError> {
        Self::apart(store, store)
    }

    /// Reads `store` and stages next to `elsewhere`, so that nothing is written in `store`: for previews, never to be
    /// committed.
    pub(crate) fn apart(store: &'a Store, elsewhere: &Store) -> Result<Self, WorkspaceError> {
        let staging = elsewhere.stage()?;
        let (layers, images, borrowed, containers) = Default::default();
        Ok(Self {
            store,
            staging,
            layers,
            images,
            borrowed,
            containers,
            bases: Bases::default(),
            seen: BTreeSet::new(),
        })
    }

    /// The same with base images that have to be what a lock says.
    #[must_use]
    pub(crate) fn with_bases(self, bases: Bases) -> Self {
        Self { bases, ..self }
    }

    /// The base images, including those that were used.
    pub(crate) fn bases(&self) -> &Bases {
        &self.bases
    }

    /// Uses an image of the store, or a pulled one, as a base, if that is allowed.
    pub(super) fn settle(
        &mut self,
        name: &SealerName,
        platform: &Platform,
        found: &Image,
        digest: Option<Digest>,
    ) -> Result<(), Failure> {
        if let Some(failure) = self.bases.refusal(name, platform, found) {
            return Err(failure);
        }
        self.bases.settle(name, platform, found, digest);
        Ok(())
    }

    /// Keeps the layers of a base from being deleted while this run lasts.
    pub(super) fn hold(&self, image: &Image) -> Result<(), WorkspaceError> {
        let layers: Vec<Digest> = image.layer_ids().filter(|id| !self.layers.contains_key(id)).collect();
        match self.store.hold(&self.staging, &layers)?.first() {
            Some(layer) => Err(StoreError::NoLayer { image: image.name.to_string(), layer: *layer }.into()),
            None => Ok(()),
        }
    }

    /// An image that this run made or pulled.
    pub(super) fn made(&self, name: &SealerName, platform: &Platform) -> Option<&Image> {
        let mut made = self.images.iter().rev().map(ImageDocument::image).chain(&self.borrowed);
        made.find(|image| image.name == *name && image.platform == *platform)
    }

    /// An image that this run made or that the store has: the locked one if it exists, else the one with this name. If
    /// a registry has the locked image, no other one is used.
    pub(crate) fn find(&self, name: &SealerName, platform: &Platform) -> Result<Option<Image>, WorkspaceError> {
        if let Some(image) = self.made(name, platform) {
            return Ok(Some(image.clone()));
        }
        if let Some(entry) = self.bases.entry(name, platform) {
            let locked = self.store.find_by_id(&entry.id)?.into_iter().next();
            if let Some(stored) = locked.filter(|stored| stored.document.image().platform == *platform) {
                return Ok(Some(stored.document.image().clone()));
            }
        }
        let named = self.named(name, platform)?;
        Ok(named.filter(|image| !self.bases.displace(name, platform, image)))
    }

    /// The store's image of that name that is not used, because the locked one is pulled.
    pub(super) fn displaced(&self, name: &SealerName, platform: &Platform) -> Result<Option<Image>, WorkspaceError> {
        let named = self.named(name, platform)?;
        Ok(named.filter(|image| self.bases.displace(name, platform, image)))
    }

    fn named(&self, name: &SealerName, platform: &Platform) -> Result<Option<Image>, WorkspaceError> {
        Ok(self.store.find(name, platform)?.map(|stored| stored.document.image().clone()))
    }

    /// The folder of a layer, of this run or of the store.
    pub(crate) fn layer_dir(&self, id: &Digest) -> Result<Option<PathBuf>, WorkspaceError> {
        match self.layers.get(id) {
            Some(staged) => Ok(Some(staged.folder.path().to_owned())),
            None if self.store.has_layer(id)? => Ok(Some(self.store.layer_dir(id))),
            None => Ok(None),
        }
    }

    /// Whether a pulled layer must be unpacked: it is missing, does not hash to its id, or cannot be read.
    fn is_wanted(&self, id: &Digest) -> bool {
        !self.layers.contains_key(id) && !matches!(self.store.check_layer(id), Ok(LayerState::Whole))
    }

    /// Warnings about the layers of a base, each checked once in a run: a layer that was verified once and does not
    /// match its id any more is an error. Layers that a real sealer unpacked, or that never matched their ids, were
    /// reported when they arrived.
    pub(super) fn check_base(&mut self, image: &Image) -> Result<Vec<String>, WorkspaceError> {
        let mut said = Vec::new();
        for id in image.layer_ids() {
            if self.seen.contains(&id) || self.store.is_unverified(&id)? || self.store.is_real_sealers(&id)? {
                continue;
            }
            if let Some(doubts) = self.doubts(image, &id)? {
                said.push(format!("layer {id} of `{}` {doubts}; the build uses it as it is", image.name));
            }
            self.seen.insert(id);
        }
        Ok(said)
    }

    /// A warning about a layer of the store, by its content: none if it hashes to its id, or was made by this run. A
    /// layer that was verified once and does not match its id any more is an error.
    pub(crate) fn doubts(&self, image: &Image, id: &Digest) -> Result<Option<&'static str>, WorkspaceError> {
        if self.layers.contains_key(id) {
            return Ok(None);
        }
        let LayerReading { state, found } = self.store.read_layer(id)?;
        Ok(match state {
            LayerState::Whole => None,
            LayerState::Missing => Some("is not there"),
            LayerState::Unverified => Some("was never verified against its id"),
            LayerState::Different => {
                Some("does not hash to its id: it was changed on disk, or a real sealer unpacked it")
            }
            LayerState::Changed => {
                let (image, found) = (image.name.to_string(), found.map(|found| found.digest));
                return Err(StoreError::ChangedLayer { image, layer: *id, found }.into());
            }
        })
    }

    /// The length of a layer's tar stream in bytes: known for layers of this run, measured for layers of the store.
    pub(crate) fn layer_size(&self, id: &Digest) -> Result<u64, WorkspaceError> {
        if let Some(staged) = self.layers.get(id) {
            return Ok(staged.id.tar_size);
        }
        let folder = Dir::open(&self.store.layer_dir(id))?;
        Ok(layer_id_at(&folder, &Owners::of_this_machine())?.map_or(0, |id| id.tar_size))
    }

    /// An image's layers that have content, as one file system.
    pub(crate) fn merged(&self, image: &Image) -> Result<Overlay, WorkspaceError> {
        let layers = image.layer_ids().map(|layer| self.layer_of(image, &layer));
        Ok(Overlay::new(layers.collect::<Result<_, _>>()?))
    }

    /// The folder of one of an image's layers.
    pub(crate) fn layer_of(&self, image: &Image, layer: &Digest) -> Result<PathBuf, WorkspaceError> {
        let gone = || StoreError::NoLayer { image: image.name.to_string(), layer: *layer }.into();
        self.layer_dir(layer)?.ok_or_else(gone)
    }

    /// A fresh empty folder next to the store.
    pub(crate) fn folder(&self) -> Result<StagedFolder, WorkspaceError> {
        Ok(self.staging.new_layer_dir()?)
    }

    /// Turns a folder into a layer and returns its id and its new path; `None` if it is empty.
    pub(crate) fn keep_layer(&mut self, folder: StagedFolder) -> Result<Option<(Digest, PathBuf)>, WorkspaceError> {
        let Some(id) = layer_id_at(folder.dir(), &Owners::of_this_machine())? else { return Ok(None) };
        let staged = StagedLayer { folder, id, cache_id: None, verified: true };
        let kept = self.layers.entry(id.digest).or_insert(staged);
        Ok(Some((id.digest, kept.folder.path().to_owned())))
    }

    /// Imports a pulled image: unpacks the missing layers.
    pub(crate) fn import(
        &mut self,
        name: &SealerName,
        pulled: &ContainerImage,
        blobs: &dyn Blobs,
        observer: &dyn Observer,
    ) -> Result<Image, WorkspaceError> {
        let image = self.unpack(name, pulled, blobs, observer)?;
        self.add(image.clone());
        Ok(image)
    }

    /// As [`import`](Self::import), for a name that stays with another image in the store.
    pub(super) fn borrow(
        &mut self,
        name: &SealerName,
        pulled: &ContainerImage,
        blobs: &dyn Blobs,
        observer: &dyn Observer,
    ) -> Result<Image, WorkspaceError> {
        let image = self.unpack(name, pulled, blobs, observer)?;
        self.borrowed.push(image.clone());
        Ok(image)
    }

    fn unpack(
        &mut self,
        name: &SealerName,
        pulled: &ContainerImage,
        blobs: &dyn Blobs,
        observer: &dyn Observer,
    ) -> Result<Image, WorkspaceError> {
        let image = import::document(name, pulled, blobs)?;
        for (layer, blob) in import::layers(&image, pulled)? {
            // A layer that does not match its id is replaced: a pull repairs it.
            if self.is_wanted(&layer) {
                let staged = import::unpack(self.folder()?, layer, &blob, blobs, observer)?;
                self.layers.insert(layer, staged);
            }
        }
        Ok(image)
    }

    /// Uses a container image as a base: its layers become layers of the store, with ids that we compute. It is not an
    /// image of the store, and is not kept after the run if nothing was built on it.
    pub(crate) fn import_container(
        &mut self,
        pulled: &ContainerImage,
        blobs: &dyn Blobs,
        observer: &dyn Observer,
    ) -> Result<Image, WorkspaceError> {
        let key = (pulled.config.digest, pulled.platform.clone());
        if let Some(known) = self.containers.get(&key) {
            return Ok(known.clone());
        }
        let config = import_container::read_config(pulled, blobs)?;
        let mut layers: Vec<Layer> = Vec::new();
        for index in 0..pulled.layers.len() {
            let folder = self.folder()?;
            import_container::unpack(&folder, &config, index, pulled, blobs, observer)?;
            let Some((id, _)) = self.keep_layer(folder)? else { continue };
            // The same layer twice can neither be pushed nor mounted, and the upper one hides all of the lower one.
            layers.retain(|layer| layer.id != Some(id));
            layers.push(Layer { id: Some(id), kind: LayerKind::Copy, value: config.value(index) });
        }
        let image = import_container::base(pulled, layers);
        self.containers.insert(key, image.clone());
        Ok(image)
    }

    /// Adds an image that was made; later builds of this run find it.
    pub(crate) fn add(&mut self, image: Image) {
        self.images.push(ImageDocument::new(image));
    }

    /// Commits everything to the store: layers first, tags last. Layers that no image needs are dropped.
    pub(crate) fn commit(self) -> Result<(), WorkspaceError> {
        let Self { store, staging, mut layers, images, borrowed: _, containers: _, bases: _, seen: _ } = self;
        layers.retain(|id, _| images.iter().any(|image| image.image().layer_ids().any(|named| named == *id)));
        let created = jiff::Timestamp::now();
        store.commit(&staging, &Commit { images, layers: layers.into_values().collect(), created })?;
        Ok(())
    }
}
