//! The container images in an image's registry: read from its storage tree, and compared by what their tags stand for.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use serde::Serialize;

use super::change::Kind;
use super::content::Readable;
use super::side::Side;
use super::tree::{self, Entries, LayerFile, below};
use super::{DiffError, DiffPath};
use crate::image::{Descriptor, Manifest, ManifestKind, RepositoryPaths, blob_data_path};
use crate::words::{ContextPath, Digest, ImageRef, Platform};

/// Where docker-registry keeps its repositories and blobs.
pub(super) const STORAGE: &str = "registry/docker/registry/v2";
/// The largest manifest or list that is read, in bytes.
const DOCUMENT: u64 = 4 << 20;
/// A host to complete references with; the storage knows none.
const HOST: &str = "localhost:5000";

/// What a name in the registry stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CachedImage {
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

/// A name in the registry that does not stand for the same in both images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CachedDiff {
    /// Repository and tag, without a host: `calico/cni:v3.19.1`; a digest where no tag leads to it.
    pub name: String,
    /// What it stood for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<CachedImage>,
    /// What it stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<CachedImage>,
}

/// The images of a registry tree.
#[derive(Debug, Default)]
pub(super) struct Cached {
    pub(super) images: BTreeMap<String, CachedImage>,
    /// The files that make them up: nothing more is to be said of these.
    pub(super) explained: BTreeSet<Vec<u8>>,
    /// What blobs are: `calico/cni:v3.19.1 layer 2`.
    blobs: BTreeMap<Digest, BTreeSet<String>>,
}

/// The parts of container images that a path is the blob of, where it leads into the registry of an image: `calico/cni:v3.19.1
/// layer 2`. The image must have that blob itself, whole.
pub fn cached_at(side: &Side, path: &DiffPath) -> Result<Vec<String>, DiffError> {
    let file = path.first_file().and_then(|file| std::str::from_utf8(file).ok());
    let blob = file.and_then(|file| file.strip_prefix(STORAGE)?.strip_prefix("/blobs/sha256/")?.split('/').nth(1));
    let Some(blob) = blob.and_then(|hex| Digest::from_hex(hex).ok()) else { return Ok(Vec::new()) };
    let mut cached = read(side, &tree::read(&side.overlay())?)?;
    Ok(cached.blobs.remove(&blob).into_iter().flatten().collect())
}

/// The names that do not stand for the same.
pub(super) fn compare(old: &Cached, new: &Cached) -> Vec<CachedDiff> {
    let names: BTreeSet<&String> = old.images.keys().chain(new.images.keys()).collect();
    let sides = names.into_iter().map(|name| (name, old.images.get(name), new.images.get(name)));
    let differ = sides.filter(|(_, old, new)| old != new);
    differ.map(|(name, old, new)| CachedDiff { name: name.clone(), old: old.cloned(), new: new.cloned() }).collect()
}

/// Reads the images of the registry tree in a root file system.
pub(super) fn read(side: &Side, entries: &Entries) -> Result<Cached, DiffError> {
    let mut reader = Reader { side, entries, cached: Cached::default() };
    let top = format!("{STORAGE}/repositories");
    for repository in reader.repositories(&top) {
        reader.repository(&top, &repository)?;
    }
    Ok(reader.cached)
}

struct Reader<'a> {
    side: &'a Side,
    entries: &'a Entries,
    cached: Cached,
}

