//! Archives for `docker load`: the container images in them, not the tar around.

use std::io::Read;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::change::Container;
use super::content::Findings;
use super::path::one_line;
use super::{Change, DiffError, DiffPath, Difference, keys};
use crate::archive::Spool;
use crate::edit::Format;
use crate::tar::EntryPath;
use crate::types::Digest;

/// The largest `manifest.json` or config that is read, in bytes.
const DOCUMENT: u64 = 8 << 20;

/// An image of an archive.
struct Image {
    what: Container,
    /// Digests of the decompressed layers, from the lowest.
    layers: Vec<Digest>,
    /// What of the config says how it runs, as JSON.
    config: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
}

/// Compares the images of two archives; adds nothing if one of them is not for `docker load`, or has several images, or
/// if the images are the same.
pub(super) fn compare(at: &DiffPath, sides: (&Spool, &Spool), found: &mut Findings) -> Result<(), DiffError> {
    let (Some(old), Some(new)) = (read(at, sides.0)?, read(at, sides.1)?) else { return Ok(()) };
    if old.what == new.what {
        return Ok(());
    }
    let only = |these: &[Digest], those: &[Digest]| {
        these.iter().filter(|layer| !those.contains(layer)).copied().collect::<Vec<_>>()
    };
    let (removed, added) = (only(&old.layers, &new.layers), only(&new.layers, &old.layers));
    found.add(at, Change::ContainerImage { old: old.what, new: new.what });
    if old.layers != new.layers {
        let shared = old.layers.len() - removed.len();
        found.add(at, Change::ContainerLayers { shared, removed, added });
    }
    for change in keys::compare(Format::Json, &old.config, &new.config).unwrap_or_default() {
        found.differences.push(Difference { path: at.key(None, change.route), what: change.what });
    }
    Ok(())
}

/// The one image of an archive.
fn read(at: &DiffPath, archive: &Spool) -> Result<Option<Image>, DiffError> {
    let Some(manifest) = document(at, archive, b"manifest.json")? else { return Ok(None) };
    let Ok(listed) = serde_json::from_slice::<[Listed; 1]>(&manifest) else { return Ok(None) };
    let [Listed { config, repo_tags }] = listed;
    let Some(config) = document(at, archive, config.as_bytes())? else { return Ok(None) };
    let id = Digest::of(&config);
    let Ok(Value::Object(config)) = serde_json::from_slice::<Value>(&config) else { return Ok(None) };
    let Some(layers) = diff_ids(&config) else { return Ok(None) };
    let mut tags: Vec<String> = repo_tags.unwrap_or_default().iter().map(|tag| one_line(tag)).collect();
    tags.sort();
    let told = ["architecture", "os", "variant", "config"];
    let told: Map<String, Value> = config.into_iter().filter(|(key, _)| told.contains(&key.as_str())).collect();
    let config = without_empty(Value::Object(told)).to_string();
    Ok(Some(Image { what: Container { tags, id }, layers, config }))
}

/// The object without keys that have nothing to say: some builders write `"Hostname": ""` and some leave it out.
fn without_empty(value: Value) -> Value {
    let says_something = |value: &Value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(elements) => !elements.is_empty(),
        Value::Object(entries) => !entries.is_empty(),
        Value::Bool(true) | Value::Number(_) => true,
    };
    match value {
        Value::Object(entries) => {
            let entries = entries.into_iter().map(|(key, value)| {
                // In a map of volumes, ports or labels, the key itself has a meaning.
                let is_set = matches!(key.as_str(), "Volumes" | "ExposedPorts" | "Labels");
                (key, if is_set { value } else { without_empty(value) })
            });
            Value::Object(entries.filter(|(_, value)| says_something(value)).collect())
        }
        other => other,
    }
}

fn diff_ids(config: &Map<String, Value>) -> Option<Vec<Digest>> {
    let ids = config.get("rootfs")?.get("diff_ids")?.as_array()?;
    ids.iter().map(|id| id.as_str()?.parse().ok()).collect()
}

/// A small file of the archive.
fn document(at: &DiffPath, archive: &Spool, name: &[u8]) -> Result<Option<Vec<u8>>, DiffError> {
    let path = EntryPath::parse(name).ok().flatten();
    let member = path.and_then(|path| archive.member(&path)).filter(|member| member.file_size().is_some());
    let Some(member) = member.filter(|member| member.file_size() <= Some(DOCUMENT)) else { return Ok(None) };
    let mut bytes = Vec::new();
    let read = archive.content(member).read_to_end(&mut bytes);
    read.map_err(|source| DiffError::Read { path: at.inner(name).to_string(), source })?;
    Ok(Some(bytes))
}
