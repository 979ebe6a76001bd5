//! What an archive must have to replace another: RECIPE.md, `replaceArchive`, "Contract".

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

use globset::GlobSet;

use super::breach::Breach;
use super::member::{Member, MemberKind};
use super::program::{self, Mismatch};
use super::spool::Spool;
use crate::tar::{EntryPath, Limits, shown};
use crate::types::Platform;

/// The members of an archive by their paths below the chosen root.
pub(super) struct View<'a> {
    members: BTreeMap<EntryPath, &'a Member>,
    /// Folders, also those that have no entry of their own.
    folders: BTreeSet<EntryPath>,
}

/// What a path is after following links.
enum Found<'a> {
    File(&'a Member),
    Folder,
}

impl<'a> View<'a> {
    pub(super) fn new(members: BTreeMap<EntryPath, &'a Member>) -> Self {
        let mut folders = BTreeSet::new();
        for (path, member) in &members {
            if member.kind == MemberKind::Folder {
                folders.insert(path.clone());
            }
            for ancestor in path.ancestors() {
                if !folders.insert(ancestor) {
                    break;
                }
            }
        }
        Self { members, folders }
    }

    pub(super) fn members(&self) -> &BTreeMap<EntryPath, &'a Member> {
        &self.members
    }

    /// Every path, including folders without an entry.
    pub(super) fn paths(&self) -> BTreeSet<&EntryPath> {
        self.members.keys().chain(&self.folders).collect()
    }

    pub(super) fn has(&self, path: &EntryPath) -> bool {
        self.members.contains_key(path) || self.folders.contains(path)
    }

    /// Follows links by their text, at most as often as Linux does.
    fn resolve(&self, path: &EntryPath) -> Option<Found<'a>> {
        let mut hops = 0;
        let mut place: Vec<Vec<u8>> = Vec::new();
        let mut todo: Vec<Vec<u8>> = path.components().rev().map(<[u8]>::to_vec).collect();
        while let Some(component) = todo.pop() {
            place.push(component);
            let here = EntryPath::from_components(&place)?;
            let Some(Member { kind: MemberKind::Symlink { target }, .. }) = self.members.get(&here) else { continue };
            hops += 1;
            if hops > 40 {
                return None;
            }
            let lead = here.leads_to(target)?;
            todo.extend(lead.into_iter().rev());
            if todo.len() > Limits::DEPTH {
                return None;
            }
            place.clear();
        }
        let Some(path) = EntryPath::from_components(&place) else { return Some(Found::Folder) };
        match self.members.get(&path) {
            Some(member) if member.file_size().is_some() => Some(Found::File(member)),
            _ => self.folders.contains(&path).then_some(Found::Folder),
        }
    }
}

/// Other results of the comparison than the breaches.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) breaches: Vec<Breach>,
    pub(super) missing_allowed: Vec<EntryPath>,
}

/// Compares the new archive with the old one; breaches are sorted by path.
pub(super) fn compare(
    old: &View<'_>,
    new: &View<'_>,
    spool: &Spool,
    allow_missing: &GlobSet,
    platform: &Platform,
) -> io::Result<Findings> {
    let mut findings = Findings::default();
    for path in old.paths() {
        if new.has(path) {
            findings.breaches.extend(fallen_short(old, new, path));
        } else if allow_missing.is_match(as_os_path(path)) {
            findings.missing_allowed.push(path.clone());
        } else {
            findings.breaches.push(Breach::Missing(path.clone()));
        }
    }
    for (path, member) in new.members() {
        if member.file_size().is_none() || member.mode & 0o111 == 0 {
            continue;
        }
        let mut head = Vec::new();
        spool.content(member).take(program::HEAD as u64).read_to_end(&mut head)?;
        match program::check(&head, platform) {
            Ok(()) => {}
            Err(Mismatch::NoProgram(why)) => findings.breaches.push(Breach::NoProgram { path: path.clone(), why }),
            Err(Mismatch::Other { found, expected }) => {
                findings.breaches.push(Breach::OtherMachine { path: path.clone(), found, expected });
            }
        }
    }
    findings.breaches.sort_by(|a, b| a.path().cmp(b.path()));
    Ok(findings)
}

fn fallen_short(old: &View<'_>, new: &View<'_>, path: &EntryPath) -> Option<Breach> {
    // A link out of the old archive cannot be checked.
    let was = old.resolve(path)?;
    let path = path.clone();
    match (was, new.resolve(&path)) {
        (_, None) => {
            let target = match &new.members.get(&path)?.kind {
                MemberKind::Symlink { target } => shown(target),
                MemberKind::File { .. } | MemberKind::Folder | MemberKind::HardLink { .. } => return None,
            };
            Some(Breach::Dangling { path, target })
        }
        (Found::Folder, Some(Found::File(_))) => Some(Breach::Kind { path, was: "a folder", is: "a file" }),
        (Found::File(_), Some(Found::Folder)) => Some(Breach::Kind { path, was: "a file", is: "a folder" }),
        (Found::Folder, Some(Found::Folder)) => None,
        (Found::File(was), Some(Found::File(is))) => {
            let lost = was.mode & 0o111 & !is.mode;
            (lost != 0).then_some(Breach::LessExecutable { path, was: was.mode, is: is.mode })
        }
    }
}

fn as_os_path(path: &EntryPath) -> &std::path::Path {
    use std::os::unix::ffi::OsStrExt;
    std::path::Path::new(std::ffi::OsStr::from_bytes(path.as_bytes()))
}
