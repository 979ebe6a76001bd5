//! Operations on whole trees: size and removal.

use std::ffi::{OsStr, OsString};

use super::{Dir, DiskError, Kind};

/// How many folders deep a tree may be; deeper ones are refused rather than walked. Only their removal knows no limit.
pub(crate) const MAX_DEPTH: usize = 255;

/// The sum of the sizes of all files below `dir`: folders are not counted, a symlink is its target's length, a file of
/// two names counts twice. What `images_metadata.json` calls an image's size.
pub(crate) fn tree_size(dir: &Dir) -> Result<u64, DiskError> {
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

/// Whether everything below `dir` is root's, user and group.
pub(crate) fn is_all_of_root(dir: &Dir) -> Result<bool, DiskError> {
    all_of_root_at(dir, 0)
}

fn all_of_root_at(dir: &Dir, depth: usize) -> Result<bool, DiskError> {
    check_depth(dir, depth)?;
    for name in dir.names()? {
        let meta = dir.meta(&name)?;
        let all = (meta.uid, meta.gid) == (0, 0)
            && (meta.kind != Kind::Folder || all_of_root_at(&dir.folder(&name)?, depth + 1)?);
        if !all {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A folder that is being emptied, seen from a folder inside it.
struct Above {
    /// The folder's identity: going up must lead back to it.
    identity: (u64, u64),
    /// The names in it that are still to be removed.
    names: Vec<OsString>,
    /// The folder in it that is emptied first.
    inner: OsString,
}

/// Removes a tree of any depth: it must be possible to delete even a tree that is too deep to walk.
///
/// One folder is open at a time, and the way back up is checked, so neither handles nor the stack set a limit.
pub(super) fn remove_all(dir: &Dir, name: &OsStr) -> Result<(), DiskError> {
    let Some(mut here) = file_gone_or_folder(dir, name)? else { return Ok(()) };
    let mut names = here.names()?;
    let mut above: Vec<Above> = Vec::new();
    loop {
        if let Some(inner) = names.pop() {
            if let Some(folder) = file_gone_or_folder(&here, &inner)? {
                let inner_names = folder.names()?;
                above.push(Above {
                    identity: here.own_meta()?.identity,
                    names: std::mem::replace(&mut names, inner_names),
                    inner,
                });
                here = folder;
            }
        } else if let Some(last) = above.pop() {
            here = here.parent(last.identity)?;
            here.remove_empty_folder(&last.inner)?;
            names = last.names;
        } else {
            return dir.remove_empty_folder(name);
        }
    }
}

/// The folder of that name, to be emptied; `None` if there is nothing (any more), because it was not a folder.
fn file_gone_or_folder(dir: &Dir, name: &OsStr) -> Result<Option<Dir>, DiskError> {
    let Some(meta) = dir.meta_if_there(name)? else { return Ok(None) };
    if meta.kind != Kind::Folder {
        return dir.remove_file(name).map(|()| None);
    }
    if meta.mode & 0o700 != 0o700 {
        // A folder that its owner may not enter: ours to remove, so ours to open.
        dir.open_up(name)?;
    }
    dir.folder(name).map(Some)
}

pub(super) fn check_depth(dir: &Dir, depth: usize) -> Result<(), DiskError> {
    if depth <= MAX_DEPTH { Ok(()) } else { Err(DiskError::Deep { path: dir.path().to_owned(), limit: MAX_DEPTH }) }
}
