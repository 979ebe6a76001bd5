//! Two archives, member by member.

use std::cmp::Ordering;
use std::io::Read;

use super::change::{Kind, Mode, Thing};
use super::content::{Contents, Findings, Readable};
use super::path::name_text;
use super::{Change, DiffError, DiffPath};
use crate::archive::{Member, MemberKind, Spool};

/// Compares all members of two archives, in the order of their paths.
pub(super) fn compare(
    contents: &Contents<'_>,
    at: &DiffPath,
    (old, new): (&Spool, &Spool),
    depth: usize,
    found: &mut Findings,
) -> Result<(), DiffError> {
    let (mut olds, mut news) = (old.members().iter().peekable(), new.members().iter().peekable());
    loop {
        let order = match (olds.peek(), news.peek()) {
            (None, None) => return Ok(()),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(old), Some(new)) => old.path.cmp(&new.path),
        };
        let (gone, added) = match order {
            Ordering::Less => (olds.next(), None),
            Ordering::Greater => (None, news.next()),
            Ordering::Equal => (olds.next(), news.next()),
        };
        match (gone, added) {
            (Some(gone), Some(added)) => {
                let at = at.inner(gone.path.as_bytes());
                both(contents, &at, (old, gone), (new, added), depth, found)?;
            }
            (Some(gone), None) => found.add(&at.inner(gone.path.as_bytes()), Change::Removed { old: thing(gone) }),
            (None, Some(added)) => found.add(&at.inner(added.path.as_bytes()), Change::Added { new: thing(added) }),
            (None, None) => return Ok(()),
        }
    }
}

fn both(
    contents: &Contents<'_>,
    at: &DiffPath,
    (old_spool, old): (&Spool, &Member),
    (new_spool, new): (&Spool, &Member),
    depth: usize,
    found: &mut Findings,
) -> Result<(), DiffError> {
    if kind(old) != kind(new) {
        found.add(at, Change::Kind { old: kind(old), new: kind(new) });
    }
    if old.file_size().is_some() && new.file_size().is_some() {
        let (old_content, new_content) = (InSpool(old_spool, old), InSpool(new_spool, new));
        contents.compare(at, new.path.as_bytes(), (&old_content, &new_content), depth + 1, found)?;
    }
    match (target(old), target(new)) {
        (Some(old), Some(new)) if old != new => {
            found.add(at, Change::Target { old: name_text(old), new: name_text(new) });
        }
        (Some(_), Some(_)) | (None, _) | (_, None) => {}
    }
    // The mode of a symlink has no meaning.
    if old.mode != new.mode && kind(old) != Kind::Symlink && kind(new) != Kind::Symlink {
        found.add(at, Change::Mode { old: Mode(old.mode), new: Mode(new.mode) });
    }
    Ok(())
}

fn kind(member: &Member) -> Kind {
    match member.kind {
        MemberKind::File { .. } => Kind::File,
        MemberKind::Folder => Kind::Folder,
        MemberKind::Symlink { .. } => Kind::Symlink,
        MemberKind::HardLink { .. } => Kind::HardLink,
    }
}

fn target(member: &Member) -> Option<&[u8]> {
    match &member.kind {
        MemberKind::Symlink { target } => Some(target),
        MemberKind::HardLink { target, .. } => Some(target.as_bytes()),
        MemberKind::File { .. } | MemberKind::Folder => None,
    }
}

fn thing(member: &Member) -> Thing {
    Thing { kind: kind(member), size: member.file_size() }
}

/// The content of a member.
pub(super) struct InSpool<'a>(pub(super) &'a Spool, pub(super) &'a Member);

impl Readable for InSpool<'_> {
    fn size(&self) -> u64 {
        self.1.file_size().unwrap_or(0)
    }

    fn open(&self) -> Result<Box<dyn Read + '_>, DiffError> {
        Ok(Box::new(self.0.content(self.1)))
    }
}
