//! Which names there are in a registry's storage: no file is read.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::RegistryStorage;
use super::paths::{STORAGE, known};
use crate::types::{ContextPath, Digest};

/// The names in a registry's storage.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// The repositories by their name, which has no host.
    pub(crate) repositories: BTreeMap<String, Repository>,
    /// The blobs that have a folder.
    pub(crate) blobs: BTreeSet<Digest>,
    /// Names that the layout does not know.
    pub(crate) foreign: Vec<ContextPath>,
}

/// The names in a repository.
#[derive(Debug, Default)]
pub(crate) struct Repository {
    /// Its tags, sorted.
    pub(crate) tags: Vec<String>,
    /// Its manifests and lists.
    pub(crate) revisions: BTreeSet<Digest>,
    /// Its configs and layers.
    pub(crate) layers: BTreeSet<Digest>,
}

impl RegistryStorage<'_> {
    /// The names of repositories and in them.
    pub(crate) fn repositories(self) -> io::Result<Contents> {
        let mut contents = Contents::default();
        let top = known(&format!("{STORAGE}/repositories"));
        let mut folders = vec![top.clone()];
        while let Some(folder) = folders.pop() {
            let mut repository = Repository::default();
            let mut is_one = false;
            for name in self.names(&folder)? {
                let Ok(part) = name.parse::<ContextPath>() else { continue };
                let path = folder.join(&part);
                // A registry's own names begin with `_`, and no part of a repository does.
                match name.as_str() {
                    "_manifests" => {
                        is_one = true;
                        repository.tags = self.names(&path.join(&known("tags")))?;
                        let revisions = path.join(&known("revisions/sha256"));
                        repository.revisions = self.digests(&revisions, &mut contents.foreign)?;
                    }
                    "_layers" => {
                        is_one = true;
                        repository.layers = self.digests(&path.join(&known("sha256")), &mut contents.foreign)?;
                    }
                    // Leftovers of uploads; a registry handles them itself.
                    "_uploads" => {}
                    other if other.starts_with('_') => contents.foreign.push(path),
                    _ => folders.push(path),
                }
            }
            if is_one {
                let name = folder.as_str()[top.as_str().len()..].trim_start_matches('/').to_owned();
                contents.repositories.insert(name, repository);
            }
        }
        Ok(contents)
    }

    /// All names, those of blobs too.
    pub(crate) fn contents(self) -> io::Result<Contents> {
        let mut contents = self.repositories()?;
        let blobs = known(&format!("{STORAGE}/blobs/sha256"));
        for name in self.names(&blobs)? {
            let Ok(part) = name.parse::<ContextPath>() else { continue };
            contents.blobs.extend(self.digests(&blobs.join(&part), &mut contents.foreign)?);
        }
        Ok(contents)
    }

    /// The names in a folder that are the hex of digests; the others are foreign.
    pub(super) fn digests(self, folder: &ContextPath, foreign: &mut Vec<ContextPath>) -> io::Result<BTreeSet<Digest>> {
        let mut found = BTreeSet::new();
        for name in self.names(folder)? {
            match Digest::from_hex(&name) {
                Ok(digest) => drop(found.insert(digest)),
                Err(_) => foreign.extend(name.parse::<ContextPath>().map(|part| folder.join(&part))),
            }
        }
        Ok(found)
    }

    /// The names in a folder; empty if it does not exist or is a file. Names that are not UTF-8 are skipped.
    fn names(self, folder: &ContextPath) -> io::Result<Vec<String>> {
        Ok(self.overlay.list(folder)?.into_iter().map(|name| name.to_string_lossy().into_owned()).collect())
    }
}
