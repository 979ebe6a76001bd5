//! The real sealer next to this program, which runs the commands on clusters.
//!
//! It is the program in `SEALER_UPSTREAM`, else the next `sealer` on `PATH` after this program. Files are compared by
//! device and inode, so links to this program count as this program. Parts of `PATH` that are not absolute paths depend
//! on the current folder and are not searched.

use std::env;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::process::is_executable;

/// Names the program.
pub(crate) const VARIABLE: &str = "SEALER_UPSTREAM";

/// The places where the other sealer is searched.
#[derive(Debug, Clone, Default)]
pub(crate) struct UpstreamPlaces {
    /// The path in `SEALER_UPSTREAM`, if it is set.
    pub named: Option<PathBuf>,
    /// `PATH`.
    pub path: OsString,
    /// The name that this program was called by: without a `/`, it was looked up on `PATH`.
    pub called: OsString,
    /// This program.
    pub own: PathBuf,
}

/// Why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoUpstream {
    /// The named one cannot be used: the reason, to follow its path in a message.
    Named(PathBuf, &'static str),
    /// There is none on `PATH`; the number of parts that were not searched.
    NotOnPath(usize),
}

impl UpstreamPlaces {
    /// As the environment has them.
    #[must_use]
    pub(crate) fn from_env() -> Self {
        Self {
            named: env::var_os(VARIABLE).filter(|program| !program.is_empty()).map(PathBuf::from),
            path: env::var_os("PATH").unwrap_or_default(),
            called: env::args_os().next().unwrap_or_default(),
            // The kernel's link, which also works if the file was replaced in the meantime.
            own: PathBuf::from("/proc/self/exe"),
        }
    }

    /// The other sealer.
    pub(crate) fn find(&self) -> Result<PathBuf, NoUpstream> {
        let own = identity(&self.own);
        if let Some(program) = &self.named {
            return usable(program, own).map_err(|why| NoUpstream::Named(program.clone(), why));
        }
        let (folders, relative): (Vec<_>, Vec<_>) =
            env::split_paths(&self.path).partition(|folder| folder.is_absolute());
        let programs: Vec<_> = folders.iter().map(|folder| folder.join("sealer")).collect();
        let was_looked_up = !self.called.as_bytes().contains(&b'/');
        let place = programs.iter().position(|program| was_looked_up && own.is_some() && identity(program) == own);
        let mut behind = programs.into_iter().skip(place.map_or(0, |place| place + 1));
        let is_other = |program: &PathBuf| {
            identity(program).is_some_and(|identity| Some(identity) != own) && is_executable(program)
        };
        behind.find(is_other).ok_or(NoUpstream::NotOnPath(relative.len()))
    }
}

fn usable(program: &Path, own: Option<(u64, u64)>) -> Result<PathBuf, &'static str> {
    if !program.is_absolute() {
        return Err("which is not an absolute path");
    }
    match identity(program) {
        None => Err("which is not an existing file"),
        identity if identity == own => Err("which is this program itself: set it to a real sealer"),
        Some(_) if !is_executable(program) => Err("which cannot be executed"),
        Some(_) => Ok(program.to_owned()),
    }
}

/// The identity of a program's file: device and inode.
fn identity(path: &Path) -> Option<(u64, u64)> {
    fs_err::metadata(path).ok().filter(std::fs::Metadata::is_file).map(|file| (file.dev(), file.ino()))
}
