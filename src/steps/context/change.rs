//! Changes to names and modes: removes, moves, links.
//!
//! A file may be a hard link into a layer of the store, and all names of a file share its mode and time. So mode and
//! time are never set in place. Folders and symlinks belong to the context alone.

use std::ffi::OsStr;
use std::path::Path;

use crate::disk::{Dir, Kind, Meta, Sharing, Way, is_root, share_file};
use crate::types::ContextPath;

use super::error::word;
use super::{Context, ContextError};

const UNFINISHED: &str = "change";

impl Context {
    /// What is at a path; `None` if nothing is there.
    pub(crate) fn meta(&self, path: &ContextPath) -> Result<Option<Meta>, ContextError> {
        match self.parent(path)? {
            Some((folder, name)) => Ok(folder.meta_if_there(name)?),
            None => Ok(None),
        }
    }

    /// Removes what is at a path that was [found](Self::topmost), a folder with everything in it.
    pub(crate) fn remove(&self, path: &Path) -> Result<(), ContextError> {
        let folder = self.root.beneath(path.parent().unwrap_or(Path::new("")))?;
        let time = folder.own_meta()?.mtime;
        folder.remove_all(path.file_name().unwrap_or(OsStr::new("")))?;
        Ok(folder.set_own_time(time)?)
    }

    /// Moves what is at `from` to the path `to`, where nothing may be. Returns whether there was anything.
    pub(crate) fn rename(&self, from: &ContextPath, to: &ContextPath) -> Result<bool, ContextError> {
        let Some((source, name)) = self.parent(from)? else { return Ok(false) };
        let Some(meta) = source.meta_if_there(name)? else { return Ok(false) };
        if let Some(there) = self.meta(to)? {
            return Err(ContextError::There { path: to.clone(), found: word(there.kind) });
        }
        let source_time = source.own_meta()?.mtime;
        let (way, new) = self.way(to)?;
        source.rename_new(name, way.folder(), new)?;
        if meta.kind == Kind::Folder {
            // A moved folder gets another `..`.
            way.folder().set_time(new, meta.mtime)?;
        }
        source.set_own_time(source_time)?;
        way.finish()?;
        Ok(true)
    }

    /// Sets the permission bits of a file or folder. A file becomes a new one with the constant time. Returns whether
    /// they changed.
    pub(crate) fn set_mode(&self, path: &ContextPath, mode: u32) -> Result<bool, ContextError> {
        let expected = "a file or folder";
        let there = self.parent(path)?;
        let (folder, name) = there.ok_or_else(|| missing(path))?;
        let meta = folder.meta_if_there(name)?.ok_or_else(|| missing(path))?;
        match meta.kind {
            Kind::File | Kind::Folder if meta.mode == mode => Ok(false),
            Kind::Folder => {
                folder.folder(name)?.set_own_mode(mode)?;
                Ok(true)
            }
            Kind::File => {
                self.scratch.remove_all(UNFINISHED)?;
                let wanted = Meta { mode, uid: 0, gid: 0, mtime: self.time(), ..meta };
                // This is never a hard link, because the mode differs.
                share_file(&folder, name, &self.scratch, UNFINISHED, &wanted, Sharing::Auto)?;
                self.put_in_place(UNFINISHED, &folder, name)?;
                Ok(true)
            }
            found @ (Kind::Symlink | Kind::Whiteout | Kind::Special(_)) => {
                Err(ContextError::NoFile { path: path.clone(), found: word(found), expected })
            }
        }
    }

    /// Makes a symlink, or points an existing one to `target`, which is only text. Returns whether anything changed.
    pub(crate) fn symlink(&self, path: &ContextPath, target: &str) -> Result<bool, ContextError> {
        if let Some((folder, name)) = self.parent(path)?
            && let Some(there) = folder.meta_if_there(name)?
        {
            if there.kind != Kind::Symlink {
                return Err(ContextError::There { path: path.clone(), found: word(there.kind) });
            }
            if folder.read_link(name)? == target.as_bytes() {
                return Ok(false);
            }
        }
        self.scratch.remove_all(UNFINISHED)?;
        self.scratch.make_symlink(UNFINISHED, target.as_bytes())?;
        if is_root() {
            self.scratch.set_owner(UNFINISHED, 0, 0)?;
        }
        self.scratch.set_time(UNFINISHED, self.time())?;
        let (way, name) = self.way(path)?;
        self.scratch.rename(UNFINISHED, way.folder(), name)?;
        way.finish()?;
        Ok(true)
    }

    /// Moves something finished from the scratch folder to a name in a folder; the folder keeps its time.
    fn put_in_place(&self, name: &str, folder: &Dir, new: &str) -> Result<(), ContextError> {
        let time = folder.own_meta()?.mtime;
        self.scratch.rename(name, folder, new)?;
        Ok(folder.set_own_time(time)?)
    }

    /// The folder above a path, made if it is missing, and the path's name in it.
    pub(super) fn way<'a>(&self, path: &'a ContextPath) -> Result<(Way, &'a str), ContextError> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(ContextError::NoFile { path: path.clone(), found: "folder", expected: "a path in it" });
        };
        match Way::open(&self.root, &parent, self.time()) {
            Ok(way) => Ok((way, name)),
            Err(error) => Err(self.through(path).unwrap_or(ContextError::Disk(error))),
        }
    }

    /// The folder above a path and the path's name in it; `None` if that folder is not there.
    pub(super) fn parent<'a>(&self, path: &'a ContextPath) -> Result<Option<(Dir, &'a str)>, ContextError> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(ContextError::NoFile { path: path.clone(), found: "folder", expected: "a path in it" });
        };
        match self.root.beneath(parent.as_path()) {
            Ok(folder) => Ok(Some((folder, name))),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(self.through(path).unwrap_or(ContextError::Disk(error))),
        }
    }

    /// The first part of a path that is not a folder.
    fn through(&self, path: &ContextPath) -> Option<ContextError> {
        let mut folder = self.root.duplicate().ok()?;
        let mut at = ContextPath::root();
        for part in path.parent()?.parts() {
            at = at.join(&part.parse().ok()?);
            let kind = folder.meta(part).ok()?.kind;
            if kind != Kind::Folder {
                return Some(ContextError::Through { path: path.clone(), at, found: word(kind) });
            }
            folder = folder.folder(part).ok()?;
        }
        None
    }
}

/// It was there a moment ago, or the caller did not look for it before.
fn missing(path: &ContextPath) -> ContextError {
    ContextError::Read { path: path.clone(), source: std::io::ErrorKind::NotFound.into() }
}
