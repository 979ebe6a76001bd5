//! What a sealer image's registry has under the name of the engine's image.

use std::io;
use std::path::PathBuf;

use super::model::{Named, NamedState};
use super::registry::{Registry, link};
use super::tracer::Asked;
use crate::image::model::Image;
use crate::image::{ContainerImage, RepositoryPaths, check_registry_tree, read_registry_tree};
use crate::rootfs::Overlay;
use crate::words::{ContextPath, Digest, ImageRef};

/// What a sealer image's registry has under the name of the engine's image.
pub(super) fn named(asked: &Asked, image: &Image, merged: &Overlay, registry: &Registry<'_>) -> io::Result<Named> {
    let reference = &asked.reference;
    let name = match (reference.digest(), reference.tag()) {
        (Some(digest), _) => format!("{}@{digest}", reference.repository()),
        (None, tag) => format!("{}:{}", reference.repository(), tag.unwrap_or_default()),
    };
    let nothing = Named { name, state: NamedState::Absent, link: None, digest: None, config: None, faults: Vec::new() };
    let paths = RepositoryPaths::of(reference).ok();
    let path = paths.and_then(|paths| match reference.digest() {
        Some(digest) => Some(paths.revision_link(digest)),
        None => paths.tag_current_link(),
    });
    let Some((spot, file)) = path.map(|path| registry.spot(path)).transpose()?.flatten() else { return Ok(nothing) };
    let digest = link(&file)?.trim().parse().ok();
    let there = Named { state: NamedState::Broken, link: Some(spot), digest, ..nothing };
    let lookup = |path: &ContextPath| merged.find(path).ok().flatten();
    let Some(found) = read_registry_tree(reference, &image.platform, &lookup) else { return Ok(there) };
    let documents = [Some(found.root().digest), Some(found.manifest.descriptor.digest), Some(found.config.digest)];
    let is_same = |digest: Digest| documents.contains(&Some(digest));
    let mut digests = asked.image.repo_digests.iter().filter_map(ImageRef::digest);
    let state = if is_same(asked.image.id) || digests.any(is_same) {
        NamedState::Same
    } else if registry.diff_ids(found.config.digest)?.is_some_and(|diff_ids| diff_ids == asked.image.diff_ids) {
        NamedState::SameLayers
    } else {
        NamedState::Other
    };
    Ok(Named { state, config: Some(found.config.digest), faults: faults(&found, &lookup), ..there })
}

/// What a registry lacks to serve the image: other repositories' links to its layers are no help there.
fn faults(image: &ContainerImage, lookup: &dyn Fn(&ContextPath) -> Option<PathBuf>) -> Vec<String> {
    let missing = check_registry_tree(image, lookup).unwrap_or_default();
    // A registry serves a tag whose history it has not.
    let is_history =
        |path: &ContextPath| path.as_str().contains("/_manifests/tags/") && path.as_str().contains("/index/");
    let told = missing.iter().filter(|missing| !is_history(&missing.path));
    told.map(ToString::to_string).collect()
}
