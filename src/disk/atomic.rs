//! Files that are either complete or absent.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::Path;

use super::{Dir, DiskError};

/// A file that is written next to its place under a unique name, and renamed when complete. If dropped before that, it
/// is removed.
#[derive(Debug)]
pub(crate) struct Unfinished {
    dir: Dir,
    file: fs_err::File,
    temporary: OsString,
    name: OsString,
    is_done: bool,
}

impl Unfinished {
    /// Makes the file, with the mode that the user's umask leaves.
    pub(crate) fn create(dir: &Dir, name: impl AsRef<OsStr>) -> Result<Self, DiskError> {
        Self::start(dir, name.as_ref(), |dir, temporary| dir.create_user_file(temporary))
    }

    /// Makes the file, private until it is finished.
    pub(crate) fn private(dir: &Dir, name: impl AsRef<OsStr>) -> Result<Self, DiskError> {
        Self::start(dir, name.as_ref(), |dir, temporary| dir.create_file(temporary, 0o600))
    }

    fn start(
        dir: &Dir,
        name: &OsStr,
        create: impl Fn(&Dir, &OsStr) -> Result<fs_err::File, DiskError>,
    ) -> Result<Self, DiskError> {
        let temporary = temporary_name(name);
        // Left by a killed process with the same process id.
        dir.remove_all(&temporary)?;
        let file = create(dir, &temporary)?;
        Ok(Self { dir: dir.duplicate()?, file, temporary, name: name.to_owned(), is_done: false })
    }

    /// The file to write.
    #[must_use]
    pub(crate) fn file(&self) -> &fs_err::File {
        &self.file
    }

    /// Gives it its bytes, its mode and its place.
    pub(crate) fn finish_with(mut self, bytes: &[u8], mode: u32) -> Result<(), DiskError> {
        fill(&mut self.file, &self.dir, &self.temporary, bytes, mode)?;
        self.put()
    }

    /// Flushes it, puts it into its place, whatever is there, and flushes the folder.
    pub(crate) fn finish(mut self) -> Result<(), DiskError> {
        self.file.sync_all().map_err(|error| DiskError::io("flush", self.file.path(), error))?;
        self.put()
    }

    fn put(&mut self) -> Result<(), DiskError> {
        self.dir.rename(&self.temporary, &self.dir, &self.name)?;
        self.is_done = true;
        self.dir.flush()
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.is_done {
            // The first error is returned; the message names the file that is left behind.
            let _removed = self.dir.remove_all(&self.temporary);
        }
    }
}

fn temporary_name(name: &OsStr) -> OsString {
    let mut temporary = OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{}.part", std::process::id()));
    temporary
}

/// Writes `bytes` as `name` with `mode`: a file next to it, flushed, renamed into place, the folder flushed.
///
/// However the process or machine ends, `name` has either its old or its new content. A failed flush is final: the new
/// file is removed and the error handed on.
pub(crate) fn write_atomic(dir: &Dir, name: impl AsRef<OsStr>, bytes: &[u8], mode: u32) -> Result<(), DiskError> {
    Unfinished::private(dir, name)?.finish_with(bytes, mode)
}

/// As [`write_atomic`], with the unfinished file as `temporary` in `staging`, on the same file system.
pub(crate) fn place(
    staging: &Dir,
    temporary: impl AsRef<OsStr>,
    dir: &Dir,
    name: impl AsRef<OsStr>,
    bytes: &[u8],
    mode: u32,
) -> Result<(), DiskError> {
    let temporary = temporary.as_ref();
    let mut file = staging.create_file(temporary, 0o600)?;
    fill(&mut file, staging, temporary, bytes, mode)?;
    drop(file);
    staging.rename(temporary, dir, name)?;
    dir.flush()
}

fn fill(file: &mut fs_err::File, dir: &Dir, name: &OsStr, bytes: &[u8], mode: u32) -> Result<(), DiskError> {
    let failed = |action, path: &Path, error| DiskError::io(action, path, error);
    file.write_all(bytes).map_err(|error| failed("write", file.path(), error))?;
    // After the last byte, because writing to a setuid file clears the bit.
    dir.set_mode(name, mode)?;
    file.sync_all().map_err(|error| failed("flush", file.path(), error))
}
