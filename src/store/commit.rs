//! Staged layers and documents → images of the store. The order is in the module's documentation.

use std::collections::BTreeMap;
use std::io::Write;

use super::store_root::{IMAGES, LAYERDB, LAYERS, METADATA, METADATA_FILE, UNVERIFIED, VERIFIED};
use super::{LayerState, StagedFolder, Staging, Store, StoreError};
use crate::disk::{Dir, DiskError, place, tree_size};
use crate::image::layer::LayerId;
use crate::image::model::{ImageDocument, ImageId, Manifest, Metadata};
use crate::types::{Digest, SealerName};

/// Images and layers that are committed together: either all of them, or nothing that an image names.
#[derive(Debug)]
pub struct Commit {
    /// The images. Their layers are in the store or among `layers`.
    pub images: Vec<ImageDocument>,
    /// The layers that were made.
    pub layers: Vec<StagedLayer>,
    /// Their creation time in the list of images.
    pub created: jiff::Timestamp,
}

/// A layer in a staging folder.
#[derive(Debug)]
pub struct StagedLayer {
    /// Its tree, which does not change any more.
    pub folder: StagedFolder,
    /// Its id and the length of its stream.
    pub id: LayerId,
    /// Of a COPY built here, the digest of its source.
    pub cache_id: Option<Digest>,
    /// Whether its tree was verified against its id. An unverified layer never replaces an existing one. A verified one
    /// replaces a layer that does not match the id, and is marked as verified.
    pub verified: bool,
}

impl Store {
    /// Commits images and the layers that they need. Other names and platforms in the list stay as they are.
    ///
    /// An existing layer stays, and the staged one is dropped; see [`StagedLayer::verified`].
    pub fn commit(&self, staging: &Staging, commit: &Commit) -> Result<(), StoreError> {
        let mut staged: BTreeMap<Digest, Staged<'_>> = BTreeMap::new();
        for layer in &commit.layers {
            let named = commit.images.iter().any(|image| image.image().layer_ids().any(|id| id == layer.id.digest));
            let staged_layer = Staged::prepare(self, staging, layer)?;
            if staged.insert(layer.id.digest, staged_layer).is_some() || !named {
                return Err(StoreError::Stray(layer.id.digest));
            }
        }
        let sizes = commit.images.iter().map(|image| self.size(image, &staged)).collect::<Result<Vec<_>, _>>()?;
        // All folders are made before the flush, so that they are on the disk before what is renamed into them.
        self.folder_to_write("tmp")?;
        self.folder_to_write(UNVERIFIED)?;
        let verified = self.folder_to_write(VERIFIED)?;
        let layers = self.folder_to_write(LAYERS)?;
        let layerdb = self.folder_to_write(LAYERDB)?;
        let images = self.folder_to_write(IMAGES)?;
        staging.dir().flush_file_system()?;

        let _lock = self.lock_to_write()?;
        // Before any change: check that the list can be read, and that the needed layers still exist.
        let mut metadata = self.metadata()?;
        for image in &commit.images {
            self.check_layers(image, &staged)?;
        }
        let documents = self.new_documents(&commit.images)?;
        for (id, layer) in &staged {
            layer.place(self, staging, &layers, *id)?;
        }
        layers.flush()?;
        verified.flush()?;
        for (id, layer) in &staged {
            layer.place_layerdb(staging, &layerdb, *id)?;
        }
        layerdb.flush()?;
        for (id, image) in documents {
            let name = format!("{id}.yaml");
            place(staging.dir(), staging.new_name("document"), &images, name, image.yaml(), 0o644)?;
        }
        for (image, size) in commit.images.iter().zip(sizes) {
            let platform = (&image.image().platform).into();
            let created = commit.created.to_string();
            metadata.put(&image.image().name, Manifest { id: image.id().to_string(), created, size, platform });
        }
        self.write_metadata(staging, &metadata)
    }

    /// Gives all platforms of an image a second name.
    pub fn tag(&self, name: &SealerName, new: &SealerName, created: jiff::Timestamp) -> Result<(), StoreError> {
        let mut images = Vec::new();
        for platform in self.platforms(name)? {
            let found = self.find(name, &platform)?.ok_or_else(|| StoreError::NoImage(name.to_string()))?;
            images.push(ImageDocument::new(found.document.image().renamed(new)));
        }
        if images.is_empty() {
            return Err(StoreError::NoImage(name.to_string()));
        }
        self.commit(&self.stage()?, &Commit { images, layers: Vec::new(), created })
    }

