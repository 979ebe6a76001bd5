//! The needed and the free space.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde::Serialize;

use crate::types::human_size;

/// An amount that may be only partly known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Need {
    /// The known part, in bytes.
    pub bytes: u64,
    /// The number of further things whose size is not known.
    pub unknown: usize,
}

impl Need {
    /// Adds a size, known or not.
    pub(super) fn add(&mut self, size: Option<u64>) {
        match size {
            Some(size) => self.bytes = self.bytes.saturating_add(size),
            None => self.unknown += 1,
        }
    }
}

/// Space on a file system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Space {
    /// The folder that needs it.
    pub path: String,
    /// The needed space.
    pub needed: Need,
    /// The free bytes for this user, if they are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub free: Option<u64>,
    /// The file system's number.
    #[serde(skip)]
    pub disk: Option<u64>,
}

impl Space {
    /// The space for `needed` in a folder, which may not exist yet.
    pub(super) fn of(path: &Path, needed: Need) -> Self {
        // The empty path above a relative one means the current folder.
        let named =
            |path: &'_ Path| if path.as_os_str().is_empty() { Path::new(".").to_owned() } else { path.to_owned() };
        let there = path.ancestors().map(named).find(|path| path.exists());
        let free = there.as_ref().and_then(|path| rustix::fs::statvfs(path).ok());
        let disk = there.and_then(|path| fs_err::metadata(path).ok()).map(|metadata| metadata.dev());
        let free = free.map(|stat| stat.f_bavail.saturating_mul(stat.f_frsize));
        Self { path: path.display().to_string(), needed, free, disk }
    }
}

/// What applying a plan costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Totals {
    /// The bytes that come over the network.
    pub fetch: Need,
    /// The growth of the store: files that steps make, container images, and base images that are pulled.
    pub store: Space,
    /// The growth of the cache.
    pub cache: Space,
}

impl Totals {
    /// The things that do not fit, for people; empty if everything that is known fits.
    #[must_use]
    pub(crate) fn shortages(&self) -> Vec<String> {
        let (store, cache) = (&self.store, &self.cache);
        let together = store.needed.bytes.saturating_add(cache.needed.bytes);
        if store.disk.is_some() && store.disk == cache.disk {
            let what = format!("`{}` and `{}`, on one disk, need", store.path, cache.path);
            return shortage(&what, together, store.free).into_iter().collect();
        }
        let of = |space: &Space| shortage(&format!("`{}` needs", space.path), space.needed.bytes, space.free);
        of(store).into_iter().chain(of(cache)).collect()
    }
}

fn shortage(what: &str, needed: u64, free: Option<u64>) -> Option<String> {
    let free = free.filter(|free| *free < needed)?;
    let (needed, free) = (human_size(needed), human_size(free));
    Some(format!("the disk is too full: {what} at least {needed}, and {free} are free"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space(path: &str, bytes: u64, free: Option<u64>, disk: Option<u64>) -> Space {
        Space { path: path.to_owned(), needed: Need { bytes, unknown: 0 }, free, disk }
    }

    #[test]
    fn what_does_not_fit_is_said() {
        let shortages = |store: (u64, Option<u64>, Option<u64>), cache: (u64, Option<u64>, Option<u64>)| {
            let (store, cache) = (space("/s", store.0, store.1, store.2), space("/c", cache.0, cache.1, cache.2));
            Totals { fetch: Need::default(), store, cache }.shortages().join("\n")
        };
        assert_eq!(shortages((10, Some(10), Some(1)), (10, Some(10), Some(2))), "");
        assert_eq!(shortages((10, None, None), (10, None, None)), "");
        insta::assert_snapshot!(shortages((10, Some(19), Some(1)), (10, Some(19), Some(1))), @"the disk is too full: `/s` and `/c`, on one disk, need at least 20 B, and 19 B are free");
        insta::assert_snapshot!(shortages((2_000_000, Some(10), Some(1)), (11, Some(10), Some(2))), @"
        the disk is too full: `/s` needs at least 2.0 MB, and 10 B are free
        the disk is too full: `/c` needs at least 11 B, and 10 B are free
        ");
        assert_eq!(shortages((u64::MAX, Some(u64::MAX), Some(1)), (u64::MAX, Some(u64::MAX), Some(1))), "");
    }

    #[test]
    fn folders_that_are_not_there_are_measured_where_they_will_be() {
        let folder = tempfile::tempdir().unwrap();
        let (there, not_yet) =
            (Space::of(folder.path(), Need::default()), Space::of(&folder.path().join("a/b"), Need::default()));
        assert!(there.free.is_some() && there.disk.is_some());
        assert_eq!(there.disk, not_yet.disk);
        assert!(Space::of(Path::new("not-there"), Need::default()).free.is_some());
    }
}
