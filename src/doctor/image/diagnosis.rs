//! The result for one platform of an image.

use serde::Serialize;

use super::super::Verdict;
use super::document::DocumentState;
use super::finding::ImageFinding;
use super::layers::Layer;
use crate::types::{Platform, SealerName};

/// The complete result for one platform of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Diagnosis {
    /// The image's name, complete.
    pub name: SealerName,
    /// The platform, as the list of images has it.
    pub platform: Platform,
    /// The image's id, as the list of images has it.
    pub id: String,
    /// The worst verdict of the findings.
    pub verdict: Verdict,
    /// The layers that have content, from the lowest; empty if the document cannot be read.
    pub layers: Vec<Layer>,
    /// How many tags its registry has.
    pub images: usize,
    /// Whether it has kubeadm, so that a cluster can be made of it.
    pub makes_cluster: bool,
    /// What was found, the worst first.
    pub findings: Vec<ImageFinding>,
    #[serde(skip)]
    pub(super) document: DocumentState,
}
