//! The content of a folder at a moment.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::disk::{CopyRules, Dir, DiskError, Owner, Sharing, copy_entry};

/// The files of a folder, each as a hard link. Steps replace files and never write into them. So a file with the same
/// inode is unchanged, and any other file can be compared with the old one.
pub(super) struct Snapshot {
    folder: PathBuf,
    pub(super) entries: BTreeMap<PathBuf, Entry>,
}

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) kind: EntryKind,
    /// Permission bits.
    pub(super) mode: u32,
    /// The size in bytes: for a symlink that of its target, for a folder 0.
    pub(super) size: u64,
    /// The file's number on its file system.
    pub(super) number: u64,
}

/// What kind of thing it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum EntryKind {
    File,
    Folder,
    Symlink(PathBuf),
    Other,
}

impl Snapshot {
    /// Records the content of `context` in the empty folder `to` on the same file system.
    pub(super) fn take(context: &Dir, to: &Dir) -> Result<Self, DiskError> {
        let rules = CopyRules { sharing: Sharing::Auto, owner: Owner::Kept };
        for name in context.names()? {
            copy_entry(context, &name, to, &name, rules)?;
        }
        // This uses the original: if files are cloned and not linked, the copies are other files.
        Ok(Self { folder: to.path().to_owned(), entries: entries(context.path())? })
    }

    /// A file as it was.
    pub(super) fn path(&self, path: &Path) -> PathBuf {
        self.folder.join(path)
    }
}

/// Everything in one of our folders by its path, without following symlinks.
pub(super) fn entries(folder: &Path) -> Result<BTreeMap<PathBuf, Entry>, DiskError> {
    let mut found = BTreeMap::new();
    walk(folder, &mut PathBuf::new(), &mut found).map_err(|error| DiskError::io("look through", folder, error))?;
    Ok(found)
}

/// The depth of a context has a limit, because the depth of everything that is copied there has one.
fn walk(top: &Path, path: &mut PathBuf, found: &mut BTreeMap<PathBuf, Entry>) -> io::Result<()> {
    for entry in fs_err::read_dir(top.join(&path))? {
        path.push(entry?.file_name());
        let whole = top.join(&path);
        let metadata = fs_err::symlink_metadata(&whole)?;
        let (kind, size) = if metadata.is_dir() {
            (EntryKind::Folder, 0)
        } else if metadata.is_symlink() {
            (EntryKind::Symlink(fs_err::read_link(&whole)?), metadata.len())
        } else if metadata.is_file() {
            (EntryKind::File, metadata.len())
        } else {
            (EntryKind::Other, 0)
        };
        let is_folder = kind == EntryKind::Folder;
        found.insert(path.clone(), Entry { kind, mode: metadata.mode() & 0o7777, size, number: metadata.ino() });
        if is_folder {
            walk(top, path, found)?;
        }
        path.pop();
    }
    Ok(())
}

/// The number of things that are not folders, and their bytes.
pub(super) fn count<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> (u64, u64) {
    entries
        .into_iter()
        .filter(|entry| entry.kind != EntryKind::Folder)
        .fold((0, 0), |(files, bytes), entry| (files + 1, bytes + entry.size))
}
