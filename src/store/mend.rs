//! Replaces damaged parts of the store by good ones, and moves the damaged ones away.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::commit::{Staged, new_layerdb};
use super::store_root::{DAMAGED, IMAGES, LAYERDB, LAYERS, VERIFIED};
use super::{StagedLayer, Staging, Store, StoreError};
use crate::disk::{Dir, DiskError};
use crate::image::layer::LayerId;
use crate::image::model::{ImageDocument, ImageId};
use crate::types::Digest;

/// The replacements for damaged parts.
#[derive(Debug, Default)]
pub(crate) struct Mending {
    /// Layers, with their layerdb entries.
    pub layers: Vec<StagedLayer>,
    /// layerdb entries of layers that stay as they are.
    pub layerdb: Vec<LayerId>,
    /// Documents of images.
    pub documents: Vec<ImageDocument>,
    /// Useless documents without a replacement.
    pub useless_documents: Vec<ImageId>,
    /// Entries at layers' names that are not folders, without a replacement.
    pub useless_layers: Vec<Digest>,
}

/// What was done with damaged parts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Mended {
    /// Where they are now.
    pub set_aside: Vec<PathBuf>,
}

impl Store {
    /// Replaces damaged parts by good ones, and moves the damaged ones to `recipe/damaged`.
    pub(crate) fn mend(&self, staging: &Staging, mending: &Mending) -> Result<Mended, StoreError> {
        let mut layers = BTreeMap::new();
        for layer in &mending.layers {
            layers.insert(layer.id.digest, Staged::prepare(self, staging, layer)?);
        }
        let layerdb: Vec<(Digest, String)> = mending
            .layerdb
            .iter()
            .map(|id| Ok((id.digest, new_layerdb(staging, id, None)?)))
            .collect::<Result<_, DiskError>>()?;
        let mut documents = Vec::new();
        for document in &mending.documents {
            let name = staging.new_name("document");
            let mut file = staging.dir().create_file(&name, 0o644)?;
            std::io::Write::write_all(&mut file, document.yaml())
                .map_err(|source| DiskError::io("write", staging.path().join(&name), source))?;
            documents.push((document.id(), name));
        }
        staging.dir().flush_file_system()?;

        let _lock = self.lock_to_write()?;
        let mut aside = Aside { above: self.folder_to_write(DAMAGED)?, folder: None, moved: Vec::new() };
        aside.above.set_own_mode(0o700)?;
        let to = self.folder_to_write(LAYERS)?;
        let said = self.folder_to_write(LAYERDB)?;
        for (id, staged) in &layers {
            let hex = id.hex();
            if !staged.layer.verified {
                Staged::mark_unverified(self, staging, &hex)?;
            }
            staged.mark(self, staging, &hex, true)?;
            aside.swap(staging, &staged.layer.folder.name, LAYERS, &to, &hex)?;
            staged.unmark(self, &to, &hex)?;
            aside.swap(staging, &staged.layerdb, LAYERDB, &said, &hex)?;
        }
        for (id, name) in &layerdb {
            aside.swap(staging, name, LAYERDB, &said, &id.hex())?;
        }
        for id in &mending.useless_layers {
            aside.take(LAYERS, &to, &id.hex())?;
        }
        let images = self.folder_to_write(IMAGES)?;
        for (id, name) in &documents {
            aside.swap(staging, name, IMAGES, &images, &format!("{id}.yaml"))?;
        }
        for id in &mending.useless_documents {
            aside.take(IMAGES, &images, &format!("{id}.yaml"))?;
        }
        for folder in [&to, &said, &images, &self.folder_to_write(VERIFIED)?] {
            folder.flush()?;
        }
        Ok(Mended { set_aside: aside.moved })
    }
}

/// Where damaged parts go: a separate folder for each repair, created when it is needed.
struct Aside {
    above: Dir,
    folder: Option<Dir>,
    moved: Vec<PathBuf>,
}

impl Aside {
    /// The folder for entries of `path` below the root.
    fn folder(&mut self, path: &str) -> Result<Dir, DiskError> {
        let top = match self.folder.take() {
            Some(folder) => folder,
            None => self.new_folder()?,
        };
        let mut dir = top.duplicate()?;
        self.folder = Some(top);
        for part in path.split('/') {
            let inner = dir.folder_or_make(part, 0o700)?;
            dir.flush()?;
            dir = inner;
        }
        Ok(dir)
    }

    fn new_folder(&self) -> Result<Dir, DiskError> {
        let mut number = 1_u32;
        loop {
            match self.above.make_folder(number.to_string(), 0o700) {
                Err(error) if error.is_there_already() => number += 1,
                made => {
                    self.above.flush()?;
                    return made;
                }
            }
        }
    }

    /// Swaps a staged entry with a damaged one in one step.
    fn swap(&mut self, staging: &Staging, staged: &str, path: &str, to: &Dir, name: &str) -> Result<(), DiskError> {
        if to.meta_if_there(name)?.is_none() {
            return staging.dir().rename_new(staged, to, name);
        }
        let aside = self.folder(path)?;
        staging.dir().rename_new(staged, &aside, name)?;
        aside.exchange(name, to, name)?;
        self.done(&aside, name)
    }

    /// Moves an entry away, if it exists.
    fn take(&mut self, path: &str, from: &Dir, name: &str) -> Result<(), DiskError> {
        if from.meta_if_there(name)?.is_none() {
            return Ok(());
        }
        let aside = self.folder(path)?;
        from.rename_new(name, &aside, name)?;
        self.done(&aside, name)
    }

    fn done(&mut self, aside: &Dir, name: &str) -> Result<(), DiskError> {
        self.moved.push(aside.path().join(Path::new(OsStr::new(name))));
        aside.flush()
    }
}
