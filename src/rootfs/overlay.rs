//! Layers seen as the one root file system that an overlay mount of them would show, without mounting anything.
//!
//! The topmost layer that has a name decides what it is. Folders of one name are merged from the top down until
//! something ends that: a whiteout, something that is not a folder, or an opaque folder, which hides what is below it.
//! Owner, mode and time of a merged folder are those of the topmost one. Whiteouts and opaque folders are not visible.
//! An opaque mark on the top of a layer has no meaning, as in the kernel.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use crate::disk::{Dir, DiskError, Kind, MAX_DEPTH, Meta, is_root};
use crate::types::ContextPath;

/// Folders of layers, the lowest first. A missing one counts as empty.
#[derive(Debug, Clone, Default)]
pub struct Overlay {
    layers: Vec<PathBuf>,
    /// Whiteouts and opaque folders are entries like others.
    is_raw: bool,
}

/// An entry of the merged tree.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The layers that it is of, the topmost first: several only of a merged folder.
    layers: Vec<usize>,
    /// What the topmost of them says about it.
    pub(crate) meta: Meta,
    /// It hides what lower layers have; only in a layer [as it is](Overlay::raw).
    pub(crate) is_opaque: bool,
}

impl Entry {
    /// The layer that decides what it is, from 0.
    #[must_use]
    pub(crate) fn layer(&self) -> usize {
        self.layers[0]
    }

    /// Whether it is a folder.
    #[must_use]
    pub(crate) fn is_folder(&self) -> bool {
        self.meta.kind == Kind::Folder
    }
}

/// Where a path is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// This file, in this layer.
    Here(PathBuf, usize),
    /// One layer has it, and a higher one hides it.
    Hidden {
        /// The layer that has it.
        below: usize,
        /// The one that hides it.
        by: usize,
    },
    /// No layer has it.
    Absent,
}

/// A name while layers are looked through from the top down.
#[derive(Default)]
struct Seen {
    /// `None`: a whiteout, or nothing yet.
    entry: Option<Entry>,
    /// Whether lower layers do not matter any more.
    is_settled: bool,
}

impl Seen {
    /// Adds what the next layer has of the name.
    fn add(&mut self, layer: usize, dir: &Dir, name: &OsStr, meta: Meta, is_raw: bool) -> Result<(), DiskError> {
        if self.is_settled {
            return Ok(());
        }
        let is_folder = meta.kind == Kind::Folder;
        // Only root can see the attribute, and other users may not be able to open the folder.
        let is_opaque = is_folder && is_root() && dir.folder(name)?.is_opaque()?;
        self.is_settled = !is_folder || is_opaque;
        match &mut self.entry {
            // If it is not settled yet, it is a folder and is merged with this one.
            Some(above) if is_folder => above.layers.push(layer),
            Some(_) => {}
            None if meta.kind == Kind::Whiteout && !is_raw => {}
            None => self.entry = Some(Entry { layers: vec![layer], meta, is_opaque: is_opaque && is_raw }),
        }
        Ok(())
    }
}

impl Overlay {
    /// Layers as an overlay stacks them, the lowest first.
    #[must_use]
    pub fn new(layers: Vec<PathBuf>) -> Self {
        Self { layers, is_raw: false }
    }

    /// One layer as it is: whiteouts and opaque folders are entries like others.
    #[must_use]
    pub(crate) fn raw(layer: PathBuf) -> Self {
        Self { layers: vec![layer], is_raw: true }
    }

    /// One more layer on top.
    pub(crate) fn push(&mut self, layer: PathBuf) {
        self.layers.push(layer);
    }

    /// The folders of the layers, the lowest first.
    #[must_use]
    pub fn layers(&self) -> &[PathBuf] {
        &self.layers
    }

    /// Each layer alone, the lowest first.
    pub(crate) fn each(&self) -> impl DoubleEndedIterator<Item = Self> + ExactSizeIterator {
        self.layers.iter().map(|layer| Self::new(vec![layer.clone()]))
    }

