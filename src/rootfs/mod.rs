//! The root file system that a cluster sees of an image's layers, and the storage of the registry in it.
//!
//! ```text
//! folders of layers ──Overlay──▶ entries, files ──RegistryStorage──▶ names, images; what is wrong with a file: a Fault
//! ```
//!
//! A fault is only a fact: the callers decide what it means for a cluster.

mod overlay;
mod registry;

pub use overlay::Overlay;
pub(crate) use overlay::{Entry, Folder, Place, Tree};
pub(crate) use registry::{
    Contents, Fault, Holds, Missing, Obstacle, Part, RegistryStorage, Repository, RepositoryPaths, STORAGE,
    blob_data_path, write_registry_tree,
};
