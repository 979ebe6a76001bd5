//! Which parts of an image brought a container image in, and what asks for it.

use std::io;

use serde::Serialize;

use super::candidates::{Kind, candidates};
use super::held::{Held, held};
use super::kubeadm;
use super::list::{IMAGE_LIST, listed, listed_images, read_list};
use super::names::Names;
use super::scripts;
use super::search::search;
use crate::image::ContainerImage;
use crate::rootfs::{Overlay, RegistryStorage, RepositoryPaths, blob_data_path};
use crate::types::{ContextPath, Digest, ImageRef, Platform, registry_path};

/// All that is known about a container image in an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Why {
    /// The name under which clusters ask for it.
    pub reference: String,
    /// Its digest; `None` if the registry does not have all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// What is wrong with it, if the registry does not have all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// The parts of it in each layer, from the lowest; layers without a part of it are not listed.
    pub layers: Vec<LayerContent>,
    /// The lists that name it, of every layer.
    pub lists: Vec<Asking>,
    /// The manifests in the merged layers that ask for it, and other places that do.
    pub manifests: Vec<Asking>,
    /// The nearest existing name, if the image has nothing with this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest: Option<String>,
}

/// The parts of a container image in a layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LayerContent {
    /// The layer's number, from 1, of those that have content.
    pub layer: usize,
    /// The parts.
    pub parts: Vec<Part>,
}

/// A part of a container image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Part {
    /// Tag, list, manifest, config or layer.
    pub what: &'static str,
    /// What it stands for, or its digest.
    pub digest: Digest,
}

/// A place that asks for a container image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Asking {
    /// The number of the layer that the file is of, from 1.
    pub layer: usize,
    /// The file in the root file system.
    pub file: ContextPath,
    /// The line, from 1; 0 if the whole file asks.
    pub line: usize,
    /// Where in its document (RFC 6901); empty in text.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub route: String,
    /// The reference as it is written.
    pub reference: String,
    /// What asks for it, if not a list or manifest: kubeadm, a node that joins, a script.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<&'static str>,
    /// Whether it is a list that a higher layer hides.
    #[serde(skip_serializing_if = "is_false")]
    pub covered: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's skip_serializing_if passes a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

impl Why {
    /// Whether the image has no part of it and no file that asks for it.
    #[must_use]
    pub(crate) fn is_nothing(&self) -> bool {
        self.layers.is_empty() && self.lists.is_empty() && self.manifests.is_empty()
    }
}

/// Looks for a container image in an image's layers. `asked` may name it by the host that it was pulled from or by the
/// cluster's: in the image's own registry the host does not count. A name of one word (`pause:3.2`) is looked for as
/// Docker completes it, then as it is.
///
/// # Errors
/// A folder or file cannot be read.
pub(crate) fn why(layers: &Overlay, asked: &ImageRef, registry: &str, platform: &Platform) -> io::Result<Why> {
    let reference = asked.at_registry(registry);
    let found = look(layers, &reference, registry, platform)?;
    let text = reference.to_string().replacen(&format!("{registry}/library/"), &format!("{registry}/"), 1);
    match text.parse::<ImageRef>() {
        Ok(bare) if found.is_nothing() && bare != reference => {
            let other = look(layers, &bare, registry, platform)?;
            Ok(if other.is_nothing() { found } else { other })
        }
        Ok(_) | Err(_) => Ok(found),
    }
}

fn look(layers: &Overlay, reference: &ImageRef, registry: &str, platform: &Platform) -> io::Result<Why> {
    let storage = RegistryStorage::new(layers);
    let (digest, fault, image) = match held(storage, reference, platform) {
        Held::Whole(image) => (Some(image.root().digest), None, Some(image)),
        Held::Absent => (None, Some("the image's own registry does not have it".to_owned()), None),
        Held::Broken(why) => (None, Some(why), None),
        Held::OtherPlatform(there) => {
            (None, Some(format!("it is there for {}, not for {platform}", there.join(", "))), None)
        }
    };
    let tag = RepositoryPaths::of(reference).ok().and_then(|paths| paths.tag_current_link());
    let mut contents = Vec::new();
    for (layer, one) in (1..).zip(layers.each()) {
        let mut parts = Vec::new();
        if let Some(Ok(digest)) = tag.as_ref().map(|link| RegistryStorage::new(&one).link(link)) {
            parts.push(Part { what: "tag", digest });
        }
        for (what, digest) in image.as_deref().map(blobs).unwrap_or_default() {
            if one.find(&blob_data_path(digest))?.is_some() {
                parts.push(Part { what, digest });
            }
        }
        if !parts.is_empty() {
            contents.push(LayerContent { layer, parts });
        }
    }
    let (lists, manifests) = (lists(layers, reference)?, manifests(layers, reference, registry)?);
    let mut why =
        Why { reference: reference.to_string(), digest, fault, layers: contents, lists, manifests, nearest: None };
    if why.digest.is_none() && why.layers.is_empty() {
        why.nearest = Names::read(storage)?.nearest(reference).map(|near| format!("{registry}/{near}"));
    }
    Ok(why)
}