    /// Replaces the list of images; with the exclusive lock held.
    pub(super) fn write_metadata(&self, staging: &Staging, metadata: &Metadata) -> Result<(), StoreError> {
        let folder = self.folder_to_write(METADATA)?;
        let temporary = staging.new_name("metadata");
        Ok(place(staging.dir(), temporary, &folder, METADATA_FILE, &metadata.to_json(), 0o644)?)
    }

    /// The documents that do not exist yet.
    ///
    /// An id does not show who made it: ids of a real sealer cannot always be recomputed, so none is refused for that.
    /// But an image of the store must never get a document that somebody else sent.
    fn new_documents<'a>(
        &self,
        images: &'a [ImageDocument],
    ) -> Result<BTreeMap<ImageId, &'a ImageDocument>, StoreError> {
        let mut new: BTreeMap<ImageId, &ImageDocument> = BTreeMap::new();
        for image in images {
            let id = image.id();
            let there = self.read(IMAGES, &format!("{id}.yaml"))?;
            let other = |yaml: &[u8]| yaml != image.yaml();
            if there.as_deref().is_some_and(other) || new.get(&id).is_some_and(|before| other(before.yaml())) {
                return Err(StoreError::OtherDocument { image: image.image().name.to_string(), id });
            }
            if there.is_none() {
                new.insert(id, image);
            }
        }
        Ok(new)
    }

    fn size(&self, image: &ImageDocument, staged: &BTreeMap<Digest, Staged<'_>>) -> Result<i64, StoreError> {
        let mut sum = 0_u64;
        for id in image.image().layer_ids() {
            sum += match staged.get(&id) {
                Some(layer) => tree_size(layer.layer.folder.dir())?,
                None => match Dir::open(&self.layer_dir(&id)) {
                    Ok(dir) => tree_size(&dir)?,
                    Err(error) if error.is_not_found() => return Err(no_layer(image, id)),
                    Err(error) => return Err(error.into()),
                },
            };
        }
        Ok(i64::try_from(sum).unwrap_or(i64::MAX))
    }

    fn check_layers(&self, image: &ImageDocument, staged: &BTreeMap<Digest, Staged<'_>>) -> Result<(), StoreError> {
        for id in image.image().layer_ids() {
            if !staged.contains_key(&id) && !self.has_layer(&id)? {
                return Err(no_layer(image, id));
            }
        }
        Ok(())
    }
}

fn no_layer(image: &ImageDocument, layer: Digest) -> StoreError {
    StoreError::NoLayer { image: image.image().name.to_string(), layer }
}

/// A layer that is ready to be renamed into place.
pub(super) struct Staged<'a> {
    pub(super) layer: &'a StagedLayer,
    pub(super) layerdb: String,
    /// Whether the staged layer is better than the existing one.
    replaces: bool,
    /// The file that will be the mark, and whether it is about the existing folder.
    mark: Option<(String, bool)>,
}

impl<'a> Staged<'a> {
    pub(super) fn prepare(store: &Store, staging: &Staging, layer: &'a StagedLayer) -> Result<Self, StoreError> {
        layer.folder.dir().set_own_mode(0o755)?;
        let layerdb = new_layerdb(staging, &layer.id, layer.cache_id)?;
        let mut staged = Self { layer, layerdb, replaces: false, mark: None };
        if layer.verified {
            let id = &layer.id.digest;
            let mut mark = |dir: &Dir, is_there| -> Result<(), StoreError> {
                let name = staging.new_name("mark");
                write(staging.dir(), &name, &store.marks_with(dir, id)?)?;
                staged.mark = Some((name, is_there));
                Ok(())
            };
            let read = |dir: Dir| store.read_layer_at(&dir, id).map(|reading| (reading.state, dir));
            match store.open_layer(id).and_then(|there| there.map(read).transpose()) {
                // It was verified just now.
                Ok(Some((LayerState::Whole, dir))) if !store.is_marked(&dir, id)? => mark(&dir, true)?,
                Ok(Some((LayerState::Whole, _))) => {}
                Ok(None | Some((LayerState::Missing, _))) => mark(layer.folder.dir(), false)?,
                // Anything is better than an entry that is not a folder or cannot be read.
                Ok(Some((LayerState::Unverified | LayerState::Different | LayerState::Changed, _))) | Err(_) => {
                    mark(layer.folder.dir(), false)?;
                    staged.replaces = true;
                }
            }
        }
        Ok(staged)
    }

