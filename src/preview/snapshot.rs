//! What a folder held at a moment.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::disk::{CopyRules, Dir, DiskError, Owner, Sharing, copy_entry};

/// The files of a folder, each as a second name of the same file: steps replace files and never write in them, so what is
/// still the same file is unchanged, and what is not can be compared.
pub(super) struct Snapshot {
    folder: PathBuf,
    pub(super) entries: BTreeMap<PathBuf, Entry>,
}

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) kind: EntryKind,
    /// Permission bits.
    pub(super) mode: u32,
    /// In bytes; of a symlink that of its target, of a folder 0.
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
    /// Remembers what is in `context`, in the empty folder `to` of the same file system.
    pub(super) fn take(context: &Dir, to: &Dir) -> Result<Self, DiskError> {
        let rules = CopyRules { sharing: Sharing::Auto, owner: Owner::Kept };
        for name in context.names()? {
            copy_entry(context, &name, to, &name, rules)?;
        }
        // Of the original: where files are cloned and not linked, the copies are other files.
        Ok(Self { folder: to.path().to_owned(), entries: entries(context.path())? })
    }

    /// A file as it was.
    pub(super) fn path(&self, path: &Path) -> PathBuf {
        self.folder.join(path)
    }
}

/// Everything in a folder of ours by its path, without following symlinks.
pub(super) fn entries(folder: &Path) -> Result<BTreeMap<PathBuf, Entry>, DiskError> {
    let mut found = BTreeMap::new();
    walk(folder, &mut PathBuf::new(), &mut found).map_err(|error| DiskError::io("look through", folder, error))?;
    Ok(found)
}

/// The folders of a context are never deeper than what was copied there, which has a limit.
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

/// How many things that are no folders, and how many bytes.
pub(super) fn count<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> (u64, u64) {
    entries
        .into_iter()
        .filter(|entry| entry.kind != EntryKind::Folder)
        .fold((0, 0), |(files, bytes), entry| (files + 1, bytes + entry.size))
}
