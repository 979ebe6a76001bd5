//! Whether a registry's storage can serve an image.

use std::path::PathBuf;

use crate::image::{
    ContainerImage, Descriptor, Document, Manifest, ManifestError, ManifestKind, PlatformManifest, RepositoryPaths,
    blob_data_path, check_config, check_registry_tree, choose,
};
use crate::rootfs::Overlay;
use crate::words::{ContextPath, Digest, ImageRef, Platform};

/// The largest document that is read, in bytes.
const MAX_DOCUMENT: u64 = 4 << 20;

/// What a registry's storage has of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Held {
    /// All of it, for the platform.
    Whole(Box<ContainerImage>),
    /// Nothing under that name.
    Absent,
    /// It, but only for others.
    OtherPlatform(Vec<String>),
    /// Not all of it, or not right: why.
    Broken(String),
}

/// A registry's storage in merged layers.
pub(super) struct Storage<'a> {
    pub(super) layers: &'a Overlay,
    pub(super) platform: &'a Platform,
}

/// A document that could not be had: not there, or why it is of no use.
#[derive(Debug, Clone, PartialEq, Eq)]
enum NoDocument {
    Absent,
    Bad(String),
}

impl Storage<'_> {
    fn find(&self, path: &ContextPath) -> Option<PathBuf> {
        self.layers.find(path).ok().flatten()
    }

    /// The digest that a tag stands for.
    pub(super) fn tag(&self, paths: &RepositoryPaths) -> Option<Result<Digest, String>> {
        let path = paths.tag_current_link()?;
        let file = self.find(&path)?;
        let digest = fs_err::read_to_string(file).map_err(|error| error.to_string());
        Some(digest.and_then(|text| text.parse().map_err(|_| format!("the tag's `{path}` holds no digest"))))
    }

    /// What there is of a name. A reference with tag and digest is asked for by its digest.
    pub(super) fn held(&self, image: &ImageRef) -> Held {
        let Ok(paths) = RepositoryPaths::of(image) else { return Held::Absent };
        let root = match image.digest() {
            Some(digest) => match self.find(&paths.revision_link(digest)) {
                Some(_) => digest,
                None => return Held::Absent,
            },
            None => match self.tag(&paths) {
                Some(Ok(digest)) => digest,
                Some(Err(why)) => return Held::Broken(why),
                None => return Held::Absent,
            },
        };
        let (document, kind) = match self.document(root) {
            Ok(found) => found,
            Err(NoDocument::Absent) => return Held::Broken(format!("the data of its manifest {root} is missing")),
            Err(NoDocument::Bad(why)) => return Held::Broken(why),
        };
        match kind {
            ManifestKind::List(entries) => self.of_list(image, document, &entries),
            ManifestKind::Image { config, layers } => self.whole(image, None, document, config, layers),
        }
    }

    fn of_list(&self, image: &ImageRef, list: Document, entries: &[PlatformManifest]) -> Held {
        let chosen = match choose(entries, self.platform) {
            Ok(entry) => entry.descriptor.digest,
            Err(_) => return Held::OtherPlatform(self.platforms(entries)),
        };
        match self.document(chosen) {
            Ok((manifest, ManifestKind::Image { config, layers })) => {
                self.whole(image, Some(list), manifest, config, layers)
            }
            Ok((_, ManifestKind::List(_))) => Held::Broken(format!("its list leads to another list, {chosen}")),
            Err(NoDocument::Bad(why)) => Held::Broken(why),
            // The list names all platforms; of which the rest was cached is another question.
            Err(NoDocument::Absent) => match self.platforms(entries) {
                others if others.is_empty() => {
                    Held::Broken(format!("the data of its manifest {chosen} for {} is missing", self.platform))
                }
                others => Held::OtherPlatform(others),
            },
        }
    }

    /// The platforms of a list whose manifests are there.
    fn platforms(&self, entries: &[PlatformManifest]) -> Vec<String> {
        let there = entries.iter().filter(|entry| self.find(&blob_data_path(entry.descriptor.digest)).is_some());
        let mut names: Vec<String> =
            there.filter_map(|entry| entry.platform.as_ref()).map(ToString::to_string).collect();
        names.sort();
        names.dedup();
        names
    }

    fn whole(
        &self,
        image: &ImageRef,
        list: Option<Document>,
        manifest: Document,
        config: Descriptor,
        layers: Vec<Descriptor>,
    ) -> Held {
        if list.is_none()
            && let Ok(bytes) = self.bytes(config.digest)
            && let Err(error) = check_config(&bytes, self.platform)
        {
            return match error {
                ManifestError::OtherPlatform { found, .. } => Held::OtherPlatform(vec![found]),
                other => Held::Broken(other.to_string()),
            };
        }
        // By digest the tag does not matter.
        let reference = image.digest().map_or_else(|| image.clone(), |digest| image.by_digest(digest));
        let platform = self.platform.clone();
        let whole = ContainerImage { reference, platform, list, manifest, config, layers };
        match check_registry_tree(&whole, &|path| self.find(path)) {
            Ok(missing) => {
                // A registry serves a tag whose history it has not.
                let mut missing = missing.iter().filter(|missing| !is_history(&missing.path));
                match (missing.next(), missing.count()) {
                    (None, _) => Held::Whole(Box::new(whole)),
                    (Some(one), 0) => Held::Broken(one.to_string()),
                    (Some(first), more) => Held::Broken(format!("{first}, and {more} more")),
                }
            }
            Err(error) => Held::Broken(error.to_string()),
        }
    }

    fn document(&self, digest: Digest) -> Result<(Document, ManifestKind), NoDocument> {
        let bytes = self.bytes(digest)?;
        let manifest = Manifest::parse(&bytes, None).map_err(|error| NoDocument::Bad(error.to_string()))?;
        let descriptor = Descriptor { media_type: manifest.media_type, digest, size: bytes.len() as u64 };
        Ok((Document { descriptor, bytes }, manifest.kind))
    }

    fn bytes(&self, digest: Digest) -> Result<Vec<u8>, NoDocument> {
        let path = blob_data_path(digest);
        let file = self.find(&path).ok_or(NoDocument::Absent)?;
        let bad = |why: String| NoDocument::Bad(why);
        let about = fs_err::symlink_metadata(&file).map_err(|error| bad(error.to_string()))?;
        if !about.is_file() || about.len() > MAX_DOCUMENT {
            return Err(bad(format!("`{path}` is no document of a registry")));
        }
        let bytes = fs_err::read(&file).map_err(|error| bad(error.to_string()))?;
        if Digest::of(&bytes) != digest {
            return Err(bad(format!("`{path}` has another content than its digest says")));
        }
        Ok(bytes)
    }
}

/// Whether a path is one of those that say what a tag stood for once.
fn is_history(path: &ContextPath) -> bool {
    path.as_str().split_once("/_manifests/tags/").is_some_and(|(_, rest)| rest.contains("/index/"))
}
