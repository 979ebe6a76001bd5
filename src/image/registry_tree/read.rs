//! What a registry's storage says of an image.

use std::path::PathBuf;

use super::{RepositoryPaths, blob_data_path};
use crate::image::{ContainerImage, Descriptor, Document, Manifest, ManifestKind, choose};
use crate::words::{ContextPath, Digest, ImageRef, Platform};

/// The largest manifest or list that is read, in bytes.
const MAX_DOCUMENT: u64 = 4 << 20;

/// The image that a tag or digest stands for in a storage tree, for a platform: its documents, as they lie there.
///
/// None where its tag, its list or its manifest is not there, cannot be understood, or has no such platform. Whether its
/// blobs are there is for [`check_registry_tree`](super::check_registry_tree) to say.
pub fn read_registry_tree(
    reference: &ImageRef,
    platform: &Platform,
    lookup: &dyn Fn(&ContextPath) -> Option<PathBuf>,
) -> Option<ContainerImage> {
    let paths = RepositoryPaths::of(reference).ok()?;
    let digest = if let Some(digest) = reference.digest() {
        digest
    } else {
        let link = fs_err::read_to_string(lookup(&paths.tag_current_link()?)?).ok()?;
        link.trim().parse().ok()?
    };
    let (root, kind) = document(digest, lookup)?;
    let (list, manifest, kind) = match kind {
        ManifestKind::Image { .. } => (None, root, kind),
        ManifestKind::List(entries) => {
            let (manifest, kind) = document(choose(&entries, platform).ok()?.descriptor.digest, lookup)?;
            (Some(root), manifest, kind)
        }
    };
    let ManifestKind::Image { config, layers } = kind else { return None };
    Some(ContainerImage { reference: reference.clone(), platform: platform.clone(), list, manifest, config, layers })
}

fn document(digest: Digest, lookup: &dyn Fn(&ContextPath) -> Option<PathBuf>) -> Option<(Document, ManifestKind)> {
    let path = lookup(&blob_data_path(digest))?;
    if fs_err::metadata(&path).ok()?.len() > MAX_DOCUMENT {
        return None;
    }
    let bytes = fs_err::read(&path).ok()?;
    if Digest::of(&bytes) != digest {
        return None;
    }
    let manifest = Manifest::parse(&bytes, None).ok()?;
    let descriptor = Descriptor { media_type: manifest.media_type, digest, size: bytes.len() as u64 };
    Some((Document { descriptor, bytes }, manifest.kind))
}
