//! Reading the store.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::StoreError;
use crate::disk::{Dir, DiskError, Lock, LockMode};
use crate::image::model::{ImageDocument, ImageId, Manifest, Metadata, ModelError};
use crate::types::{Digest, Platform, SealerName};

pub(super) const LAYERS: &str = "data/overlay2";
pub(super) const LAYERDB: &str = "metadata/layerdb/sha256";
pub(super) const IMAGES: &str = "metadata/imagedb";
pub(super) const METADATA: &str = "metadata";
pub(super) const METADATA_FILE: &str = "images_metadata.json";
pub(super) const OURS: &str = "recipe";
pub(super) const UNVERIFIED: &str = "recipe/unverified";
pub(super) const VERIFIED: &str = "recipe/verified";
pub(super) const DAMAGED: &str = "recipe/damaged";
pub(super) const PROVENANCE: &str = "recipe/provenance";
const LOCK: &str = "lock";
/// Commits and reads are short; waiting longer than this means that something hangs.
const PATIENCE: Duration = Duration::from_mins(2);

/// A store, which need not exist yet.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
}

/// An image of the store, its document read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredImage {
    /// The name that it was found under.
    pub name: SealerName,
    /// The image.
    pub document: ImageDocument,
    /// When it was stored: RFC 3339.
    pub created: String,
    /// The sum of the sizes of all its files, when it was stored.
    pub size: i64,
}

/// An entry of the list of images, and the document that it names.
#[derive(Debug)]
pub struct Record {
    /// The entry.
    pub entry: Manifest,
    /// The document's bytes, or `None` if it does not exist; an error if the entry names no id.
    pub document: Result<Result<Option<Vec<u8>>, DiskError>, ModelError>,
}

/// All images of the store.
#[derive(Debug, Default)]
pub struct Listing {
    /// The images that can be used, sorted by name.
    pub images: Vec<StoredImage>,
    /// Those that cannot, and why.
    pub damaged: Vec<Damage>,
}

/// An image in the list that cannot be used.
#[derive(Debug)]
pub struct Damage {
    /// Its name, as the list has it.
    pub name: String,
    /// Its id, as the list has it.
    pub id: String,
    /// Why.
    pub error: StoreError,
}

