//! Copies a file in the cheapest safe way.

use std::ffi::OsStr;
use std::io;

use rustix::io::Errno;

use super::{Dir, DiskError, Meta};

/// Whether unchanged files may share their bytes with where they come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Sharing {
    /// Reflink if the file system can; else a hard link if owner, mode and time stay the same; else a copy.
    #[default]
    Auto,
    /// Always a copy.
    Copy,
    /// For previews only: the original is not shared, and of a file with more than this many bytes only the size is
    /// copied. Never use it for a layer.
    Outline(u64),
}

/// How a file was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shared {
    /// Its blocks are shared until one is written (FICLONE).
    Reflinked,
    /// It is the same file under a second name: it must never be written in place.
    Linked,
    /// Its bytes were copied.
    Copied,
    /// It has the same size, but no content.
    Outlined,
}

/// Puts the regular file `name` of `from` as `new`, which is not there yet, into `to`, with mode, owner and time of
/// `wanted` (its other fields are ignored).
///
/// A hard link is only made if the file already has all of these, because all its names share them. Without root the
/// owner stays our own.
pub(crate) fn share_file(
    from: &Dir,
    name: impl AsRef<OsStr>,
    to: &Dir,
    new: impl AsRef<OsStr>,
    wanted: &Meta,
    sharing: Sharing,
) -> Result<Shared, DiskError> {
    let (name, new) = (name.as_ref(), new.as_ref());
    let mut source = from.open_file(name)?;
    let there = from.meta(name)?;
    let root = super::is_root();
    let same_owner = !root || (there.uid, there.gid) == (wanted.uid, wanted.gid);
    let linkable = same_owner && there.mode == wanted.mode && there.mtime == wanted.mtime;

    let mut target = to.create_file(new, 0o600)?;
    let reflinked = match sharing {
        Sharing::Outline(limit) if there.size > limit => false,
        Sharing::Auto | Sharing::Outline(_) => match rustix::fs::ioctl_ficlone(&target, &source) {
            Ok(()) => true,
            // Errors of file systems that cannot do it: other kind, other disk, other block size, inline data.
            Err(Errno::OPNOTSUPP | Errno::NOTTY | Errno::XDEV | Errno::INVAL | Errno::NOSYS | Errno::PERM) => false,
            Err(error) => return Err(to.error("share blocks with", new, error)),
        },
        Sharing::Copy => false,
    };
    let shared = if reflinked {
        Shared::Reflinked
    } else if matches!(sharing, Sharing::Outline(limit) if there.size > limit) {
        target.set_len(there.size).map_err(|error| to.error("set the length of", new, error))?;
        Shared::Outlined
    } else {
        if sharing == Sharing::Auto && linkable {
            to.remove_file(new)?;
            if link_or_not(from, name, to, new)? {
                return Ok(Shared::Linked);
            }
            target = to.create_file(new, 0o600)?;
        }
        let copied = io::copy(&mut source, &mut target).map_err(|error| to.error("write", new, error))?;
        if copied != there.size {
            let changed = io::Error::other("it changed while it was read");
            return Err(from.error("copy", name, changed));
        }
        Shared::Copied
    };
    drop(target);
    if root {
        to.set_owner(new, wanted.uid, wanted.gid)?;
    }
    to.set_mode(new, wanted.mode)?;
    to.set_time(new, wanted.mtime)?;
    Ok(shared)
}

/// Whether a hard link could be made; false if the file system or the system's rules forbid it.
fn link_or_not(from: &Dir, name: &OsStr, to: &Dir, new: &OsStr) -> Result<bool, DiskError> {
    match from.link(name, to, new) {
        Ok(()) => Ok(true),
        Err(DiskError::Io { source, .. })
            if matches!(
                Errno::from_io_error(&source),
                Some(Errno::XDEV | Errno::MLINK | Errno::PERM | Errno::OPNOTSUPP | Errno::ACCESS)
            ) =>
        {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}
