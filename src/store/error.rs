//! What can go wrong with the store.

use crate::disk::DiskError;
use crate::image::layer::LayerError;
use crate::image::model::{ImageId, ModelError};
use crate::tar::{EntryPath, TarError};
use crate::types::{Digest, FailureKind, Platform, Reportable};

/// Why the store could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A layer's tree or stream.
    #[error(transparent)]
    Layer(#[from] LayerError),
    /// An archive that is read.
    #[error("the archive cannot be read")]
    Tar(#[from] TarError),
    /// A layer in an archive could not be unpacked.
    #[error("could not unpack the layer {layer} of the archive")]
    ArchiveLayer {
        /// The layer.
        layer: Digest,
        /// Why.
        source: LayerError,
    },
    /// A document in an archive is no document of sealer's.
    #[error("the archive is refused: its document `{entry}` cannot be read; have it saved again")]
    ArchiveDocument {
        /// The entry's name, escaped.
        entry: String,
        /// Why.
        source: ModelError,
    },
    /// An archive without an image.
    #[error("the archive holds no image: it is not what `sealer save` writes")]
    ArchiveEmpty,
    /// An archive of a sealer up to v0.6.1.
    #[error(
        "a sealer up to v0.6.1 saved the archive, in a form that no later one reads; build the image again with sealer \
         v0.8.5 or this program"
    )]
    OldArchive,
    /// The list of all images is one of a sealer up to v0.6.1.
    #[error(
        "`{0}` is the list of a sealer up to v0.6.1, whose store has a form that no later one reads; take another folder \
         with `--root`, or move that store away"
    )]
    OldStore(String),
    /// A layer is neither in an archive nor in the store.
    #[error(
        "the archive is refused: its image `{image}` needs the layer {layer}, which is neither in the archive nor in \
         the store; have it saved again"
    )]
    ArchiveLacks {
        /// The image's name.
        image: String,
        /// The layer.
        layer: Digest,
    },
    /// The list of all images cannot be read, so nothing is changed.
    #[error(
        "`{path}` is damaged, so nothing was changed; restore it, or move it away and load or pull the images again"
    )]
    Metadata {
        /// The file.
        path: String,
        /// Why.
        source: ModelError,
    },
    /// An image's document cannot be read.
    #[error("the document of image `{image}` is damaged; remove the image, then pull or load it again")]
    Document {
        /// The image's name or id.
        image: String,
        /// Why.
        source: ModelError,
    },
    /// An image's document is not there.
    #[error("image `{image}` is damaged: its document `{id}.yaml` is missing; pull or load the image again")]
    NoDocument {
        /// The image's name.
        image: String,
        /// The id that it should have.
        id: String,
    },
    /// An image's document is another image's.
    #[error(
        "image `{image}` is damaged: its document `{id}.yaml` is of image `{found}`; remove the image, then pull or \
         load it again"
    )]
    OtherName {
        /// The image's name, as the list has it.
        image: String,
        /// The document's id.
        id: ImageId,
        /// The name in the document.
        found: String,
    },
    /// An image comes with an id that another document has.
    #[error(
        "image `{image}` is refused and nothing was changed: the store has another document under its id {id}; if \
         that one is not wanted, remove the image that it is of, or prune, and try again"
    )]
    OtherDocument {
        /// The name of the image that came.
        image: String,
        /// The id of both.
        id: ImageId,
    },
    /// A layer is not there.
    #[error("image `{image}` needs the layer {layer}, which is not in the store; pull or load the image again")]
    NoLayer {
        /// The image's name.
        image: String,
        /// The layer.
        layer: Digest,
    },
    /// A layer is there and is not what its id says.
    #[error(
        "layer {layer} of image `{image}` is damaged: its files {}; it was changed on disk, or a real sealer filled it: \
         load the image again, or remove it and pull it again", hash(*.found)
    )]
    DamagedLayer {
        /// The image's name.
        image: String,
        /// The layer.
        layer: Digest,
        /// What its files hash to; none where there are none.
        found: Option<Digest>,
    },
    /// A layer was seen to be what its id says, and is not any more.
    #[error(
        "layer {layer} of image `{image}` was changed on disk: its files {}; `sealer doctor image {image} --repair` \
         gets it again", hash(*.found)
    )]
    ChangedLayer {
        /// The image's name.
        image: String,
        /// The layer.
        layer: Digest,
        /// What its files hash to; none where there are none.
        found: Option<Digest>,
    },
    /// The name is there, for other platforms.
    #[error("there is no image `{image}` for {platform} in the store; it is there for {}", .there.join(", "))]
    NoPlatform {
        /// The image's name.
        image: String,
        /// What was asked for.
        platform: Platform,
        /// What there is.
        there: Vec<String>,
    },
    /// A staged layer is no layer of the images of its commit, or is staged twice.
    #[error("the layer {0} is committed with no image that names it")]
    Stray(Digest),
    /// There is no such image.
    #[error("there is no image `{0}` in the store; `sealer images` lists those there are")]
    NoImage(String),
    /// Something in an archive is not as sealer saves it.
    #[error("the archive is refused at `{entry}`: {reason}")]
    Archive {
        /// The entry's name, escaped.
        entry: String,
        /// Why.
        reason: String,
    },
    /// Layers cannot be deleted while it is not known what a damaged image needs.
    #[error("nothing was deleted: image `{0}` is damaged, so it is not known which layers it needs; remove it first")]
    InTheWay(String),
    /// An id that stands for several things.
    #[error("the image {0} stands under several names; say which one is meant")]
    Ambiguous(ImageId),
}

fn hash(found: Option<Digest>) -> String {
    found.map_or_else(|| "are gone".to_owned(), |found| format!("hash to {found}"))
}

impl StoreError {
    pub(super) fn archive_document(entry: &EntryPath, source: ModelError) -> Self {
        Self::ArchiveDocument { entry: entry.to_string(), source }
    }

    pub(super) fn archive(entry: &EntryPath, reason: impl Into<String>) -> Self {
        Self::Archive { entry: entry.to_string(), reason: reason.into() }
    }
}

impl Reportable for StoreError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Disk(error) => error.kind(),
            Self::Layer(error) => error.kind(),
            Self::Tar(error) => error.kind(),
            Self::ArchiveLayer { source, .. } => source.kind(),
            Self::OtherDocument { .. } | Self::DamagedLayer { .. } | Self::ChangedLayer { .. } => {
                FailureKind::Verification
            }
            Self::ArchiveDocument { .. }
            | Self::ArchiveEmpty
            | Self::OldArchive
            | Self::OldStore(_)
            | Self::ArchiveLacks { .. }
            | Self::Metadata { .. }
            | Self::OtherName { .. }
            | Self::Document { .. }
            | Self::NoDocument { .. }
            | Self::NoLayer { .. }
            | Self::NoPlatform { .. }
            | Self::Stray(_)
            | Self::NoImage(_)
            | Self::Archive { .. }
            | Self::InTheWay(_)
            | Self::Ambiguous(_) => FailureKind::Failed,
        }
    }
}
