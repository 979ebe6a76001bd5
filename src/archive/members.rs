//! From the entries of an archive to its members: each path once, and nothing below a path that is not a folder.

use std::collections::HashMap;
use std::fs::File;
use std::io::Seek;

use super::error::ArchiveError;
use super::member::{Member, MemberKind};
use crate::tar::{Entries, Entry, EntryKind, EntryPath, Limits, Policy, Refusal, TarError};

/// Reads the members of the tar that `file` holds and sorts them by path.
pub(super) fn read_members(mut file: &File, limits: &Limits) -> Result<Vec<Member>, ArchiveError> {
    file.rewind().map_err(ArchiveError::Scratch)?;
    let mut entries = Entries::seeking(file, Policy::Files, limits);
    let mut found = Found::default();
    while let Some(entry) = entries.next_entry()? {
        found.take(entry, entries.offset())?;
    }
    let mut members = found.members;
    refuse_below_others(&mut members)?;
    members.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(members)
}

#[derive(Default)]
struct Found {
    members: Vec<Member>,
    by_path: HashMap<EntryPath, usize>,
}

impl Found {
    fn take(&mut self, entry: Entry, offset: u64) -> Result<(), TarError> {
        let Entry { path, kind, mode, size, .. } = entry;
        let (kind, mode, offset) = match kind {
            EntryKind::File => (MemberKind::File { size }, mode, offset),
            EntryKind::Folder => (MemberKind::Folder, mode, 0),
            EntryKind::Symlink { target } => (MemberKind::Symlink { target }, mode, 0),
            EntryKind::HardLink { target } => self.hard_link(target).map_err(|why| refused(&path, why))?,
            EntryKind::Whiteout => return Err(refused(&path, Refusal::Kind("a device"))),
        };
        if self.by_path.insert(path.clone(), self.members.len()).is_some() {
            return Err(refused(&path, Refusal::Twice));
        }
        self.members.push(Member { path, kind, mode, offset });
        Ok(())
    }

    fn hard_link(&self, target: EntryPath) -> Result<(MemberKind, u32, u64), Refusal> {
        let found = self.by_path.get(&target).map(|index| &self.members[*index]);
        let (target, size, file) = match found.map(|file| (&file.kind, file)) {
            Some((MemberKind::File { size }, file)) => (target, *size, file),
            Some((MemberKind::HardLink { target, size }, file)) => (target.clone(), *size, file),
            Some((MemberKind::Folder | MemberKind::Symlink { .. }, _)) | None => {
                return Err(Refusal::HardLink(target.to_string()));
            }
        };
        Ok((MemberKind::HardLink { target, size }, file.mode, file.offset))
    }
}

/// Refuses a member below a file or a link, whichever came first in the archive.
fn refuse_below_others(members: &mut [Member]) -> Result<(), TarError> {
    // In component order, the paths below a path come right after it.
    members.sort_unstable_by(|a, b| a.path.components().cmp(b.path.components()));
    let mut other: Option<&EntryPath> = None;
    for member in members.iter() {
        if let Some(other) = other.filter(|other| member.path.is_below(other)) {
            return Err(refused(&member.path, Refusal::BelowOther(other.to_string())));
        }
        other = match member.kind {
            MemberKind::Folder => None,
            MemberKind::File { .. } | MemberKind::Symlink { .. } | MemberKind::HardLink { .. } => Some(&member.path),
        };
    }
    Ok(())
}

fn refused(path: &EntryPath, why: Refusal) -> TarError {
    TarError::entry(path.as_bytes(), why)
}
