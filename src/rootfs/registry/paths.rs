//! Where docker-registry keeps what: pure functions.

use crate::image::{ContainerImage, Descriptor};
use crate::types::{ContextPath, Digest, FailureKind, ImageRef, Reportable};

/// Where the storage is in a root file system.
pub(crate) const STORAGE: &str = "registry/docker/registry/v2";

/// A file of the storage that an image needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// What it belongs to: tag, list, manifest, config or layer.
    pub(crate) what: &'static str,
    /// Where it is.
    pub(crate) path: ContextPath,
    /// Its content.
    pub(crate) holds: Holds,
}

/// What is in a file of the storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    /// The digest, in words.
    Link(Digest),
    /// A blob's bytes: its digest and how many.
    Data(Digest, u64),
}

/// Where a blob's bytes are.
#[must_use]
pub(crate) fn blob_data_path(digest: Digest) -> ContextPath {
    let hex = digest.hex();
    known(&format!("{STORAGE}/blobs/sha256/{}/{hex}/data", &hex[..2]))
}

/// A repository or tag that cannot be a path.
#[derive(Debug, thiserror::Error)]
#[error("the repository of `{0}` is not a path that the image's registry can hold")]
pub(crate) struct UnusableName(Box<ImageRef>);

impl Reportable for UnusableName {
    fn kind(&self) -> FailureKind {
        FailureKind::Invalid
    }
}

/// The paths of one reference: its repository, without the registry's host, and its tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RepositoryPaths {
    repository: ContextPath,
    tag: Option<ContextPath>,
}

impl RepositoryPaths {
    /// The paths of `reference`; a repository that the file system cannot hold is an error.
    pub(crate) fn of(reference: &ImageRef) -> Result<Self, UnusableName> {
        let error = || UnusableName(Box::new(reference.clone()));
        let whole = format!("{STORAGE}/repositories/{}", reference.repository());
        let repository: ContextPath = whole.parse().map_err(|_| error())?;
        // A repository's parts begin with a letter or digit, so none is one of the registry's own `_layers`; a tag is
        // one part.
        if repository.as_str() != whole || whole.contains("/_") {
            return Err(error());
        }
        let tag = reference.tag().map(|tag| match format!("_manifests/tags/{tag}").parse::<ContextPath>() {
            Ok(path) if path.parts().count() == 3 => Ok(repository.join(&path)),
            _ => Err(error()),
        });
        Ok(Self { tag: tag.transpose()?, repository })
    }

    /// The link that makes a config or layer part of the repository.
    #[must_use]
    pub(crate) fn layer_link(&self, digest: Digest) -> ContextPath {
        self.repository.join(&known(&format!("_layers/sha256/{}/link", digest.hex())))
    }

    /// The link that makes a manifest or list part of the repository.
    #[must_use]
    pub(crate) fn revision_link(&self, digest: Digest) -> ContextPath {
        self.repository.join(&known(&format!("_manifests/revisions/sha256/{}/link", digest.hex())))
    }

    /// The link that says what the tag stands for; `None` for a reference without a tag.
    #[must_use]
    pub(crate) fn tag_current_link(&self) -> Option<ContextPath> {
        Some(self.tag.as_ref()?.join(&known("current/link")))
    }

    /// The link that says that the tag stands, or stood, for it; `None` for a reference without a tag.
    #[must_use]
    pub(crate) fn tag_index_link(&self, digest: Digest) -> Option<ContextPath> {
        Some(self.tag.as_ref()?.join(&known(&format!("index/sha256/{}/link", digest.hex()))))
    }

    /// The folder whose names are the digests that the tag stands, or stood, for.
    pub(super) fn tag_index(&self) -> Option<ContextPath> {
        Some(self.tag.as_ref()?.join(&known("index/sha256")))
    }

    /// Link and data of a manifest or list.
    #[must_use]
    pub(crate) fn document(&self, what: &'static str, document: &Descriptor) -> [Part; 2] {
        parts(what, self.revision_link(document.digest), document)
    }

    /// Link and data of a config or layer.
    #[must_use]
    pub(crate) fn blob(&self, what: &'static str, blob: &Descriptor) -> [Part; 2] {
        parts(what, self.layer_link(blob.digest), blob)
    }

    /// All that a registry needs to serve `image`, which has these paths.
    #[must_use]
    pub(crate) fn parts(&self, image: &ContainerImage) -> Vec<Part> {
        let root = image.root().digest;
        let tags = self.tag_current_link().into_iter().chain(self.tag_index_link(root));
        let tags = tags.map(|path| Part { what: "tag", path, holds: Holds::Link(root) });
        let list = image.list.iter().flat_map(|list| self.document("list", &list.descriptor));
        let layers = image.layers.iter().flat_map(|layer| self.blob("layer", layer));
        let manifest = self.document("manifest", &image.manifest.descriptor);
        tags.chain(list).chain(manifest).chain(self.blob("config", &image.config)).chain(layers).collect()
    }
}

fn parts(what: &'static str, link: ContextPath, blob: &Descriptor) -> [Part; 2] {
    let data = Part { what, path: blob_data_path(blob.digest), holds: Holds::Data(blob.digest, blob.size) };
    [Part { what, path: link, holds: Holds::Link(blob.digest) }, data]
}

pub(super) fn known(path: &str) -> ContextPath {
    path.parse().expect("made of hex digits and the layout's own words")
}
