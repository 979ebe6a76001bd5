//! The changes of a folder between two moments.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Serialize;
use similar::TextDiff;

use crate::disk::DiskError;
use crate::types::printable;

use super::snapshot::{Entry, EntryKind, Snapshot, entries};

/// Larger files, in bytes, are not compared line by line.
const MAX_TEXT: u64 = 1 << 20;
/// The number of shown lines around a change.
const AROUND: usize = 3;

/// A change of a path in the context.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Change {
    /// The path in the context; parts that are not UTF-8 are replaced.
    pub path: String,
    /// What happened.
    #[serde(flatten)]
    pub kind: ChangeKind,
    /// The changed lines if both are text: a unified diff.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
}

/// What happened to a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "change")]
pub(crate) enum ChangeKind {
    /// It is new.
    Made {
        /// What it is now.
        new: Facts,
    },
    /// It changed.
    Changed {
        /// What it was.
        old: Facts,
        /// What it is now.
        new: Facts,
    },
    /// It gets this content; it is not known yet whether something is there before.
    Written {
        /// What it is then, if it does not keep the mode of an earlier file.
        new: Facts,
    },
    /// It is gone.
    Removed {
        /// What it was.
        old: Facts,
    },
    /// It was moved from another path.
    Moved {
        /// Its old path.
        from: String,
    },
}

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Facts {
    /// `file`, `folder`, `symlink` or `other`.
    pub kind: &'static str,
    /// Permission bits in octal.
    pub mode: String,
    /// The size in bytes, of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// The target of a symlink.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

impl Facts {
    fn of(entry: &Entry) -> Self {
        let (kind, size, target) = match &entry.kind {
            EntryKind::File => ("file", Some(entry.size), None),
            EntryKind::Folder => ("folder", None, None),
            EntryKind::Symlink(target) => ("symlink", None, Some(target.to_string_lossy().into_owned())),
            EntryKind::Other => ("other", None, None),
        };
        Self { kind, mode: format!("{:04o}", entry.mode), size, target }
    }
}

impl Change {
    /// The same change for a path whose earlier content was only a stand-in.
    pub(super) fn unseen(self) -> Self {
        let kind = match self.kind {
            ChangeKind::Made { new } | ChangeKind::Changed { new, .. } => ChangeKind::Written { new },
            kind @ (ChangeKind::Written { .. } | ChangeKind::Removed { .. } | ChangeKind::Moved { .. }) => kind,
        };
        Self { kind, ..self }
    }
}

/// The changes in `context` since `before`, by path.
pub(super) fn since(before: &Snapshot, context: &Path) -> Result<Vec<Change>, DiskError> {
    let after = entries(context)?;
    let gone = |path: &&PathBuf| !after.contains_key(*path);
    let mut left: BTreeMap<u64, &PathBuf> =
        before.entries.keys().filter(gone).map(|path| (before.entries[path].number, path)).collect();
    let mut moved: BTreeSet<&PathBuf> = BTreeSet::new();
    let mut changes = Vec::new();
    for (path, new) in &after {
        let shown = path.to_string_lossy().into_owned();
        let Some(old) = before.entries.get(path) else {
            let kind = match left.remove(&new.number) {
                Some(from) if before.entries[from] == *new => {
                    moved.insert(from);
                    ChangeKind::Moved { from: from.to_string_lossy().into_owned() }
                }
                Some(_) | None => ChangeKind::Made { new: Facts::of(new) },
            };
            let is_made = matches!(kind, ChangeKind::Made { .. });
            // A folder that is made for a file in it is not shown separately.
            if is_made && new.kind == EntryKind::Folder && holds(&after, path) {
                continue;
            }
            let diff = is_made.then(|| diff(None, Some((&context.join(path), new)), &shown)).flatten();
            changes.push(Change { path: shown, kind, diff });
            continue;
        };
        let is_folder = new.kind == EntryKind::Folder && old.kind == EntryKind::Folder;
        if old == new || (is_folder && old.mode == new.mode) {
            continue;
        }
        let diff = diff(Some((&before.path(path), old)), Some((&context.join(path), new)), &shown);
        changes.push(Change {
            path: shown,
            kind: ChangeKind::Changed { old: Facts::of(old), new: Facts::of(new) },
            diff,
        });
    }
    for (path, old) in before.entries.iter().filter(|(path, _)| gone(path)) {
        // What is removed or moved with its folder is not shown separately.
        let with_folder =
            path.parent().is_some_and(|parent| before.entries.contains_key(parent) && gone(&&parent.to_owned()));
        if !with_folder && !moved.contains(path) {
            let shown = path.to_string_lossy().into_owned();
            changes.push(Change { path: shown, kind: ChangeKind::Removed { old: Facts::of(old) }, diff: None });
        }
    }
    changes.retain(|change| !is_within_moved(change, &moved, &after));
    changes.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(changes)
}

fn holds(entries: &BTreeMap<PathBuf, Entry>, folder: &Path) -> bool {
    entries.keys().any(|path| path.parent() == Some(folder))
}

/// Whether something moved because its folder was moved as a whole.
fn is_within_moved(change: &Change, moved: &BTreeSet<&PathBuf>, after: &BTreeMap<PathBuf, Entry>) -> bool {
    let ChangeKind::Moved { from } = &change.kind else { return false };
    let parent = Path::new(from).parent().map(Path::to_owned);
    let is_folder_there = Path::new(&change.path).parent().is_some_and(|parent| after.contains_key(parent));
    parent.is_some_and(|parent| moved.contains(&parent)) && is_folder_there
}

/// The lines that differ, if both are text that is not too long.
fn diff(old: Option<(&Path, &Entry)>, new: Option<(&Path, &Entry)>, name: &str) -> Option<String> {
    let (before, after) = (text(old)?, text(new)?);
    if before == after {
        return None;
    }
    let name = printable(name);
    let name_of = |side: Option<_>| if side.is_some() { name.as_ref() } else { "/dev/null" };
    let diff = TextDiff::from_lines(&before, &after);
    Some(diff.unified_diff().context_radius(AROUND).header(name_of(old), name_of(new)).to_string())
}

/// A file's text; `None` if it is not text, is too long or is not a file. If nothing is there, the text is empty.
fn text(file: Option<(&Path, &Entry)>) -> Option<String> {
    let Some((path, entry)) = file else { return Some(String::new()) };
    if entry.kind != EntryKind::File || entry.size > MAX_TEXT {
        return None;
    }
    let text = String::from_utf8(fs_err::read(path).ok()?).ok()?;
    (!text.contains('\0')).then_some(text)
}
