//! Whether a root file system's own registry has every container image that its manifests request from it.
//!
//! ```text
//! layers, merged ──candidates──▶ files ──search──▶ what they ask for ──check──▶ findings, each with file and line
//!                                                  registry/, merged ──held──┘
//! ```
//!
//! | searched | how |
//! |---|---|
//! | `*.yaml`, `*.yml`, `*.json`, `*.tmpl` anywhere but in `registry/` | by [`crate::manifests::scan`] |
//! | `manifests/imageList` | a reference a line |
//! | `etc/kubeadm.yml`, or sealer's own where there is only `bin/kubeadm` | for the images that kubeadm needs, and sealer when a node joins |
//! | `scripts/` | for images that they run or pull by name: an archive in `images/` must have the name, or the registry |
//! | `templates/` and values of charts | not at all: only their rendered form shows their images, and the builder checks that |
//!
//! A reference points to the image's own registry where its host is the one by which clusters call it (`sea.hub:5000`).
//! The registry has it if the tag, or the digest, leads to a manifest for the platform, and its config and layers are
//! complete. A problem in a file that came unchanged from a base image is only a warning, because the user did not
//! write that file.

mod asked;
mod candidates;
mod check;
mod cluster;
mod collision;
mod finding;
mod held;
mod kubeadm;
mod list;
mod names;
mod scripts;
mod search;
mod shell;
mod why;

pub(crate) use asked::{Asked, asked};
pub(crate) use check::{Base, Scope, check, fault_of};
pub(crate) use finding::{Finding, Problem, Weight};
pub(crate) use list::{IMAGE_LIST, ListLine, listed_images};
pub(crate) use why::{Asking, Part, Why, why};

#[cfg(test)]
mod tests;
