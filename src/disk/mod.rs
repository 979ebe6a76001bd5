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

pub use atomic::{Unfinished, place, write_atomic};
pub use copy::{CopyRules, Owner, copy_entry};
pub use dir::Dir;
pub use entry::{FileTime, Kind, Meta};
pub use error::DiskError;
pub use lock::{Lock, LockMode};
pub use merge::merge_entry;
pub use share::{Shared, Sharing, share_file};
pub use walk::{MAX_DEPTH, is_all_of_root, tree_size};
pub use way::Way;

/// Whether this process may give files away and make trusted attributes: it runs as root.
#[must_use]
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
