//! The parent folders of a place where entries are made.

use super::{Dir, DiskError, FileTime, is_root};
use crate::types::ContextPath;

/// The folder that entries are made in, and those above it, with the times that they keep.
///
/// A folder keeps its time when its entries change; one that had to be made is 0755, root's, and gets the time that the
/// caller says.
#[derive(Debug)]
pub(crate) struct Way {
    /// From the top down; the last one is the target.
    folders: Vec<(Dir, FileTime)>,
}

impl Way {
    /// Opens the folder at `path` below `top` and makes what is missing of it. It is an error if a part of the path is
    /// not a folder.
    pub(crate) fn open(top: &Dir, path: &ContextPath, time: FileTime) -> Result<Self, DiskError> {
        let mut folders = vec![(top.duplicate()?, top.own_meta()?.mtime)];
        for part in path.parts() {
            let above = &folders[folders.len() - 1].0;
            let below = if let Some(meta) = above.meta_if_there(part)? {
                (above.folder(part)?, meta.mtime)
            } else {
                let made = above.make_folder(part, 0o755)?;
                if is_root() {
                    made.set_own_owner(0, 0)?;
                }
                (made, time)
            };
            folders.push(below);
        }
        Ok(Self { folders })
    }

    /// The folder at the end.
    #[must_use]
    pub(crate) fn folder(&self) -> &Dir {
        &self.folders[self.folders.len() - 1].0
    }

    /// Sets the times again, when the entries are made.
    pub(crate) fn finish(self) -> Result<(), DiskError> {
        self.folders.iter().try_for_each(|(folder, time)| folder.set_own_time(*time))
    }
}