fn blobs(image: &ContainerImage) -> Vec<(&'static str, Digest)> {
    let list = image.list.iter().map(|list| ("list", list.descriptor.digest));
    let own = [("manifest", image.manifest.descriptor.digest), ("config", image.config.digest)];
    let mut blobs: Vec<_> = list.chain(own).chain(image.layers.iter().map(|layer| ("layer", layer.digest))).collect();
    // A layer may be there several times.
    let mut seen = Vec::new();
    blobs.retain(|blob| {
        !seen.contains(blob) && {
            seen.push(*blob);
            true
        }
    });
    blobs
}

/// The lines in the lists of all layers that get the reference's path.
fn lists(layers: &Overlay, reference: &ImageRef) -> io::Result<Vec<Asking>> {
    let list: ContextPath = IMAGE_LIST.parse().expect("plain words are a path");
    let top = layers.find(&list)?;
    let mut found = Vec::new();
    for (layer, folder) in (1..).zip(layers.layers()) {
        let Some(file) = Overlay::new(vec![folder.clone()]).find(&list)? else { continue };
        let Some(bytes) = read_list(&file)? else { continue };
        let covered = Some(&file) != top.as_ref();
        for listed in listed_images(&bytes) {
            if listed.reference.parse().is_ok_and(|image: ImageRef| registry_path(&image) == registry_path(reference)) {
                let (file, line, reference) = (list.clone(), listed.line, listed.reference);
                found.push(Asking { layer, file, line, route: String::new(), reference, by: None, covered });
            }
        }
    }
    Ok(found)
}

/// What asks for it, whichever host it names.
fn manifests(layers: &Overlay, reference: &ImageRef, registry: &str) -> io::Result<Vec<Asking>> {
    let (mut found, mut needs, listed) = (Vec::new(), Vec::new(), listed(layers)?);
    for candidate in candidates(layers)?.iter().filter(|candidate| candidate.kind != Kind::List) {
        let Some(bytes) = candidate.read()? else { continue };
        let layer = layers.layers().iter().position(|folder| candidate.file.starts_with(folder)).map_or(0, |at| at + 1);
        let searched = search(candidate, &bytes, registry, &listed);
        let file = || candidate.path.clone();
        for image in searched.images {
            let Ok(parsed) = image.text.parse::<ImageRef>() else { continue };
            if registry_path(&parsed) == registry_path(reference) {
                let (line, route, reference) = (image.line, image.route, image.text);
                found.push(Asking { layer, file: file(), line, route, reference, by: None, covered: false });
            }
        }
        needs.extend(searched.kubeadm);
    }
    needs.extend(kubeadm::needs_by_default(layers, registry)?);
    let mut add = |file: &ContextPath, line: usize, route: &str, by, reference: String| -> io::Result<()> {
        let place = layers.find(file)?;
        let layer = place.and_then(|place| layers.layers().iter().position(|layer| place.starts_with(layer)));
        let (layer, file, route) = (layer.map_or(0, |at| at + 1), file.clone(), route.to_owned());
        found.push(Asking { layer, file, line, route, reference, by: Some(by), covered: false });
        Ok(())
    };
    for needs in needs.iter().filter(|needs| needs.may_ask_for(reference.repository())) {
        let is_join = needs.join.repository() == reference.repository();
        let (route, by) = (
            if needs.line == 0 { "" } else { "/imageRepository" },
            if is_join { "a node that joins" } else { "kubeadm" },
        );
        add(&needs.file, needs.line, route, by, reference.to_string())?;
    }
    for run in scripts::uses(layers)? {
        if run.name.parse().is_ok_and(|image: ImageRef| registry_path(&image) == registry_path(reference)) {
            add(&run.script, run.line, "", "the script", run.name)?;
        }
    }
    Ok(found)
}