    /// The merged tree's top.
    pub(crate) fn top(&self) -> Result<Folder<'_>, DiskError> {
        Folder::open(self, PathBuf::new(), self.all()?)
    }

    /// The layers that are there, the topmost first.
    fn all(&self) -> Result<Vec<usize>, DiskError> {
        let mut there = Vec::new();
        for (index, folder) in self.layers.iter().enumerate().rev() {
            if folder.try_exists().map_err(|error| DiskError::io("look at", folder, error))? {
                there.push(index);
            }
        }
        Ok(there)
    }

    /// A folder of a layer, by its path in there.
    fn dir(&self, layer: usize, path: &Path) -> Result<Dir, DiskError> {
        let top = Dir::open(&self.layers[layer])?;
        if path.as_os_str().is_empty() { Ok(top) } else { top.beneath(path) }
    }

    /// The entry at a path. Symlinks are not followed; one in the middle of the path hides what is below.
    pub(crate) fn entry(&self, path: &ContextPath) -> Result<Option<Entry>, DiskError> {
        let layers = self.all()?;
        let Some(topmost) = layers.first() else { return Ok(None) };
        let meta = self.dir(*topmost, Path::new(""))?.own_meta()?;
        let mut entry = Entry { layers, meta, is_opaque: false };
        let mut folder = PathBuf::new();
        for name in path.parts() {
            if !entry.is_folder() {
                return Ok(None);
            }
            let mut seen = Seen::default();
            for layer in entry.layers {
                let dir = self.dir(layer, &folder)?;
                if let Some(meta) = dir.meta_if_there(name)? {
                    seen.add(layer, &dir, OsStr::new(name), meta, self.is_raw)?;
                }
                if seen.is_settled {
                    break;
                }
            }
            let Some(found) = seen.entry else { return Ok(None) };
            entry = found;
            folder.push(name);
        }
        Ok(Some(entry))
    }

    /// Where a path is found.
    pub(crate) fn find(&self, path: &ContextPath) -> io::Result<Option<PathBuf>> {
        Ok(self.entry(path)?.map(|entry| self.layers[entry.layer()].join(path.as_path())))
    }

    /// Where a path is, or what hides it.
    pub(crate) fn place(&self, path: &ContextPath) -> io::Result<Place> {
        if let Some(entry) = self.entry(path)? {
            let layer = entry.layer();
            return Ok(Place::Here(self.layers[layer].join(path.as_path()), layer));
        }
        for (below, layer) in self.each().enumerate().rev() {
            if layer.entry(path)?.is_some() {
                let hides = |by: &usize| {
                    let up_to = Self::new(self.layers[..=*by].to_vec());
                    up_to.entry(path).is_ok_and(|found| found.is_none())
                };
                let by = (below + 1..self.layers.len()).find(hides);
                return Ok(by.map_or(Place::Absent, |by| Place::Hidden { below, by }));
            }
        }
        Ok(Place::Absent)
    }

    /// Opens the regular file at a path.
    pub(crate) fn open(&self, path: &ContextPath, entry: &Entry) -> Result<fs_err::File, DiskError> {
        let folder = self.dir(entry.layer(), path.as_path().parent().unwrap_or(Path::new("")))?;
        folder.open_file(path.file_name().unwrap_or_default())
    }

    /// The names in a folder, sorted by bytes; empty if there is no such folder.
    pub(crate) fn list(&self, folder: &ContextPath) -> io::Result<Vec<OsString>> {
        let Some(entry) = self.entry(folder)?.filter(Entry::is_folder) else { return Ok(Vec::new()) };
        Ok(Folder::open(self, folder.as_path().to_owned(), entry.layers)?.entries.into_keys().collect())
    }

    /// All regular files below a folder, sorted, with their path in the root file system and where they are.
    pub fn files(&self, folder: &ContextPath) -> io::Result<Vec<(ContextPath, PathBuf)>> {
        Ok(self.tree(folder)?.files)
    }

    /// All that is below a folder but folders.
    pub(crate) fn tree(&self, folder: &ContextPath) -> io::Result<Tree> {
        let mut tree = Tree::default();
        let top = self.entry(folder)?.filter(Entry::is_folder);
        let mut folders: Vec<_> = top.map(|top| (folder.clone(), top.layers)).into_iter().collect();
        while let Some((folder, layers)) = folders.pop() {
            for (name, entry) in Folder::open(self, folder.as_path().to_owned(), layers)?.entries {
                let Some(part) = name.to_str().and_then(|name| name.parse::<ContextPath>().ok()) else {
                    tree.passed_over.push(folder.as_path().join(&name));
                    continue;
                };
                let path = folder.join(&part);
                match entry.meta.kind {
                    Kind::Folder => folders.push((path, entry.layers)),
                    Kind::File => {
                        let file = self.layers[entry.layer()].join(path.as_path());
                        tree.files.push((path, file));
                    }
                    Kind::Symlink | Kind::Whiteout | Kind::Special(_) => {
                        tree.passed_over.push(path.as_path().to_owned());
                    }
                }
            }
        }
        tree.files.sort();
        tree.passed_over.sort();
        Ok(tree)
    }
}

/// What is below a folder of an overlay.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tree {
    /// The regular files, sorted, with their path in the root file system and where they are.
    pub(crate) files: Vec<(ContextPath, PathBuf)>,
    /// Symlinks, devices and whatever has a name that is not UTF-8, sorted.
    pub(crate) passed_over: Vec<PathBuf>,
}

/// A folder of an overlay.
///
/// It keeps no open handles: one for each layer and nested folder could exceed the limit of a process.
pub(crate) struct Folder<'a> {
    overlay: &'a Overlay,
    path: PathBuf,
    /// The layers that it is merged from, the topmost first; never empty except for an overlay without layers.
    layers: Vec<usize>,
    entries: BTreeMap<OsString, Entry>,
}

