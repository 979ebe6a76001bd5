//! Two entries of one path: what they are, what is in them, who may do what with them.

use super::change::{Kind, Mode, Thing};
use super::content::{Contents, Findings};
use super::path::name_text;
use super::side::Side;
use super::tree::{Entry, LayerFile};
use super::{Change, DiffError, DiffPath};

/// An entry with where its content is.
#[derive(Clone, Copy)]
pub(super) struct Located<'a> {
    pub(super) side: &'a Side,
    pub(super) path: &'a [u8],
    pub(super) entry: &'a Entry,
}

/// Compares what two images have at one path.
pub(super) fn compare(
    contents: &Contents<'_>,
    at: &DiffPath,
    old: Located<'_>,
    new: Located<'_>,
    with_times: bool,
    found: &mut Findings,
) -> Result<(), DiffError> {
    let (before, after) = (old.entry, new.entry);
    if before.kind != after.kind {
        found.add(at, Change::Kind { old: before.kind, new: after.kind });
    } else if before.kind == Kind::File {
        let path = old.path;
        let old_file = LayerFile { side: old.side, path, entry: before };
        let new_file = LayerFile { side: new.side, path, entry: after };
        let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
        contents.compare(at, name, (&old_file, &new_file), 0, found)?;
    }
    if let (Some(old), Some(new)) = (&before.target, &after.target)
        && old != new
    {
        found.add(at, Change::Target { old: name_text(old), new: name_text(new) });
    }
    let (old, new) = (before.meta, after.meta);
    // The mode of a symlink is the same on all of Linux, and if the type differs, the mode does not matter.
    if before.kind == after.kind && before.kind != Kind::Symlink && old.mode != new.mode {
        found.add(at, Change::Mode { old: Mode(old.mode), new: Mode(new.mode) });
    }
    if (old.uid, old.gid) != (new.uid, new.gid) {
        let owner = |meta: crate::disk::Meta| format!("{}:{}", meta.uid, meta.gid);
        found.add(at, Change::Owner { old: owner(old), new: owner(new) });
    }
    // A layer stores whole seconds.
    if with_times && old.mtime.rounded() != new.mtime.rounded() {
        found.add(at, Change::Time { old: old.mtime.rounded(), new: new.mtime.rounded() });
    }
    Ok(())
}

/// The entry as it is shown if only one side has it.
pub(super) fn thing(entry: &Entry) -> Thing {
    Thing { kind: entry.kind, size: entry.size() }
}
