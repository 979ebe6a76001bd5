//! The program as a black box: its arguments, its whole output, its exit codes, and what it leaves on the disk.
//!
//! One binary, as each links the whole crate. Its tests run side by side in one process, so none may touch what a
//! process has one of: environment, current folder, umask.

#![expect(clippy::unwrap_used, reason = "all of it is test code; clippy only knows functions with `#[test]` as such")]

mod bare_machine;
mod build;
mod build_images;
mod build_options;
mod build_run;
mod cli;
mod closure;
mod context_entries;
mod copy_forms;
mod diff;
mod doctor_host;
mod doctor_image;
mod failures;
mod images_out;
mod likely_images;
mod lock;
mod lock_held;
mod login;
mod needs;
mod old_images;
mod plan;
mod platforms;
mod provenance;
mod recipe_help;
mod recipe_steps;
mod same_bytes;
mod sandbox;
mod shared_store;
mod shipped_recipes;
#[expect(dead_code, unused_imports, reason = "engines and what they need are for the real programs")]
#[path = "../support/mod.rs"]
mod support;
mod trace;
mod upstream;
mod verify;
