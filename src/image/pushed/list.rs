//! The list under an image's tag: its platforms, those of this push and those that were there.

use serde_json::{Map, Value, json};

use super::super::manifest::DOCKER_LIST;
use super::{Descriptor, Document, descriptor, document};
use crate::types::Platform;

/// What attestations are about, in their entry's annotations.
const REFERENCE: &str = "vnd.docker.reference.digest";

/// The new list for a tag: `ours`, and the unchanged entries of the list `there` for other platforms.
///
/// The order is that of the platforms' names, so that the same platforms make the same list in whatever order they were
/// pushed; what has no platform comes last. `there` is the bytes of a list that was understood.
#[must_use]
pub fn merged_list(there: Option<&[u8]>, ours: &[(Platform, Descriptor)]) -> Document {
    let there: Value = there.and_then(|bytes| serde_json::from_slice(bytes).ok()).unwrap_or_default();
    let there = there["manifests"].as_array().cloned().unwrap_or_default();
    let is_ours =
        |entry: &Value| platform_of(entry).is_some_and(|platform| ours.iter().any(|(own, _)| *own == platform));
    let (gone, mut entries): (Vec<Value>, Vec<Value>) = there.into_iter().partition(is_ours);
    // Attestations of a removed manifest are dropped; those of a kept one stay.
    let kept = |entry: &Value| ours.iter().any(|(_, own)| entry["digest"] == own.digest.to_string());
    let gone: Vec<&Value> = gone.iter().filter(|entry| !kept(entry)).map(|entry| &entry["digest"]).collect();
    entries.retain(|entry| !gone.contains(&&entry["annotations"][REFERENCE]));
    entries.extend(ours.iter().map(|(platform, manifest)| {
        let mut entry = descriptor(manifest);
        entry["platform"] = platform_fields(platform);
        entry
    }));
    entries.sort_by_key(|entry| match platform_of(entry) {
        Some(platform) => (0, platform.to_string()),
        None => (1, String::new()),
    });
    document(DOCKER_LIST, &json!({"schemaVersion": 2, "mediaType": DOCKER_LIST, "manifests": entries}))
}

fn platform_of(entry: &Value) -> Option<Platform> {
    let text = |key: &str| entry["platform"][key].as_str().filter(|text| !text.is_empty() && *text != "unknown");
    Some(Platform::new(text("os")?, text("architecture")?, text("variant")))
}

fn platform_fields(platform: &Platform) -> Value {
    let mut fields = Map::new();
    fields.insert("architecture".to_owned(), json!(platform.architecture()));
    fields.insert("os".to_owned(), json!(platform.os()));
    if let Some(variant) = platform.variant() {
        fields.insert("variant".to_owned(), json!(variant));
    }
    Value::Object(fields)
}
