//! Floor 4, rootfs: the root file system that a cluster sees of an image's layers, and the storage of the registry in it.
//!
//! ```text
//! folders of layers ──Overlay──▶ names, entries, files
//! ```

mod overlay;

pub use overlay::{Entry, Folder, Overlay, Place, Tree};
