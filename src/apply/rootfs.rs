//! All layers of an image as the one tree that an overlay mount of them would show.
//!
//! The topmost layer that has a name decides what it is. Folders of one name are merged from the top down until something
//! ends that: a whiteout, something that is no folder, or an opaque folder, which hides what is below it. Owner, mode and
//! time of a merged folder are those of the topmost one. Nothing of the mount's own language is in the result: neither
//! whiteouts nor opaque folders.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use crate::disk::{CopyRules, Dir, DiskError, Kind, MAX_DEPTH, Meta, merge_entry};

use super::gather::{View, finish_folder, folder_in};

/// The folders of an image's layers.
pub(super) struct Layers {
    /// The topmost first.
    folders: Vec<Dir>,
}

impl Layers {
    /// Opens the folders of layers, the lowest first.
    pub(super) fn open(lowest_first: &[PathBuf]) -> Result<Self, DiskError> {
        let folders = lowest_first.iter().rev().map(|folder| Dir::open(folder)).collect::<Result<_, _>>()?;
        Ok(Self { folders })
    }

    /// The merged tree's top.
    pub(super) fn top(&self) -> Result<MergedFolder<'_>, DiskError> {
        MergedFolder::open(&self.folders, PathBuf::new(), (0..self.folders.len()).collect())
    }
}

/// A folder of the merged tree.
///
/// Between calls it holds no handles but those of the layers themselves: a handle a layer for each of many folders in
/// folders would be more than a process may have.
pub(super) struct MergedFolder<'a> {
    layers: &'a [Dir],
    path: PathBuf,
    /// The layers that it is merged from, the topmost first; never empty but for an image without layers.
    members: Vec<usize>,
    entries: BTreeMap<OsString, Found>,
}

/// Where an entry is.
enum Found {
    /// Something that is no folder, in this layer.
    Leaf(usize),
    /// A folder, merged from these layers.
    Folder(Vec<usize>),
}

/// An entry while layers are looked through from the top down.
struct Seen {
    /// None: a whiteout.
    found: Option<Found>,
    /// Lower layers have no say any more.
    settled: bool,
}

impl<'a> MergedFolder<'a> {
    fn open(layers: &'a [Dir], path: PathBuf, members: Vec<usize>) -> Result<Self, DiskError> {
        if path.components().count() > MAX_DEPTH {
            return Err(DiskError::Deep { path, limit: MAX_DEPTH });
        }
        let mut seen: BTreeMap<OsString, Seen> = BTreeMap::new();
        for member in &members {
            let folder = layers[*member].beneath(&path)?;
            for name in folder.names()? {
                let kind = folder.meta(&name)?.kind;
                let settled = kind != Kind::Folder || folder.folder(&name)?.is_opaque()?;
                match (seen.get_mut(&name), kind) {
                    (Some(Seen { settled: true, .. }), _) => {}
                    (Some(Seen { found: Some(Found::Folder(merged)), settled: ended }), Kind::Folder) => {
                        merged.push(*member);
                        *ended = settled;
                    }
                    (Some(other), _) => other.settled = true,
                    (None, Kind::Whiteout) => drop(seen.insert(name, Seen { found: None, settled })),
                    (None, Kind::Folder) => {
                        seen.insert(name, Seen { found: Some(Found::Folder(vec![*member])), settled });
                    }
                    (None, Kind::File | Kind::Symlink | Kind::Special(_)) => {
                        seen.insert(name, Seen { found: Some(Found::Leaf(*member)), settled });
                    }
                }
            }
        }
        let entries = seen.into_iter().filter_map(|(name, seen)| Some((name, seen.found?))).collect();
        Ok(Self { layers, path, members, entries })
    }

    fn not_there(path: &Path) -> DiskError {
        DiskError::Io { action: "find", path: path.to_owned(), source: io::ErrorKind::NotFound.into() }
    }
}

impl View for MergedFolder<'_> {
    fn entries(&self) -> Result<Vec<(OsString, bool)>, DiskError> {
        let is_folder = |found: &Found| matches!(found, Found::Folder(_));
        Ok(self.entries.iter().map(|(name, found)| (name.clone(), is_folder(found))).collect())
    }

    fn folder(&self, name: &OsStr) -> Result<Self, DiskError> {
        let path = self.path.join(name);
        match self.entries.get(name) {
            Some(Found::Folder(members)) => Self::open(self.layers, path, members.clone()),
            Some(Found::Leaf(_)) | None => Err(Self::not_there(&path)),
        }
    }

    fn meta(&self) -> Result<Meta, DiskError> {
        let topmost = self.members.first().ok_or_else(|| Self::not_there(&self.path))?;
        self.layers[*topmost].beneath(&self.path)?.own_meta()
    }

    fn copy(&self, name: &OsStr, to: &Dir, rules: CopyRules) -> Result<(), DiskError> {
        match self.entries.get(name) {
            Some(Found::Leaf(layer)) => merge_entry(&self.layers[*layer].beneath(&self.path)?, name, to, name, rules),
            Some(Found::Folder(_)) => {
                let source = self.folder(name)?;
                let target = folder_in(to, name)?;
                for name in source.entries.keys() {
                    source.copy(name, &target, rules)?;
                }
                finish_folder(&target, &source.meta()?)
            }
            None => Err(Self::not_there(&self.path.join(name))),
        }
    }
}

#[cfg(test)]
mod tests;