impl Reader<'_> {
    /// The folders that have manifests, relative to `top`. What has a name that no reference has is none.
    fn repositories(&self, top: &str) -> Vec<String> {
        let manifests = below(self.entries, top.as_bytes()).filter_map(|(path, _)| {
            let path = std::str::from_utf8(path).ok()?;
            path.strip_prefix(top)?.strip_prefix('/')?.strip_suffix("/_manifests").map(str::to_owned)
        });
        manifests.filter(|name| !name.split('/').any(|part| part.starts_with('_'))).collect()
    }

    fn repository(&mut self, top: &str, repository: &str) -> Result<(), DiffError> {
        let Ok(reference) = format!("{HOST}/{repository}").parse::<ImageRef>() else { return Ok(()) };
        let folder = format!("{top}/{repository}/_manifests");
        // Those that nothing else leads to have only their digest for a name.
        let mut unnamed: BTreeSet<Digest> = self.digests(&format!("{folder}/revisions/sha256")).collect();
        let mut named = Vec::new();
        for tag in self.names(&format!("{folder}/tags")) {
            let Ok(reference) = format!("{HOST}/{repository}:{tag}").parse::<ImageRef>() else { continue };
            let link = format!("{folder}/tags/{tag}/current/link");
            let Some(digest) = self.small(&link)?.and_then(|text| String::from_utf8(text).ok()?.trim().parse().ok())
            else {
                continue;
            };
            self.explain(&link);
            // What a tag stood for before is history that the registry keeps.
            for before in self.digests(&format!("{folder}/tags/{tag}/index/sha256")).collect::<Vec<_>>() {
                self.explain(&format!("{folder}/tags/{tag}/index/sha256/{}/link", before.hex()));
            }
            named.push((format!("{repository}:{tag}"), reference, digest));
        }
        for (name, reference, digest) in named {
            let seen = self.image(name, &reference, digest)?;
            unnamed.retain(|digest| !seen.contains(digest));
        }
        // A list comes before its manifests: those are no images of their own then.
        let mut lists = Vec::new();
        for digest in &unnamed {
            if let Some(ManifestKind::List(entries)) = self.document(*digest)?.map(|(_, kind)| kind) {
                lists.extend(entries.into_iter().map(|entry| entry.descriptor.digest));
            }
        }
        for digest in unnamed.iter().filter(|digest| !lists.contains(digest)) {
            self.image(format!("{repository}@{digest}"), &reference.by_digest(*digest), *digest)?;
        }
        Ok(())
    }

    /// Adds an image; gives the digests of all its documents.
    fn image(&mut self, name: String, reference: &ImageRef, digest: Digest) -> Result<BTreeSet<Digest>, DiffError> {
        let Ok(paths) = RepositoryPaths::of(reference) else { return Ok(BTreeSet::new()) };
        let mut image =
            CachedImage { digest, is_list: false, platforms: BTreeSet::new(), size: 0, missing: Vec::new() };
        let mut seen = BTreeSet::from([digest]);
        self.need(&mut image, &paths.revision_link(digest), None);
        match self.document(digest)? {
            None => self.need(&mut image, &blob_data_path(digest), Some(0)),
            Some((size, ManifestKind::Image { config, layers })) => {
                self.tell(digest, format!("{name} manifest"));
                self.need(&mut image, &blob_data_path(digest), Some(size));
                self.blobs(&name, &mut image, &paths, &config, &layers);
            }
            Some((size, ManifestKind::List(entries))) => {
                image.is_list = true;
                self.tell(digest, format!("{name} list"));
                self.need(&mut image, &blob_data_path(digest), Some(size));
                for entry in entries {
                    let manifest = entry.descriptor.digest;
                    seen.insert(manifest);
                    // A registry may have only some of a list's platforms.
                    let Some((size, ManifestKind::Image { config, layers })) = self.document(manifest)? else {
                        continue;
                    };
                    image.platforms.extend(entry.platform);
                    self.tell(manifest, format!("{name} manifest"));
                    self.need(&mut image, &paths.revision_link(manifest), None);
                    self.need(&mut image, &blob_data_path(manifest), Some(size));
                    self.blobs(&name, &mut image, &paths, &config, &layers);
                }
            }
        }
        self.cached.images.insert(name, image);
        Ok(seen)
    }

    fn tell(&mut self, blob: Digest, what: String) {
        self.cached.blobs.entry(blob).or_default().insert(what);
    }

    fn blobs(
        &mut self,
        name: &str,
        image: &mut CachedImage,
        paths: &RepositoryPaths,
        config: &Descriptor,
        layers: &[Descriptor],
    ) {
        self.tell(config.digest, format!("{name} config"));
        for (number, layer) in (1..).zip(layers) {
            self.tell(layer.digest, format!("{name} layer {number}"));
        }
        for blob in std::iter::once(config).chain(layers) {
            self.need(image, &paths.layer_link(blob.digest), None);
            self.need(image, &blob_data_path(blob.digest), Some(blob.size));
        }
    }

    /// A file that the image needs, of a size where that is known.
    fn need(&mut self, image: &mut CachedImage, path: &ContextPath, size: Option<u64>) {
        let found = self.entries.get(path.as_str().as_bytes()).and_then(tree::Entry::size);
        match (found, size) {
            (Some(found), Some(size)) if found == size => {
                image.size += size;
                self.explain(path.as_str());
            }
            (Some(_), None) => self.explain(path.as_str()),
            (Some(_), Some(_)) | (None, _) => image.missing.push(path.to_string()),
        }
    }

    fn explain(&mut self, path: &str) {
        self.cached.explained.insert(path.as_bytes().to_vec());
    }

    /// A manifest or list with its size, where it is there and what its digest says.
    fn document(&self, digest: Digest) -> Result<Option<(u64, ManifestKind)>, DiffError> {
        let Some(bytes) = self.small(blob_data_path(digest).as_str())? else { return Ok(None) };
        if Digest::of(&bytes) != digest {
            return Ok(None);
        }
        Ok(Manifest::parse(&bytes, None).ok().map(|manifest| (bytes.len() as u64, manifest.kind)))
    }

    /// The content of a small file.
    fn small(&self, path: &str) -> Result<Option<Vec<u8>>, DiffError> {
        let path = path.as_bytes();
        let Some(entry) = self.entries.get(path).filter(|entry| entry.size() <= Some(DOCUMENT)) else {
            return Ok(None);
        };
        if entry.kind != Kind::File {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        let read = LayerFile { side: self.side, path, entry }.open()?.take(DOCUMENT).read_to_end(&mut bytes);
        read.map_err(|source| DiffError::Read { path: super::name_text(path), source })?;
        Ok(Some(bytes))
    }

    /// The names of the folders in a folder.
    fn names(&self, folder: &str) -> Vec<String> {
        let inside = below(self.entries, folder.as_bytes()).filter(|(_, entry)| entry.kind == Kind::Folder);
        let name = |path: &[u8]| {
            let name = std::str::from_utf8(path.get(folder.len() + 1..)?).ok()?;
            (!name.contains('/')).then(|| name.to_owned())
        };
        inside.filter_map(|(path, _)| name(path)).collect()
    }

    fn digests(&self, folder: &str) -> impl Iterator<Item = Digest> + use<> {
        self.names(folder).into_iter().filter_map(|name| Digest::from_hex(&name).ok())
    }
}
