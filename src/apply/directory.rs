//! Copies a folder next to the recipe into the context folder.
//!
//! The files in it come from a checkout or from a person's work. Their owner, their times and most of their mode depend
//! on that and are not intended, so the image does not get them.

use std::ffi::OsStr;
use std::io;
use std::path::Path;

use crate::disk::{Dir, DiskError, FileTime, Kind, MAX_DEPTH, Meta, Sharing, Way, is_root, share_file};
use crate::steps::{Beside, BesideContent};
use crate::types::{ContextPath, Digest, DigestWriter, Failure, FailureKind, nearest};

/// Opens the folder `path` of the recipe's folder. No symlink is followed on the way: it could lead anywhere.
pub(super) fn open(recipe_folder: &Path, path: &ContextPath) -> Result<Dir, Failure> {
    let mut folder = Dir::open(recipe_folder)?;
    let mut walked = ContextPath::root();
    for part in path.parts() {
        let here = walked.join(&part.parse().expect("a part of a path is one"));
        let Some(meta) = folder.meta_if_there(part)? else {
            let message = format!("`{here}` is not in the recipe's folder");
            let failure = Failure::new(FailureKind::Failed, message);
            return Err(match similar(&folder, part) {
                Some(near) => failure.with_help(format!("did you mean `{}`?", walked.join(&near))),
                None => failure,
            });
        };
        let found = match meta.kind {
            Kind::Folder => {
                folder = folder.folder(part)?;
                walked = here;
                continue;
            }
            Kind::Symlink => "symlink, which is not followed",
            Kind::File => "file",
            Kind::Whiteout => "device",
            Kind::Special(what) => what,
        };
        let message = format!("`{here}` is a {found}: expected a folder in the recipe's folder");
        return Err(Failure::new(FailureKind::Failed, message));
    }
    Ok(folder)
}

/// The folder whose name is nearest to one that is not there.
fn similar(folder: &Dir, name: &str) -> Option<ContextPath> {
    let mut names = folder.names().ok()?;
    names.retain(|name| folder.meta(name).is_ok_and(|meta| meta.kind == Kind::Folder));
    nearest(name, names.iter().filter_map(|name| name.to_str()))?.parse().ok()
}

/// Copies everything in `folder` to the folder `to` of `context`, over what may be there. Existing folders keep their
/// mode, owner and time.
pub(super) fn gather(
    folder: &Dir,
    to: &ContextPath,
    context: &Dir,
    time: FileTime,
    beside: &Beside,
) -> Result<(), Failure> {
    let names = folder.names()?;
    if names.is_empty() {
        let message = format!("there is nothing in `{}`", folder.path().display());
        return Err(Failure::new(FailureKind::Failed, message));
    }
    let target = Way::open(context, to, time)?;
    for name in names {
        copy(folder, &name, target.folder(), Taken { time, beside }, 0, to.as_path())?;
    }
    Ok(target.finish()?)
}

/// Makes sure that files can be put into the folder `to` of `context`: every part of its path is a folder or is
/// missing.
pub(super) fn check_target(to: &ContextPath, context: &Dir) -> Result<(), Failure> {
    let mut folder = context.duplicate()?;
    let mut walked = ContextPath::root();
    for part in to.parts() {
        let Some(meta) = folder.meta_if_there(part)? else { return Ok(()) };
        walked = walked.join(&part.parse().expect("a part of a path is one"));
        if meta.kind != Kind::Folder {
            let what = if meta.kind == Kind::Symlink { "symlink" } else { "file" };
            let message = format!("`{walked}` is a {what} in the context, expected a folder to put files into");
            let help = "an earlier entry put it there: `to` names a folder, and the file keeps its name in it";
            return Err(Failure::new(FailureKind::Failed, message).with_help(help));
        }
        folder = folder.folder(part)?;
    }
    Ok(())
}

/// Settings for everything that is copied.
#[derive(Clone, Copy)]
struct Taken<'a> {
    /// The time that everything gets.
    time: FileTime,
    /// The receiver of events.
    beside: &'a Beside,
}

