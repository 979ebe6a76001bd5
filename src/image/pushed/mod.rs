//! The documents of a sealer image in a registry, and of artifacts that refer to it. Pure.
//!
//! ```text
//! tag ──▶ Docker manifest list ──▶ manifest per platform ──▶ config: the image's document as JSON, and then some
//!                                                      └───▶ layers: gzipped tars, those that have an id
//! ```
//!
//! Formats: Docker image manifest version 2 schema 2; OCI image-spec `manifest.md`, distribution-spec `spec.md`,
//! "Pushing manifests with subject". Sizes are the true ones: a real sealer writes the image's size as the manifest's.

mod list;
mod referrer;
#[cfg(test)]
mod tests;

use serde::Serialize;
use serde_json::{Value, json};

use super::model::{Image, Layer};
use super::{Descriptor, Document};
use crate::types::Digest;

pub use list::merged_list;
pub(crate) use referrer::{EMPTY_CONFIG, merged_referrers, referrer_manifest, referrers_tag};

/// The media type of a pushed image's config.
pub const CONFIG_TYPE: &str = "application/vnd.docker.container.image.v1+json";
/// The media type of a pushed image's layers.
pub const LAYER_TYPE: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";

/// The config of a pushed image: its document as JSON, then platform and history as container tools look for them.
///
/// Byte for byte what Go's encoder makes of it, so that the same image always has the same config; only the variant of
/// a platform that has one is more than a real sealer says.
#[must_use]
pub fn pushed_config(image: &Image) -> Vec<u8> {
    let mut config = image.to_json();
    let history: Vec<Value> = image.layers.iter().map(history).collect();
    if let Value::Object(fields) = &mut config {
        fields.insert("architecture".to_owned(), json!(image.platform.architecture()));
        fields.insert("os".to_owned(), json!(image.platform.os()));
        if !history.is_empty() {
            fields.insert("history".to_owned(), json!(history));
        }
        if let Some(variant) = image.platform.variant() {
            fields.insert("variant".to_owned(), json!(variant));
        }
    }
    // Outside of strings JSON has none of these.
    let escapes =
        [("&", "\\u0026"), ("<", "\\u003c"), (">", "\\u003e"), ("\u{2028}", "\\u2028"), ("\u{2029}", "\\u2029")];
    escapes.iter().fold(config.to_string(), |text, (plain, escaped)| text.replace(plain, escaped)).into_bytes()
}

fn history(layer: &Layer) -> Value {
    let created_by = format!("{} {}", layer.kind.as_str(), layer.value);
    match layer.id {
        Some(_) => json!({"created_by": created_by}),
        None => json!({"created_by": created_by, "empty_layer": true}),
    }
}

/// The manifest of one platform.
#[must_use]
pub fn pushed_manifest(config: &Descriptor, layers: &[Descriptor]) -> Document {
    let layers: Vec<Value> = layers.iter().map(descriptor).collect();
    let media_type = super::manifest::DOCKER_IMAGE;
    let fields = json!({"schemaVersion": 2, "mediaType": media_type, "config": descriptor(config), "layers": layers});
    document(media_type, &fields)
}

/// A descriptor as Docker's documents have it.
pub(crate) fn descriptor(of: &Descriptor) -> Value {
    json!({"mediaType": of.media_type, "size": of.size, "digest": of.digest})
}

/// A document as Docker prints it: three blanks a level, no final newline.
fn document(media_type: &str, fields: &Value) -> Document {
    let mut bytes = Vec::new();
    let indent = serde_json::ser::PrettyFormatter::with_indent(b"   ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, indent);
    fields.serialize(&mut serializer).expect("a JSON value is always JSON");
    let (media_type, digest, size) = (media_type.to_owned(), Digest::of(&bytes), bytes.len() as u64);
    Document { descriptor: Descriptor { media_type, digest, size }, bytes }
}
