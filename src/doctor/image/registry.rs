//! Every tag of an image's registry: link, list, manifest, config and layers.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::image::{
    ContainerImage, Descriptor, Document, Fault, Manifest, ManifestError, ManifestKind, PlatformManifest,
    RepositoryPaths, blob_data_path, check_config, check_registry_tree, choose, content_fault, link_fault,
};
use crate::words::{ContextPath, Digest, ImageRef, Platform, SealerName};

use super::super::Verdict;
use super::ImageFinding;
use super::layers::{Layers, Place};
use super::problem::{Problem, check_of, said};
use super::storage::Storage;

/// The largest document that is read, in bytes.
const MAX_DOCUMENT: u64 = 4 << 20;

/// The storage of an image's registry, and what is wrong with it.
pub(super) struct Registry<'a> {
    layers: &'a Layers,
    storage: &'a Storage,
    host: &'a str,
    platform: &'a Platform,
    problems: BTreeMap<(ContextPath, &'static str), Problem>,
    /// Some manifest or list cannot be read, so not all is known of what leads where.
    pub(super) is_unclear: bool,
    /// What tags and revisions lead to: blobs, and of each repository revisions and layers.
    pub(super) blobs: BTreeSet<Digest>,
    pub(super) revisions: BTreeSet<(String, Digest)>,
    pub(super) links: BTreeSet<(String, Digest)>,
}

/// The image that is looked at.
struct At<'a> {
    name: String,
    repository: &'a str,
    paths: &'a RepositoryPaths,
    /// Of what nobody's tag leads to.
    is_untagged: bool,
    near: Option<usize>,
}

impl<'a> Registry<'a> {
    pub(super) fn new(layers: &'a Layers, storage: &'a Storage, host: &'a str, platform: &'a Platform) -> Self {
        let (blobs, revisions, links) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let (problems, is_unclear) = (BTreeMap::new(), false);
        Self { layers, storage, host, platform, problems, is_unclear, blobs, revisions, links }
    }

