//! Which files of a root file system may ask for images.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use super::list::IMAGE_LIST;
use crate::rootfs::Overlay;
use crate::types::ContextPath;

/// The largest file that is read, in bytes: far more than a manifest has.
const MAX_FILE: u64 = 16 << 20;

/// How a file is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// YAML or JSON.
    Manifest,
    /// Text.
    Template,
    /// The list of images to cache.
    List,
}

/// A file that may ask for images.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) path: ContextPath,
    pub(super) file: PathBuf,
    pub(super) kind: Kind,
}

impl Candidate {
    /// Its content; `None` if it is too large for a manifest.
    pub(super) fn read(&self) -> io::Result<Option<Vec<u8>>> {
        if fs_err::symlink_metadata(&self.file)?.len() > MAX_FILE {
            return Ok(None);
        }
        fs_err::read(&self.file).map(Some)
    }
}

/// All such files, by path. The registry's storage, the largest part of a root file system, is skipped.
pub(super) fn candidates(layers: &Overlay) -> io::Result<Vec<Candidate>> {
    let mut files: Vec<(ContextPath, PathBuf)> = Vec::new();
    for name in layers.list(&ContextPath::root())? {
        let Some(path) = name.to_str().and_then(|name| name.parse::<ContextPath>().ok()) else { continue };
        if path.as_str() == "registry" {
            continue;
        }
        match layers.find(&path)? {
            Some(found) if fs_err::symlink_metadata(&found)?.is_file() => files.push((path, found)),
            Some(_) => files.extend(layers.files(&path)?),
            None => {}
        }
    }
    let charts: BTreeSet<ContextPath> = files
        .iter()
        .filter(|(path, _)| path.file_name() == Some("Chart.yaml"))
        .filter_map(|(path, _)| path.parent())
        .collect();
    let mut found: Vec<Candidate> = files
        .into_iter()
        .filter(|(path, _)| !is_of_chart(path, &charts))
        .filter_map(|(path, file)| Some(Candidate { kind: kind(&path)?, path, file }))
        .collect();
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

fn kind(path: &ContextPath) -> Option<Kind> {
    if path.as_str() == IMAGE_LIST {
        return Some(Kind::List);
    }
    match Path::new(path.file_name()?).extension()?.to_str()? {
        "yaml" | "yml" | "json" => Some(Kind::Manifest),
        "tmpl" => Some(Kind::Template),
        _ => None,
    }
}

/// Whether a file is a template of a chart, or its values: only their rendered form shows which images they need.
fn is_of_chart(path: &ContextPath, charts: &BTreeSet<ContextPath>) -> bool {
    if path.file_name() == Some("values.yaml") && path.parent().is_some_and(|folder| charts.contains(&folder)) {
        return true;
    }
    let mut below = path.clone();
    while let Some(folder) = below.parent() {
        if below.file_name() == Some("templates") && charts.contains(&folder) {
            return true;
        }
        below = folder;
    }
    false
}
