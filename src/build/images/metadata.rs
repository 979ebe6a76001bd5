//! `Metadata` at the top of the root file system, which has the image's Kubernetes version.
//!
//! A chart's `kubeVersion` (the versions of Kubernetes that it runs on, a range as `semver` has them) is written there
//! as `kubeVersion`, as sealer does. All other bytes of the file stay as they are: the base's own `version` and `arch`
//! are not changed. The ranges of several charts are joined, because all of them apply. If one range cannot express
//! that, or if the image has no `Metadata` or one that is not a JSON object, nothing is written and a warning says so.

use std::collections::BTreeSet;
use std::io::Write;

use serde_json::Value;

use crate::disk::{Dir, DiskError, is_root};
use crate::edit::{Format, Operation, Pointer, patch};
use crate::rootfs::Overlay;
use crate::types::Epoch;

use super::super::Origin;
use super::charts::Chart;
use super::wanted::{Doubt, path};

/// The file's name.
const NAME: &str = "Metadata";
/// The most bytes of it that are read.
const LIMIT: u64 = 1 << 20;

/// The `Metadata` file of the new image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::build) struct NewMetadata {
    bytes: Vec<u8>,
    mode: u32,
}

/// `Metadata` as it is.
#[derive(Debug, Default)]
pub(super) struct Metadata {
    /// Its bytes and permission bits, if it is a file.
    file: Option<(Vec<u8>, u32)>,
    json: Value,
}

/// Reads the image's `Metadata`; a file that cannot be read counts as missing.
pub(super) fn read(all: &Overlay) -> Metadata {
    use std::os::unix::fs::PermissionsExt;
    let Ok(Some(found)) = all.find(&path(NAME)) else { return Metadata::default() };
    let Ok(about) = fs_err::symlink_metadata(&found) else { return Metadata::default() };
    if !about.is_file() || about.len() > LIMIT {
        return Metadata::default();
    }
    let Ok(bytes) = fs_err::read(&found) else { return Metadata::default() };
    let json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    Metadata { file: Some((bytes, about.permissions().mode() & 0o7777)), json }
}

impl Metadata {
    /// The version of Kubernetes, `v1.19.8`, if the field exists and looks like one.
    pub(super) fn kubernetes_version(&self) -> Option<&str> {
        let version = self.json.get("version")?.as_str()?;
        let is_version = version.strip_prefix('v').unwrap_or(version).starts_with(|c: char| c.is_ascii_digit())
            && version.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'+'));
        is_version.then_some(version)
    }

    /// The new content, if it must change.
    pub(super) fn with_kube_versions(&self, charts: &[Chart], doubts: &mut Vec<Doubt>) -> Option<NewMetadata> {
        let ranges: BTreeSet<&str> = charts.iter().filter_map(Chart::kube_version).collect();
        let all = ranges.iter().copied().collect::<Vec<_>>().join(", ");
        let mut warn = |why: &str| {
            let message = format!("it does not say that the charts need Kubernetes `{all}`: {why}");
            doubts.push(Doubt { origin: Some(Origin::file(path(NAME))), message });
            None
        };
        if ranges.is_empty() || self.json.get("kubeVersion").and_then(Value::as_str) == Some(all.as_str()) {
            return None;
        }
        if ranges.len() > 1 && all.contains("||") {
            return warn("such ranges cannot be joined");
        }
        let Some((old, mode)) = &self.file else { return warn("the image has no such file") };
        if !self.json.is_object() {
            return warn("it is not a JSON object");
        }
        let key: Pointer = "/kubeVersion".parse().expect("a plain word behind `/` is a pointer");
        let add = Operation::Add { path: key, value: Value::from(all.as_str()) };
        match patch(old, Format::Json, None, &[add]) {
            Ok(bytes) => Some(NewMetadata { bytes, mode: *mode }),
            Err(error) => warn(&error.to_string()),
        }
    }
}

impl NewMetadata {
    /// Writes it at the top of a layer: 0:0 if we are root, the mode that it had, the constant time.
    pub(in crate::build) fn write(&self, layer: &Dir, epoch: Epoch) -> Result<(), DiskError> {
        let failed = |source| DiskError::io("write", layer.path().join(NAME), source);
        layer.create_file(NAME, self.mode)?.write_all(&self.bytes).map_err(failed)?;
        if is_root() {
            layer.set_owner(NAME, 0, 0)?;
            layer.set_mode(NAME, self.mode)?;
        }
        layer.set_time(NAME, epoch.into())
    }
}
