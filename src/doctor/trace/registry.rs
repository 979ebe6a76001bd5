//! What the registry in a root file system knows of layers: which are linked where, and which diff ids they have.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;

use super::model::{Link, Spot};
use crate::disk::Kind;
use crate::image::diff_ids;
use crate::rootfs::{Fault, Holds, Overlay, Part, RegistryStorage, Repository, RepositoryPaths, blob_data_path};
use crate::types::{ContextPath, Digest, ImageRef, Platform};

/// The registry of a sealer image, read once.
pub(super) struct Registry<'a> {
    layers: &'a Overlay,
    pub(super) storage: RegistryStorage<'a>,
    platform: &'a Platform,
    /// Diff id → the blobs that configs say it of.
    blobs: BTreeMap<Digest, BTreeSet<Digest>>,
    /// The sizes in bytes that manifests say.
    sizes: BTreeMap<Digest, u64>,
    links: BTreeMap<Digest, Vec<Link>>,
    /// Blobs of which is known what they are: configs, and the layers that those speak of.
    explained: BTreeSet<Digest>,
}

impl<'a> Registry<'a> {
    /// Looks through all repositories in the layers of an image for `platform`. What cannot be understood is passed over:
    /// `sealer doctor image` says what is wrong with it.
    pub(super) fn read(layers: &'a Overlay, platform: &'a Platform) -> io::Result<Self> {
        let storage = RegistryStorage::new(layers);
        let (blobs, sizes) = (BTreeMap::new(), BTreeMap::new());
        let (links, explained) = (BTreeMap::new(), BTreeSet::new());
        let mut registry = Self { layers, storage, platform, blobs, sizes, links, explained };
        for (name, repository) in &storage.repositories()?.repositories {
            registry.repository(name, repository)?;
        }
        Ok(registry)
    }

    fn repository(&mut self, name: &str, repository: &Repository) -> io::Result<()> {
        // The host does not count: a registry's storage is one host's.
        let Ok(reference) = format!("localhost/{name}").parse::<ImageRef>() else { return Ok(()) };
        let Ok(paths) = RepositoryPaths::of(&reference) else { return Ok(()) };
        for digest in &repository.layers {
            let link = paths.layer_link(*digest);
            let Some((spot, _)) = self.spot(link.clone())? else { continue };
            let fault = self.storage.fault(&Part { what: "layer", path: link, holds: Holds::Link(*digest) });
            let link = Link { repository: name.to_owned(), spot, fault: fault.map(|fault| fault.to_string()) };
            self.links.entry(*digest).or_default().push(link);
        }
        for digest in &repository.revisions {
            let Ok(image) = self.storage.image_at(&reference.by_digest(*digest), *digest, self.platform) else {
                continue;
            };
            self.sizes.extend(image.layers.iter().map(|layer| (layer.digest, layer.size)));
            self.explained.insert(image.config.digest);
            let diff_ids = self.diff_ids(image.config.digest);
            let Some(diff_ids) = diff_ids.filter(|diff_ids| diff_ids.len() == image.layers.len()) else { continue };
            for (diff_id, layer) in diff_ids.into_iter().zip(&image.layers) {
                self.blobs.entry(diff_id).or_default().insert(layer.digest);
                self.explained.insert(layer.digest);
            }
        }
        Ok(())
    }

    /// The diff ids of an image, by its config; `None` if the config is missing or not valid.
    pub(super) fn diff_ids(&self, config: Digest) -> Option<Vec<Digest>> {
        diff_ids(&self.storage.config(config).ok()?).ok()
    }

    /// The blobs that configs say a diff id of.
    pub(super) fn blobs(&self, diff_id: Digest) -> impl Iterator<Item = Digest> {
        self.blobs.get(&diff_id).into_iter().flatten().copied()
    }

    /// The diff id that configs say about a blob, where all of them say another one than `diff_id`.
    pub(super) fn contradicts(&self, digest: Digest, diff_id: Digest) -> Option<Digest> {
        let mut said = self.blobs.iter().filter(|(_, blobs)| blobs.contains(&digest)).map(|(said, _)| *said).peekable();
        let first = said.peek().copied()?;
        said.all(|said| said != diff_id).then_some(first)
    }

    /// Blobs that are part of a repository, and of which nothing is known.
    pub(super) fn unmapped(&self) -> Vec<Digest> {
        self.links.keys().filter(|digest| !self.explained.contains(digest)).copied().collect()
    }

    /// The repositories that a blob is part of, `own` first.
    pub(super) fn links(&self, digest: Digest, own: &str) -> Vec<Link> {
        let mut links = self.links.get(&digest).cloned().unwrap_or_default();
        links.sort_by_key(|link| link.repository != own);
        links
    }

    /// Where a blob's bytes are; `None` if there is no such file.
    pub(super) fn data(&self, digest: Digest) -> io::Result<Option<(Spot, PathBuf)>> {
        self.spot(blob_data_path(digest))
    }

    /// What is wrong with the size of a blob's bytes.
    pub(super) fn size_fault(&self, digest: Digest) -> Option<Fault> {
        let holds = Holds::Data(digest, *self.sizes.get(&digest)?);
        self.storage.fault(&Part { what: "layer", path: blob_data_path(digest), holds })
    }

    /// A regular file: where it is in the root file system and on this machine.
    pub(super) fn spot(&self, path: ContextPath) -> io::Result<Option<(Spot, PathBuf)>> {
        let entry = self.layers.entry(&path)?.filter(|entry| entry.meta.kind == Kind::File);
        Ok(entry.map(|entry| {
            let file = self.layers.layers()[entry.layer()].join(path.as_path());
            (Spot { path, layer: entry.layer() + 1 }, file)
        }))
    }
}
