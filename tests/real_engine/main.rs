//! `docker-daemon:NAME`, with a real engine: images that no registry has, as what recipes put into base images.

#![expect(clippy::unwrap_used, reason = "what fails in a test's helper fails the test")]

mod archive;
mod doctor;
mod errors;
mod sources;
#[path = "../support/mod.rs"]
#[expect(dead_code, unused_imports, reason = "no file of tests uses all of the harness")]
mod support;
