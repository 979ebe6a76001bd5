//! What tests outside the library share: golden data beside the project, and real programs.
//!
//! Neither is everywhere. Where `CI=true` a test that misses something fails; elsewhere it says so on stderr, in a line
//! that starts with `skipped:`, and passes.

#![expect(clippy::unwrap_used, reason = "all of it is test code; clippy only knows functions with `#[test]` as such")]

pub(crate) mod program;
pub(crate) mod real;
mod shared;

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

pub(crate) use shared::shared_file;

static SKIPPED: AtomicUsize = AtomicUsize::new(0);

/// Says that something is missing; in CI, where nothing may be, it panics.
pub(crate) fn missing(what: &str) {
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "CI=true, and {what} is missing");
    let count = SKIPPED.fetch_add(1, Ordering::Relaxed) + 1;
    // Not `eprintln!`: the test harness keeps that from sight where tests pass.
    let line = format!("skipped: {what} is missing ({count} so far in this binary)\n");
    std::io::stderr().write_all(line.as_bytes()).expect("stderr can be written");
}
