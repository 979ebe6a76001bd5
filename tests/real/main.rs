//! The program with real programs: docker-registry, dockerd and skopeo from Debian's packages.

#![expect(clippy::unwrap_used, reason = "all of it is test code; clippy only knows functions with `#[test]` as such")]

mod doctor;
mod engine;
mod push;
mod push_log;
mod rawdocker;
mod registry;
mod smoke;
#[expect(dead_code, reason = "copies of the program are for the black box")]
#[path = "../support/mod.rs"]
mod support;
mod trace;
