//! Where layers are made, next to the store's data and out of a real sealer's reach.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::{Store, StoreError};
use crate::disk::{Dir, DiskError, Lock, LockMode};
use crate::types::Digest;

const STAGING: &str = "staging";
const LOCK: &str = ".lock";
const LEASE: &str = "lease";
const USES: &str = "uses";
const PATIENCE: Duration = Duration::from_mins(10);

/// A private folder (0700) on the store's file system, removed when it is dropped.
///
/// Its lease is held by flock for as long as the process lives; a folder whose lease nobody holds was left by a killed
/// process, and the next staging removes it.
///
/// `uses/<layer hex>` are the layers of the store that the process works on ([`Store::hold`]): while it lives, neither rmi
/// nor prune deletes them.
#[derive(Debug)]
pub struct Staging {
    above: Dir,
    name: OsString,
    dir: Dir,
    next: AtomicU64,
    _lease: Lock,
}

/// A folder in a [`Staging`] for assembling a layer.
#[derive(Debug)]
pub struct StagedFolder {
    pub(super) name: String,
    path: PathBuf,
    dir: Dir,
}

impl StagedFolder {
    /// Its path, for programs that need one.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder.
    #[must_use]
    pub fn dir(&self) -> &Dir {
        &self.dir
    }
}

impl Store {
    /// Makes a staging folder, and removes leftovers of killed processes. The store is made if it does not exist.
    pub fn stage(&self) -> Result<Staging, DiskError> {
        let above = Dir::open_or_make(self.root())?.folder_or_make(STAGING, 0o700)?;
        let _lock = Lock::acquire(&above, LOCK, LockMode::Exclusive, PATIENCE)?;
        clear_away(&above, |name| above.remove_all(name))?;
        let failed = |source: io::Error| DiskError::io("create a folder in", above.path(), source);
        let made = tempfile::Builder::new().prefix("").rand_bytes(12).tempdir_in(above.path()).map_err(failed)?.keep();
        let name = made.file_name().unwrap_or_default().to_owned();
        let dir = above.folder(&name)?;
        // A setgid bit inherited from the store's folder would give everything here another group.
        dir.set_own_mode(0o700)?;
        let lease = Lock::acquire(&dir, LEASE, LockMode::Exclusive, Duration::ZERO)?;
        Ok(Staging { above, name, dir, next: AtomicU64::new(0), _lease: lease })
    }
}

impl Store {
    /// Protects layers from rmi and prune while the staging exists, and returns the missing ones. A real sealer does
    /// not respect that.
    pub fn hold(&self, staging: &Staging, layers: &[Digest]) -> Result<Vec<Digest>, StoreError> {
        // A deleting process holds it exclusively, from the check for held layers to the last layer.
        let _lock = self.lock_to_read()?;
        let uses = staging.dir.folder_or_make(USES, 0o700)?;
        let mut missing = Vec::new();
        for layer in layers {
            if !self.has_layer(layer)? {
                missing.push(*layer);
            } else if uses.meta_if_there(layer.hex())?.is_none() {
                drop(uses.create_file(layer.hex(), 0o600)?);
            }
        }
        Ok(missing)
    }

    /// The hex of all layers that a process holds; call it with the exclusive lock.
    pub(super) fn held(&self) -> Result<HashSet<String>, StoreError> {
        let mut held = HashSet::new();
        let Some(above) = self.folder(STAGING)? else { return Ok(held) };
        for name in above.names()?.iter().filter(|name| *name != LOCK) {
            match above.folder(name).and_then(|staging| staging.folder(USES)).and_then(|uses| uses.names()) {
                Ok(names) => held.extend(names.into_iter().filter_map(|name| name.into_string().ok())),
                // It holds no layers, or ended in the meantime.
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(held)
    }
}

/// Leftovers that cannot be removed only cost space, and must not stop the work.
fn clear_away(above: &Dir, remove: impl Fn(&OsStr) -> Result<(), DiskError>) -> Result<(), DiskError> {
    for name in above.names()?.iter().filter(|name| *name != LOCK) {
        let stale = match above.folder(name).and_then(|dir| Lock::try_acquire(&dir, LEASE)) {
            Ok(lease) => lease.is_some(),
            // It was killed between creating folder and lease; no process is doing that now, because we hold the
            // staging lock.
            Err(error) => error.is_not_found(),
        };
        if stale && let Err(error) = remove(name) {
            tracing::warn!("could not remove `{}`: {error}", above.path().join(name).display());
        }
    }
    Ok(())
}

impl Staging {
    /// The folder itself, for anything that is renamed into the store or thrown away.
    #[must_use]
    pub fn dir(&self) -> &Dir {
        &self.dir
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A new empty folder for a layer's tree.
    pub fn new_layer_dir(&self) -> Result<StagedFolder, DiskError> {
        let name = self.new_name("layer");
        let dir = self.dir.make_folder(&name, 0o700)?;
        Ok(StagedFolder { path: self.dir.path().join(&name), name, dir })
    }

    /// A name that is free here.
    pub(super) fn new_name(&self, what: &str) -> String {
        format!("{what}-{}", self.next.fetch_add(1, Ordering::Relaxed))
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if let Err(error) = self.above.remove_all(&self.name) {
            tracing::warn!("could not remove `{}`; the next run will try again: {error}", self.dir.path().display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{document, name, now, staged};
    use super::*;
    use crate::store::Commit;

    #[test]
    fn layers_that_somebody_works_on_outlive_their_names() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path());
        let staging = store.stage().unwrap();
        let layer = staged(&staging, "hello");
        let (id, gone) = (layer.id.digest, Digest::of(b"gone"));
        let images = vec![document("a:1", "linux/amd64", &[id])];
        store.commit(&staging, &Commit { images, layers: vec![layer], created: now() }).unwrap();
        drop(staging);
        let working = store.stage().unwrap();
        assert_eq!(store.hold(&working, &[id, gone]).unwrap(), [gone]);
        assert_eq!(store.hold(&working, &[id]).unwrap(), []);
        let removed = store.remove(&name("a:1"), None).unwrap();
        assert_eq!((removed.images.len(), removed.layers.len()), (1, 0));
        store.prune().unwrap();
        assert!(store.has_layer(&id).unwrap() && store.layerdb_dir(&id).exists());
        drop(working);
        assert_eq!(store.prune().unwrap().layers, [id.hex()]);
        assert!(!store.has_layer(&id).unwrap() && !store.layerdb_dir(&id).exists());
    }

    #[test]
    fn one_that_cannot_be_cleared_away_does_not_keep_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let above = Dir::open(folder.path()).unwrap();
        for name in ["a", "b", "c"] {
            above.make_folder(name, 0o700).unwrap();
        }
        let remove = |name: &OsStr| match name.as_encoded_bytes() {
            b"b" => Err(DiskError::io("remove", name, io::ErrorKind::ResourceBusy)),
            _ => above.remove_all(name),
        };
        clear_away(&above, remove).unwrap();
        assert_eq!(above.names().unwrap(), ["b"]);
    }
}
