//! Notes about unused parts of an image's registry, and about tags that differ between layers.

use crate::rootfs::{Fault, Overlay, Place, RegistryStorage, RepositoryPaths, blob_data_path};
use crate::types::{ContextPath, ImageRef};

use super::super::Verdict;
use super::checks::Examined;
use super::finding::ImageFinding;
use super::layers::Layers;

const KEEP: &str = "nothing, but an image built without it would be smaller";

pub(super) fn examine(image: &Examined<'_>) -> Vec<ImageFinding> {
    let Examined { layers, contents, registry, asks, .. } = *image;
    let asked = &asks.asked;
    let mut findings = Vec::new();
    let mut note = |check, path: &ContextPath, found: String, remedy: &str| {
        findings.push(image.finding(Verdict::Note, check, path, &found, remedy));
    };
    for (repository, names) in &contents.repositories {
        for tag in &names.tags {
            let name = format!("{repository}:{tag}");
            let reference = format!("{}/{name}", registry.host()).parse::<ImageRef>();
            let Some(link) = reference.ok().and_then(|image| RepositoryPaths::of(&image).ok()?.tag_current_link())
            else {
                continue;
            };
            // A name that is only known when the cluster starts may mean any of them.
            if !asked.has_templates && !asked.asks_for(repository, tag) {
                note("tag-unasked", &link, format!("no list and no manifest asks for `{name}`"), KEEP);
            }
            if let Some(below) = overridden(layers, &link) {
                let found = format!("`{name}` is another image here than in {}", layers.all()[below].label());
                let remedy = "nothing if this is a newer image of the same name; else the images of two hosts have \
                              the same path, and one of them is lost";
                note("tag-overridden", &link, found, remedy);
            }
        }
        if registry.is_unclear {
            continue;
        }
        let path = |digest| {
            let image: ImageRef = format!("{}/{repository}@{digest}", registry.host()).parse().ok()?;
            Some(RepositoryPaths::of(&image).ok()?.layer_link(digest))
        };
        for digest in names.layers.iter().filter(|digest| !registry.links.contains(&(repository.clone(), **digest))) {
            if let Some(link) = path(*digest) {
                note("link-unused", &link, format!("no manifest of `{repository}` refers to {digest}"), KEEP);
            }
        }
    }
    for digest in contents.blobs.iter().filter(|digest| !registry.is_unclear && !registry.blobs.contains(digest)) {
        note("blob-unused", &blob_data_path(*digest), format!("no tag and no manifest refers to {digest}"), KEEP);
    }
    for path in &contents.foreign {
        note("foreign", path, "a registry does not use such a name".to_owned(), KEEP);
    }
    findings
}

/// The highest hidden layer in which a tag has another image.
fn overridden(layers: &Layers, link: &ContextPath) -> Option<usize> {
    let says = |layer: Overlay| match RegistryStorage::new(&layer).link(link) {
        Ok(digest) => Some(digest.to_string()),
        Err(Fault::NoDigest(text)) => Some(text),
        Err(_) => None,
    };
    let said: Vec<Option<String>> = layers.merged.each().map(says).collect();
    let Ok(Place::Here(_, top)) = layers.merged.place(link) else { return None };
    let counts = said[top].as_ref()?;
    (0..top).rev().find(|index| said[*index].as_ref().is_some_and(|other| other != counts))
}
