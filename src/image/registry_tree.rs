//! The storage of docker-registry, as it lies in a base image below `registry/`.
//!
//! ```text
//! registry/docker/registry/v2/
//!   blobs/sha256/<2 hex>/<hex>/data
//!   repositories/<repository>/_layers/sha256/<hex>/link                   config and layers; each link: "sha256:<hex>"
//!   repositories/<repository>/_manifests/revisions/sha256/<hex>/link      manifests and lists
//!   repositories/<repository>/_manifests/tags/<tag>/current/link
//!   repositories/<repository>/_manifests/tags/<tag>/index/sha256/<hex>/link
//! ```
//!
//! What lower layers have is not stored again, tag links excepted: an old tag below must not win. Folders are 0750, files
//! 0600, all times the same. Source: SEALER.md, "The registry's storage".

mod check;
mod error;
mod paths;
mod read;
mod write;

pub use check::{Fault, Missing, check_registry_tree, content_fault, link_fault};
pub use error::RegistryTreeError;
pub use paths::{RepositoryPaths, blob_data_path};
pub use read::read_registry_tree;
pub use write::{Written, write_registry_tree};

#[cfg(test)]
mod tests;
