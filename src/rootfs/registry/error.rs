//! Why images are not written into a registry tree.

use std::io;
use std::path::PathBuf;

use super::fault::Fault;
use super::paths::UnusableName;
use crate::types::{ContextPath, Digest, FailureKind, ImageRef, Reportable};

/// Why images are not written into a registry tree.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RegistryTreeError {
    /// Two references get the same path, because the tree does not keep the registry's host.
    #[error(
        "`{one}` ({one_digest}) and `{other}` ({other_digest}) get the same path in the image's registry, because it \
         does not keep the host: give one of them another tag or repository"
    )]
    Collision {
        /// The first.
        one: Box<ImageRef>,
        /// The digest of the first.
        one_digest: Digest,
        /// The second.
        other: Box<ImageRef>,
        /// The digest of the second.
        other_digest: Digest,
    },
    /// A repository or tag that cannot be a path.
    #[error(transparent)]
    Repository(#[from] UnusableName),
    /// A blob could not be opened or read, or is not what its digest says.
    #[error("cannot read the blob `{digest}` of `{image}`")]
    Blob {
        /// Its digest.
        digest: Digest,
        /// The image.
        image: Box<ImageRef>,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A manifest or list is not what its digest says.
    #[error("the manifest or list of `{image}` is not `{expected}`: its bytes are `{found}`")]
    Document {
        /// The image.
        image: Box<ImageRef>,
        /// The expected digest.
        expected: Digest,
        /// The digest of its bytes.
        found: Digest,
    },
    /// A lower layer has something other than the file that the image needs.
    #[error(
        "`{}` of a lower layer, which `{image}` needs, is damaged: it {fault}; pull the base image that has it again",
        file.display()
    )]
    Lower {
        /// The file in its layer.
        file: PathBuf,
        /// The image that needs it.
        image: Box<ImageRef>,
        /// Why it cannot be used.
        fault: Fault,
    },
    /// A file or folder of the tree could not be made.
    #[error("cannot write `{path}` of the image's registry")]
    Write {
        /// The path in the image.
        path: ContextPath,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Reportable for RegistryTreeError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Collision { .. } | Self::Repository(_) => FailureKind::Invalid,
            Self::Lower { fault: Fault::Unreadable(_), .. } | Self::Write { .. } => FailureKind::Failed,
            Self::Document { .. } | Self::Lower { .. } => FailureKind::Verification,
            Self::Blob { source, .. } => FailureKind::of_read(source),
        }
    }
}
