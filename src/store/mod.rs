//! Sealer's local store, and the only code that writes below its root.
//!
//! ```text
//! data/overlay2/<layer hex>/...                  a layer, unpacked; never opened for writing once it is here
//! metadata/layerdb/sha256/<layer hex>/           id, size, distribution_layer_digest, cacheID; sealer's: tar-data.json.gz
//! metadata/imagedb/<image id>.yaml               an image's document
//! metadata/images_metadata.json                  name → images, one per platform
//! tmp/                                           sealer's own
//! recipe/lock                                    ours: flock, shared to read, exclusive to commit
//! recipe/unverified/<layer hex>                  ours: this layer's content was never verified against its id
//! recipe/verified/<layer hex>                    ours: which folder was verified against the layer's id
//! recipe/damaged/<number>/...                    ours: what a repair moved away, at its path below the root; never deleted by us
//! recipe/provenance/<image id>.json              ours: what the image was made of
//! staging/.lock                                  ours: flock, held while a staging folder is made or removed
//! staging/<random>/lease, layer-<n>/, ...        ours: 0700, work in progress; flock on the lease while its process runs
//! staging/<random>/uses/<layer hex>              ours: layers of the store that the process works on: they are not deleted
//! ```
//!
//! Everything above `recipe/` has sealer's own layout, without other files: a real sealer's `prune` and `rmi` delete
//! everything that no image names, at any time, and never look into `recipe/` and `staging/`.
//!
//! A commit ([`Store::commit`]) goes in this order, so that after any end an image is absent or whole:
//!
//! 1. In the staging folder: layers, their layerdb folders; the whole file system is flushed once (`syncfs`).
//! 2. Under the exclusive lock: for each layer its mark, then itself renamed to its digest's name without replacing;
//!    `data/overlay2` and the marks' folder flushed. A mark without its layer fits no other folder.
//! 3. The layerdb folders renamed into place; their folder flushed.
//! 4. The image's YAML: written, flushed, renamed, its folder flushed.
//! 5. `images_metadata.json`, read again under the lock, in the same way, last.
//!
//! A repair ([`Store::mend`]) swaps a damaged part and its replacement in one step: the replacement is put into
//! `recipe/damaged`, then both are exchanged. However the process ends, each of the two places has one of them,
//! complete.
//!
//! No image names the leftovers of an interrupted commit: the same command finds and uses them, or prune removes them.
//! Reading takes the shared lock if there is a lock file; it creates and repairs nothing.

mod commit;
mod error;
mod load;
mod marks;
mod mend;
mod provenance;
mod real_sealer;
mod remove;
mod save;
mod staging;
mod store_root;
#[cfg(test)]
mod tests;

pub use commit::{Commit, StagedLayer};
pub(crate) use error::StoreError;
pub(crate) use marks::{LayerReading, LayerState};
pub(crate) use mend::Mending;
pub(crate) use remove::Removed;
pub(crate) use save::Saved;
pub use staging::{StagedFolder, Staging};
pub use store_root::Store;
pub(crate) use store_root::{Record, StoredImage};
