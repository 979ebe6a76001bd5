//! The storage of docker-registry, as it is in a base image below `registry/`.
//!
//! ```text
//! registry/docker/registry/v2/
//!   blobs/sha256/<2 hex>/<hex>/data
//!   repositories/<repository>/_layers/sha256/<hex>/link                       config and layers; each link: "sha256:<hex>"
//!   repositories/<repository>/_manifests/revisions/sha256/<hex>/link          manifests and lists
//!   repositories/<repository>/_manifests/tags/<tag>/current/link
//!   repositories/<repository>/_manifests/tags/<tag>/index/sha256/<hex>/link
//! ```
//!
//! A link contains only the digest, without a line end: a registry uses it as it is. Files of lower layers are not
//! stored again, except tag links: an old tag of a lower layer must not win. Folders are 0750, files 0600, all times
//! the same. Source: SEALER.md, "The registry's storage".

mod contents;
mod error;
mod fault;
mod paths;
mod read;
mod write;

pub(crate) use contents::{Contents, Repository};
pub(crate) use error::RegistryTreeError;
pub(crate) use fault::{Fault, Missing};
pub(crate) use paths::{Holds, Part, RepositoryPaths, STORAGE, blob_data_path};
pub(crate) use read::{Obstacle, RegistryStorage};
pub(crate) use write::write_registry_tree;

#[cfg(test)]
mod tests;
