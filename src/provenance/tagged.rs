//! A statement for an image that got another name: another document with another id, made in the same way.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{ProvenanceError, text};
use crate::store::{Store, StoredImage};
use crate::types::SealerName;

/// Keeps for the images called `new` what the store has of how those called `name` were made, with themselves as further
/// subjects. An image without a statement gets none, and one statement for several images stays one.
pub(crate) fn tagged(store: &Store, name: &SealerName, new: &SealerName) -> Result<(), ProvenanceError> {
    let images = store.find_all(new, &[])?;
    let mut statements: BTreeMap<Vec<u8>, Vec<&StoredImage>> = BTreeMap::new();
    for image in store.find_all(name, &[])? {
        let platform = &image.document.image().platform;
        if let Some(statement) = store.provenance(&image.document.id())? {
            let of_platform = images.iter().filter(|other| other.document.image().platform == *platform);
            statements.entry(statement).or_default().extend(of_platform);
        }
    }
    for (statement, images) in statements {
        let damaged = |source| ProvenanceError::Damaged { image: name.to_string(), source };
        let mut statement: Value = serde_json::from_slice(&statement).map_err(damaged)?;
        let Some(subjects) = statement.get_mut("subject").and_then(Value::as_array_mut) else {
            return Err(damaged(serde::de::Error::missing_field("subject")));
        };
        for image in &images {
            let (id, platform) = (image.document.id().to_string(), &image.document.image().platform);
            let about = json!({"name": new, "digest": {"sha256": id}, "annotations": {"platform": platform}});
            if !subjects.contains(&about) {
                subjects.push(about);
            }
        }
        for image in &images {
            store.keep_provenance(&image.document.id(), text(&statement).as_bytes())?;
        }
    }
    Ok(())
}
