//! What the registry in a root file system knows of layers: which are linked where, and which diff ids they have.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use super::model::{Link, Spot};
use crate::image::{Fault, RepositoryPaths, blob_data_path, diff_ids, read_registry_tree};
use crate::rootfs::Overlay;
use crate::words::{ContextPath, Digest, ImageRef, Platform};

const REPOSITORIES: &str = "registry/docker/registry/v2/repositories";

/// Bytes that a config may have.
const CONFIG_LIMIT: u64 = 8 << 20;

/// The registry of a sealer image, looked through once.
pub(super) struct Registry<'a> {
    layers: &'a Overlay,
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
    /// Looks through all repositories in the merged layers of an image for `platform`. What cannot be understood is
    /// passed over: `sealer doctor image` says what is wrong with it.
    pub(super) fn read(layers: &'a Overlay, platform: &'a Platform) -> io::Result<Self> {
        let (blobs, sizes) = (BTreeMap::new(), BTreeMap::new());
        let (links, explained) = (BTreeMap::new(), BTreeSet::new());
        let mut registry = Self { layers, platform, blobs, sizes, links, explained };
        for repository in repositories(layers)? {
            registry.repository(&repository)?;
        }
        Ok(registry)
    }

    fn repository(&mut self, repository: &str) -> io::Result<()> {
        // The host does not count: a registry's storage is one host's.
        let Ok(reference) = format!("localhost/{repository}").parse::<ImageRef>() else { return Ok(()) };
        let Ok(paths) = RepositoryPaths::of(&reference) else { return Ok(()) };
        for digest in self.digests(repository, "_layers")? {
            let Some((spot, file)) = self.spot(paths.layer_link(digest))? else { continue };
            let fault = link_fault(&file, digest)?;
            let link = Link { repository: repository.to_owned(), spot, fault: fault.map(|fault| fault.to_string()) };
            self.links.entry(digest).or_default().push(link);
        }
        for digest in self.digests(repository, "_manifests/revisions")? {
            let lookup = |path: &ContextPath| self.layers.find(path).ok().flatten();
            let Some(image) = read_registry_tree(&reference.by_digest(digest), self.platform, &lookup) else {
                continue;
            };
            self.sizes.extend(image.layers.iter().map(|layer| (layer.digest, layer.size)));
            self.explained.insert(image.config.digest);
            let diff_ids = self.diff_ids(image.config.digest)?;
            let Some(diff_ids) = diff_ids.filter(|diff_ids| diff_ids.len() == image.layers.len()) else { continue };
            for (diff_id, layer) in diff_ids.into_iter().zip(&image.layers) {
                self.blobs.entry(diff_id).or_default().insert(layer.digest);
                self.explained.insert(layer.digest);
            }
        }
        Ok(())
    }

    /// The names in a repository's folder that are digests.
    fn digests(&self, repository: &str, folder: &str) -> io::Result<Vec<Digest>> {
        let Ok(folder) = format!("{REPOSITORIES}/{repository}/{folder}/sha256").parse() else { return Ok(Vec::new()) };
        let names = self.layers.list(&folder)?;
        Ok(names.iter().filter_map(|name| Digest::from_hex(name.to_str()?).ok()).collect())
    }

    /// The diff ids of an image, by its config; none where the config is not there or is none.
    pub(super) fn diff_ids(&self, config: Digest) -> io::Result<Option<Vec<Digest>>> {
        let Some((_, file)) = self.data(config)? else { return Ok(None) };
        if fs_err::symlink_metadata(&file)?.len() > CONFIG_LIMIT {
            return Ok(None);
        }
        let bytes = fs_err::read(&file)?;
        Ok(diff_ids(&bytes).ok().filter(|_| Digest::of(&bytes) == config))
    }

    /// The blobs that configs say a diff id of.
    pub(super) fn blobs(&self, diff_id: Digest) -> impl Iterator<Item = Digest> {
        self.blobs.get(&diff_id).into_iter().flatten().copied()
    }

    /// The diff id that configs say of a blob, where all of them say another one than `diff_id`.
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

    /// Where a blob's bytes are; none where there is no such file.
    pub(super) fn data(&self, digest: Digest) -> io::Result<Option<(Spot, PathBuf)>> {
        self.spot(blob_data_path(digest))
    }

    /// What is wrong with the size of a blob's bytes.
    pub(super) fn size_fault(&self, digest: Digest, file: &Path) -> io::Result<Option<Fault>> {
        let Some(&expected) = self.sizes.get(&digest) else { return Ok(None) };
        let found = fs_err::symlink_metadata(file)?.len();
        Ok((found != expected).then_some(Fault::Size { expected, found }))
    }

    /// A regular file: where it is in the root file system and on this machine.
    pub(super) fn spot(&self, path: ContextPath) -> io::Result<Option<(Spot, PathBuf)>> {
        let Some(file) = self.layers.find(&path)? else { return Ok(None) };
        if !fs_err::symlink_metadata(&file)?.is_file() {
            return Ok(None);
        }
        let layer = self.layers.layers().iter().position(|folder| file.starts_with(folder));
        Ok(layer.map(|layer| (Spot { path, layer: layer + 1 }, file)))
    }
}

/// The repositories of a registry's storage, sorted.
fn repositories(layers: &Overlay) -> io::Result<Vec<String>> {
    let top: ContextPath = REPOSITORIES.parse().expect("plain words are a path");
    let (mut found, mut folders) = (Vec::new(), vec![top.clone()]);
    while let Some(folder) = folders.pop() {
        let mut is_repository = false;
        for name in layers.list(&folder)? {
            let Some(name) = name.to_str() else { continue };
            // A registry's own folders begin so, and no part of a repository does.
            if name.starts_with('_') {
                is_repository = true;
            } else if let Ok(part) = name.parse::<ContextPath>() {
                folders.push(folder.join(&part));
            }
        }
        if is_repository && folder != top {
            found.push(folder.as_str()[top.as_str().len() + 1..].to_owned());
        }
    }
    found.sort();
    Ok(found)
}

/// What a link holds, where that is not the digest that it should be of.
fn link_fault(file: &Path, expected: Digest) -> io::Result<Option<Fault>> {
    let found = link(file)?;
    Ok((found != expected.to_string()).then_some(Fault::Link { expected, found }))
}

/// The first bytes of a link: one more than a digest has.
pub(super) fn link(file: &Path) -> io::Result<String> {
    let mut found = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(fs_err::File::open(file)?, 72), &mut found)?;
    Ok(String::from_utf8_lossy(&found).into_owned())
}
