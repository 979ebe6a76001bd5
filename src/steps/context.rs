//! The context folder as steps see it.

mod change;
mod error;
mod search;

use std::io::{self, Read};

use crate::disk::{Dir, DiskError, FileTime, Kind, Meta, is_root};
use crate::types::{ContextPath, Epoch, FileMode};

pub(crate) use error::ContextError;
pub(super) use error::MAX_DOCUMENT;
use error::word;
pub(crate) use search::Matching;

/// A folder that steps change. Every file is replaced as a whole and never written in place, because it may share its
/// bytes with a layer.
pub(crate) struct Context {
    root: Dir,
    /// A folder on the same file system for unfinished files.
    scratch: Dir,
    epoch: Epoch,
}

/// The permission bits of a written file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bits {
    /// Those of the file that it replaces; these if it replaces nothing.
    KeptOr(u32),
    /// These.
    Set(u32),
}

impl Bits {
    /// Those of the step, else those of the existing file, else `new`.
    #[must_use]
    pub(crate) fn of_step(mode: Option<FileMode>, new: u32) -> Self {
        mode.map_or(Self::KeptOr(new), |mode| Self::Set(mode.bits()))
    }
}

impl Context {
    /// The context in `root`; `scratch` is an empty folder of the same file system.
    #[must_use]
    pub(crate) fn new(root: Dir, scratch: Dir, epoch: Epoch) -> Self {
        Self { root, scratch, epoch }
    }

    /// The folder.
    #[must_use]
    pub(crate) fn root(&self) -> &Dir {
        &self.root
    }

    /// The time of everything that steps make.
    #[must_use]
    pub(crate) fn time(&self) -> FileTime {
        self.epoch.into()
    }

    /// The constant time as it is recorded.
    #[must_use]
    pub(crate) fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Opens a file with its metadata; `None` if nothing is there.
    pub(crate) fn open(&self, path: &ContextPath) -> Result<Option<(fs_err::File, Meta)>, ContextError> {
        let Some((folder, name)) = self.parent(path)? else { return Ok(None) };
        let Some(meta) = folder.meta_if_there(name)? else { return Ok(None) };
        match meta.kind {
            Kind::File => Ok(Some((folder.open_file(name)?, meta))),
            found @ (Kind::Folder | Kind::Symlink | Kind::Whiteout | Kind::Special(_)) => {
                Err(ContextError::NoFile { path: path.clone(), found: word(found), expected: "a file" })
            }
        }
    }

    /// Reads a whole document; `None` if nothing is there.
    pub(crate) fn read(&self, path: &ContextPath) -> Result<Option<Vec<u8>>, ContextError> {
        let Some((mut file, meta)) = self.open(path)? else { return Ok(None) };
        if meta.size > MAX_DOCUMENT {
            return Err(ContextError::TooLarge { path: path.clone(), size: meta.size });
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|source| ContextError::Read { path: path.clone(), source })?;
        Ok(Some(bytes))
    }

    /// An empty unfinished file; [`put_scratch`](Self::put_scratch) moves it into the context.
    pub(crate) fn scratch_file(&self, name: &str) -> Result<fs_err::File, ContextError> {
        self.scratch.remove_all(name)?;
        Ok(self.scratch.create_file(name, 0o600)?)
    }

    /// A file without a name, for writing and reading; it is gone when it is closed.
    pub(crate) fn anonymous_file(&self) -> Result<std::fs::File, ContextError> {
        let file = self.scratch_file("anonymous")?;
        self.scratch.remove_file("anonymous")?;
        Ok(file.into_parts().0)
    }

    /// Writes bytes as a file of the context, with the mode of the existing file, else 0644. Returns whether anything
    /// changed: equal content stays untouched.
    pub(crate) fn put(&self, path: &ContextPath, bytes: &[u8]) -> Result<bool, ContextError> {
        self.put_with(path, bytes, Bits::KeptOr(0o644))
    }

    /// As [`put`](Self::put), with a mode.
    pub(crate) fn put_with(&self, path: &ContextPath, bytes: &[u8], bits: Bits) -> Result<bool, ContextError> {
        let mut file = self.scratch_file("put")?;
        io::Write::write_all(&mut file, bytes)
            .map_err(|error| DiskError::io("write", self.scratch.path().join("put"), error))?;
        drop(file);
        self.put_scratch_with("put", path, bits)
    }

    /// Moves an unfinished file into the context, with the mode of the existing file, else 0644. Returns whether
    /// anything changed: equal content stays untouched.
    pub(crate) fn put_scratch(&self, name: &str, path: &ContextPath) -> Result<bool, ContextError> {
        self.put_scratch_with(name, path, Bits::KeptOr(0o644))
    }

    /// As [`put_scratch`](Self::put_scratch), with a mode. The file belongs to root and has the constant time. Missing
    /// folders are made; existing folders keep their time. A file that already has this content and mode stays
    /// untouched.
    pub(crate) fn put_scratch_with(&self, name: &str, path: &ContextPath, bits: Bits) -> Result<bool, ContextError> {
        let old = self.open(path)?;
        let mode = match (bits, &old) {
            (Bits::Set(mode), _) | (Bits::KeptOr(mode), None) => mode,
            (Bits::KeptOr(_), Some((_, meta))) => meta.mode,
        };
        if let Some((old, meta)) = old
            && meta.mode == mode
            && self.same_content(name, old)?
        {
            self.scratch.remove_file(name)?;
            return Ok(false);
        }
        if is_root() {
            self.scratch.set_owner(name, 0, 0)?;
        }
        self.scratch.set_mode(name, mode)?;
        self.scratch.set_time(name, self.time())?;
        let (way, target) = self.way(path)?;
        self.scratch.rename(name, way.folder(), target)?;
        way.finish()?;
        Ok(true)
    }

    fn same_content(&self, name: &str, mut old: fs_err::File) -> Result<bool, ContextError> {
        let mut new = self.scratch.open_file(name)?;
        let path = old.path().to_owned();
        let failed = |error| DiskError::io("compare", &path, error);
        if old.metadata().map_err(failed)?.len() != new.metadata().map_err(failed)?.len() {
            return Ok(false);
        }
        let (mut left, mut right) = (vec![0; 1 << 16], vec![0; 1 << 16]);
        loop {
            let count = old.read(&mut left).map_err(failed)?;
            if count == 0 {
                return Ok(true);
            }
            new.read_exact(&mut right[..count]).map_err(failed)?;
            if left[..count] != right[..count] {
                return Ok(false);
            }
        }
    }
}

#[cfg(test)]
mod tests;
