//! Programs that everyone would do the same by hand with: `cp -a`, `tar`, `touch`.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

/// Runs a program that has to succeed.
#[track_caller]
pub(crate) fn run(program: &str, arguments: &[&OsStr]) {
    let output = Command::new(program).args(arguments).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {stderr}");
}

/// `cp -a FROM TO`: what is there already is written over.
#[track_caller]
pub(crate) fn copy(from: &Path, to: &Path) {
    run("cp", &["-a".as_ref(), "-T".as_ref(), from.as_ref(), to.as_ref()]);
}

/// A folder with the layers over each other, the lowest first. They must be free of whiteouts, as those of this job are.
pub(crate) fn merge<'a>(layers: impl IntoIterator<Item = &'a Path>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for layer in layers {
        copy(layer, folder.path());
    }
    folder
}
