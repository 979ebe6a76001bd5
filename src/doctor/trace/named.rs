//! What a sealer image's registry has under the name of the engine's image.

use std::io;

use super::model::{Asked, Named, NamedState};
use super::registry::Registry;
use crate::image::model::Image;
use crate::rootfs::RepositoryPaths;
use crate::types::{Digest, ImageRef};

/// What a sealer image's registry has under the name of the engine's image.
pub(super) fn named(asked: &Asked, image: &Image, registry: &Registry<'_>) -> io::Result<Named> {
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
    let Some((spot, _)) = path.map(|path| registry.spot(path)).transpose()?.flatten() else { return Ok(nothing) };
    let digest = registry.storage.link(&spot.path).ok();
    let there = Named { state: NamedState::Broken, link: Some(spot), digest, ..nothing };
    let Ok(found) = registry.storage.image(reference, &image.platform) else { return Ok(there) };
    let documents = [Some(found.root().digest), Some(found.manifest.descriptor.digest), Some(found.config.digest)];
    let is_same = |digest: Digest| documents.contains(&Some(digest));
    let mut digests = asked.image.repo_digests.iter().filter_map(ImageRef::digest);
    let state = if is_same(asked.image.id) || digests.any(is_same) {
        NamedState::Same
    } else if registry.diff_ids(found.config.digest).is_some_and(|diff_ids| diff_ids == asked.image.diff_ids) {
        NamedState::SameLayers
    } else {
        NamedState::Other
    };
    // What a registry lacks to serve it: other repositories' links to its layers are no help there.
    let missing = registry.storage.missing(&found).unwrap_or_default();
    let faults = missing.iter().filter(|missing| !missing.is_history()).map(ToString::to_string).collect();
    Ok(Named { state, config: Some(found.config.digest), faults, ..there })
}
