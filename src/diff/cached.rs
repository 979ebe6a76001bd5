//! The container images in an image's registry: read from its storage tree, and compared by what their tags stand for.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use serde::Serialize;

use super::side::Side;
use super::{DiffError, DiffPath};
use crate::image::{Descriptor, ManifestKind};
use crate::rootfs::{Holds, Part, RegistryStorage, Repository, RepositoryPaths, STORAGE, blob_data_path};
use crate::types::{Digest, ImageRef, Platform};

/// A host to complete references with; the storage knows none.
const HOST: &str = "localhost:5000";

/// What a name in the registry stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CachedImage {
    /// The digest of the list or manifest under the tag.
    pub digest: Digest,
    /// Whether that is a list of manifests.
    pub is_list: bool,
    /// The platforms that the registry has, of a list.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub platforms: BTreeSet<Platform>,
    /// Bytes of documents, configs and layers; what several images share is counted for each.
    pub size: u64,
    /// Paths of the storage that it needs and that are not there or have a wrong size: it cannot be pulled whole.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

/// A name in the registry that differs between the two images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct CachedDiff {
    /// Repository and tag, without a host: `calico/cni:v3.19.1`; a digest where no tag leads to it.
    pub name: String,
    /// The first image's side; `None` if it does not have the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<CachedImage>,
    /// The second image's side; `None` if it does not have the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<CachedImage>,
}

/// The images of a registry tree.
#[derive(Debug, Default)]
pub(super) struct Cached {
    pub(super) images: BTreeMap<String, CachedImage>,
    /// Their files, which need no separate report.
    pub(super) explained: BTreeSet<Vec<u8>>,
    /// What blobs are: `calico/cni:v3.19.1 layer 2`.
    blobs: BTreeMap<Digest, BTreeSet<String>>,
}

/// The parts of container images whose blob is at a path, if it is in the registry of an image: `calico/cni:v3.19.1
/// layer 2`. The image must have that blob itself, whole.
pub(crate) fn cached_at(side: &Side, path: &DiffPath) -> Result<Vec<String>, DiffError> {
    let file = path.first_file().and_then(|file| std::str::from_utf8(file).ok());
    let blob = file.and_then(|file| file.strip_prefix(STORAGE)?.strip_prefix("/blobs/sha256/")?.split('/').nth(1));
    let Some(blob) = blob.and_then(|hex| Digest::from_hex(hex).ok()) else { return Ok(Vec::new()) };
    let mut cached = read(side)?;
    Ok(cached.blobs.remove(&blob).into_iter().flatten().collect())
}

/// The names that differ.
pub(super) fn compare(old: &Cached, new: &Cached) -> Vec<CachedDiff> {
    let names: BTreeSet<&String> = old.images.keys().chain(new.images.keys()).collect();
    let sides = names.into_iter().map(|name| (name, old.images.get(name), new.images.get(name)));
    let differ = sides.filter(|(_, old, new)| old != new);
    differ.map(|(name, old, new)| CachedDiff { name: name.clone(), old: old.cloned(), new: new.cloned() }).collect()
}

/// Reads the images of the registry in a root file system.
pub(super) fn read(side: &Side) -> Result<Cached, DiffError> {
    let overlay = side.overlay();
    let mut reader = Reader { storage: RegistryStorage::new(&overlay), cached: Cached::default() };
    let failed = |source| DiffError::Read { path: STORAGE.to_owned(), source };
    for (name, repository) in reader.storage.repositories().map_err(failed)?.repositories {
        reader.repository(&name, &repository).map_err(failed)?;
    }
    Ok(reader.cached)
}

struct Reader<'a> {
    storage: RegistryStorage<'a>,
    cached: Cached,
}

