//! Reads images from a registry's storage, and finds problems with its files.

use std::collections::BTreeSet;
use std::io::{self, Read};

use super::{Fault, Holds, Missing, Part, RegistryTreeError, RepositoryPaths, blob_data_path};
use crate::disk::Kind;
use crate::image::{ContainerImage, Descriptor, Document, Manifest, ManifestError, ManifestKind, check_config, choose};
use crate::rootfs::{Entry, Overlay};
use crate::types::{ContextPath, Digest, DigestWriter, ImageRef, Platform};

/// The largest manifest or list that is read, in bytes: no registry takes more.
const MAX_DOCUMENT: u64 = 4 << 20;

/// The largest config that is read, in bytes.
const MAX_CONFIG: u64 = 8 << 20;

/// The storage of the registry in the layers of an image.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RegistryStorage<'a> {
    pub(super) overlay: &'a Overlay,
}

/// Why an image cannot be read from a storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Obstacle {
    /// There is nothing under that name.
    Absent,
    /// A tag's link, a list or a manifest on the way cannot be used.
    Broken {
        /// The part, and why it cannot be used.
        missing: Missing,
        /// The digest of that document; `None` for a tag.
        document: Option<Digest>,
    },
    /// The list has no manifest for the platform, except for these others, if any.
    OtherPlatform(Vec<String>),
}

impl<'a> RegistryStorage<'a> {
    /// The storage in the layers of an image.
    #[must_use]
    pub(crate) fn new(overlay: &'a Overlay) -> Self {
        Self { overlay }
    }

    /// A regular file.
    fn file(self, path: &ContextPath) -> Result<Entry, Fault> {
        match self.overlay.entry(path)? {
            Some(entry) if entry.meta.kind == Kind::File => Ok(entry),
            Some(entry) => Err(Fault::NoFile(entry.meta.kind)),
            None => Err(Fault::Absent),
        }
    }

    fn open(self, path: &ContextPath) -> Result<fs_err::File, Fault> {
        Ok(self.overlay.open(path, &self.file(path)?)?)
    }

    /// The first bytes of a link: one more than a digest has.
    fn link_text(self, path: &ContextPath) -> Result<String, Fault> {
        let mut found = Vec::new();
        self.open(path)?.take(72).read_to_end(&mut found)?;
        Ok(String::from_utf8_lossy(&found).into_owned())
    }

    /// The digest that a link holds.
    pub(crate) fn link(self, path: &ContextPath) -> Result<Digest, Fault> {
        let found = self.link_text(path)?;
        found.parse().map_err(|_| Fault::NoDigest(found))
    }

    /// The digests that a tag stands, or stood, for by its history.
    pub(crate) fn history(self, paths: &RepositoryPaths) -> io::Result<BTreeSet<Digest>> {
        paths.tag_index().map_or(Ok(BTreeSet::new()), |index| self.digests(&index, &mut Vec::new()))
    }

    /// What is wrong with a file. Sizes are compared, contents are not hashed.
    #[must_use]
    pub(crate) fn fault(self, part: &Part) -> Option<Fault> {
        let fault = match part.holds {
            Holds::Link(expected) => self.link_text(&part.path).map(|found| {
                let is_right = found == expected.to_string();
                (!is_right).then_some(Fault::Link { expected, found })
            }),
            Holds::Data(_, expected) => self.file(&part.path).map(|entry| {
                let found = entry.meta.size;
                (found != expected).then_some(Fault::Size { expected, found })
            }),
        };
        fault.unwrap_or_else(Some)
    }

    /// What is wrong with a file, all of it read.
    #[must_use]
    pub(crate) fn content_fault(self, part: &Part) -> Option<Fault> {
        match part.holds {
            Holds::Data(digest, _) => self.fault(part).or_else(|| self.hash_fault(digest)),
            Holds::Link(_) => self.fault(part),
        }
    }

    /// What is wrong with a blob's content, whatever its size.
    #[must_use]
    pub(crate) fn hash_fault(self, expected: Digest) -> Option<Fault> {
        let hash = || {
            let mut writer = DigestWriter::new(io::sink());
            io::copy(&mut self.open(&blob_data_path(expected))?, &mut writer)?;
            Ok(writer.finish().1)
        };
        match hash() {
            Ok(found) => (found != expected).then_some(Fault::Content { expected, found }),
            Err(fault) => Some(fault),
        }
    }

    /// All that `image` lacks: nothing, if a registry can serve it.
    ///
    /// Sizes are compared, contents are not hashed.
    pub(crate) fn missing(self, image: &ContainerImage) -> Result<Vec<Missing>, RegistryTreeError> {
        let parts = RepositoryPaths::of(&image.reference)?.parts(image).into_iter();
        Ok(parts.filter_map(|part| self.fault(&part).map(|fault| Missing::of(part, fault))).collect())
    }

