//! A statement for those who find an image in a registry.

use serde_json::{Value, json};

use super::{ProvenanceError, text};
use crate::types::{Digest, ImageRef, Platform};

/// The statement of an image that was pushed as `name`: with what the registry knows it by as further subjects, the list
/// and those of the manifests that it speaks of. `ids` are the ids of the images in the order of `manifests`.
pub(crate) fn of_pushed(
    statement: &[u8],
    name: &ImageRef,
    list: Digest,
    manifests: &[(Platform, Digest, String)],
) -> Result<String, ProvenanceError> {
    let damaged = |source| ProvenanceError::Damaged { image: name.to_string(), source };
    let mut statement: Value = serde_json::from_slice(statement).map_err(damaged)?;
    let Some(subjects) = statement.get_mut("subject").and_then(Value::as_array_mut) else {
        return Err(damaged(serde::de::Error::missing_field("subject")));
    };
    let is_subject = |subjects: &[Value], id: &str| subjects.iter().any(|subject| subject["digest"]["sha256"] == id);
    for (platform, digest, id) in manifests {
        if is_subject(subjects, id) {
            let about = json!({"platform": platform});
            subjects.push(json!({"name": name, "digest": {"sha256": digest.hex()}, "annotations": about}));
        }
    }
    subjects.push(json!({"name": name, "digest": {"sha256": list.hex()}}));
    Ok(text(&statement))
}
