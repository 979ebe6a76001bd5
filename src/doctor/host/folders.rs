//! The folders that this program writes in.

use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, accessat};

use super::HostPlaces;
use crate::doctor::{Finding, Verdict};

pub(super) fn check(places: &HostPlaces) -> Vec<Finding> {
    let folders = [
        ("store", &places.root, "the store", "use `--root DIR` or set SEALER_ROOT"),
        ("cache", &places.cache, "the cache", "use `--cache DIR` or set SEALER_CACHE"),
        ("temporary-folder", &places.temporary, "the folder for temporary files", "set TMPDIR"),
    ];
    folders.map(|(check, path, what, remedy)| one(check, path, what, remedy)).into()
}

fn one(check: &'static str, path: &Path, what: &str, remedy: &str) -> Finding {
    let subject = path.display().to_string();
    let bad = |found: String| {
        Finding::new(Verdict::Error, check, &subject, format!("{what} {found}"))
            .expected("a folder that this user can write to, or can create")
            .remedy(format!("{remedy}, or give this user the right to write there"))
    };
    let there = match existing(path) {
        Ok(there) => there,
        Err((path, error)) => return bad(format!("cannot be reached: `{}`: {}", path.display(), reason(&error))),
    };
    if !there.is_dir() {
        return bad(format!("cannot be a folder: `{}` is a file", there.display()));
    }
    match accessat(CWD, &there, Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS) {
        Ok(()) if there == path => Finding::new(Verdict::Good, check, subject, format!("{what} can be written")),
        Ok(()) => Finding::new(Verdict::Good, check, subject, format!("{what} does not exist yet, but can be created")),
        Err(error) => bad(format!("cannot be written: `{}`: {}", there.display(), reason(&io::Error::from(error)))),
    }
}

/// The folder, or the nearest one above that is there.
pub(super) fn existing(path: &Path) -> Result<PathBuf, (PathBuf, io::Error)> {
    for above in path.ancestors() {
        // The empty path above a relative one stands for the current folder.
        let above = if above.as_os_str().is_empty() { Path::new(".") } else { above };
        match fs_err::metadata(above) {
            Ok(_) => return Ok(above.to_owned()),
            // A broken symlink blocks the path: no folder can be created there.
            Err(error) if error.kind() == io::ErrorKind::NotFound && !above.is_symlink() => {}
            Err(error) => return Err((above.to_owned(), error)),
        }
    }
    Ok(PathBuf::from("/"))
}

/// Why, without the path, which messages name themselves, and without the error's number.
pub(super) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "it is not there".to_owned(),
        io::ErrorKind::Other => error.to_string(),
        kind => kind.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn folders_are_there_or_can_be_made_or_what_is_in_the_way_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs_err::create_dir(at("there")).unwrap();
        fs_err::write(at("file"), "").unwrap();
        symlink("nowhere", at("dangling")).unwrap();
        symlink("there", at("link")).unwrap();
        let paths = ["there", "link", "there/a/b", "file", "file/x", "dangling", "dangling/x"].map(at);
        let said = |path: &PathBuf| one("store", path, "the store", "say `--root DIR`").text();
        let said: String = paths.iter().map(said).collect();
        insta::assert_snapshot!(said.replace(folder.path().to_str().unwrap(), "[DIR]"), @"
        good: [DIR]/there: the store can be written
        good: [DIR]/link: the store can be written
        good: [DIR]/there/a/b: the store does not exist yet, but can be created
        error: [DIR]/file: the store cannot be a folder: `[DIR]/file` is a file
          expected: a folder that this user can write to, or can create
          remedy: say `--root DIR`, or give this user the right to write there
        error: [DIR]/file/x: the store cannot be reached: `[DIR]/file/x`: not a directory
          expected: a folder that this user can write to, or can create
          remedy: say `--root DIR`, or give this user the right to write there
        error: [DIR]/dangling: the store cannot be reached: `[DIR]/dangling`: it is not there
          expected: a folder that this user can write to, or can create
          remedy: say `--root DIR`, or give this user the right to write there
        error: [DIR]/dangling/x: the store cannot be reached: `[DIR]/dangling`: it is not there
          expected: a folder that this user can write to, or can create
          remedy: say `--root DIR`, or give this user the right to write there
        ");
    }
}