impl Store {
    /// The store at `root`; nothing is read or made.
    #[must_use]
    pub fn open(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// The store's root.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where a layer's files are, or would be.
    #[must_use]
    pub fn layer_dir(&self, layer: &Digest) -> PathBuf {
        self.root.join(LAYERS).join(layer.hex())
    }

    /// Where an image's document is, or would be.
    #[must_use]
    pub fn document_path(&self, id: &ImageId) -> PathBuf {
        self.root.join(IMAGES).join(format!("{id}.yaml"))
    }

    /// Where a layer's layerdb entry is, or would be.
    #[must_use]
    pub fn layerdb_dir(&self, layer: &Digest) -> PathBuf {
        self.root.join(LAYERDB).join(layer.hex())
    }

    /// Where the list of all images is, or would be.
    #[must_use]
    pub fn list_path(&self) -> PathBuf {
        self.root.join(METADATA).join(METADATA_FILE)
    }

    /// Whether a layer is there.
    pub(crate) fn has_layer(&self, layer: &Digest) -> Result<bool, StoreError> {
        self.has(LAYERS, &layer.hex())
    }

    /// All images; damaged ones do not keep the others from being listed.
    pub fn images(&self) -> Result<Listing, StoreError> {
        let _lock = self.lock_to_read()?;
        let mut listing = Listing::default();
        for (name, list) in self.metadata()?.0 {
            for manifest in list.manifests {
                match self.stored(&name, &manifest) {
                    Ok(image) => listing.images.push(image),
                    Err(error) => listing.damaged.push(Damage { name: name.clone(), id: manifest.id, error }),
                }
            }
        }
        Ok(listing)
    }

    /// The list's entries for a name with their documents, including damaged images.
    pub fn records(&self, name: &SealerName) -> Result<Vec<Record>, StoreError> {
        let _lock = self.lock_to_read()?;
        let entries = self.metadata()?.manifests(name).to_vec();
        let record = |entry: Manifest| {
            let document = entry.image_id().map(|id| self.read(IMAGES, &format!("{id}.yaml")));
            Record { entry, document }
        };
        Ok(entries.into_iter().map(record).collect())
    }

    /// The image of a name for a platform, or `None` if there is none; if it is damaged, an error.
    pub fn find(&self, name: &SealerName, platform: &Platform) -> Result<Option<StoredImage>, StoreError> {
        let _lock = self.lock_to_read()?;
        let metadata = self.metadata()?;
        metadata.find(name, platform).map(|manifest| self.stored(&name.to_string(), manifest)).transpose()
    }

    /// The images of an id: one per name that it has.
    pub(crate) fn find_by_id(&self, id: &ImageId) -> Result<Vec<StoredImage>, StoreError> {
        let _lock = self.lock_to_read()?;
        let id = id.to_string();
        let metadata = self.metadata()?;
        let manifests = metadata.0.iter().flat_map(|(name, list)| list.manifests.iter().map(move |one| (name, one)));
        manifests
            .filter(|(_, manifest)| manifest.id == id)
            .map(|(name, manifest)| self.stored(name, manifest))
            .collect()
    }

    /// The platforms that a name has.
    pub fn platforms(&self, name: &SealerName) -> Result<Vec<Platform>, StoreError> {
        let _lock = self.lock_to_read()?;
        Ok(self.metadata()?.manifests(name).iter().map(|manifest| manifest.platform.platform()).collect())
    }

    /// An image whose document can be read and whose layers are all there.
    fn stored(&self, name: &str, manifest: &Manifest) -> Result<StoredImage, StoreError> {
        let damaged = |source| StoreError::Document { image: name.to_owned(), source };
        let id = manifest.image_id().map_err(damaged)?;
        let yaml = self.read(IMAGES, &format!("{id}.yaml"))?;
        let missing = || StoreError::NoDocument { image: name.to_owned(), id: id.to_string() };
        let document = ImageDocument::from_yaml(yaml.ok_or_else(missing)?).map_err(damaged)?;
        for layer in document.image().layer_ids() {
            if !self.has_layer(&layer)? {
                return Err(StoreError::NoLayer { image: name.to_owned(), layer });
            }
        }
        let found = &document.image().name;
        // Every name has its own document; if not, somebody stored another image under the id.
        if name.parse().ok().as_ref() != Some(found) {
            return Err(StoreError::OtherName { image: name.to_owned(), id, found: found.to_string() });
        }
        Ok(StoredImage { name: found.clone(), document, created: manifest.created.clone(), size: manifest.size })
    }

    /// A document by its id, or `None` if it cannot be read.
    pub(super) fn document(&self, id: &str) -> Option<ImageDocument> {
        let id: ImageId = id.parse().ok()?;
        let yaml = self.read(IMAGES, &format!("{id}.yaml")).ok()??;
        ImageDocument::from_yaml(yaml).ok()
    }

    /// The list of images; call it with a lock.
    pub(super) fn metadata(&self) -> Result<Metadata, StoreError> {
        // Only a missing list means that there are no images.
        let Some(bytes) = self.read(METADATA, METADATA_FILE)? else { return Ok(Metadata::default()) };
        let path = || self.root.join(METADATA).join(METADATA_FILE).display().to_string();
        Metadata::from_json(&bytes).map_err(|source| match source {
            ModelError::OldMetadata => StoreError::OldStore(path()),
            source => StoreError::Metadata { path: path(), source },
        })
    }

    /// A folder of the store, or `None` if it does not exist.
    pub(super) fn folder(&self, path: &str) -> Result<Option<Dir>, DiskError> {
        match Dir::open(&self.root).and_then(|root| root.beneath(Path::new(path))) {
            Err(error) if error.is_not_found() => Ok(None),
            opened => opened.map(Some),
        }
    }

    /// A folder of the store, made if it does not exist.
    pub(super) fn folder_to_write(&self, path: &str) -> Result<Dir, DiskError> {
        let mut dir = Dir::open_or_make(&self.root)?;
        for part in path.split('/') {
            dir = dir.folder_or_make(part, 0o755)?;
        }
        Ok(dir)
    }

    pub(super) fn has(&self, folder: &str, name: &str) -> Result<bool, StoreError> {
        let Some(dir) = self.folder(folder)? else { return Ok(false) };
        Ok(dir.meta_if_there(name)?.is_some())
    }

    pub(super) fn read(&self, folder: &str, name: &str) -> Result<Option<Vec<u8>>, DiskError> {
        let Some(dir) = self.folder(folder)? else { return Ok(None) };
        let mut file = match dir.open_file(name) {
            Err(error) if error.is_not_found() => return Ok(None),
            file => file?,
        };
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|source| DiskError::io("read", dir.path().join(name), source))?;
        Ok(Some(bytes))
    }

    pub(super) fn lock_to_read(&self) -> Result<Option<Lock>, DiskError> {
        match self.folder(OURS)? {
            Some(ours) => Lock::acquire_if_there(&ours, LOCK, LockMode::Shared, PATIENCE),
            None => Ok(None),
        }
    }

    pub(super) fn lock_to_write(&self) -> Result<Lock, DiskError> {
        Lock::acquire(&self.folder_to_write(OURS)?, LOCK, LockMode::Exclusive, PATIENCE)
    }
}
