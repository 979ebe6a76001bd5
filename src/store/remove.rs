//! Removes images, and everything that no image names any more.

use std::collections::HashSet;

use super::store_root::{IMAGES, LAYERDB, LAYERS, PROVENANCE, UNVERIFIED, VERIFIED};
use super::{Staging, Store, StoreError};
use crate::image::model::Metadata;
use crate::types::{Digest, Platform, SealerName};

/// The deleted images and layers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Removed {
    /// The documents, by image id.
    pub images: Vec<String>,
    /// The layers, by hex.
    pub layers: Vec<String>,
}

impl Store {
    /// Removes a name for a platform, or for all, and the documents and layers that nothing names any more.
    ///
    /// If another image is damaged, it is not known which layers that one needs: the name is removed, and its layers
    /// stay for prune. Layers that a process holds ([`Store::hold`]) also stay.
    pub fn remove(&self, name: &SealerName, platform: Option<&Platform>) -> Result<Removed, StoreError> {
        let staging = self.stage()?;
        let _lock = self.lock_to_write()?;
        let mut metadata = self.metadata()?;
        let gone = metadata.remove(name, platform);
        if gone.is_empty() {
            return Err(StoreError::NoImage(name.to_string()));
        }
        let candidates: HashSet<String> = gone
            .iter()
            .filter_map(|manifest| self.document(&manifest.id))
            .flat_map(|document| document.image().layer_ids().map(|id| id.hex()).collect::<Vec<_>>())
            .collect();
        self.write_metadata(&staging, &metadata)?;
        let ids: HashSet<&str> = gone.iter().map(|manifest| manifest.id.as_str()).collect();
        match self.used(&metadata) {
            Ok(used) => self.sweep(&staging, &used, |name| candidates.contains(name) || ids.contains(name)),
            Err(StoreError::InTheWay(_)) => Ok(Removed::default()),
            Err(error) => Err(error),
        }
    }

    /// Deletes every document and layer that no image names, what is in `tmp`, and what killed processes left.
    ///
    /// If an image is damaged, nothing is deleted, because it is not known which layers it needs.
    pub fn prune(&self) -> Result<Removed, StoreError> {
        let staging = self.stage()?;
        let _lock = self.lock_to_write()?;
        let used = self.used(&self.metadata()?)?;
        let removed = self.sweep(&staging, &used, |_| true)?;
        if let Some(tmp) = self.folder("tmp")? {
            for name in tmp.names()? {
                tmp.remove_all(name)?;
            }
        }
        Ok(removed)
    }

    /// The ids of all documents and the hex of all layers that the list names or a process holds.
    fn used(&self, metadata: &Metadata) -> Result<HashSet<String>, StoreError> {
        let mut used = self.held()?;
        for (name, list) in &metadata.0 {
            for manifest in &list.manifests {
                let document = self.document(&manifest.id).ok_or_else(|| StoreError::InTheWay(name.clone()))?;
                used.insert(manifest.id.clone());
                used.extend(document.image().layer_ids().map(|id| id.hex()));
            }
        }
        Ok(used)
    }

    /// Moves what is not used into the staging, in the order opposite to a commit's; it is deleted with the staging.
    fn sweep(
        &self,
        staging: &Staging,
        used: &HashSet<String>,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Removed, StoreError> {
        let mut removed = Removed::default();
        for (folder, suffix) in [
            (IMAGES, ".yaml"),
            (PROVENANCE, ".json"),
            (LAYERDB, ""),
            (LAYERS, ""),
            // A mark without its layer does not match any other folder.
            (VERIFIED, ""),
            (UNVERIFIED, ""),
        ] {
            let Some(dir) = self.folder(folder)? else { continue };
            for name in dir.names()? {
                let Some(stem) = name.to_str().and_then(|name| name.strip_suffix(suffix)) else { continue };
                // Only our own files: others belong to somebody else.
                if Digest::from_hex(stem).is_err() || used.contains(stem) || !wanted(stem) {
                    continue;
                }
                dir.rename_new(&name, staging.dir(), staging.new_name("removed"))?;
                match folder {
                    IMAGES => removed.images.push(stem.to_owned()),
                    LAYERS => removed.layers.push(stem.to_owned()),
                    _ => {}
                }
            }
            dir.flush()?;
        }
        Ok(removed)
    }
}
