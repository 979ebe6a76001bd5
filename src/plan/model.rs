//! The plan: what will be done, concrete.

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};

use crate::edit::{DocumentSelector, Operation};
use crate::types::{ContextPath, Digest, Epoch, ImageRef, ImageSource, Platform, SealerName};

use super::file_steps::{Chmod, CopyFile, Download, MovePath, Remove, ReplaceText, Symlink, WriteFile};
use super::{ContextSource, Lock, Places};

/// Pins every choice that changes bytes: a release with the same number gives the same ids.
pub const FORMAT_VERSION: u32 = 1;

/// What applying a recipe does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Plan {
    /// [`FORMAT_VERSION`] of the program that made the plan.
    pub format_version: u32,
    /// `metadata.name` of the recipe.
    pub recipe: String,
    /// The recipe's file as the user typed it.
    pub file: String,
    /// The time that everything of our making carries.
    pub source_date_epoch: Epoch,
    /// How the cluster calls the image's own registry.
    pub cluster_registry: String,
    /// The stages in the order of the recipe, each for every platform.
    pub stages: Vec<PlannedStage>,
    /// What inputs are known to be: the recipe's lock. It stands beside the work, as it changes nothing of what is done.
    #[serde(default, skip_serializing_if = "Lock::is_empty")]
    pub inputs: Lock,
    /// What `recipe plan -o json` foresees; no part of what is done.
    #[serde(default, skip_serializing)]
    pub preview: PassedOver,
}

/// Something that a document may hold for those who look at it, and that is passed over when the document is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PassedOver;

impl<'de> Deserialize<'de> for PassedOver {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

/// A stage for one platform.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedStage {
    /// What is done.
    #[serde(flatten)]
    pub work: StageWork,
    /// The digest of the resolved stage, [`StageWork::digest`]; the image carries it.
    pub digest: Digest,
    /// Where each part was written.
    pub places: Places,
}

/// The work of a stage. Its canonical JSON is what [`StageWork::digest`] is over, so a field may be added only with a
/// default that is not written out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StageWork {
    /// The stage's name.
    pub stage: String,
    /// The platform.
    pub platform: Platform,
    /// The name of the image.
    pub image: SealerName,
    /// Where the files of the context come from, in order.
    pub context: Vec<ContextSource>,
    /// What is changed, in order.
    pub steps: Vec<PlannedStep>,
    /// The Kubefile's text.
    pub kubefile: String,
}

impl StageWork {
    /// The sha256 of the work's compact JSON.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let json = serde_json::to_vec(self).expect("a plan has only string keys and no floating point numbers");
        Digest::of(&json)
    }
}

/// A change to the context.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum PlannedStep {
    /// Replaces an archive by what lies under `root` in another.
    ReplaceArchive {
        /// The archive in the context.
        path: ContextPath,
        /// The new archive.
        source: ArchiveSource,
        /// Its sha256, where the recipe says it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sha256: Option<Digest>,
        /// The folder in the new archive.
        #[serde(default, skip_serializing_if = "ContextPath::is_root")]
        root: ContextPath,
        /// Globs of old paths that may be missing.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        allow_missing: Vec<String>,
        /// Nothing to replace is fine.
        #[serde(default, skip_serializing_if = "is_false")]
        optional: bool,
    },
    /// Writes an image as an archive that `docker load` takes.
    ReplaceImage {
        /// The archive in the context.
        path: ContextPath,
        /// The image.
        image: ImageSource,
        /// The name that the archive gives it.
        #[serde(rename = "as")]
        tag: ImageRef,
        /// Nothing to replace is fine.
        #[serde(default, skip_serializing_if = "is_false")]
        optional: bool,
    },
    /// Edits a JSON or YAML file.
    Patch {
        /// The file in the context.
        path: ContextPath,
        /// Which of several documents.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        document: Option<DocumentSelector>,
        /// The operations, in order; empty where `merge` is given.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        ops: Vec<Operation>,
        /// A merge patch (RFC 7386), a map.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        merge: Option<serde_json::Value>,
        /// A file that is not there is fine.
        #[serde(default, skip_serializing_if = "is_false")]
        optional: bool,
    },
    /// Points image references to another registry.
    RewriteImages {
        /// Globs of the manifests.
        paths: Vec<String>,
        /// The registry.
        to: String,
        /// Globs on the complete reference; empty: all.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        from: Vec<String>,
        /// Globs on the complete reference of what stays as it is.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        ignore: Vec<String>,
        /// How many must be rewritten.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expect: Option<u32>,
        /// Nothing to rewrite is fine.
        #[serde(default, skip_serializing_if = "is_false")]
        optional: bool,
    },
    /// Writes the list of images that the lite builder caches.
    ImageList {
        /// The list's path.
        path: ContextPath,
        /// The images, in order.
        images: Vec<ListEntry>,
        /// Globs of manifests whose images are listed too.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        from: Vec<String>,
        /// Globs on the complete reference of what they name and is not listed.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        ignore: Vec<String>,
        /// An empty list is fine.
        #[serde(default, skip_serializing_if = "is_false")]
        optional: bool,
    },
    /// Replaces text in a file.
    ReplaceText(ReplaceText),
    /// Writes a file.
    Write(WriteFile),
    /// Copies a file from the recipe's side.
    Copy(CopyFile),
    /// Fetches a file.
    Download(Download),
    /// Removes what globs match.
    Remove(Remove),
    /// Gives something another path.
    Move(MovePath),
    /// Sets permission bits.
    Chmod(Chmod),
    /// Makes a symlink.
    Symlink(Symlink),
}

/// Where a new archive comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ArchiveSource {
    /// A URL, http or https.
    Url(url::Url),
    /// A file in the recipe's folder or below.
    File(ContextPath),
}

/// An image of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListEntry {
    /// The image.
    pub image: ImageSource,
    /// Who needs it although no manifest asks for it.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub needed_by: Option<String>,
}

/// What an image is called in a cluster's registry, where the host no longer counts: `tigera/operator:v1`. Two images of
/// one name cannot both be there.
#[must_use]
pub fn registry_path(reference: &ImageRef) -> String {
    match (reference.tag(), reference.digest()) {
        (Some(tag), _) => format!("{}:{tag}", reference.repository()),
        (None, Some(digest)) => format!("{}@{digest}", reference.repository()),
        (None, None) => reference.repository().to_owned(),
    }
}

impl PlannedStep {
    /// The step in the recipe's words: `replaceArchive cri/docker.tar.gz`.
    #[must_use]
    pub fn title(&self) -> String {
        match self {
            Self::ReplaceArchive { path, .. } => format!("replaceArchive {path}"),
            Self::ReplaceImage { path, .. } => format!("replaceImage {path}"),
            Self::Patch { path, .. } => format!("patch {path}"),
            Self::RewriteImages { paths, .. } => format!("rewriteImages {}", paths.join(" ")),
            Self::ImageList { path, .. } => format!("imageList {path}"),
            Self::ReplaceText(step) => format!("replaceText {}", step.path),
            Self::Write(step) => format!("write {}", step.path),
            Self::Copy(step) => format!("copy {}", step.path),
            Self::Download(step) => format!("download {}", step.path),
            Self::Remove(step) => format!("remove {}", step.paths.join(" ")),
            Self::Move(step) => format!("move {} to {}", step.from, step.to),
            Self::Chmod(step) => format!("chmod {} {}", step.mode, step.paths.join(" ")),
            Self::Symlink(step) => format!("symlink {}", step.path),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's skip_serializing_if passes a reference")]
pub(super) fn is_false(value: &bool) -> bool {
    !value
}
