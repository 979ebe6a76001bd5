//! What tests inside the library need beside the project: golden data and real programs.
//!
//! Neither is everywhere. Where `CI=true` a test that misses something fails; elsewhere it says so on stderr, in a line
//! that starts with `skipped:`, and passes.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A file of the data next to the project, `golden/images_metadata.json`, which is never copied into it.
///
/// It is looked for in the folder that `SEALER_SHARED` names, else in `shared` next to the project.
pub(crate) fn shared(name: &str) -> Option<Vec<u8>> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let path = std::env::var_os("SEALER_SHARED").map_or_else(beside, PathBuf::from).join(name);
    match fs_err::read(&path) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == ErrorKind::NotFound => missing(&format!("`{}`", path.display()), in_ci()),
        Err(error) => panic!("{error}"),
    }
}

/// Runs a program to its end; `None` if it does not exist.
pub(crate) fn output(command: &mut Command) -> Option<Output> {
    let program = format!("the program `{}`", command.get_program().display());
    match command.output() {
        Err(error) if error.kind() == ErrorKind::NotFound => missing(&program, in_ci()),
        ran => Some(ran.unwrap_or_else(|error| panic!("{program}: {error}"))),
    }
}

fn in_ci() -> bool {
    std::env::var_os("CI").is_some_and(|ci| ci == "true")
}

/// Says that something is missing; in CI, where nothing may be, it panics.
fn missing<T>(what: &str, in_ci: bool) -> Option<T> {
    assert!(!in_ci, "CI=true, and {what} is missing");
    // Not `eprintln!`: the test harness keeps that from sight where tests pass.
    std::io::stderr().write_all(format!("skipped: {what} is missing\n").as_bytes()).expect("stderr can be written");
    None
}

#[test]
#[should_panic(expected = "CI=true, and `x` is missing")]
fn nothing_is_skipped_in_ci() {
    missing::<()>("`x`", true);
}
