//! One file with logins, to be changed.

use std::ffi::OsString;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::io::Errno;

use super::auth_file::AuthFile;
use super::credentials::CredentialsError;
use super::login_store_error::LoginStoreError;
use crate::disk::{Dir, DiskError, Kind, Lock, is_root};
use crate::edit::EditError;
use crate::types::Source;

/// The only mode that such a file gets.
const MODE: u32 = 0o600;

/// How long to wait for other processes of this program.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often a change is repeated because another program changed the file in the meantime.
const ATTEMPTS: usize = 20;

/// How many symlinks may lead from one to the next, as in the kernel.
const LINKS: usize = 40;

/// One file with logins. It may not be there.
#[derive(Debug)]
pub(crate) struct LoginFile {
    /// As the user has it.
    path: PathBuf,
    /// The folder and the name of the real file: a symlink is followed and kept.
    folder: PathBuf,
    name: OsString,
}

/// The content of the file.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) file: AuthFile,
    text: String,
    /// Permission bits and owner; `None` means that there is no file.
    there: Option<(u32, (u32, u32))>,
}

impl LoginFile {
    /// Finds the place of a file.
    pub(crate) fn find(path: &Path) -> Result<Self, CredentialsError> {
        let mut target = path.to_owned();
        for _ in 0..LINKS {
            let Ok(next) = fs_err::read_link(&target) else {
                let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
                let folder = folder.unwrap_or(Path::new(".")).to_owned();
                let name = target.file_name().ok_or_else(|| named(path, Errno::ISDIR))?.to_owned();
                return Ok(Self { path: path.to_owned(), folder, name });
            };
            target = target.parent().unwrap_or(Path::new("")).join(next);
        }
        Err(named(path, Errno::LOOP).into())
    }

    /// The path as in messages.
    pub(crate) fn shown(&self) -> String {
        self.path.to_string_lossy().into_owned()
    }

    /// Reads it; a missing file counts as empty.
    pub(crate) fn read(&self) -> Result<Content, LoginStoreError> {
        match Dir::open(&self.folder) {
            Ok(dir) => self.read_in(&dir),
            Err(error) if is_missing(&error) => self.content(String::new(), None),
            Err(error) => Err(self.disk(error)),
        }
    }

    fn read_in(&self, dir: &Dir) -> Result<Content, LoginStoreError> {
        let meta = match dir.meta_if_there(&self.name) {
            Ok(Some(meta)) => meta,
            Ok(None) => return self.content(String::new(), None),
            Err(error) => return Err(self.disk(error)),
        };
        if meta.kind != Kind::File {
            return Err(CredentialsError::from(io::Error::other(format!("`{}` is not a file", self.shown()))).into());
        }
        let mut text = String::new();
        let mut file = dir.open_file(&self.name).map_err(|error| self.disk(error))?;
        file.read_to_string(&mut text).map_err(CredentialsError::from)?;
        self.content(text, Some((meta.mode, (meta.uid, meta.gid))))
    }

    fn content(&self, text: String, there: Option<(u32, (u32, u32))>) -> Result<Content, LoginStoreError> {
        let file = AuthFile::parse(&Source::new(&self.shown(), &text))?;
        Ok(Content { file, text, there })
    }

    /// Replaces the text with the result of `edit`. Returns the file's old mode if other users could read it.
    pub(crate) fn change(
        &self,
        mut edit: impl FnMut(&str, &AuthFile) -> Result<String, EditError>,
    ) -> Result<Option<u32>, LoginStoreError> {
        let dir = self.folder().map_err(|error| self.disk(error))?;
        let _lock = Lock::acquire_folder(&dir, PATIENCE).map_err(|error| self.disk(error))?;
        for _ in 0..ATTEMPTS {
            let before = self.read_in(&dir)?;
            let text = edit(&before.text, &before.file)
                .map_err(|source| LoginStoreError::Edit { file: self.shown(), source })?;
            let was_open = before.there.map(|(mode, _)| mode).filter(|mode| mode & 0o077 != 0);
            if before.there.is_some() && text == before.text && was_open.is_none() {
                return Ok(None);
            }
            if self.replace(&dir, &before, &text)? {
                return Ok(was_open);
            }
        }
        Err(LoginStoreError::Restless { file: self.shown() })
    }

    /// The folder; if missing, it is created for its owner only.
    fn folder(&self) -> Result<Dir, DiskError> {
        match Dir::open(&self.folder) {
            Err(error) if error.is_not_found() => match (self.folder.parent(), self.folder.file_name()) {
                (Some(parent), Some(name)) => Dir::open_or_make(parent)?.folder_or_make(name, 0o700),
                _ => Err(error),
            },
            opened => opened,
        }
    }

    /// Puts the new text in place, unless the file changed in the meantime.
    fn replace(&self, dir: &Dir, before: &Content, text: &str) -> Result<bool, LoginStoreError> {
        // Always the same name, so that no file with a password is left behind: the next process with the lock removes
        // it.
        let mut temporary = OsString::from(".");
        temporary.push(&self.name);
        temporary.push(".part");
        let written = self.write(dir, &temporary, before, text);
        match written.and_then(|()| self.is_as_before(dir, before)) {
            Ok(true) => {
                let placed = dir.rename(&temporary, dir, &self.name).and_then(|()| dir.flush());
                placed.inspect_err(|_| drop(dir.remove_all(&temporary))).map_err(|error| self.disk(error))?;
                Ok(true)
            }
            Ok(false) => dir.remove_all(&temporary).map(|()| false).map_err(|error| self.disk(error)),
            Err(error) => {
                // The first error counts.
                drop(dir.remove_all(&temporary));
                Err(error)
            }
        }
    }

    fn write(&self, dir: &Dir, temporary: &OsString, before: &Content, text: &str) -> Result<(), LoginStoreError> {
        let write = || {
            dir.remove_all(temporary)?;
            let mut file = dir.create_file(temporary, MODE)?;
            // Root may write another user's file, and that user must be able to read it afterwards.
            if let Some((_, (uid, gid))) = before.there.filter(|_| is_root()) {
                dir.set_owner(temporary, uid, gid)?;
            }
            let path = file.path().to_owned();
            file.write_all(text.as_bytes()).map_err(|error| DiskError::io("write", &path, error))?;
            file.sync_all().map_err(|error| DiskError::io("flush", &path, error))
        };
        write().map_err(|error| self.disk(error))
    }

    /// Docker and Podman write without our lock.
    fn is_as_before(&self, dir: &Dir, before: &Content) -> Result<bool, LoginStoreError> {
        let mut bytes = Vec::new();
        match dir.open_file(&self.name) {
            Ok(mut file) => {
                file.read_to_end(&mut bytes).map_err(CredentialsError::from)?;
                Ok(before.there.is_some() && bytes == before.text.as_bytes())
            }
            Err(error) if error.is_not_found() => Ok(before.there.is_none()),
            Err(error) => Err(self.disk(error)),
        }
    }

    fn disk(&self, source: DiskError) -> LoginStoreError {
        LoginStoreError::Disk { file: self.shown(), source }
    }
}

/// `~` may be a file if a user has no home.
fn is_missing(error: &DiskError) -> bool {
    error.is_not_found()
        || matches!(error, DiskError::Io { source, .. } if source.kind() == io::ErrorKind::NotADirectory)
}

fn named(path: &Path, error: Errno) -> io::Error {
    let error = io::Error::from(error);
    io::Error::new(error.kind(), format!("`{}`: {error}", path.display()))
}
