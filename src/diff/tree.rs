//! Layers as they are on the disk, and the root file system that a cluster sees of them.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::DiffError;
use super::change::Kind;
use super::content::Readable;
use super::side::Side;
use crate::disk::{self, Dir, DiskError, Meta};
use crate::rootfs::{Folder, Overlay};

/// An entry of a layer's tree.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Which layer of its image it is of, from 0.
    pub(super) layer: usize,
    pub(super) kind: Kind,
    pub(super) meta: Meta,
    /// Where a symlink leads.
    pub(super) target: Option<Vec<u8>>,
}

/// Entries by their path, which is bytes without a leading slash.
pub(super) type Entries = BTreeMap<Vec<u8>, Entry>;

impl Entry {
    /// Bytes of a file; `None` for anything else.
    pub(super) fn size(&self) -> Option<u64> {
        (self.kind == Kind::File).then_some(self.meta.size)
    }
}

/// All that one layer holds, whiteouts included. Contents are not read.
pub(super) fn read_layer(folder: &Path, layer: usize) -> Result<Entries, DiffError> {
    let mut entries = read(&Overlay::raw(folder.to_owned()))?;
    for entry in entries.values_mut() {
        entry.layer = layer;
    }
    Ok(entries)
}

/// All that layers hold together. Contents are not read.
pub(super) fn read(overlay: &Overlay) -> Result<Entries, DiffError> {
    let mut entries = Entries::new();
    read_folder(&overlay.top()?, &mut Vec::new(), &mut entries)?;
    Ok(entries)
}

fn read_folder(folder: &Folder<'_>, path: &mut Vec<u8>, entries: &mut Entries) -> Result<(), DiskError> {
    for (name, entry) in folder.entries() {
        let length = path.len();
        if length > 0 {
            path.push(b'/');
        }
        path.extend_from_slice(name.as_bytes());
        let (kind, target) = match entry.meta.kind {
            disk::Kind::File => (Kind::File, None),
            disk::Kind::Symlink => (Kind::Symlink, Some(folder.entry(name)?.1.read_link(name)?)),
            disk::Kind::Whiteout => (Kind::Whiteout, None),
            disk::Kind::Special(_) => (Kind::Special, None),
            disk::Kind::Folder => {
                read_folder(&folder.folder(name)?, path, entries)?;
                (if entry.is_opaque { Kind::OpaqueFolder } else { Kind::Folder }, None)
            }
        };
        entries.insert(path.clone(), Entry { layer: entry.layer(), kind, meta: owned(entry.meta), target });
        path.truncate(length);
    }
    Ok(())
}

/// As in layer ids: without root, our own user counts as 0:0, because it cannot create files of root.
fn owned(meta: Meta) -> Meta {
    let own = rustix::process::geteuid();
    if !own.is_root() && meta.uid == own.as_raw() { Meta { uid: 0, gid: 0, ..meta } } else { meta }
}

/// The content of a file of a layer.
pub(super) struct LayerFile<'a> {
    pub(super) side: &'a Side,
    pub(super) path: &'a [u8],
    pub(super) entry: &'a Entry,
}

impl Readable for LayerFile<'_> {
    fn size(&self) -> u64 {
        self.entry.meta.size
    }

    fn open(&self) -> Result<Box<dyn std::io::Read + '_>, DiffError> {
        let path = Path::new(OsStr::from_bytes(self.path));
        let layer = Dir::open(&self.side.layers[self.entry.layer].folder)?;
        let folder = layer.beneath(path.parent().unwrap_or(Path::new("")))?;
        Ok(Box::new(folder.open_file(path.file_name().unwrap_or_default())?))
    }
}
