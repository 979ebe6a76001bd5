//! The lock next to a recipe, read and written.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use rustix::fs::{Access, AtFlags, CWD, accessat};

use crate::cli::failure::Failed;
use crate::cli::sources::Network;
use crate::disk::{Dir, Lock as FolderLock, write_atomic};
use crate::plan::{Lock, lock_file_of, read_lock};
use crate::sources::{Pinning, Sources};
use crate::types::{Event, Failure, FailureKind, Observer, Source};

use super::input::{read_source, recipe_folder};

/// The mode of a lock that is new.
const MODE: u32 = 0o644;
/// How long another run may hold the folder while it writes its lock.
const PATIENCE: Duration = Duration::from_secs(30);

/// Which inputs must already be known.
#[derive(Debug, Clone, Copy, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(super) struct LockArgs {
    /// Use only what the lock next to the recipe says: an input that is missing from it or differs is an error
    #[arg(long)]
    locked: bool,
    /// Do not use the network: everything comes from the store and the cache
    #[arg(long)]
    offline: bool,
    /// Both --locked and --offline
    #[arg(long)]
    frozen: bool,
    /// Fail if a manifest has a string that looks like an image, but its registry refuses it
    #[arg(long)]
    strict: bool,
}

impl LockArgs {
    /// As `--locked` says.
    pub(super) fn locked() -> Self {
        Self { locked: true, offline: false, frozen: false, strict: false }
    }

    pub(super) fn pinning(self) -> Pinning {
        if self.locked || self.frozen { Pinning::Required } else { Pinning::Open }
    }

    /// The same sources, by these rules.
    pub(super) fn rule(self, sources: Sources) -> Sources {
        sources.with_pinning(self.pinning()).strict(self.strict)
    }

    pub(super) fn network(self) -> Network {
        if self.offline || self.frozen { Network::Off } else { Network::On }
    }
}

/// A lock file, which may be missing.
#[derive(Debug)]
pub(super) struct LockFile {
    path: PathBuf,
    /// Its content as it was last read or written.
    there: Option<(Source, Lock)>,
    /// Whether new entries may be written.
    is_kept: bool,
    /// Why it cannot be written, if so.
    obstacle: Option<String>,
}

impl LockFile {
    /// Reads the lock of a recipe.
    pub(super) fn read(recipe: &Path) -> Result<Self, Failed> {
        let path = lock_file_of(recipe);
        Ok(Self { there: read(&path)?, path, is_kept: true, obstacle: None })
    }

    /// As [`read`](Self::read), with the rules in `args`. A required lock that is missing is an error; a lock that
    /// could not be written is reported now.
    pub(super) fn open(recipe: &Path, args: LockArgs, observer: &dyn Observer) -> Result<Self, Failed> {
        let mut file = Self::read(recipe)?;
        let folder = recipe_folder(recipe);
        match args.pinning() {
            Pinning::Required => {
                file.is_kept = false;
                if file.there.is_none() {
                    let (path, recipe) = (file.path.display(), recipe.display());
                    let failure = Failure::new(
                        FailureKind::Verification,
                        format!("the recipe has no lock: `{path}` does not exist"),
                    );
                    let help = format!("to write it, run `sealer recipe fetch {recipe}`, or apply without `--locked`");
                    return Err(failure.with_help(help).into());
                }
            }
            Pinning::Open => {
                if let Err(error) = accessat(CWD, &folder, Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS) {
                    file.is_kept = false;
                    let (path, error) = (file.path.display(), std::io::Error::from(error));
                    let message = format!("cannot write `{path}` ({error}): new inputs are not locked");
                    observer.event(Event::Warning { message });
                    file.obstacle = Some(error.to_string());
                }
            }
        }
        Ok(file)
    }

    /// The path of the lock file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What it says; nothing if it does not exist.
    pub(super) fn lock(&self) -> Lock {
        self.there.as_ref().map(|(_, lock)| lock.clone()).unwrap_or_default()
    }

    /// Its name and bytes as this run read it, or wrote it last; `None` if it does not exist.
    pub(super) fn bytes(&self) -> Option<(String, &[u8])> {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.there.as_ref().map(|(source, _)| (name, source.text().as_bytes()))
    }

    /// Writes `lock` if it changed and writing is wanted. The file keeps its mode. A recipe without inputs also gets a
    /// lock, because `--locked` needs one.
    ///
    /// Entries that another run wrote in the meantime stay, except those that this run changed.
    pub(super) fn keep(&mut self, lock: &Lock) -> Result<(), Failed> {
        if !self.is_kept || (self.says(lock) && !self.tells_secrets()) {
            return Ok(());
        }
        // A link leads to the lock, and stays.
        let path = fs_err::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let folder = Dir::open(&recipe_folder(&path))?;
        // Held to the end, so that nobody else writes between reading and writing.
        let _held = FolderLock::acquire_folder(&folder, PATIENCE)?;
        let now = read(&self.path)?;
        let earlier = self.lock();
        let merged = lock.onto(&earlier, &now.as_ref().map(|(_, lock)| lock.clone()).unwrap_or_default());
        if now.as_ref().is_none_or(|(_, lock)| *lock != merged) || self.tells_secrets() {
            let text = merged.to_text();
            let name = path.file_name().expect("a lock's path ends with its name");
            let mode = folder.meta_if_there(name)?.map_or(MODE, |meta| meta.mode);
            write_atomic(&folder, name, text.as_bytes(), mode)?;
            self.there = Some((Source::new(&self.path.display().to_string(), &text), merged));
        } else {
            self.there = now;
        }
        Ok(())
    }

    /// The failure of a command that is useless without writing `lock`, if it cannot be written.
    pub(super) fn must_keep(&self, lock: &Lock) -> Result<(), Failed> {
        let Some(why) = self.obstacle.as_ref().filter(|_| self.lock() != *lock) else { return Ok(()) };
        let message = format!("cannot write `{}`: {why}", self.path.display());
        let help = "without this file `--offline` does not know what was fetched: make the folder writable, or copy \
            the recipe and its files to a folder that is";
        Err(Failure::new(FailureKind::Failed, message).with_help(help).into())
    }

    /// Whether it is from a version that wrote URLs with their queries.
    fn tells_secrets(&self) -> bool {
        let is_told = |line: &str| line.strip_prefix("- url: ").is_some_and(|url| url.contains('?'));
        self.there.as_ref().is_some_and(|(source, _)| source.text().lines().any(is_told))
    }

    fn says(&self, lock: &Lock) -> bool {
        self.there.as_ref().is_some_and(|(_, there)| there == lock)
    }
}

/// The lock in a file, with its text; `None` if there is no such file.
fn read(path: &Path) -> Result<Option<(Source, Lock)>, Failed> {
    match fs_err::symlink_metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
        // Reading a pipe would wait for somebody to write.
        Ok(_) if fs_err::metadata(path).is_ok_and(|there| !there.is_file()) => {
            Err(Failed::doing(format!("the lock `{}` is not a file", path.display())))
        }
        Ok(_) => {
            let source = read_source(path)?;
            let lock = read_lock(&source).map_err(|diagnostics| Failed::invalid(&source, diagnostics))?;
            Ok(Some((source, lock)))
        }
    }
}
