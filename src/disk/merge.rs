//! Entries copied over what may be there already.

use std::ffi::OsStr;

use super::{CopyRules, Dir, DiskError, Kind, Owner, copy_entry, is_root};

/// Copies one entry as [`copy_entry`] does, over what may be there: a folder over a folder merges the two, with the
/// later one's mode, owner and time; everything else replaces what is there.
///
/// The time of `to` itself changes; a caller that must keep it sets it again.
pub(crate) fn merge_entry(
    from: &Dir,
    name: impl AsRef<OsStr>,
    to: &Dir,
    new: impl AsRef<OsStr>,
    rules: CopyRules,
) -> Result<(), DiskError> {
    let (name, new) = (name.as_ref(), new.as_ref());
    let meta = from.meta(name)?;
    match to.meta_if_there(new)? {
        None => return copy_entry(from, name, to, new, rules),
        Some(there) if there.kind == Kind::Folder && meta.kind == Kind::Folder => {}
        Some(_) => {
            to.remove_all(new)?;
            return copy_entry(from, name, to, new, rules);
        }
    }
    let (source, target) = (from.folder(name)?, to.folder(new)?);
    if source.is_opaque()? {
        to.remove_all(new)?;
        return copy_entry(from, name, to, new, rules);
    }
    for name in source.names()? {
        merge_entry(&source, &name, &target, &name, rules)?;
    }
    if is_root() {
        let (uid, gid) = match rules.owner {
            Owner::Kept => (meta.uid, meta.gid),
            Owner::Root => (0, 0),
        };
        target.set_own_owner(uid, gid)?;
    }
    target.set_own_mode(meta.mode)?;
    target.set_own_time(meta.mtime)
}
