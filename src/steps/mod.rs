//! Steps: each changes the context folder. Each step has one file, with its fields as the recipe writes them and as a
//! plan has them, the way from the one to the other, the files that it reads and writes, what it needs from outside,
//! and what it does.
//!
//! A step that would do nothing is a failure, unless it is optional. A failure names the field of the recipe that it
//! belongs to, by a [`Route`] relative to the step.

mod beside;
mod chmod;
mod context;
mod copy_file;
mod download;
mod image_list;
mod kinds;
mod manifest;
mod move_path;
mod patch;
mod recipe_file;
mod remove;
mod replace_archive;
mod replace_image;
mod replace_text;
#[cfg(test)]
mod resolve_tests;
mod resolver;
mod rewrite_images;
mod sort_keys;
mod step;
mod symlink;
#[cfg(test)]
mod tests;
mod work;
mod write_file;

pub(crate) use beside::{Beside, BesideContent, BesideFile};
pub(crate) use context::Context;
pub(crate) use kinds::{PlannedStep, Step};
pub(crate) use resolver::{EXPECTED_REGISTRY, Resolver, registry_host};
pub(crate) use step::Effect;
pub(crate) use work::{Outcome, StepFailure, Tools};
