//! What a file asks for.

use super::candidates::{Candidate, Kind};
use super::kubeadm;
use super::list::listed_images;
use crate::edit::{FoundImage, KubernetesObject, find_image_templates, find_image_words_in_text, find_objects};

/// What is searched for in front of the name of an image that the local Docker engine is asked for.
const ENGINE_PREFIX: &str = "docker-daemon:";

/// What one file asks for.
#[derive(Debug, Default)]
pub(super) struct Searched {
    /// The strings where references stand, whether they are references or not.
    pub(super) images: Vec<FoundImage>,
    /// Values with a template's expression.
    pub(super) templates: Vec<FoundImage>,
    /// What kubeadm asks for because the file configures it.
    pub(super) kubeadm: Vec<kubeadm::Needs>,
    /// Why it could not be searched as what its name says.
    pub(super) not_read: Option<String>,
}

/// Searches a file. `registry` is how clusters call the image's own registry.
pub(super) fn search(candidate: &Candidate, bytes: &[u8], registry: &str) -> Searched {
    match candidate.kind {
        Kind::List => {
            let images = listed_images(bytes).into_iter().map(|listed| {
                let reference = listed.reference.strip_prefix(ENGINE_PREFIX).unwrap_or(&listed.reference).to_owned();
                FoundImage { reference, ..listed }
            });
            Searched { images: images.collect(), ..Searched::default() }
        }
        Kind::Template => text(bytes),
        Kind::Manifest => manifest(candidate, bytes, registry),
    }
}

fn manifest(candidate: &Candidate, bytes: &[u8], registry: &str) -> Searched {
    let holds = |word: &str| bytes.windows(word.len()).any(|window| window == word.as_bytes());
    // Every key `image` and every kubeadm configuration has the word in it, unless it is escaped.
    if !holds("image") && !bytes.contains(&b'\\') {
        return Searched::default();
    }
    match find_objects(bytes) {
        Ok(objects) => {
            let objects = objects.into_iter().filter(|object| !is_of_sealer(object));
            let mut searched = Searched::default();
            for object in objects {
                searched.kubeadm.extend(kubeadm::needs(&candidate.path, &object, registry));
                for image in object.images {
                    let is_template = image.reference.contains("{{");
                    if is_template { &mut searched.templates } else { &mut searched.images }.push(image);
                }
            }
            searched
        }
        // Where the builder searches, it has said so already.
        Err(_) if candidate.path.as_str().starts_with("manifests/") => text(bytes),
        Err(error) => Searched { not_read: Some(error.to_string()), ..text(bytes) },
    }
}

fn text(bytes: &[u8]) -> Searched {
    let text = String::from_utf8_lossy(bytes);
    let (images, templates) = (find_image_words_in_text(&text), find_image_templates(&text));
    Searched { images, templates, ..Searched::default() }
}

/// Sealer's own documents name sealer images, which no cluster's registry serves.
fn is_of_sealer(object: &KubernetesObject) -> bool {
    let group = object.field("apiVersion").split('/').next().unwrap_or_default();
    ["sealer.cloud", "sealer.aliyun.com", "sealer.io", "zlink.aliyun.com"]
        .iter()
        .any(|own| group == *own || group.strip_suffix(own).is_some_and(|rest| rest.ends_with('.')))
}
