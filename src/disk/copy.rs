//! Copies of tree entries as layers need them.

use std::ffi::OsStr;

use super::walk::check_depth;
use super::{Dir, DiskError, Kind, Meta, Sharing, share_file};

/// Who owns the copies if we are root; otherwise our own user owns everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// Who owns the original.
    Kept,
    /// Root: what COPY makes is 0:0.
    Root,
}

/// How entries are copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CopyRules {
    /// Whether unchanged files share their bytes.
    pub sharing: Sharing,
    /// Who owns the copies.
    pub owner: Owner,
}

impl CopyRules {
    fn apply(self, meta: &Meta) -> Meta {
        match self.owner {
            Owner::Kept => *meta,
            Owner::Root => Meta { uid: 0, gid: 0, ..*meta },
        }
    }
}

/// Copies one entry, a folder with all that is in it: mode (setuid too), time to the nanosecond, symlinks, whiteouts
/// and `trusted.overlay.opaque`. `new` must not exist yet. Sockets, FIFOs and other devices are refused by name.
///
/// Other attributes are not copied: a layer does not store them.
pub(crate) fn copy_entry(
    from: &Dir,
    name: impl AsRef<OsStr>,
    to: &Dir,
    new: impl AsRef<OsStr>,
    rules: CopyRules,
) -> Result<(), DiskError> {
    copy_at(from, name.as_ref(), to, new.as_ref(), rules, 0)
}

fn copy_at(from: &Dir, name: &OsStr, to: &Dir, new: &OsStr, rules: CopyRules, depth: usize) -> Result<(), DiskError> {
    let wanted = rules.apply(&from.meta(name)?);
    let root = super::is_root();
    match wanted.kind {
        Kind::File => {
            share_file(from, name, to, new, &wanted, rules.sharing)?;
            return Ok(());
        }
        Kind::Folder => {
            let source = from.folder(name)?;
            check_depth(&source, depth)?;
            let copy = to.make_folder(new, 0o700)?;
            if source.is_opaque()? {
                copy.set_opaque()?;
            }
            for name in source.names()? {
                copy_at(&source, &name, &copy, &name, rules, depth + 1)?;
            }
            if root {
                copy.set_own_owner(wanted.uid, wanted.gid)?;
            }
            copy.set_own_mode(wanted.mode)?;
            return copy.set_own_time(wanted.mtime);
        }
        Kind::Symlink => to.make_symlink(new, &from.read_link(name)?)?,
        Kind::Whiteout => to.make_whiteout(new)?,
        Kind::Special(what) => return Err(DiskError::Special { path: from.path().join(name), what }),
    }
    if root {
        to.set_owner(new, wanted.uid, wanted.gid)?;
    }
    if wanted.kind == Kind::Whiteout {
        to.set_mode(new, wanted.mode)?;
    }
    to.set_time(new, wanted.mtime)
}
