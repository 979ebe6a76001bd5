//! Files that are there whole or not at all.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::Path;

use super::{Dir, DiskError};

/// Writes `bytes` as `name` with `mode`: a file beside it, flushed, renamed into place, the folder flushed.
///
/// After any end of the process or the machine, `name` is what it was or what it shall be. A failed flush is final: the
/// new file is removed and the error handed on.
pub fn write_atomic(dir: &Dir, name: impl AsRef<OsStr>, bytes: &[u8], mode: u32) -> Result<(), DiskError> {
    Pending::start(dir.duplicate()?, name)?.finish(bytes, mode)
}

/// A file that is there under another name until its bytes are known: that it can be made is known before. Where it is never
/// finished, it is removed.
#[derive(Debug)]
pub struct Pending {
    dir: Dir,
    name: OsString,
    temporary: OsString,
    /// The unfinished file; none when it has its place.
    file: Option<fs_err::File>,
}

impl Pending {
    /// Makes the unfinished file beside `name`.
    pub fn start(dir: Dir, name: impl AsRef<OsStr>) -> Result<Self, DiskError> {
        let name = name.as_ref().to_owned();
        let mut temporary = OsString::from(".");
        temporary.push(&name);
        temporary.push(format!(".{}.part", std::process::id()));
        // Left behind by an earlier process of the same number.
        dir.remove_all(&temporary)?;
        let file = Some(dir.create_file(&temporary, 0o600)?);
        Ok(Self { dir, name, temporary, file })
    }

    /// Gives it its bytes and its place.
    pub fn finish(mut self, bytes: &[u8], mode: u32) -> Result<(), DiskError> {
        let Some(file) = &mut self.file else { return Ok(()) };
        fill(file, &self.dir, &self.temporary, bytes, mode)?;
        self.dir.rename(&self.temporary, &self.dir, &self.name)?;
        self.file = None;
        self.dir.flush()
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if self.file.is_some() {
            // The first error counts; what is left behind is named as such.
            let _removed = self.dir.remove_all(&self.temporary);
        }
    }
}

/// As [`write_atomic`], with the unfinished file as `temporary` in `staging`, on the same file system.
pub fn place(
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
    // After the last byte: writing to a setuid file takes the bit away.
    dir.set_mode(name, mode)?;
    file.sync_all().map_err(|error| failed("flush", file.path(), error))
}
