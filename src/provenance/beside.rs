//! What a plan takes from beside the recipe, file by file.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::inputs;
use crate::disk::{Dir, DiskError, Kind, MAX_DEPTH};
use crate::plan::{ContextSource, Plan};
use crate::words::{ContextPath, DigestWriter};

/// The files by their paths from the recipe, each once. One that is not there was optional.
pub(super) fn files(folder: &Path, plan: &Plan) -> Result<Vec<Value>, DiskError> {
    let mut found = BTreeMap::new();
    for path in paths(plan) {
        let dir = Dir::open(folder).and_then(|dir| dir.beneath(Path::new(path.parent().unwrap_or_default().as_str())));
        let dir = match dir {
            Err(error) if error.is_not_found() => continue,
            dir => dir?,
        };
        match path.file_name() {
            Some(name) => add(&dir, name, path.as_str(), 0, &mut found)?,
            None => add_all(&dir, "", 0, &mut found)?,
        }
    }
    Ok(found.into_values().collect())
}

fn paths(plan: &Plan) -> Vec<&ContextPath> {
    let mut paths = Vec::new();
    for stage in &plan.stages {
        for source in &stage.work.context {
            match source {
                ContextSource::Directory { path, .. } => paths.push(path),
                ContextSource::Layer { .. } | ContextSource::Rootfs { .. } => {}
            }
        }
        paths.extend(stage.work.steps.iter().filter_map(|step| step.files().beside).map(|(_, path)| path));
    }
    paths
}

fn add_all(dir: &Dir, path: &str, depth: usize, found: &mut BTreeMap<String, Value>) -> Result<(), DiskError> {
    if depth > MAX_DEPTH {
        return Err(DiskError::Deep { path: dir.path().to_owned(), limit: MAX_DEPTH });
    }
    for name in dir.names()? {
        // A name that is no text could not be told from another one: as it is shown, it has its bytes in it.
        let shown = crate::diff::name_text(std::os::unix::ffi::OsStrExt::as_bytes(name.as_os_str()));
        let path = if path.is_empty() { shown } else { format!("{path}/{shown}") };
        add(dir, &name, &path, depth, found)?;
    }
    Ok(())
}

fn add(
    dir: &Dir,
    name: impl AsRef<std::ffi::OsStr>,
    path: &str,
    depth: usize,
    found: &mut BTreeMap<String, Value>,
) -> Result<(), DiskError> {
    let name = name.as_ref();
    let Some(meta) = dir.meta_if_there(name)? else { return Ok(()) };
    let entry = match meta.kind {
        Kind::Folder => return add_all(&dir.folder(name)?, path, depth + 1, found),
        Kind::File => {
            let mut writer = DigestWriter::new(io::sink());
            let copied = io::copy(&mut dir.open_file(name)?, &mut writer);
            copied.map_err(|error| DiskError::io("read", dir.path().join(name), error))?;
            let mut entry = inputs::file(path, &writer.finish().1);
            // All that a recipe takes of its mode.
            entry["annotations"] = json!({"executable": meta.mode & 0o100 != 0});
            entry
        }
        Kind::Symlink => {
            let target = dir.read_link(name)?;
            let about = json!({"type": "symlink"});
            json!({"name": path, "uri": inputs::file_uri(path), "content": STANDARD.encode(target), "annotations": about})
        }
        // Apply takes none of these.
        Kind::Whiteout | Kind::Special(_) => return Ok(()),
    };
    found.insert(path.to_owned(), entry);
    Ok(())
}