impl<'a> Folder<'a> {
    fn open(overlay: &'a Overlay, path: PathBuf, layers: Vec<usize>) -> Result<Self, DiskError> {
        if path.components().count() > MAX_DEPTH {
            return Err(DiskError::Deep { path, limit: MAX_DEPTH });
        }
        let mut seen: BTreeMap<OsString, Seen> = BTreeMap::new();
        for layer in &layers {
            let dir = overlay.dir(*layer, &path)?;
            for name in dir.names()? {
                let meta = dir.meta(&name)?;
                seen.entry(name.clone()).or_default().add(*layer, &dir, &name, meta, overlay.is_raw)?;
            }
        }
        let entries = seen.into_iter().filter_map(|(name, seen)| Some((name, seen.entry?))).collect();
        Ok(Self { overlay, path, layers, entries })
    }

    /// The names in it in byte order, with their entries.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&OsStr, &Entry)> {
        self.entries.iter().map(|(name, entry)| (name.as_os_str(), entry))
    }

    /// The entry of one of its names, and the folder of the layer that has it.
    pub(crate) fn entry(&self, name: &OsStr) -> Result<(&Entry, Dir), DiskError> {
        let entry = self.entries.get(name).ok_or_else(|| not_there(&self.path.join(name)))?;
        Ok((entry, self.overlay.dir(entry.layer(), &self.path)?))
    }

    /// One of its folders.
    pub(crate) fn folder(&self, name: &OsStr) -> Result<Self, DiskError> {
        let path = self.path.join(name);
        match self.entries.get(name) {
            Some(entry) if entry.is_folder() => Self::open(self.overlay, path, entry.layers.clone()),
            Some(_) | None => Err(not_there(&path)),
        }
    }

    /// Whether whiteouts and opaque folders are entries like others.
    #[must_use]
    pub(crate) fn is_raw(&self) -> bool {
        self.overlay.is_raw
    }

    /// What the folder says about itself.
    pub(crate) fn meta(&self) -> Result<Meta, DiskError> {
        let topmost = self.layers.first().ok_or_else(|| not_there(&self.path))?;
        self.overlay.dir(*topmost, &self.path)?.own_meta()
    }
}

fn not_there(path: &Path) -> DiskError {
    DiskError::io("find", path, io::ErrorKind::NotFound)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            if let Some(name) = file.strip_suffix("!") {
                let kind = rustix::fs::FileType::CharacterDevice;
                let mode = rustix::fs::Mode::empty();
                let path = folder.path().join(name);
                rustix::fs::mknodat(rustix::fs::CWD, path, kind, mode, 0).unwrap();
            } else {
                fs_err::write(path, file).unwrap();
            }
        }
        folder
    }

    #[test]
    fn upper_layers_win_and_whiteouts_hide() {
        let (low, high) = (layer(&["a", "b/c", "b/d", "e/f"]), layer(&["a", "b/c!", "e!", "g"]));
        let overlay = Overlay::new(vec![low.path().to_owned(), high.path().to_owned()]);
        let find = |path: &str| overlay.find(&path.parse().unwrap()).unwrap();
        assert_eq!(find("a"), Some(high.path().join("a")));
        assert_eq!(find("b/d"), Some(low.path().join("b/d")));
        assert_eq!((find("b/c"), find("e/f"), find("e"), find("x")), (None, None, None, None));
        let files: Vec<_> = overlay.files(&ContextPath::root()).unwrap();
        let paths: Vec<_> = files.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["a", "b/d", "g"]);
    }

    #[test]
    fn a_file_over_a_folder_hides_it() {
        let (low, high) = (layer(&["a/b"]), layer(&["a"]));
        let overlay = Overlay::new(vec![low.path().to_owned(), high.path().to_owned()]);
        assert_eq!(overlay.find(&"a/b".parse().unwrap()).unwrap(), None);
        assert_eq!(overlay.list(&ContextPath::root()).unwrap(), ["a"]);
    }

    #[test]
    fn what_hides_a_path_is_named() {
        let layers = [layer(&["a/b", "c"]), layer(&["a!"]), layer(&["d"])];
        let folders: Vec<_> = layers.iter().map(|layer| layer.path().to_owned()).collect();
        let overlay = Overlay::new(folders.clone());
        let place = |path: &str| overlay.place(&path.parse().unwrap()).unwrap();
        assert_eq!(place("a/b"), Place::Hidden { below: 0, by: 1 });
        assert_eq!((place("c"), place("x/y")), (Place::Here(folders[0].join("c"), 0), Place::Absent));
    }

    #[test]
    fn a_layer_that_is_not_there_and_an_opaque_top_hide_nothing() {
        let (low, high) = (layer(&["a"]), layer(&["b"]));
        if is_root() {
            Dir::open(high.path()).unwrap().set_opaque().unwrap();
        }
        let overlay = Overlay::new(vec![low.path().to_owned(), low.path().join("none"), high.path().to_owned()]);
        assert_eq!(overlay.list(&ContextPath::root()).unwrap(), ["a", "b"]);
        assert_eq!(overlay.find(&"a".parse().unwrap()).unwrap(), Some(low.path().join("a")));
    }
}