impl Reader<'_> {
    fn repository(&mut self, name: &str, repository: &Repository) -> io::Result<()> {
        let Ok(untagged) = format!("{HOST}/{name}").parse::<ImageRef>() else { return Ok(()) };
        let Ok(paths) = RepositoryPaths::of(&untagged) else { return Ok(()) };
        // Those that nothing else leads to have only their digest for a name.
        let mut unnamed = repository.revisions.clone();
        for tag in &repository.tags {
            let Ok(tagged) = format!("{HOST}/{name}:{tag}").parse::<ImageRef>() else { continue };
            let Ok(of_tag) = RepositoryPaths::of(&tagged) else { continue };
            let Some((link, digest)) = of_tag.tag_current_link().and_then(|link| {
                let digest = self.storage.link(&link).ok()?;
                Some((link, digest))
            }) else {
                continue;
            };
            // What a tag stood for before is history that the registry keeps.
            let history = self.storage.history(&of_tag)?;
            let history = history.into_iter().filter_map(|before| of_tag.tag_index_link(before));
            self.cached.explained.extend(history.chain([link]).map(|path| path.as_str().as_bytes().to_vec()));
            for seen in self.image(format!("{name}:{tag}"), &paths, digest) {
                unnamed.remove(&seen);
            }
        }
        // A list comes before its manifests, so that these are not reported as separate images.
        let mut of_lists = BTreeSet::new();
        for digest in &unnamed {
            if let Ok((_, ManifestKind::List(entries))) = self.storage.document(*digest) {
                of_lists.extend(entries.into_iter().map(|entry| entry.descriptor.digest));
            }
        }
        for digest in unnamed.difference(&of_lists) {
            self.image(format!("{name}@{digest}"), &paths, *digest);
        }
        Ok(())
    }

    /// Adds an image; returns the digests of all its documents.
    fn image(&mut self, name: String, paths: &RepositoryPaths, digest: Digest) -> BTreeSet<Digest> {
        let mut image =
            CachedImage { digest, is_list: false, platforms: BTreeSet::new(), size: 0, missing: Vec::new() };
        let mut seen = BTreeSet::from([digest]);
        match self.storage.document(digest) {
            Err(_) => {
                let (path, holds) = (paths.revision_link(digest), Holds::Link(digest));
                self.need(&mut image, &name, [Part { what: "manifest", path, holds }]);
                image.missing.push(blob_data_path(digest).to_string());
            }
            Ok((document, ManifestKind::Image { config, layers })) => {
                self.need(&mut image, &format!("{name} manifest"), paths.document("manifest", &document.descriptor));
                self.blobs(&name, &mut image, paths, &config, &layers);
            }
            Ok((document, ManifestKind::List(entries))) => {
                image.is_list = true;
                self.need(&mut image, &format!("{name} list"), paths.document("list", &document.descriptor));
                for entry in entries {
                    let manifest = entry.descriptor.digest;
                    seen.insert(manifest);
                    // A registry may have only some of a list's platforms.
                    let Ok((document, ManifestKind::Image { config, layers })) = self.storage.document(manifest) else {
                        continue;
                    };
                    image.platforms.extend(entry.platform);
                    self.need(
                        &mut image,
                        &format!("{name} manifest"),
                        paths.document("manifest", &document.descriptor),
                    );
                    self.blobs(&name, &mut image, paths, &config, &layers);
                }
            }
        }
        self.cached.images.insert(name, image);
        seen
    }

    fn blobs(
        &mut self,
        name: &str,
        image: &mut CachedImage,
        paths: &RepositoryPaths,
        config: &Descriptor,
        layers: &[Descriptor],
    ) {
        self.need(image, &format!("{name} config"), paths.blob("config", config));
        for (number, layer) in (1..).zip(layers) {
            self.need(image, &format!("{name} layer {number}"), paths.blob("layer", layer));
        }
    }

    /// What the image needs of the files, which are `of` it.
    fn need(&mut self, image: &mut CachedImage, of: &str, parts: impl IntoIterator<Item = Part>) {
        for part in parts {
            if let Holds::Data(digest, _) = part.holds {
                self.cached.blobs.entry(digest).or_default().insert(of.to_owned());
            }
            if self.storage.fault(&part).is_some() {
                image.missing.push(part.path.to_string());
                continue;
            }
            if let Holds::Data(_, size) = part.holds {
                image.size += size;
            }
            self.cached.explained.insert(part.path.as_str().as_bytes().to_vec());
        }
    }
}
