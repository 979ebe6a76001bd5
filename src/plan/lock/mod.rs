//! The lock: the inputs of a recipe as they were when it was locked.
//!
//! `rawdocker.lock.yaml` is next to `rawdocker.yaml`, like `Cargo.lock` next to `Cargo.toml`. It is YAML that people
//! can review. The entries have a fixed order, and each field has its own line, so a moved tag changes one line:
//!
//! ```yaml
//! version: 1
//! files:
//! - url: https://download.docker.com/linux/static/stable/x86_64/docker-19.03.15.tgz
//!   digest: sha256:5504d190eef37355231325c176686d51ade6e0cabe2da526d561a38d8611506f
//!   size: 62436240
//! images:
//! - image: docker.io/library/registry:2.7.1
//!   platform: linux/amd64
//!   digest: sha256:d5459fcb27aecc752520df4b492b08358a1912fcdfa454f7d2101d4b09991daa
//! baseImages:
//! - image: registry.cn-qingdao.aliyuncs.com/sealer-io/kubernetes:v1.19.8
//!   platform: linux/amd64
//!   id: "7c3a…"
//!   digest: sha256:…
//!   layers:
//!   - sha256:…
//! ```
//!
//! Parts of a URL that may be secret are not written: the sha256 of the whole URL replaces its query, as in
//! `https://x.io/a#sha256:…`. A lock that has the URL itself is read as if it had this form.
//!
//! The digest of an image is that of its tag: of the list if there is one. A string in a manifest that only looks like
//! an image has `refused: true` instead: its registry was asked and does not give it. A base image has a digest only if
//! it came from a registry.

mod document;
mod names;
mod pins;
mod read;
#[cfg(test)]
mod tests;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use url::Url;

use crate::image::model::{Image, ImageId};
use crate::sources::public_url;
use crate::types::{Digest, ImageSource, Platform, SealerName};

pub(crate) use read::read_lock;

/// The version of the lock's format.
pub(crate) const LOCK_VERSION: u32 = 1;

/// The end of a lock's file name.
const LOCK_ENDING: &str = ".lock.yaml";

/// The inputs of a recipe as they were found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "document::Document", into = "document::Document")]
pub struct Lock {
    /// The files, each by its [`public_url`].
    files: BTreeMap<Url, LockedFile>,
    /// The images; `None` if the registry refuses it, so it only looks like an image.
    images: BTreeMap<(ImageSource, Platform), Option<Digest>>,
    bases: BTreeMap<(SealerName, Platform), LockedBase>,
}

/// The file of a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedFile {
    /// The sha256 of its bytes.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// A locked base image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedBase {
    /// The image's id in the store.
    pub id: ImageId,
    /// The digest of its tag, if a registry gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// The ids of its layers, lowest first.
    pub layers: Vec<Digest>,
}

impl LockedBase {
    /// Whether an image with the locked name is this one: it has the same id, or the rest of its document is the same.
    /// Another name, and so another Clusterfile, changes only the id; other layers or commands make it another image.
    #[must_use]
    pub fn is(&self, name: &SealerName, found: &Image) -> bool {
        found.id == Some(self.id) || found.renamed(name).id == Some(self.id)
    }

    /// Whether this one is pulled although the store has `found` with the name: a registry has this one, and `found` is
    /// another image.
    #[must_use]
    pub(crate) fn displaces(&self, name: &SealerName, found: &Image) -> bool {
        self.digest.is_some() && !self.is(name, found)
    }
}

/// One entry of a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Locked {
    /// A file by its URL; a lock has only the public form of the URL.
    File(Url, LockedFile),
    /// A container image by its reference, for a platform; without a digest it is a string in a manifest that only
    /// looks like an image.
    Image(ImageSource, Platform, Option<Digest>),
    /// A base image for a platform.
    Base(SealerName, Platform, LockedBase),
}

/// How an entry differs between two locks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LockChange {
    /// The URL, without its query, or the image's name.
    pub name: String,
    /// The platform; files do not have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// The digest before; `None` if the entry is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// The digest after; `None` if the entry is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
}

impl Lock {
    /// The file of a URL.
    #[must_use]
    pub fn file(&self, url: &Url) -> Option<LockedFile> {
        self.files.get(&public_url(url)).copied()
    }

    /// The digest of a container image's reference.
    #[must_use]
    pub fn image(&self, image: &ImageSource, platform: &Platform) -> Option<Digest> {
        self.images.get(&(image.clone(), platform.clone())).copied().flatten()
    }

    /// A locked base image.
    #[must_use]
    pub fn base(&self, name: &SealerName, platform: &Platform) -> Option<&LockedBase> {
        self.bases.get(&(name.clone(), platform.clone()))
    }

    /// Adds an entry or replaces the one of the same name and platform.
    pub fn insert(&mut self, entry: Locked) {
        match entry {
            Locked::File(url, file) => drop(self.files.insert(public_url(&url), file)),
            Locked::Image(reference, platform, digest) => drop(self.images.insert((reference, platform), digest)),
            Locked::Base(name, platform, base) => drop(self.bases.insert((name, platform), base)),
        }
    }

