//! What differs between two images, from their layers down to a key of a document in an archive in a file.
//!
//! ```text
//! names, archives ──Input──▶ Side ──┬─compare───────────▶ ImageDiff ──render──▶ text, Markdown, JSON
//!                                   └─first_difference──▶ Difference: `layer 1!/cri/docker.tar.gz!/runc: mode`
//! ```
//!
//! [`compare`] is for people: the root file systems that a cluster sees, the container images in their registries by
//! what their tags stand for, the documents. [`first_difference`] is for callers that expect the same bytes: layer by
//! layer, times included. Both go down the same steps: an entry → its content → members of an archive, keys of JSON and
//! YAML, lines of text, else size and digest. A step that cannot parse its input says so and leaves it to the last
//! step, so files with different bytes are never reported as the same.
//!
//! Only names, documents (up to 64 MiB) and texts (up to 4 MiB) are kept in memory: contents are read as streams,
//! archives unpacked into files without a name.

mod cached;
mod change;
mod container;
mod content;
mod document;
mod entries;
mod error;
mod image;
mod input;
mod keys;
mod layers;
mod lines;
mod members;
mod path;
#[cfg(test)]
mod property_tests;
mod render;
mod report;
mod secret;
mod side;
#[cfg(test)]
mod tests;
mod tree;

pub(crate) use cached::{CachedDiff, CachedImage, cached_at};
pub(crate) use change::{Change, Difference, Kind};
pub(crate) use error::DiffError;
pub(crate) use image::{Options, compare};
pub(crate) use input::{Comparer, FindError, Input, Scratch};
pub(crate) use layers::first_difference;
pub(crate) use path::{DiffPath, name_text};
pub(crate) use render::{markdown, text};
pub(crate) use report::{FileDiff, FileState, ImageDiff, ImageState, Origin, Report, Sides};
pub(crate) use side::Side;
