//! The files next to the recipe that a run used.

use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::inputs;
use crate::steps::{BesideContent, BesideFile};

/// The files by their paths from the recipe, as they were read.
pub(super) fn files(read: &BTreeSet<BesideFile>) -> Vec<Value> {
    let mut named: Vec<(String, &BesideContent)> = read.iter().map(|file| (name(&file.path), &file.content)).collect();
    named.sort();
    named.into_iter().map(|(name, content)| entry(&name, content)).collect()
}

/// Two names that are not UTF-8 must stay different: the shown form contains their bytes.
fn name(path: &Path) -> String {
    let parts = path.iter().map(|part| crate::diff::name_text(part.as_bytes()));
    parts.collect::<Vec<_>>().join("/")
}

fn entry(name: &str, content: &BesideContent) -> Value {
    match content {
        BesideContent::File { digest, is_executable } => {
            let mut entry = inputs::file(name, digest);
            entry["annotations"] = json!({"executable": is_executable});
            entry
        }
        BesideContent::Symlink(target) => {
            let (target, about) = (STANDARD.encode(target), json!({"type": "symlink"}));
            json!({"name": name, "uri": inputs::file_uri(name), "content": target, "annotations": about})
        }
    }
}