    fn place(&self, store: &Store, staging: &Staging, layers: &Dir, id: Digest) -> Result<(), StoreError> {
        let (hex, name) = (id.hex(), &self.layer.folder.name);
        let there = layers.meta_if_there(&hex)?.is_some();
        if !self.layer.verified && !there {
            Self::mark_unverified(store, staging, &hex)?;
        }
        self.mark(store, staging, &hex, !there || self.replaces)?;
        match staging.dir().rename_new(name, layers, &hex) {
            Err(error) if error.is_there_already() && self.replaces => staging.dir().exchange(name, layers, &hex)?,
            Err(error) if error.is_there_already() => return Ok(()),
            renamed => renamed?,
        }
        self.unmark(store, layers, &hex)
    }

    /// Marks the new folder as never verified against its id.
    pub(super) fn mark_unverified(store: &Store, staging: &Staging, hex: &str) -> Result<(), StoreError> {
        // The mark comes first: a verified layer that is marked for a moment is safe, the opposite is not.
        let marks = store.folder_to_write(UNVERIFIED)?;
        place(staging.dir(), staging.new_name("mark"), &marks, hex, b"", 0o644)?;
        // A mark for a former folder must not match this one.
        let verified = store.folder_to_write(VERIFIED)?;
        if verified.meta_if_there(hex)?.is_some() {
            verified.remove_file(hex)?;
            verified.flush()?;
        }
        Ok(())
    }

    /// Marks the existing or the new folder as verified against its id; `comes`: the staged folder replaces the
    /// existing one.
    pub(super) fn mark(&self, store: &Store, staging: &Staging, hex: &str, comes: bool) -> Result<(), StoreError> {
        if let Some((mark, _)) = self.mark.as_ref().filter(|(_, is_there)| *is_there != comes) {
            staging.dir().rename(mark, &store.folder_to_write(VERIFIED)?, hex)?;
        }
        Ok(())
    }

    /// The staged folder is in place, so the layer is not unverified any more.
    pub(super) fn unmark(&self, store: &Store, layers: &Dir, hex: &str) -> Result<(), StoreError> {
        if self.layer.verified && store.is_unverified(&self.layer.id.digest)? {
            layers.flush()?;
            let marks = store.folder_to_write(UNVERIFIED)?;
            marks.remove_file(hex)?;
            marks.flush()?;
        }
        Ok(())
    }

    fn place_layerdb(&self, staging: &Staging, layerdb: &Dir, id: Digest) -> Result<(), DiskError> {
        match staging.dir().rename_new(&self.layerdb, layerdb, id.hex()) {
            Err(error) if error.is_there_already() && self.replaces => {
                staging.dir().exchange(&self.layerdb, layerdb, id.hex())
            }
            Err(error) if error.is_there_already() => Ok(()),
            renamed => renamed,
        }
    }
}

/// Stages the layerdb folder of a layer; returns its name in the staging.
pub(super) fn new_layerdb(staging: &Staging, id: &LayerId, cache_id: Option<Digest>) -> Result<String, DiskError> {
    let name = staging.new_name("layerdb");
    let folder = staging.dir().make_folder(&name, 0o755)?;
    write(&folder, "id", &id.digest.to_string())?;
    write(&folder, "size", &id.tar_size.to_string())?;
    write(&folder, "distribution_layer_digest", "[]")?;
    if let Some(cache_id) = cache_id {
        write(&folder, "cacheID", &cache_id.to_string())?;
    }
    Ok(name)
}

fn write(folder: &Dir, name: &str, text: &str) -> Result<(), DiskError> {
    let mut file = folder.create_file(name, 0o644)?;
    file.write_all(text.as_bytes()).map_err(|source| DiskError::io("write", folder.path().join(name), source))
}
