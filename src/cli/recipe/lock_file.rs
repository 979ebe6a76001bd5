//! The lock beside a recipe, read and written.

use std::path::{Path, PathBuf};

use clap::Args;
use rustix::fs::{Access, AtFlags, CWD, accessat};

use crate::cli::failure::Failed;
use crate::cli::world::Network;
use crate::disk::{Dir, write_atomic};
use crate::plan::{Lock, lock_file_of, read_lock};
use crate::supply::Pinning;
use crate::words::{Event, Failure, FailureKind, Observer};

use super::apply::recipe_folder;
use super::input::read_source;

/// The mode of a lock that is new.
const MODE: u32 = 0o644;

/// How much of the inputs has to be known already.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct LockArgs {
    /// Use only what the lock beside the recipe says: an input that is missing from it or differs is an error
    #[arg(long)]
    locked: bool,
    /// Ask nobody: everything comes from the store and the cache
    #[arg(long)]
    offline: bool,
    /// Both --locked and --offline
    #[arg(long)]
    frozen: bool,
}

impl LockArgs {
    /// As `--locked` says.
    pub(super) fn locked() -> Self {
        Self { locked: true, offline: false, frozen: false }
    }

    pub(super) fn pinning(self) -> Pinning {
        if self.locked || self.frozen { Pinning::Required } else { Pinning::Open }
    }

    pub(super) fn network(self) -> Network {
        if self.offline || self.frozen { Network::Off } else { Network::On }
    }
}

/// A lock's file, which need not be there.
#[derive(Debug)]
pub(super) struct LockFile {
    path: PathBuf,
    lock: Option<Lock>,
    /// Whether what is new may be written.
    is_kept: bool,
}

impl LockFile {
    /// Reads the lock of a recipe.
    pub(super) fn read(recipe: &Path) -> Result<Self, Failed> {
        let path = lock_file_of(recipe);
        let lock = match fs_err::symlink_metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(Failed::doing(error.to_string())),
            Ok(_) => {
                let source = read_source(&path)?;
                Some(read_lock(&source).map_err(|diagnostics| Failed::invalid(&source, diagnostics))?)
            }
        };
        Ok(Self { path, lock, is_kept: true })
    }

    /// As [`read`](Self::read), for a command that works with the lock as `args` say. Where the lock must be there, it is an
    /// error that it is not; where it could not be written, that is said now.
    pub(super) fn open(recipe: &Path, args: LockArgs, observer: &dyn Observer) -> Result<Self, Failed> {
        let mut file = Self::read(recipe)?;
        let folder = recipe_folder(recipe);
        match args.pinning() {
            Pinning::Required => {
                file.is_kept = false;
                if file.lock.is_none() {
                    let (path, recipe) = (file.path.display(), recipe.display());
                    let failure = Failure::new(
                        FailureKind::Verification,
                        format!("the recipe has no lock: `{path}` is not there"),
                    );
                    let help =
                        format!("`sealer recipe fetch {recipe}` writes it, and so does apply without `--locked`");
                    return Err(Failed::Doing { source: None, failures: vec![failure.with_help(help)] });
                }
            }
            Pinning::Open => {
                if let Err(error) = accessat(CWD, &folder, Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS) {
                    file.is_kept = false;
                    let (path, error) = (file.path.display(), std::io::Error::from(error));
                    let message = format!("`{path}` cannot be written ({error}): what is new is not locked");
                    observer.event(Event::Warning { message });
                }
            }
        }
        Ok(file)
    }

    /// Where it lies.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What it says; nothing where it is not there.
    pub(super) fn lock(&self) -> Lock {
        self.lock.clone().unwrap_or_default()
    }

    /// Its name and bytes as it lies there now; none where it is not there.
    pub(super) fn bytes(&self) -> Result<Option<(String, Vec<u8>)>, Failed> {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match fs_err::read(&self.path) {
            Ok(bytes) => Ok(Some((name, bytes))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failed::doing(error.to_string())),
        }
    }

    /// Writes `lock` where it is another than the one that was read and where that is wanted. The file keeps its mode.
    /// Also one of a recipe without inputs is written, as `--locked` wants to see it.
    pub(super) fn keep(&self, lock: &Lock) -> Result<(), Failed> {
        if self.is_kept && self.lock.as_ref() != Some(lock) { self.write(lock) } else { Ok(()) }
    }

    /// Writes `lock`, whole or not at all.
    fn write(&self, lock: &Lock) -> Result<(), Failed> {
        let wrong = |error: &crate::disk::DiskError| Failed::from_error(error.kind(), error);
        let folder = Dir::open(&recipe_folder(&self.path)).map_err(|error| wrong(&error))?;
        let name = self.path.file_name().expect("a lock's path ends with its name");
        let mode = folder.meta_if_there(name).map_err(|error| wrong(&error))?.map_or(MODE, |meta| meta.mode);
        write_atomic(&folder, name, lock.to_text().as_bytes(), mode).map_err(|error| wrong(&error))
    }
}
