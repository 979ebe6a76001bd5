//! What names there are in the storage of an image's registry; see `image::registry_tree` for its layout.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use crate::rootfs::Overlay;
use crate::words::{ContextPath, Digest};

use super::layers::Layers;

const TOP: &str = "registry/docker/registry/v2";

/// The names in the storage.
#[derive(Debug, Default)]
pub(super) struct Storage {
    pub(super) repositories: BTreeMap<String, Repository>,
    pub(super) blobs: BTreeSet<Digest>,
    /// Names that the layout does not know.
    pub(super) foreign: Vec<ContextPath>,
}

/// The names in a repository.
#[derive(Debug, Default)]
pub(super) struct Repository {
    pub(super) tags: Vec<String>,
    pub(super) revisions: BTreeSet<Digest>,
    pub(super) layers: BTreeSet<Digest>,
}

impl Storage {
    pub(super) fn read(layers: &Layers) -> io::Result<Self> {
        let merged = &layers.merged;
        let mut storage = Self::default();
        let top = known(&format!("{TOP}/repositories"));
        let mut folders = vec![top.clone()];
        while let Some(folder) = folders.pop() {
            let mut repository = Repository::default();
            let mut is_one = false;
            for name in names(merged, &folder)? {
                let Ok(part) = name.parse::<ContextPath>() else { continue };
                let path = folder.join(&part);
                match name.as_str() {
                    "_manifests" => {
                        is_one = true;
                        repository.tags = names(merged, &path.join(&known("tags")))?;
                        repository.revisions = storage.digests(merged, &path.join(&known("revisions/sha256")))?;
                    }
                    "_layers" => {
                        is_one = true;
                        repository.layers = storage.digests(merged, &path.join(&known("sha256")))?;
                    }
                    // What uploads left; a registry looks at it by itself.
                    "_uploads" => {}
                    other if other.starts_with('_') => storage.foreign.push(path),
                    _ => folders.push(path),
                }
            }
            if is_one {
                let name = folder.as_str()[top.as_str().len()..].trim_start_matches('/').to_owned();
                storage.repositories.insert(name, repository);
            }
        }
        let blobs = known(&format!("{TOP}/blobs/sha256"));
        for name in names(merged, &blobs)? {
            let Ok(part) = name.parse::<ContextPath>() else { continue };
            let found = storage.digests(merged, &blobs.join(&part))?;
            storage.blobs.extend(found);
        }
        Ok(storage)
    }

    /// How many tags there are.
    pub(super) fn tags(&self) -> usize {
        self.repositories.values().map(|repository| repository.tags.len()).sum()
    }

    /// The names in a folder that are the hex of digests; the others are foreign.
    fn digests(&mut self, merged: &Overlay, folder: &ContextPath) -> io::Result<BTreeSet<Digest>> {
        let mut found = BTreeSet::new();
        for name in names(merged, folder)? {
            match Digest::from_hex(&name) {
                Ok(digest) => {
                    found.insert(digest);
                }
                Err(_) => self.foreign.extend(name.parse::<ContextPath>().map(|part| folder.join(&part))),
            }
        }
        Ok(found)
    }
}

/// The names in a folder; none where there is no such, or it is a file.
fn names(merged: &Overlay, folder: &ContextPath) -> io::Result<Vec<String>> {
    Ok(merged.list(folder)?.into_iter().map(|name| name.to_string_lossy().into_owned()).collect())
}

fn known(path: &str) -> ContextPath {
    path.parse().expect("the layout's own words are a path")
}
