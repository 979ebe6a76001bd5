//! The documents of two images: what runs when the cluster starts, annotations, type.

use serde_json::Value;

use super::{DiffPath, Difference, keys};
use crate::edit::Format;
use crate::image::model::{CLUSTERFILE_ANNOTATION, Image, default_clusterfile};

/// Compares two documents except for ids and layers; without `with_name` also except for the name and what sealer
/// derives from it, because the two compared images have two names.
pub(super) fn compare(old: &Image, new: &Image, with_name: bool) -> Vec<Difference> {
    let [old, new] = [old, new].map(|image| text(image, with_name));
    let changes = keys::compare(Format::Json, &old, &new).unwrap_or_default();
    let place = |key: keys::KeyChange| Difference { path: DiffPath::image().key(None, key.route), what: key.what };
    changes.into_iter().map(place).collect()
}

fn text(image: &Image, with_name: bool) -> String {
    let mut image = image.clone();
    image.id = None;
    image.layers.clear();
    let is_default = |text: &String| *text == default_clusterfile(&image.name);
    if !with_name && image.annotations.get(CLUSTERFILE_ANNOTATION).is_some_and(is_default) {
        image.annotations.remove(CLUSTERFILE_ANNOTATION);
    }
    let mut document = image.to_json();
    if !with_name && let Some(Value::Object(metadata)) = document.get_mut("metadata") {
        metadata.remove("name");
        // Without annotations, an image has no such field.
        metadata.entry("annotations").or_insert_with(|| Value::Object(serde_json::Map::new()));
    }
    document.to_string()
}
