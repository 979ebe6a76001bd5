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
    /// A document in an archive is not one of sealer's.
    #[error("the archive is refused: its document `{entry}` cannot be read; save the image again")]
    ArchiveDocument {
        /// The entry's name, escaped.
        entry: String,
        /// Why.
        source: ModelError,
    },
    /// An archive without an image.
    #[error("the archive has no image: it is not an archive from `sealer save`")]
    ArchiveEmpty,
    /// An archive of a sealer up to v0.6.1.
    #[error(
        "a sealer up to v0.6.1 saved the archive, in a format that later versions cannot read; build the image again \
         with sealer v0.8.5 or this program"
    )]
    OldArchive,
    /// The list of all images is one of a sealer up to v0.6.1.
    #[error(
        "`{0}` is from a sealer up to v0.6.1, whose store has a format that later versions cannot read; use another \
         folder with `--root`, or move that store away"
    )]
    OldStore(String),
    /// A layer is neither in an archive nor in the store.
    #[error(
        "the archive is refused: its image `{image}` needs the layer {layer}, which is neither in the archive nor in \
         the store; save the image again"
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
    /// An image's document is missing.
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
    /// A new image has the id of another document.
    #[error(
        "image `{image}` is refused and nothing was changed: the store has another document under its id {id}; if you \
         do not need that one, remove its image, or prune, and try again"
    )]
    OtherDocument {
        /// The name of the image that came.
        image: String,
        /// The id of both.
        id: ImageId,
    },
    /// A layer is missing.
    #[error("image `{image}` needs the layer {layer}, which is not in the store; pull or load the image again")]
    NoLayer {
        /// The image's name.
        image: String,
        /// The layer.
        layer: Digest,
    },
    /// A layer exists, but does not match its id.
    #[error(
        "layer {layer} of image `{image}` is damaged: its files {}; it was changed on disk, or a real sealer unpacked \
         it: load the image again, or remove it and pull it again", hash(*.found)
    )]
    DamagedLayer {
        /// The image's name.
        image: String,
        /// The layer.
        layer: Digest,
        /// What its files hash to; `None` if there are none.
        found: Option<Digest>,
    },
    /// A layer was verified against its id once, and does not match it any more.
    #[error(
        "layer {layer} of image `{image}` was changed on disk: its files {}; `sealer doctor image {image} --repair` \
         pulls it again", hash(*.found)
    )]
    ChangedLayer {
        /// The image's name.
        image: String,
        /// The layer.
        layer: Digest,
        /// What its files hash to; `None` if there are none.
        found: Option<Digest>,
    },
    /// The name exists, except for other platforms.
    #[error("the store does not have image `{image}` for {platform}; it has it for {}", .there.join(", "))]
    NoPlatform {
        /// The image's name.
        image: String,
        /// The platform that was asked for.
        platform: Platform,
        /// The platforms that the image has.
        there: Vec<String>,
    },
    /// A staged layer does not belong to an image of its commit, or is staged twice.
    #[error("the layer {0} is committed with no image that names it")]
    Stray(Digest),
    /// There is no such image.
    #[error("image `{0}` is not in the store; `sealer images` lists the images")]
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
    /// An id with several names.
    #[error("the image {0} has several names; use one of them")]
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
