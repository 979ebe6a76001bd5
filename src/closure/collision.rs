//! References of different hosts that get the same path in the registry.

use std::collections::BTreeMap;
use std::io;

use super::finding::Problem;
use super::list::{IMAGE_LIST, listed_images, read_list};
use crate::rootfs::{Overlay, RegistryStorage, RepositoryPaths};
use crate::types::{ContextPath, ImageRef, registry_path};

/// A reference that the builder caches.
#[derive(Debug, Clone)]
pub(super) struct Cached {
    pub(super) image: ImageRef,
    pub(super) file: ContextPath,
    pub(super) line: usize,
}

/// The images of `cached` whose path is already taken, with the problem: all but the first one of each path.
pub(super) fn collisions(layers: &Overlay, cached: &[Cached]) -> io::Result<Vec<(Cached, Problem)>> {
    let mut known: BTreeMap<String, &Cached> = BTreeMap::new();
    let mut found = Vec::new();
    for new in cached {
        let path = registry_path(&new.image);
        let first = *known.entry(path.clone()).or_insert(new);
        if first.image != new.image {
            found.push((new.clone(), problem(path, &first.image, format!("{}:{}", first.file, first.line))));
        }
    }
    for (lower, line, layer) in covered(layers)? {
        let path = registry_path(&lower);
        let Some(new) = known.get(&path).filter(|new| new.image.registry() != lower.registry()) else { continue };
        // The same image from two hosts is one image, and harmless.
        if stands_for_several(layers, &lower)? {
            let at = format!("{IMAGE_LIST}:{line} of layer {layer} (hidden by another layer)");
            found.push(((*new).clone(), problem(path, &lower, at)));
        }
    }
    Ok(found)
}

fn problem(path: String, other: &ImageRef, at: String) -> Problem {
    Problem::Collision { path, other: other.to_string(), at }
}

/// The images in lists that a higher layer hides: the image, its line, the layer's number from 0.
pub(super) fn covered(layers: &Overlay) -> io::Result<Vec<(ImageRef, usize, usize)>> {
    let list: ContextPath = IMAGE_LIST.parse().expect("plain words are a path");
    let top = layers.find(&list)?;
    let mut found = Vec::new();
    for (number, layer) in layers.each().enumerate() {
        let Some(file) = layer.find(&list)? else { continue };
        if Some(&file) == top.as_ref() {
            continue;
        }
        let Some(bytes) = read_list(&file)? else { continue };
        for listed in listed_images(&bytes) {
            found.extend(listed.reference.parse().ok().map(|image| (image, listed.line, number)));
        }
    }
    Ok(found)
}

/// Whether a tag has different documents in different layers.
fn stands_for_several(layers: &Overlay, image: &ImageRef) -> io::Result<bool> {
    let Ok(paths) = RepositoryPaths::of(image) else { return Ok(false) };
    Ok(RegistryStorage::new(layers).history(&paths)?.len() > 1)
}