    /// A blob's bytes, which are what its digest says.
    fn blob(self, digest: Digest, limit: u64) -> Result<Vec<u8>, Fault> {
        let path = blob_data_path(digest);
        let size = self.file(&path)?.meta.size;
        if size > limit {
            return Err(Fault::TooLarge(size));
        }
        let mut bytes = Vec::new();
        self.open(&path)?.read_to_end(&mut bytes)?;
        let found = Digest::of(&bytes);
        if found == digest { Ok(bytes) } else { Err(Fault::Content { expected: digest, found }) }
    }

    /// A config's bytes.
    pub(crate) fn config(self, digest: Digest) -> Result<Vec<u8>, Fault> {
        self.blob(digest, MAX_CONFIG)
    }

    /// A manifest or list.
    pub(crate) fn document(self, digest: Digest) -> Result<(Document, ManifestKind), Fault> {
        let bytes = self.blob(digest, MAX_DOCUMENT)?;
        let manifest = Manifest::parse(&bytes, None).map_err(|error| Fault::NoManifest(error.to_string()))?;
        let descriptor = Descriptor { media_type: manifest.media_type, digest, size: bytes.len() as u64 };
        Ok((Document { descriptor, bytes }, manifest.kind))
    }

    /// The image that a reference stands for, for a platform: its documents from the storage. A tag next to a digest
    /// does not matter.
    ///
    /// Whether its blobs are there is for [`missing`](Self::missing) to say; whether an image without a list is for the
    /// platform, for [`other_platform`](Self::other_platform).
    pub(crate) fn image(self, reference: &ImageRef, platform: &Platform) -> Result<ContainerImage, Obstacle> {
        let paths = RepositoryPaths::of(reference).map_err(|_| Obstacle::Absent)?;
        if let Some(digest) = reference.digest() {
            let is_absent = self.link(&paths.revision_link(digest)) == Err(Fault::Absent);
            let by_digest = reference.by_digest(digest);
            return if is_absent { Err(Obstacle::Absent) } else { self.image_at(&by_digest, digest, platform) };
        }
        let path = paths.tag_current_link().ok_or(Obstacle::Absent)?;
        match self.link(&path) {
            Ok(root) => self.image_at(reference, root, platform),
            Err(Fault::Absent) => Err(Obstacle::Absent),
            Err(fault) => Err(Obstacle::Broken { missing: Missing { what: "tag", path, fault }, document: None }),
        }
    }

    /// The image that a manifest or list is, under a reference.
    pub(crate) fn image_at(
        self,
        reference: &ImageRef,
        root: Digest,
        platform: &Platform,
    ) -> Result<ContainerImage, Obstacle> {
        let broken = |digest, fault| {
            let missing = Missing { what: "manifest", path: blob_data_path(digest), fault };
            Obstacle::Broken { missing, document: Some(digest) }
        };
        let document = |digest| self.document(digest).map_err(|fault| broken(digest, fault));
        let (list, manifest, kind) = match document(root)? {
            (list, ManifestKind::List(entries)) => {
                // The list names all platforms; of which the rest was cached is another question.
                let paths = RepositoryPaths::of(reference).map_err(|_| Obstacle::Absent)?;
                let has = |path: &ContextPath| self.overlay.find(path).is_ok_and(|found| found.is_some());
                let is_there = |digest| has(&blob_data_path(digest)) || has(&paths.revision_link(digest));
                let there = entries.iter().filter(|entry| is_there(entry.descriptor.digest));
                let there: BTreeSet<String> =
                    there.filter_map(|entry| entry.platform.as_ref()).map(ToString::to_string).collect();
                let chosen = choose(&entries, platform).ok().map(|entry| entry.descriptor.digest);
                let Some(chosen) = chosen.filter(|digest| there.is_empty() || is_there(*digest)) else {
                    return Err(Obstacle::OtherPlatform(there.into_iter().collect()));
                };
                let (manifest, kind) = document(chosen)?;
                (Some(list), manifest, kind)
            }
            (manifest, kind) => (None, manifest, kind),
        };
        let ManifestKind::Image { config, layers } = kind else {
            return Err(broken(manifest.descriptor.digest, Fault::ListInList));
        };
        let (reference, platform) = (reference.clone(), platform.clone());
        Ok(ContainerImage { reference, platform, list, manifest, config, layers })
    }

    /// Why an image without a list is not for the platform that was asked for, by its config, if that can be read.
    #[must_use]
    pub(crate) fn other_platform(self, image: &ContainerImage) -> Option<ManifestError> {
        let bytes = self.config(image.config.digest).ok().filter(|_| image.list.is_none())?;
        check_config(&bytes, &image.platform).err()
    }
}

impl<E: Into<io::Error>> From<E> for Fault {
    fn from(error: E) -> Self {
        Self::Unreadable(error.into().to_string())
    }
}