    /// Applies the changes from `earlier` to this lock to `now`, which another process made from `earlier` in the
    /// meantime. If both added the same entry, the one in `now` stays, because it was there first.
    #[must_use]
    pub(crate) fn onto(&self, earlier: &Self, now: &Self) -> Self {
        Self {
            files: onto(&self.files, &earlier.files, &now.files),
            images: onto(&self.images, &earlier.images, &now.images),
            bases: onto(&self.bases, &earlier.bases, &now.bases),
        }
    }

    /// Keeps only the entries for which `wanted` is true.
    pub fn retain(&mut self, wanted: impl Fn(&Locked) -> bool) {
        self.files.retain(|url, file| wanted(&Locked::File(url.clone(), *file)));
        self.images.retain(|(name, platform), digest| wanted(&Locked::Image(name.clone(), platform.clone(), *digest)));
        self.bases.retain(|(name, platform), base| wanted(&Locked::Base(name.clone(), platform.clone(), base.clone())));
    }

    /// Whether the lock is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.images.is_empty() && self.bases.is_empty()
    }

    /// The platforms that entries are for.
    #[must_use]
    pub fn platforms(&self) -> BTreeSet<&Platform> {
        self.images.keys().map(|key| &key.1).chain(self.bases.keys().map(|key| &key.1)).collect()
    }

    /// How this lock differs from an earlier one, in the order of the lock's text.
    #[must_use]
    pub(crate) fn changes_since(&self, earlier: &Self) -> Vec<LockChange> {
        let (old, new) = (earlier.shown(), self.shown());
        let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
        let change = |key: &(u8, String, Option<Platform>)| {
            let (old, new) = (old.get(key), new.get(key));
            let digests = match (old, new) {
                (Some(old), Some(new)) if old.digest != new.digest => (Some(&old.digest), Some(&new.digest)),
                // This is the same base image, but the registry has another list of it.
                (Some(Shown { origin: Some(old), .. }), Some(Shown { origin: Some(new), .. })) if old != new => {
                    (Some(old), Some(new))
                }
                (Some(_), Some(_)) => return None,
                (old, new) => (old.map(|shown| &shown.digest), new.map(|shown| &shown.digest)),
            };
            let name = new.or(old).map(|shown| shown.name.clone()).unwrap_or_default();
            Some(LockChange { name, platform: key.2.clone(), old: digests.0.cloned(), new: digests.1.cloned() })
        };
        names.into_iter().filter_map(change).collect()
    }

    /// Each entry by its section, name and platform.
    fn shown(&self) -> BTreeMap<(u8, String, Option<Platform>), Shown> {
        let shown = |entry: Locked| {
            let name = entry.name();
            let (key, digest, origin) = match entry {
                Locked::File(url, file) => ((0, url.into(), None), file.digest.to_string(), None),
                Locked::Image(image, of, digest) => {
                    let digest = digest.map_or_else(|| "refused".to_owned(), |digest| digest.to_string());
                    ((1, image.to_string(), Some(of)), digest, None)
                }
                Locked::Base(base, of, found) => {
                    let origin = found.digest.map(|digest| digest.to_string());
                    ((2, base.to_string(), Some(of)), found.id.to_string(), origin)
                }
            };
            (key, Shown { name, digest, origin })
        };
        self.entries().map(shown).collect()
    }
}

fn onto<K: Ord + Clone, V: PartialEq + Clone>(
    ours: &BTreeMap<K, V>,
    earlier: &BTreeMap<K, V>,
    now: &BTreeMap<K, V>,
) -> BTreeMap<K, V> {
    let mut merged = now.clone();
    merged.retain(|key, value| ours.contains_key(key) || earlier.get(key) != Some(value));
    for (key, value) in ours {
        match earlier.get(key) {
            Some(known) if known == value => {}
            Some(_) => drop(merged.insert(key.clone(), value.clone())),
            None => drop(merged.entry(key.clone()).or_insert_with(|| value.clone())),
        }
    }
    merged
}

/// An entry for people.
#[derive(PartialEq, Eq)]
struct Shown {
    name: String,
    /// The one digest that identifies it.
    digest: String,
    /// For a base image, the digest of its tag.
    origin: Option<String>,
}

/// The lock's file for a recipe's: `rawdocker.lock.yaml` for `rawdocker.yaml`.
#[must_use]
pub fn lock_file_of(recipe: &Path) -> PathBuf {
    let is_yaml = recipe.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
    let stem = if is_yaml { recipe.file_stem() } else { recipe.file_name() };
    let mut name = stem.unwrap_or_default().to_owned();
    name.push(LOCK_ENDING);
    recipe.with_file_name(name)
}

/// Whether a file has a lock's name.
#[must_use]
pub(crate) fn is_lock_file(file: &Path) -> bool {
    file.file_name().is_some_and(|name| name.as_encoded_bytes().ends_with(LOCK_ENDING.as_bytes()))
}
