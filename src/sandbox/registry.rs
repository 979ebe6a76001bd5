//! The contents of the sandbox's registries, in memory.

use std::collections::{BTreeMap, BTreeSet};

use hyper::body::Bytes;

use crate::image::{Descriptor, Document};
use crate::types::{Digest, ImageRef};

/// The content of any number of registries.
///
/// A repository's name starts with the host it stands for: `docker.io/library/registry`. Blobs are kept once but
/// are only found through a repository that has them, as in a real registry.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    blobs: BTreeMap<Digest, Bytes>,
    repositories: BTreeMap<String, Repository>,
    /// Whether it has the referrers API.
    knows_referrers: bool,
}

/// One repository: its manifests, what its tags stand for, and which blobs it has.
#[derive(Debug, Clone, Default)]
pub struct Repository {
    /// Manifests and lists by digest.
    pub manifests: BTreeMap<Digest, Document>,
    /// The digest of each tag.
    pub tags: BTreeMap<String, Digest>,
    /// Configs and layers.
    pub blobs: BTreeSet<Digest>,
}

impl Repository {
    /// The manifest or list under a tag or a digest.
    pub fn manifest(&self, reference: &str) -> Option<&Document> {
        let digest = reference.parse().ok().or_else(|| self.tags.get(reference).copied())?;
        self.manifests.get(&digest)
    }
}

impl Registry {
    /// The name under which the repository of `reference` is kept: `docker.io/library/registry`.
    #[must_use]
    pub(crate) fn name_of(reference: &ImageRef) -> String {
        format!("{}/{}", reference.registry(), reference.repository())
    }

    /// Adds a config or a layer to a repository.
    pub fn put_blob(&mut self, repository: &str, bytes: impl Into<Bytes>) -> Digest {
        let bytes = bytes.into();
        let digest = Digest::of(&bytes);
        self.blobs.insert(digest, bytes);
        self.repositories.entry(repository.to_owned()).or_default().blobs.insert(digest);
        digest
    }

    /// Gives a repository a blob that another one has; false if it is nowhere.
    pub(crate) fn mount_blob(&mut self, repository: &str, from: &str, digest: Digest) -> bool {
        let is_there = self.blob(from, digest).is_some();
        if is_there {
            self.repositories.entry(repository.to_owned()).or_default().blobs.insert(digest);
        }
        is_there
    }

    /// Adds a manifest or list to a repository, under `tag`.
    pub fn put_manifest(&mut self, repository: &str, tag: Option<&str>, media_type: &str, bytes: Vec<u8>) -> Digest {
        let digest = Digest::of(&bytes);
        let descriptor = Descriptor { media_type: media_type.to_owned(), digest, size: bytes.len() as u64 };
        let repository = self.repositories.entry(repository.to_owned()).or_default();
        repository.manifests.insert(digest, Document { descriptor, bytes });
        if let Some(tag) = tag {
            repository.tags.insert(tag.to_owned(), digest);
        }
        digest
    }

    /// Switches the referrers API on or off. OCI distribution-spec `spec.md`, "Listing Referrers"; docker-registry 2.8
    /// does not have it.
    pub fn set_knows_referrers(&mut self, knows: bool) {
        self.knows_referrers = knows;
    }

    /// Whether it has the referrers API.
    pub(crate) fn knows_referrers(&self) -> bool {
        self.knows_referrers
    }

    /// What in a repository refers to a manifest or list.
    pub fn referrers(&self, repository: &str, subject: Digest) -> Vec<&Document> {
        let refers = |document: &&Document| {
            let fields: serde_json::Value = serde_json::from_slice(&document.bytes).unwrap_or_default();
            fields["subject"]["digest"] == subject.to_string()
        };
        let repository = self.repositories.get(repository);
        repository.map(|repository| repository.manifests.values().filter(refers).collect()).unwrap_or_default()
    }

    /// The blob, if the repository has it.
    pub fn blob(&self, repository: &str, digest: Digest) -> Option<&Bytes> {
        self.repositories.get(repository)?.blobs.get(&digest)?;
        self.blobs.get(&digest)
    }

    /// The repository of this name, host first.
    pub fn repository(&self, name: &str) -> Option<&Repository> {
        self.repositories.get(name)
    }

    /// All repositories in the order of their names.
    pub fn repositories(&self) -> impl Iterator<Item = (&str, &Repository)> {
        self.repositories.iter().map(|(name, repository)| (name.as_str(), repository))
    }

    /// What the reference's digest, or else its tag, stands for.
    pub fn manifest(&self, reference: &ImageRef) -> Option<&Document> {
        let repository = self.repositories.get(&Self::name_of(reference))?;
        match reference.digest() {
            Some(digest) => repository.manifests.get(&digest),
            None => repository.manifest(reference.tag()?),
        }
    }

    /// The hosts of the repositories.
    pub fn hosts(&self) -> BTreeSet<&str> {
        self.repositories.keys().filter_map(|name| name.split_once('/')).map(|(host, _)| host).collect()
    }
}
