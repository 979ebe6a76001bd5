//! What a build is given, and what it gives.

use std::collections::BTreeMap;

use super::images::HelmProgram;
use crate::closure::Base as ClosureBase;
use crate::disk::Dir;
use crate::image::model::Image;
use crate::kubefile::Kubefile;
use crate::types::{Digest, ImageRef, ImageSource, Platform, SealerName};

/// One build: context, Kubefile and names.
pub(crate) struct BuildRequest<'a> {
    /// The image's name.
    pub name: &'a SealerName,
    /// The platform.
    pub platform: &'a Platform,
    /// The cluster's name for the image's own registry: everything requested from it must be in the image.
    pub cluster_registry: &'a str,
    /// The folder that COPY takes from.
    pub context: &'a Dir,
    /// The Kubefile, understood.
    pub kubefile: &'a Kubefile,
    /// Arguments of the Kubefile whose values are overridden.
    pub args: BTreeMap<String, String>,
    /// Whether the image has its base's layers. One without is an application, which other images are merged with.
    pub keep_base: bool,
    /// Annotations in addition to the Clusterfile.
    pub annotations: BTreeMap<String, String>,
    /// Images that are needed although no manifest asks for them.
    pub needed: &'a [ImageRef],
    /// Globs on the complete reference of what manifests and charts name and is not cached.
    pub ignore: &'a [String],
    /// The images that files of the context were taken from.
    pub taken_from: &'a [ClosureBase],
}

/// The image that a build made.
#[derive(Debug, Clone)]
pub(crate) struct Built {
    /// The image's document.
    pub image: Image,
    /// The container images that this build put into its registry.
    pub cached: Vec<CachedImage>,
    /// The helm that rendered its charts.
    pub helm: Option<HelmProgram>,
}

/// A container image that is whole in an image's registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CachedImage {
    /// The complete reference.
    pub reference: ImageSource,
    /// The digest that its tag stands for.
    pub digest: Digest,
}
