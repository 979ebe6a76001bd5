//! All access to the file system is here: through directory handles, never through a symlink, with every return value
//! checked.
//!
//! A [`Dir`] is an open folder. Names below it are single components ([`Dir`] refuses everything else), or walked one
//! by one with `openat2` (`RESOLVE_BENEATH`, `RESOLVE_NO_SYMLINKS`), so nothing from outside can lead out of it, even
//! while somebody swaps a folder for a symlink.

mod atomic;
mod copy;
mod dir;
mod entry;
mod error;
mod lock;
mod merge;
mod share;
#[cfg(test)]
mod tests;
mod walk;
mod way;

pub(crate) use atomic::{Unfinished, place, write_atomic};
pub(crate) use copy::{CopyRules, Owner, copy_entry};
pub(crate) use dir::{Dir, complete_file};
pub(crate) use entry::{FileTime, Kind, Meta};
pub(crate) use error::DiskError;
pub(crate) use lock::{Lock, LockMode};
pub(crate) use merge::merge_entry;
pub(crate) use share::Sharing;
pub(crate) use share::share_file;
pub(crate) use walk::{MAX_DEPTH, is_all_of_root, tree_size};
pub(crate) use way::Way;

/// Whether this process may give files away and make trusted attributes: it runs as root.
#[must_use]
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
