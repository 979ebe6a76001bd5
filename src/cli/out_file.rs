//! A file that the user names for what a command makes.

use std::path::{Path, PathBuf};

use fs_err::File;

use crate::disk::{Dir, Unfinished};

use super::failure::Failed;

/// Where to write: a temporary file next to the target, renamed when complete. Something that is not a file (a pipe, a
/// terminal) is written directly. Links to files are followed.
#[derive(Debug)]
pub(super) enum OutFile {
    /// Something that is not a file.
    Stream(File),
    /// A file.
    File(Unfinished),
}

impl OutFile {
    /// Opens it, so that an error is found before the work.
    pub(super) fn open(path: &Path) -> Result<Self, Failed> {
        if fs_err::metadata(path).is_ok_and(|there| !there.is_file() && !there.is_dir()) {
            return Ok(Self::Stream(fs_err::OpenOptions::new().write(true).open(path)?));
        }
        let path = followed(path)?;
        let Some(name) = path.file_name().filter(|_| !path.is_dir()) else {
            return Err(Failed::Usage(format!("`{}` is not the name of a file", path.display())));
        };
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            Some(_) | None => Path::new("."),
        };
        Ok(Self::File(Unfinished::create(&Dir::open(folder)?, name)?))
    }

    /// The open file; [`OutFile::finish`] publishes it.
    pub(super) fn file(&self) -> &File {
        match self {
            Self::Stream(file) => file,
            Self::File(unfinished) => unfinished.file(),
        }
    }

    /// Puts the file into its place.
    pub(super) fn finish(self) -> Result<(), Failed> {
        match self {
            Self::Stream(_) => Ok(()),
            Self::File(unfinished) => Ok(unfinished.finish()?),
        }
    }
}

/// The target of a link; any other path, or a broken link, as it is.
fn followed(path: &Path) -> std::io::Result<PathBuf> {
    if path.is_symlink() && path.is_file() { fs_err::canonicalize(path) } else { Ok(path.to_owned()) }
}