    /// How clusters call it.
    pub(super) fn host(&self) -> &'a str {
        self.host
    }

    pub(super) fn platform(&self) -> &'a Platform {
        self.platform
    }

    /// Looks at every tag, then at what no tag leads to.
    pub(super) fn examine(&mut self) {
        let storage = self.storage;
        for (repository, names) in &storage.repositories {
            for tag in &names.tags {
                let name = format!("{repository}:{tag}");
                let Some((reference, paths)) = self.reference(&name) else { continue };
                let Some(link) = paths.tag_current_link() else { continue };
                let Some((root, near)) = self.tag(&link, &name) else { continue };
                let at = At { name, repository, paths: &paths, is_untagged: false, near: Some(near) };
                self.root(&reference, root, &at);
            }
        }
        for (repository, names) in &storage.repositories {
            for digest in &names.revisions {
                if self.revisions.contains(&(repository.clone(), *digest)) {
                    continue;
                }
                let Some((reference, paths)) = self.reference(&format!("{repository}@{digest}")) else { continue };
                let near = self.layer_of(&paths.revision_link(*digest));
                let name = format!("{repository}@sha256:{}…", &digest.hex()[..12]);
                let at = At { name, repository, paths: &paths, is_untagged: true, near };
                self.root(&reference, *digest, &at);
            }
        }
    }

    fn reference(&self, name: &str) -> Option<(ImageRef, RepositoryPaths)> {
        let reference: ImageRef = format!("{}/{name}", self.host).parse().ok()?;
        let paths = RepositoryPaths::of(&reference).ok()?;
        Some((reference, paths))
    }

    /// What a tag stands for, and the layer that says so.
    fn tag(&mut self, link: &ContextPath, name: &str) -> Option<(Digest, usize)> {
        let near = link.parent().and_then(|current| current.parent()).and_then(|tag| self.layer_of(&tag));
        let at = |problems: &mut Self, check, fault| {
            problems.is_unclear = true;
            let images = BTreeSet::from([name.to_owned()]);
            let problem = Problem { verdict: Verdict::Error, check, what: "tag", fault, images, near };
            problems.problems.insert((link.clone(), "link"), problem);
            None
        };
        let (file, layer) = match self.layers.place(link) {
            Ok(Place::Here(file, layer)) => (file, layer),
            Ok(Place::Hidden { .. } | Place::Absent) => return at(self, "link-missing", Fault::Absent.to_string()),
            Err(error) => return at(self, "unreadable", format!("cannot be read: {error}")),
        };
        // Compared with no digest that anything has: what it holds is in the fault.
        match link_fault(&file, Digest::of(b"")) {
            Ok(Some(Fault::Link { found, .. })) => match found.parse() {
                Ok(digest) => Some((digest, layer)),
                Err(_) => at(self, "link-wrong", format!("holds `{}`, which is no digest", found.escape_default())),
            },
            Ok(Some(fault)) => at(self, check_of(&fault, false), said(&fault, &file)),
            Ok(None) => Some((Digest::of(b""), layer)),
            Err(error) => at(self, "unreadable", format!("cannot be read: {error}")),
        }
    }

    /// The document that a tag or revision stands for, and what belongs to it.
    fn root(&mut self, reference: &ImageRef, digest: Digest, at: &At<'_>) {
        self.revisions.insert((at.repository.to_owned(), digest));
        self.blobs.insert(digest);
        let Some((document, kind)) = self.document(digest, "manifest", at) else {
            self.revision(digest, at);
            return;
        };
        match kind {
            ManifestKind::Image { config, layers } => {
                if !at.is_untagged {
                    self.of_other_platform(&config, at);
                }
                self.image(reference, None, document, config, layers, at);
            }
            ManifestKind::List(_) if at.is_untagged => self.revision(digest, at),
            ManifestKind::List(entries) => self.list(reference, document, &entries, at),
        }
    }

    fn list(&mut self, reference: &ImageRef, list: Document, entries: &[PlatformManifest], at: &At<'_>) {
        let there = |entry: &&PlatformManifest| {
            let digest = entry.descriptor.digest;
            self.has(&blob_data_path(digest)) || self.has(&at.paths.revision_link(digest))
        };
        let others = entries.iter().filter(there).filter_map(|entry| entry.platform.as_ref());
        let mut others: Vec<String> = others.map(ToString::to_string).collect();
        others.sort();
        others.dedup();
        let chosen = choose(entries, self.platform).ok().map(|entry| entry.descriptor.digest);
        let chosen = chosen.filter(|digest| {
            others.is_empty() || self.has(&blob_data_path(*digest)) || self.has(&at.paths.revision_link(*digest))
        });
        let Some(chosen) = chosen else {
            self.revision(list.descriptor.digest, at);
            let others = if others.is_empty() { "no platform".to_owned() } else { others.join(", ") };
            let fault = format!("leads to manifests for {others}, not to one for {}", self.platform);
            self.add(&blob_data_path(list.descriptor.digest), "platform", ("list", Verdict::Warning, fault), at);
            return;
        };
        self.revisions.insert((at.repository.to_owned(), chosen));
        self.blobs.insert(chosen);
        match self.document(chosen, "manifest", at) {
            Some((manifest, ManifestKind::Image { config, layers })) => {
                self.image(reference, Some(list), manifest, config, layers, at);
            }
            Some((_, ManifestKind::List(_))) => {
                let fault = "is a list, where a list leads to a manifest".to_owned();
                self.add(&blob_data_path(chosen), "manifest", ("manifest", Verdict::Error, fault), at);
            }
            None => {
                self.revision(list.descriptor.digest, at);
                self.revision(chosen, at);
            }
        }
    }

    /// Says so where an image without a list is for another platform.
    fn of_other_platform(&mut self, config: &Descriptor, at: &At<'_>) {
        let path = blob_data_path(config.digest);
        let Ok(Place::Here(file, _)) = self.layers.place(&path) else { return };
        if config.size > MAX_DOCUMENT || fs_err::metadata(&file).is_ok_and(|about| about.len() != config.size) {
            return;
        }
        let Ok(bytes) = fs_err::read(&file) else { return };
        if let Err(ManifestError::OtherPlatform { found, .. }) = check_config(&bytes, self.platform) {
            let fault = format!("says that the image is for {found}, not for {}", self.platform);
            self.add(&path, "platform", ("config", Verdict::Warning, fault), at);
        }
    }

    fn image(
        &mut self,
        reference: &ImageRef,
        list: Option<Document>,
        manifest: Document,
        config: Descriptor,
        layers: Vec<Descriptor>,
        at: &At<'_>,
    ) {
        let (reference, platform) = (reference.clone(), self.platform.clone());
        let whole = ContainerImage { reference, platform, list, manifest, config, layers };
        for blob in whole.blobs() {
            self.blobs.insert(blob.digest);
            self.links.insert((at.repository.to_owned(), blob.digest));
        }
        let lookup = |path: &ContextPath| self.layers.merged.find(path).ok().flatten();
        let Ok(missing) = check_registry_tree(&whole, &lookup) else { return };
        for missing in missing {
            let is_data = missing.path.file_name() == Some("data");
            let fault = match self.layers.merged.find(&missing.path) {
                Ok(Some(file)) => said(&missing.fault, &file),
                Ok(None) | Err(_) => missing.fault.to_string(),
            };
            // A registry serves a tag whose history it has not.
            let is_history =
                missing.path.as_str().contains("/_manifests/tags/") && missing.path.as_str().contains("/index/");
            let (check, what, verdict) = if is_history {
                ("tag-history", "tag's history", Verdict::Note)
            } else {
                (check_of(&missing.fault, is_data), missing.what, Verdict::Error)
            };
            self.add(&missing.path, check, (what, verdict, fault), at);
        }
    }

    /// The link of a manifest or list whose document cannot be followed.
    fn revision(&mut self, digest: Digest, at: &At<'_>) {
        let path = at.paths.revision_link(digest);
        let fault = match self.layers.place(&path) {
            Ok(Place::Here(file, _)) => {
                link_fault(&file, digest).map(|fault| fault.map(|fault| (said(&fault, &file), fault)))
            }
            Ok(Place::Hidden { .. } | Place::Absent) => Ok(Some((Fault::Absent.to_string(), Fault::Absent))),
            Err(error) => Err(error),
        };
        match fault {
            Ok(None) => {}
            Ok(Some((said, fault))) => self.add(&path, check_of(&fault, false), ("manifest", Verdict::Error, said), at),
            Err(error) => {
                self.add(&path, "unreadable", ("manifest", Verdict::Error, format!("cannot be read: {error}")), at);
            }
        }
    }

    fn document(&mut self, digest: Digest, what: &'static str, at: &At<'_>) -> Option<(Document, ManifestKind)> {
        match self.read_document(digest) {
            Ok(found) => Some(found),
            Err((check, fault)) => {
                self.is_unclear = true;
                self.add(&blob_data_path(digest), check, (what, Verdict::Error, fault), at);
                None
            }
        }
    }

    /// A manifest or list, or what is wrong with it: a check and its words.
    fn read_document(&self, digest: Digest) -> Result<(Document, ManifestKind), (&'static str, String)> {
        let unreadable = |error: io::Error| ("unreadable", format!("cannot be read: {error}"));
        let file = match self.layers.place(&blob_data_path(digest)).map_err(unreadable)? {
            Place::Here(file, _) => file,
            Place::Hidden { .. } | Place::Absent => return Err(("blob-missing", Fault::Absent.to_string())),
        };
        let about = fs_err::symlink_metadata(&file).map_err(unreadable)?;
        if !about.is_file() {
            return Err(("blob-no-file", said(&Fault::NoFile, &file)));
        }
        if about.len() > MAX_DOCUMENT {
            return Err(("manifest", format!("has {} bytes, too many for a manifest", about.len())));
        }
        let bytes = fs_err::read(&file).map_err(unreadable)?;
        let found = Digest::of(&bytes);
        if found != digest {
            return Err(("blob-content", Fault::Content { expected: digest, found }.to_string()));
        }
        let manifest = Manifest::parse(&bytes, None);
        let Manifest { media_type, kind } = manifest.map_err(|error| ("manifest", format!("is of no use: {error}")))?;
        let descriptor = Descriptor { media_type, digest, size: bytes.len() as u64 };
        Ok((Document { descriptor, bytes }, kind))
    }

    /// Hashes every blob, as many at once as there are processors.
    pub(super) fn hash_all(&mut self) {
        let blobs: Vec<Digest> = self.storage.blobs.iter().copied().collect();
        let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        let work = || {
            while let Some(digest) = blobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                let Ok(Place::Here(file, _)) = self.layers.place(&blob_data_path(*digest)) else { continue };
                let Ok(size) = fs_err::symlink_metadata(&file).map(|about| about.len()) else { continue };
                let fault = match content_fault(&file, *digest, size) {
                    Ok(fault) => fault,
                    Err(error) => Some(Fault::Unreadable(error.to_string())),
                };
                if let Some(fault) = fault {
                    found.lock().expect("nothing panics while it holds this").push((
                        *digest,
                        said(&fault, &file),
                        fault,
                    ));
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
                scope.spawn(work);
            }
        });
        let mut found = found.into_inner().expect("nothing panics while it holds this");
        found.sort_by_key(|(digest, ..)| *digest);
        for (digest, said, fault) in found {
            let path = blob_data_path(digest);
            if self.problems.keys().any(|(known, _)| *known == path) {
                continue;
            }
            let verdict = if self.blobs.contains(&digest) { Verdict::Error } else { Verdict::Note };
            let (what, images, check) = ("blob", BTreeSet::new(), check_of(&fault, true));
            let near = self.layer_of(&path);
            self.problems.insert((path, "data"), Problem { verdict, check, what, fault: said, images, near });
        }
    }

    /// Notes a problem; the same of several images is one.
    fn add(
        &mut self,
        path: &ContextPath,
        check: &'static str,
        (what, verdict, fault): (&'static str, Verdict, String),
        at: &At<'_>,
    ) {
        let verdict = if at.is_untagged { verdict.min(Verdict::Warning) } else { verdict };
        // Two things may be said of one file: what it is, and what it says.
        let kind = if check == "platform" { "platform" } else { "file" };
        let images = BTreeSet::from([at.name.clone()]);
        match self.problems.entry((path.clone(), kind)) {
            std::collections::btree_map::Entry::Occupied(known) => {
                let known = known.into_mut();
                known.verdict = known.verdict.max(verdict);
                known.images.extend(images);
            }
            std::collections::btree_map::Entry::Vacant(free) => {
                free.insert(Problem { verdict, check, what, fault, images, near: at.near });
            }
        }
    }

    fn has(&self, path: &ContextPath) -> bool {
        self.layers.merged.find(path).is_ok_and(|found| found.is_some())
    }

    fn layer_of(&self, path: &ContextPath) -> Option<usize> {
        match self.layers.place(path) {
            Ok(Place::Here(_, layer)) => Some(layer),
            Ok(Place::Hidden { .. } | Place::Absent) | Err(_) => None,
        }
    }

    /// Whether anything is said of an image of the storage, `calico/cni:v3.19.1`.
    pub(super) fn speaks_of(&self, name: &str) -> bool {
        self.problems.values().any(|problem| problem.verdict > Verdict::Note && problem.images.contains(name))
    }

    /// What was found; `said` are images that a finding says are there for other platforms only.
    pub(super) fn findings(&self, name: &SealerName, said: &BTreeSet<String>) -> Vec<ImageFinding> {
        let all = self.problems.iter().filter(|(_, problem)| {
            problem.check != "platform" || !problem.images.iter().all(|image| said.contains(image))
        });
        all.map(|((path, _), problem)| problem.finding(self.layers, name, path)).collect()
    }
}
