//! Over whole trees: their size, their removal.

use std::ffi::OsStr;

use super::{Dir, DiskError, Kind};

/// How many folders deep a tree may be; deeper ones are refused rather than walked.
pub const MAX_DEPTH: usize = 255;

/// The sum of the sizes of all files below `dir`: folders are not counted, a symlink is its target's length, a file of
/// two names counts twice. What `images_metadata.json` calls an image's size.
pub fn tree_size(dir: &Dir) -> Result<u64, DiskError> {
    size_at(dir, 0)
}

fn size_at(dir: &Dir, depth: usize) -> Result<u64, DiskError> {
    check_depth(dir, depth)?;
    let mut sum = 0;
    for name in dir.names()? {
        let meta = dir.meta(&name)?;
        sum += match meta.kind {
            Kind::Folder => size_at(&dir.folder(&name)?, depth + 1)?,
            Kind::File | Kind::Symlink => meta.size,
            Kind::Whiteout | Kind::Special(_) => 0,
        };
    }
    Ok(sum)
}

pub(super) fn remove_all(dir: &Dir, name: &OsStr, depth: usize) -> Result<(), DiskError> {
    let Some(meta) = dir.meta_if_there(name)? else { return Ok(()) };
    if meta.kind != Kind::Folder {
        return dir.remove_file(name);
    }
    if meta.mode & 0o700 != 0o700 {
        // A folder that its owner may not enter: ours to remove, so ours to open.
        dir.open_up(name)?;
    }
    let folder = dir.folder(name)?;
    check_depth(&folder, depth)?;
    for name in folder.names()? {
        remove_all(&folder, &name, depth + 1)?;
    }
    dir.remove_empty_folder(name)
}

pub(super) fn check_depth(dir: &Dir, depth: usize) -> Result<(), DiskError> {
    if depth <= MAX_DEPTH { Ok(()) } else { Err(DiskError::Deep { path: dir.path().to_owned(), limit: MAX_DEPTH }) }
}
