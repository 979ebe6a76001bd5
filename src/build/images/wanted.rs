//! The container images that a build asks for, each with the place that asks.

use std::fmt;
use std::path::Path;

use super::super::{BuildFailure, BuildPlace, Origin};
use crate::transport::Login;
use crate::types::{ContextPath, Failure, FailureKind, ImageSource, human_size, registry_path};

/// The largest manifest or list that is searched, in bytes: that of documents that are read as YAML.
pub(super) const MAX_MANIFEST: u64 = 64 << 20;

/// A container image, and the place that asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::build) struct Wanted {
    pub(in crate::build) image: ImageSource,
    pub(in crate::build) origin: Origin,
    /// It only looks like an image: a registry that refuses it is only a warning.
    pub(in crate::build) is_likely: bool,
    /// The login to pull it with, if its source has one.
    pub(in crate::build) login: Option<Login>,
}

/// A warning: something that a person should know, but not a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Doubt {
    /// The place in the context, if there is one.
    pub origin: Option<Origin>,
    /// The sentence about it.
    pub message: String,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(origin) = &self.origin {
            write!(f, "{origin}: ")?;
        }
        f.write_str(&self.message)
    }
}

pub(super) fn collision(new: &Wanted, known: &Wanted) -> BuildFailure {
    let message = format!(
        "{}: `{}` and `{}` get the same path: the image's registry can hold only one of them, as `{}`",
        new.origin,
        new.image,
        known.image,
        registry_path(new.image.reference())
    );
    let failure = Failure::new(FailureKind::Failed, message)
        .with_help(format!("{} has the other one; keep one of the two", known.origin));
    BuildFailure { at: BuildPlace::Image(new.image.clone()), failure }
}

pub(super) fn has_extension(path: &str, extensions: &[&str]) -> bool {
    path.rsplit_once('.').is_some_and(|(_, extension)| extensions.contains(&extension))
}

pub(super) fn path(text: &str) -> ContextPath {
    text.parse().expect("plain words are a path")
}

/// A manifest or list, if it is not too large.
pub(super) fn read(path: &ContextPath, file: &Path) -> Result<Vec<u8>, BuildFailure> {
    let size = fs_err::symlink_metadata(file).map_err(BuildFailure::whole)?.len();
    if size <= MAX_MANIFEST {
        return fs_err::read(file).map_err(BuildFailure::whole);
    }
    let (size, limit) = (human_size(size), human_size(MAX_MANIFEST));
    let message = format!("`{path}` has {size}; files over {limit} are not searched for images");
    let failure = Failure::new(FailureKind::Failed, message);
    let help = "put files that are not manifests outside of `manifests/`";
    Err(BuildFailure::whole(failure.with_help(help)))
}
