//! `sealer doctor image`: what is planted is found, what is whole is whole, and what a registry has comes back.

#![expect(clippy::unwrap_used, reason = "what fails in a test's helper fails the test")]

mod app;
mod faults;
mod marks;
mod repair;
#[expect(dead_code, unused_imports, reason = "no file of tests uses all of the harness")]
#[path = "../support/mod.rs"]
mod support;
mod whole;
