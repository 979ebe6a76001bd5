//! Layers as they lie on the disk, and the root file system that a cluster sees of them.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::DiffError;
use super::change::Kind;
use super::content::Readable;
use super::side::Side;
use crate::disk::{self, Dir, DiskError, MAX_DEPTH, Meta};

/// What lies at a path of a layer.
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
    /// Bytes of a file; none of anything else.
    pub(super) fn size(&self) -> Option<u64> {
        (self.kind == Kind::File).then_some(self.meta.size)
    }
}

/// All that one layer holds, whiteouts included. Contents are not read.
pub(super) fn read_layer(folder: &Path, layer: usize) -> Result<Entries, DiffError> {
    let mut entries = Entries::new();
    read_folder(&Dir::open(folder)?, layer, &mut Vec::new(), 0, &mut entries)?;
    Ok(entries)
}

fn read_folder(
    dir: &Dir,
    layer: usize,
    path: &mut Vec<u8>,
    depth: usize,
    entries: &mut Entries,
) -> Result<(), DiskError> {
    if depth > MAX_DEPTH {
        return Err(DiskError::Deep { path: dir.path().to_owned(), limit: MAX_DEPTH });
    }
    for name in dir.names()? {
        let length = path.len();
        if length > 0 {
            path.push(b'/');
        }
        path.extend_from_slice(name.as_bytes());
        let meta = owned(dir.meta(&name)?);
        let (kind, target) = match meta.kind {
            disk::Kind::File => (Kind::File, None),
            disk::Kind::Symlink => (Kind::Symlink, Some(dir.read_link(&name)?)),
            disk::Kind::Whiteout => (Kind::Whiteout, None),
            disk::Kind::Special(_) => (Kind::Special, None),
            disk::Kind::Folder => {
                let inner = dir.folder(&name)?;
                read_folder(&inner, layer, path, depth + 1, entries)?;
                (if inner.is_opaque()? { Kind::OpaqueFolder } else { Kind::Folder }, None)
            }
        };
        entries.insert(path.clone(), Entry { layer, kind, meta, target });
        path.truncate(length);
    }
    Ok(())
}

/// As layer ids have it: where we are not root our own user stands for 0:0, for it cannot make files of root's.
fn owned(meta: Meta) -> Meta {
    let own = rustix::process::geteuid();
    if !own.is_root() && meta.uid == own.as_raw() { Meta { uid: 0, gid: 0, ..meta } } else { meta }
}

/// The sum of the sizes of all files of a layer; a symlink is its target's length, as sealer counts.
pub(super) fn size(entries: &Entries) -> u64 {
    let counted = entries.values().filter(|entry| matches!(entry.kind, Kind::File | Kind::Symlink));
    counted.map(|entry| entry.meta.size).sum()
}

/// Lays layers over one another as an overlay does, the lowest first.
pub(super) fn merge(layers: &[Entries]) -> Entries {
    let mut merged = Entries::new();
    for layer in layers {
        // In byte order a folder comes before what is in it.
        for (path, entry) in layer {
            match entry.kind {
                Kind::Folder => {
                    if merged.get(path).is_some_and(|below| below.kind != Kind::Folder) {
                        merged.remove(path);
                    }
                }
                Kind::OpaqueFolder
                | Kind::File
                | Kind::Symlink
                | Kind::HardLink
                | Kind::Whiteout
                | Kind::Special
                | Kind::Layer => remove(&mut merged, path),
            }
            match entry.kind {
                Kind::Whiteout => {}
                // What it hid is gone, so a cluster sees a folder like any other.
                Kind::OpaqueFolder => drop(merged.insert(path.clone(), Entry { kind: Kind::Folder, ..entry.clone() })),
                Kind::Folder | Kind::File | Kind::Symlink | Kind::HardLink | Kind::Special | Kind::Layer => {
                    merged.insert(path.clone(), entry.clone());
                }
            }
        }
    }
    merged
}

/// Removes a path with all that is below it.
fn remove(entries: &mut Entries, path: &[u8]) {
    entries.remove(path);
    let below: Vec<Vec<u8>> = below(entries, path).map(|(path, _)| path.clone()).collect();
    for path in below {
        entries.remove(&path);
    }
}

/// What lies below a folder.
pub(super) fn below<'e>(
    entries: &'e Entries,
    folder: &[u8],
) -> impl Iterator<Item = (&'e Vec<u8>, &'e Entry)> + use<'e> {
    // `0` comes right after `/`.
    let (from, to) = ([folder, b"/"].concat(), [folder, b"0"].concat());
    entries.range(from..to)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::FileTime;

    /// Entries of an upper layer, and what is seen then.
    type Case<'a> = (&'a [(&'a str, Kind)], &'a [&'a str]);

    fn layer(number: usize, entries: &[(&str, Kind)]) -> Entries {
        let meta = |size| Meta {
            kind: disk::Kind::File,
            mode: 0o644,
            uid: 0,
            gid: 0,
            mtime: FileTime::default(),
            size,
            identity: (0, 0),
        };
        let entry = |kind| Entry { layer: number, kind, meta: meta(1), target: None };
        entries.iter().map(|(path, kind)| (path.as_bytes().to_vec(), entry(*kind))).collect()
    }

    fn shown(entries: &Entries) -> Vec<String> {
        entries.iter().map(|(path, entry)| format!("{}@{}", String::from_utf8_lossy(path), entry.layer)).collect()
    }

    #[test]
    fn layers_lie_over_one_another_as_in_an_overlay() {
        use Kind::{File, Folder, OpaqueFolder, Symlink, Whiteout};
        let low =
            [("a", Folder), ("a/b", File), ("a/c", File), ("a-b", File), ("d", Folder), ("d/e", File), ("f", File)];
        let low = layer(0, &low);
        let cases: [Case<'_>; 6] = [
            (&[("a", Folder), ("a/b", File)], &["a@1", "a-b@0", "a/b@1", "a/c@0", "d@0", "d/e@0", "f@0"]),
            (&[("a", Whiteout)], &["a-b@0", "d@0", "d/e@0", "f@0"]),
            (&[("a", Folder), ("a/c", Whiteout)], &["a@1", "a-b@0", "a/b@0", "d@0", "d/e@0", "f@0"]),
            (&[("a", OpaqueFolder), ("a/x", File)], &["a@1", "a-b@0", "a/x@1", "d@0", "d/e@0", "f@0"]),
            (&[("d", Symlink)], &["a@0", "a-b@0", "a/b@0", "a/c@0", "d@1", "f@0"]),
            (&[("f", Folder), ("f/g", File)], &["a@0", "a-b@0", "a/b@0", "a/c@0", "d@0", "d/e@0", "f@1", "f/g@1"]),
        ];
        for (high, expected) in cases {
            assert_eq!(shown(&merge(&[low.clone(), layer(1, high)])), expected, "{high:?}");
        }
        assert_eq!(size(&low), 5);
    }
}
