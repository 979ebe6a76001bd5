//! Runs other programs as children, with limits for time and output.
//!
//! Each child has its own process group, so that its own children end with it. A child that must not outlive this
//! process is [`tethered`]. A command over mounted layers has namespaces of its own and is in [`mount`](crate::mount).

mod run;
mod tether;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use rustix::fs::Access;

pub(crate) use run::{Limits, Output, RunError, Stdin, run};
pub(crate) use tether::tethered;
pub(crate) use tether::{TETHER_COMMAND, tether_main};

/// The program's files in the folders of `PATH`, in their order. Relative folders are left out: what is run must not
/// depend on the current folder.
pub(crate) fn on_path(path: &OsStr, name: &str) -> impl Iterator<Item = PathBuf> {
    let folders = std::env::split_paths(path).filter(|folder| folder.is_absolute());
    folders.map(move |folder| folder.join(name)).filter(|file| is_executable(file))
}

/// Whether it is a file that this user may execute.
pub(crate) fn is_executable(file: &Path) -> bool {
    file.is_file() && rustix::fs::access(file, Access::EXEC_OK).is_ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn programs_are_looked_for_where_they_are_installed() {
        let folder = tempfile::tempdir().unwrap();
        for (name, mode) in [("a", 0o755), ("b", 0o644), ("c", 0o755)] {
            let program = folder.path().join(name).join("program");
            fs_err::create_dir(folder.path().join(name)).unwrap();
            fs_err::write(&program, "").unwrap();
            fs_err::set_permissions(program, PermissionsExt::from_mode(mode)).unwrap();
        }
        let path = ["a", "b", "c", "d"].map(|name| folder.path().join(name));
        let path = std::env::join_paths(path.into_iter().chain(["".into(), "a".into()])).unwrap();
        let found: Vec<_> = on_path(&path, "program").collect();
        assert_eq!(found, ["a/program", "c/program"].map(|name| folder.path().join(name)));
        assert_eq!(on_path(OsStr::new(""), "program").count(), 0);
    }
}
