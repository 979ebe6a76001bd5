//! Every tag of an image's registry: link, list, manifest, config and layers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::image::{ContainerImage, ManifestError};
use crate::rootfs::{Contents, Fault, Holds, Obstacle, Part, RegistryStorage, RepositoryPaths, blob_data_path};
use crate::types::{ContextPath, Digest, ImageRef, Platform, SealerName};

use super::super::Verdict;
use super::finding::ImageFinding;
use super::layers::Layers;
use super::problem::{Problem, check_of};

/// The storage of an image's registry, and what is wrong with it.
pub(super) struct Registry<'a> {
    layers: &'a Layers,
    storage: RegistryStorage<'a>,
    contents: &'a Contents,
    host: &'a str,
    platform: &'a Platform,
    problems: BTreeMap<(ContextPath, &'static str), Problem>,
    /// Whether some manifest or list cannot be read, so that the references are not all known.
    pub(super) is_unclear: bool,
    /// What tags and revisions refer to: blobs, and the revisions and layers of each repository.
    pub(super) blobs: BTreeSet<Digest>,
    pub(super) revisions: BTreeSet<(String, Digest)>,
    pub(super) links: BTreeSet<(String, Digest)>,
}

/// The image that is checked.
struct At<'a> {
    name: String,
    repository: &'a str,
    paths: &'a RepositoryPaths,
    /// Whether no tag refers to it.
    is_untagged: bool,
    near: Option<usize>,
}

impl<'a> Registry<'a> {
    pub(super) fn new(layers: &'a Layers, contents: &'a Contents, host: &'a str, platform: &'a Platform) -> Self {
        let storage = RegistryStorage::new(&layers.merged);
        let (blobs, revisions, links) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let (problems, is_unclear) = (BTreeMap::new(), false);
        Self { layers, storage, contents, host, platform, problems, is_unclear, blobs, revisions, links }
    }

