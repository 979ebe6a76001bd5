//! Where docker-registry keeps what: pure functions.

use super::error::RegistryTreeError;
use crate::words::{ContextPath, Digest, ImageRef};

const TOP: &str = "registry/docker/registry/v2";

/// Where a blob's bytes are.
#[must_use]
pub fn blob_data_path(digest: Digest) -> ContextPath {
    let hex = digest.hex();
    known(&format!("{TOP}/blobs/sha256/{}/{hex}/data", &hex[..2]))
}

/// The paths of one reference: its repository, without the registry's host, and its tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryPaths {
    repository: ContextPath,
    tag: Option<ContextPath>,
}

impl RepositoryPaths {
    /// The paths of `reference`; a repository that the file system cannot hold is an error.
    pub fn of(reference: &ImageRef) -> Result<Self, RegistryTreeError> {
        let error = || RegistryTreeError::Repository(Box::new(reference.clone()));
        let whole = format!("{TOP}/repositories/{}", reference.repository());
        let repository: ContextPath = whole.parse().map_err(|_| error())?;
        // A repository's parts begin with a letter or digit, so none is one of the registry's own `_layers`; a tag is one part.
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
    pub fn layer_link(&self, digest: Digest) -> ContextPath {
        self.repository.join(&known(&format!("_layers/sha256/{}/link", digest.hex())))
    }

    /// The link that makes a manifest or list part of the repository.
    #[must_use]
    pub fn revision_link(&self, digest: Digest) -> ContextPath {
        self.repository.join(&known(&format!("_manifests/revisions/sha256/{}/link", digest.hex())))
    }

    /// The link that says what the tag stands for; none for a reference without a tag.
    #[must_use]
    pub fn tag_current_link(&self) -> Option<ContextPath> {
        Some(self.tag.as_ref()?.join(&known("current/link")))
    }

    /// The link that says that the tag stands, or stood, for it; none for a reference without a tag.
    #[must_use]
    pub fn tag_index_link(&self, digest: Digest) -> Option<ContextPath> {
        Some(self.tag.as_ref()?.join(&known(&format!("index/sha256/{}/link", digest.hex()))))
    }
}

fn known(path: &str) -> ContextPath {
    path.parse().expect("made of hex digits and the layout's own words")
}
