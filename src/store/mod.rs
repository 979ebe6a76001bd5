//! Floor 5, store: sealer's local store, and the only code that writes below its root.
//!
//! ```text
//! data/overlay2/<layer hex>/...                  a layer, unpacked; never opened for writing once it is here
//! metadata/layerdb/sha256/<layer hex>/           id, size, distribution_layer_digest, cacheID; sealer's: tar-data.json.gz
//! metadata/imagedb/<image id>.yaml               an image's document
//! metadata/images_metadata.json                  name → images, one per platform
//! tmp/                                           sealer's own
//! recipe/lock                                    ours: flock, shared to read, exclusive to commit
//! recipe/unverified/<layer hex>                  ours: this layer's content was never seen to hash to its id
//! recipe/provenance/<image id>.json              ours: what the image was made of
//! staging/.lock                                  ours: flock, held while a staging folder is made or cleared away
//! staging/<random>/lease, layer-<n>/, ...        ours: 0700, work under way; flock on the lease while its process lives
//! ```
//!
//! Everything above `recipe/` is as sealer has it, and nothing foreign stands there: a real sealer's `prune` and `rmi`
//! delete what no image names, at any time, and never look into `recipe/` and `staging/`.
//!
//! A commit ([`Store::commit`]) goes in this order, so that after any end an image is absent or whole:
//!
//! 1. In the staging folder: layers, their layerdb folders; the whole file system is flushed once (`syncfs`).
//! 2. Under the exclusive lock: each layer renamed to its digest's name without replacing; `data/overlay2` flushed.
//! 3. The layerdb folders renamed into place; their folder flushed.
//! 4. The image's YAML: written, flushed, renamed, its folder flushed.
//! 5. `images_metadata.json`, read again under the lock, in the same way, last.
//!
//! What an interrupted commit leaves is named by no image: the same command finds and uses it, or prune removes it.
//! Reading takes the shared lock where there is a lock file, makes nothing and repairs nothing.

mod commit;
mod error;
mod load;
mod provenance;
mod real_sealer;
mod remove;
mod save;
mod staging;
mod store_root;
#[cfg(test)]
mod tests;

pub use commit::{Commit, StagedLayer};
pub use error::StoreError;
pub use load::Loaded;
pub use remove::Removed;
pub use save::Saved;
pub use staging::{StagedFolder, Staging};
pub use store_root::{Damage, LayerState, Listing, Store, StoredImage};