    /// How clusters call it.
    pub(super) fn host(&self) -> &'a str {
        self.host
    }

    pub(super) fn platform(&self) -> &'a Platform {
        self.platform
    }

    /// Checks every tag, then everything without a tag.
    pub(super) fn examine(&mut self) {
        let contents = self.contents;
        for (repository, names) in &contents.repositories {
            for tag in &names.tags {
                let name = format!("{repository}:{tag}");
                let Some((reference, paths)) = self.reference(&name) else { continue };
                let Some(link) = paths.tag_current_link() else { continue };
                let of_folder = || self.layer_of(&link.parent()?.parent()?);
                let near = self.layer_of(&link).or_else(of_folder);
                let at = At { name, repository, paths: &paths, is_untagged: false, near };
                match self.storage.link(&link) {
                    Ok(root) => self.root(&reference, root, &at),
                    Err(fault) => {
                        self.is_unclear = true;
                        self.fault("tag", &link, &fault, &at);
                    }
                }
            }
        }
        for (repository, names) in &contents.repositories {
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

    /// The document that a tag or revision stands for, and what belongs to it.
    fn root(&mut self, reference: &ImageRef, root: Digest, at: &At<'_>) {
        let found = self.storage.image_at(reference, root, self.platform);
        self.leads_to(root, at);
        match found {
            // Its manifests are revisions of their own.
            Ok(ContainerImage { list: Some(_), .. }) | Err(Obstacle::OtherPlatform(_)) if at.is_untagged => {
                self.revision(root, at);
            }
            Ok(image) => {
                self.leads_to(image.manifest.descriptor.digest, at);
                self.of_other_platform(&image, at);
                self.image(&image, at);
            }
            Err(Obstacle::OtherPlatform(there)) => {
                self.revision(root, at);
                let there = if there.is_empty() { "no platform".to_owned() } else { there.join(", ") };
                let fault = format!("has manifests for {there}, but none for {}", self.platform);
                self.add(&blob_data_path(root), "platform", ("list", Verdict::Warning, fault), at);
            }
            Err(Obstacle::Broken { document: Some(document), .. }) if at.is_untagged && document != root => {
                self.revision(root, at);
            }
            Err(Obstacle::Broken { missing, document }) => {
                self.is_unclear = true;
                self.fault("manifest", &missing.path, &missing.fault, at);
                self.revision(root, at);
                if let Some(document) = document.filter(|document| *document != root) {
                    self.leads_to(document, at);
                    self.revision(document, at);
                }
            }
            Err(Obstacle::Absent) => {}
        }
    }

    fn leads_to(&mut self, document: Digest, at: &At<'_>) {
        self.revisions.insert((at.repository.to_owned(), document));
        self.blobs.insert(document);
    }

    /// Reports an image without a list that is for another platform.
    fn of_other_platform(&mut self, image: &ContainerImage, at: &At<'_>) {
        let other = self.storage.other_platform(image).filter(|_| !at.is_untagged);
        if let Some(ManifestError::OtherPlatform { found, .. }) = other {
            let fault = format!("says that the image is for {found}, not for {}", self.platform);
            self.add(&blob_data_path(image.config.digest), "platform", ("config", Verdict::Warning, fault), at);
        }
    }

    fn image(&mut self, image: &ContainerImage, at: &At<'_>) {
        for blob in image.blobs() {
            self.blobs.insert(blob.digest);
            self.links.insert((at.repository.to_owned(), blob.digest));
        }
        for missing in self.storage.missing(image).unwrap_or_default() {
            if missing.is_history() {
                let fault = missing.fault.to_string();
                self.add(&missing.path, "tag-history", ("tag's history", Verdict::Note, fault), at);
            } else {
                self.fault(missing.what, &missing.path, &missing.fault, at);
            }
        }
    }

    /// The link of a manifest or list whose document cannot be followed.
    fn revision(&mut self, digest: Digest, at: &At<'_>) {
        let path = at.paths.revision_link(digest);
        let part = Part { what: "manifest", path, holds: Holds::Link(digest) };
        if let Some(fault) = self.storage.fault(&part) {
            self.fault(part.what, &part.path, &fault, at);
        }
    }

    fn fault(&mut self, what: &'static str, path: &ContextPath, fault: &Fault, at: &At<'_>) {
        self.add(path, check_of(fault, path), (what, Verdict::Error, fault.to_string()), at);
    }

    /// Hashes every blob, as many at once as there are processors.
    pub(super) fn hash_all(&mut self) {
        let blobs: Vec<Digest> = self.contents.blobs.iter().copied().collect();
        let (storage, next, found) = (self.storage, AtomicUsize::new(0), Mutex::new(Vec::new()));
        let work = || {
            while let Some(digest) = blobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                if let Some(fault) = storage.hash_fault(*digest).filter(|fault| *fault != Fault::Absent) {
                    found.lock().expect("nothing panics while it holds this").push((*digest, fault));
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
        for (digest, fault) in found {
            let path = blob_data_path(digest);
            if self.problems.keys().any(|(known, _)| *known == path) {
                continue;
            }
            let verdict = if self.blobs.contains(&digest) { Verdict::Error } else { Verdict::Note };
            let (what, images, check) = ("blob", BTreeSet::new(), check_of(&fault, &path));
            let (near, fault) = (self.layer_of(&path), fault.to_string());
            self.problems.insert((path, "data"), Problem { verdict, check, what, fault, images, near });
        }
    }

    /// Adds a problem; the same problem of several images is reported once.
    fn add(
        &mut self,
        path: &ContextPath,
        check: &'static str,
        (what, verdict, fault): (&'static str, Verdict, String),
        at: &At<'_>,
    ) {
        let verdict = if at.is_untagged { verdict.min(Verdict::Warning) } else { verdict };
        // One file may have two problems: with its kind, and with its content.
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

    fn layer_of(&self, path: &ContextPath) -> Option<usize> {
        self.layers.merged.entry(path).ok().flatten().map(|entry| entry.layer())
    }

    /// Whether there is a finding about an image of the storage, `calico/cni:v3.19.1`.
    pub(super) fn speaks_of(&self, name: &str) -> bool {
        self.problems.values().any(|problem| problem.verdict > Verdict::Note && problem.images.contains(name))
    }

    /// The findings; `said` are images that another finding already reports for other platforms.
    pub(super) fn findings(&self, name: &SealerName, said: &BTreeSet<String>) -> Vec<ImageFinding> {
        let all = self.problems.iter().filter(|(_, problem)| {
            problem.check != "platform" || !problem.images.iter().all(|image| said.contains(image))
        });
        all.map(|((path, _), problem)| problem.finding(self.layers, name, path)).collect()
    }
}
