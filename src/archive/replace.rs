//! Replaces one archive by another, under a contract.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::num::NonZeroUsize;

use globset::GlobSet;

use super::contract::{View, compare};
use super::error::ArchiveError;
use super::member::{Member, MemberKind};
use super::pack::{PackContent, PackEntry, pack};
use super::packed_form::PackedForm;
use super::spool::Spool;
use crate::tar::{EntryPath, Limits, Refusal, TarError, shown};
use crate::types::{Epoch, Platform};

/// How an archive is replaced by another.
#[derive(Debug, Clone)]
pub(crate) struct ReplaceOptions<'a> {
    /// The folder of the new archive whose content is used; `None` for all of it.
    pub root: Option<EntryPath>,
    /// Paths of the old archive that may be missing.
    pub allow_missing: &'a GlobSet,
    /// The platform that programs must be for.
    pub platform: &'a Platform,
    /// The time of all entries.
    pub epoch: Epoch,
    /// How the result is packed.
    pub form: PackedForm,
    /// Threads that compress; they do not change the result.
    pub threads: NonZeroUsize,
    /// Budgets of both archives.
    pub limits: Limits,
}

/// The outcome for each path; each list is sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ReplaceReport {
    /// Paths of both archives whose kind, mode or content differ.
    pub replaced: Vec<EntryPath>,
    /// Paths of both archives that are the same in both.
    pub unchanged: Vec<EntryPath>,
    /// Paths that only the new archive has.
    pub added: Vec<EntryPath>,
    /// Paths that only the old archive had, as `allowMissing` allows.
    pub missing_allowed: Vec<EntryPath>,
    /// Paths of the new archive that are not taken, as they do not are under the root.
    pub left_out: Vec<EntryPath>,
}

/// Packs `new` to `out`, which is not flushed, if it has everything that `old` had, equally executable, and its
/// programs run on the platform.
///
/// Both scratch files must be empty; they take the decompressed archives. Nothing is written to `out` on a breach.
pub(crate) fn replace(
    old: impl Read,
    new: impl Read,
    [old_scratch, new_scratch]: [File; 2],
    options: &ReplaceOptions<'_>,
    out: impl Write,
) -> Result<ReplaceReport, ArchiveError> {
    let old = Spool::fill(old, old_scratch, &options.limits).map_err(|error| ArchiveError::Old(Box::new(error)))?;
    let wrap = |error| ArchiveError::New(Box::new(error));
    let new = Spool::fill(new, new_scratch, &options.limits).map_err(wrap)?;
    let old_view = View::new(old.members().iter().map(|member| (member.path.clone(), member)).collect());
    let (taken, left_out) = under_root(&new, options.root.as_ref())?;
    let entries = entries(&new, &taken, options.root.as_ref()).map_err(wrap)?;
    let new_view = View::new(taken);

    let findings = compare(&old_view, &new_view, &new, options.allow_missing, options.platform);
    let findings = findings.map_err(ArchiveError::Scratch)?;
    if !findings.breaches.is_empty() {
        return Err(ArchiveError::Contract(findings.breaches));
    }
    let mut report = ReplaceReport { missing_allowed: findings.missing_allowed, left_out, ..ReplaceReport::default() };
    for path in new_view.paths() {
        let list = match (old_view.members().get(path), new_view.members().get(path)) {
            _ if !old_view.has(path) => &mut report.added,
            (Some(was), Some(is)) if !same((&old, was), (&new, is)).map_err(ArchiveError::Scratch)? => {
                &mut report.replaced
            }
            // A folder that only one archive has as an entry counts as unchanged: there is nothing to compare.
            _ => &mut report.unchanged,
        };
        list.push(path.clone());
    }
    pack(entries, options.form, options.epoch, options.threads, out)?;
    Ok(report)
}

type Taken<'a> = BTreeMap<EntryPath, &'a Member>;

/// The members below the root, by their paths from there, and the paths that are not taken.
fn under_root<'a>(spool: &'a Spool, root: Option<&EntryPath>) -> Result<(Taken<'a>, Vec<EntryPath>), ArchiveError> {
    let members = spool.members().iter();
    let Some(root) = root else {
        return Ok((members.map(|member| (member.path.clone(), member)).collect(), Vec::new()));
    };
    let mut taken = BTreeMap::new();
    let mut left_out = Vec::new();
    for member in members {
        match member.path.below(root) {
            Some(path) => {
                taken.insert(path, member);
            }
            None if member.path == *root && member.kind == MemberKind::Folder => {}
            // The parent folders of the root have no content of their own.
            None if root.is_below(&member.path) => {}
            None => left_out.push(member.path.clone()),
        }
    }
    if taken.is_empty() {
        let tops = spool.members().iter().filter_map(|member| member.path.components().next());
        let mut top: Vec<String> = tops.map(shown).collect();
        top.dedup();
        return Err(ArchiveError::Root { root: root.to_string(), top });
    }
    Ok((taken, left_out))
}

fn entries<'a>(
    spool: &'a Spool,
    taken: &Taken<'a>,
    root: Option<&EntryPath>,
) -> Result<Vec<PackEntry<'a>>, ArchiveError> {
    let entry_of = |(path, member): (&EntryPath, &&'a Member)| {
        let content = match &member.kind {
            MemberKind::File { .. } => PackContent::Slice(spool.content(member)),
            MemberKind::Folder => PackContent::Folder,
            MemberKind::Symlink { target } => {
                // Without its upper folders, such a link would lead to another place than before.
                let leaves = target.first() != Some(&b'/') && path.leads_to(target).is_none();
                if root.is_some() && leaves {
                    return Err(refused(member, Refusal::LinkLeavesRoot(shown(target))));
                }
                PackContent::Symlink(target.clone())
            }
            MemberKind::HardLink { target, .. } => {
                let inside = root.map_or(Some(target.clone()), |root| target.below(root));
                let outside = || refused(member, Refusal::LinkOutsideRoot(target.to_string()));
                PackContent::HardLink(inside.ok_or_else(outside)?)
            }
        };
        Ok(PackEntry { path: path.clone(), mode: member.mode, content })
    };
    taken.iter().map(entry_of).collect()
}

fn refused(member: &Member, why: Refusal) -> ArchiveError {
    ArchiveError::Tar(TarError::entry(member.path.as_bytes(), why))
}

/// Whether two members are of one kind, mode and content; by which name a file is stored does not matter.
fn same((old, was): (&Spool, &Member), (new, is): (&Spool, &Member)) -> io::Result<bool> {
    match (was.file_size(), is.file_size()) {
        (None, None) => Ok(was.kind == is.kind && (was.mode == is.mode || was.kind != MemberKind::Folder)),
        (Some(old_size), Some(new_size)) if old_size == new_size && was.mode == is.mode => {
            let (mut old, mut new) = (old.content(was), new.content(is));
            let (mut one, mut other) = (vec![0; 64 << 10], vec![0; 64 << 10]);
            let mut left = old_size;
            while left > 0 {
                let count = usize::try_from(left).unwrap_or(usize::MAX).min(one.len());
                old.read_exact(&mut one[..count])?;
                new.read_exact(&mut other[..count])?;
                if one[..count] != other[..count] {
                    return Ok(false);
                }
                left -= count as u64;
            }
            Ok(true)
        }
        _ => Ok(false),
    }
}

#[cfg(test)]
mod tests;