/// Copies one entry of a folder that is `depth` folders below the copied one; `here` is the path of `to` in the
/// context.
fn copy(from: &Dir, name: &OsStr, to: &Dir, taken: Taken<'_>, depth: usize, here: &Path) -> Result<(), Failure> {
    let meta = from.meta(name)?;
    if meta.kind == Kind::Folder {
        return copy_folder(from, name, to, taken, depth + 1, here);
    }
    // A wrong name must not remove a whole folder of a base.
    if to.meta_if_there(name)?.is_some_and(|there| there.kind == Kind::Folder) {
        let (file, there) = (from.path().join(name), here.join(name));
        let what = if meta.kind == Kind::Symlink { "symlink" } else { "file" };
        let message = format!(
            "`{}` is a folder in the context, and `{}`, a {what}, would take its place",
            there.display(),
            file.display()
        );
        let help = "give it another name, or leave the folder out of the earlier entry";
        return Err(Failure::new(FailureKind::Failed, message).with_help(help));
    }
    to.remove_all(name)?;
    let copied = match meta.kind {
        Kind::Symlink => {
            let target = from.read_link(name)?;
            if !stays_inside(&target, depth) {
                let (link, target) = (from.path().join(name), String::from_utf8_lossy(&target));
                let message = format!("`{}` is a symlink to `{target}`, outside of the folder", link.display());
                let help = "copy its target into the folder, or remove the symlink";
                return Err(Failure::new(FailureKind::Failed, message).with_help(help));
            }
            copy_symlink(&target, to, name, taken.time).map(|()| BesideContent::Symlink(target))
        }
        Kind::File => {
            let mode = if meta.mode & 0o100 == 0 { 0o644 } else { 0o755 };
            let wanted = Meta { mode, uid: 0, gid: 0, mtime: taken.time, ..meta };
            // This is never a hard link to the user's own file: an edit of that file must not change a layer.
            let copied = share_file(from, name, to, name, &wanted, Sharing::Copy);
            let digest = copied.and_then(|_| digest_of(to, name));
            digest.map(|digest| BesideContent::File { digest, is_executable: mode == 0o755 })
        }
        Kind::Whiteout => Err(DiskError::Special { path: from.path().join(name), what: "device" }),
        Kind::Special(what) => Err(DiskError::Special { path: from.path().join(name), what }),
        Kind::Folder => return Ok(()),
    };
    let content = copied?;
    let path = from.path().join(name);
    taken.beside.add(path.strip_prefix(taken.beside.folder()).unwrap_or(&path), content);
    Ok(())
}

/// The sha256 of a file that was just copied; the original may have changed already.
fn digest_of(folder: &Dir, name: &OsStr) -> Result<Digest, DiskError> {
    let mut hashing = DigestWriter::new(io::sink());
    let read = io::copy(&mut folder.open_file(name)?, &mut hashing);
    read.map_err(|error| DiskError::io("read", folder.path().join(name), error))?;
    Ok(hashing.finish().1)
}

fn copy_folder(from: &Dir, name: &OsStr, to: &Dir, taken: Taken<'_>, depth: usize, here: &Path) -> Result<(), Failure> {
    let source = from.folder(name)?;
    if depth > MAX_DEPTH {
        return Err(DiskError::Deep { path: source.path().to_owned(), limit: MAX_DEPTH }.into());
    }
    let (target, time_of_target) = folder_in(to, name, taken.time)?;
    let below = here.join(name);
    for name in source.names()? {
        copy(&source, &name, &target, taken, depth, &below)?;
    }
    Ok(target.set_own_time(time_of_target)?)
}

/// The folder with this name, and the time that it has in the end.
fn folder_in(to: &Dir, name: &OsStr, time: FileTime) -> Result<(Dir, FileTime), DiskError> {
    if let Some(there) = to.meta_if_there(name)? {
        if there.kind == Kind::Folder {
            return Ok((to.folder(name)?, there.mtime));
        }
        to.remove_all(name)?;
    }
    let made = to.make_folder(name, 0o755)?;
    if is_root() {
        made.set_own_owner(0, 0)?;
    }
    Ok((made, time))
}

fn copy_symlink(target: &[u8], to: &Dir, name: &OsStr, time: FileTime) -> Result<(), DiskError> {
    to.make_symlink(name, target)?;
    if is_root() {
        to.set_owner(name, 0, 0)?;
    }
    to.set_time(name, time)
}

/// Whether a symlink that is `depth` folders deep points into the tree, by its text alone. `..` is allowed only at the
/// start, where the folders above are known. After a name, it could go up from another symlink's folder.
fn stays_inside(target: &[u8], depth: usize) -> bool {
    let mut parts = target.split(|byte| *byte == b'/').filter(|part| !matches!(*part, b"" | b".")).peekable();
    let mut up = 0;
    while parts.next_if_eq(&b"..".as_slice()).is_some() {
        up += 1;
    }
    !target.starts_with(b"/") && up <= depth && !parts.any(|part| part == b"..")
}

#[cfg(test)]
mod tests;
