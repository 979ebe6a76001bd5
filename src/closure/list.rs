//! `manifests/imageList`: a reference a line.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use crate::rootfs::Overlay;
use crate::types::{ContextPath, ImageRef};

/// Where the list is.
pub(crate) const IMAGE_LIST: &str = "manifests/imageList";

/// The largest list that is read, in bytes: far more than anybody writes.
const MAX_LIST: u64 = 16 << 20;

/// The bytes of a list; `None` if it is not a file, or larger than any list.
pub(super) fn read_list(file: &Path) -> io::Result<Option<Vec<u8>>> {
    let about = fs_err::symlink_metadata(file)?;
    if !about.is_file() || about.len() > MAX_LIST {
        return Ok(None);
    }
    fs_err::read(file).map(Some)
}

/// A line of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListLine {
    /// The reference as it is written.
    pub reference: String,
    /// From 1.
    pub line: usize,
}

/// What the list of a root file system names, if it has one.
pub(super) fn listed(layers: &Overlay) -> io::Result<BTreeSet<ImageRef>> {
    let list: ContextPath = IMAGE_LIST.parse().expect("plain words are a path");
    let bytes = layers.find(&list)?.map(|file| read_list(&file)).transpose()?.flatten().unwrap_or_default();
    Ok(listed_images(&bytes).into_iter().filter_map(|line| line.reference.parse().ok()).collect())
}

/// The lines of an image list: blank lines and comments skipped, remarks after ` #` and a pair of quotes cut.
#[must_use]
pub(crate) fn listed_images(bytes: &[u8]) -> Vec<ListLine> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let word = line.split_once(" #").map_or(line, |(word, _)| word).trim_end();
        let unquoted = ['"', '\''].iter().find_map(|quote| word.strip_prefix(*quote)?.strip_suffix(*quote));
        let reference = unquoted.unwrap_or(word).to_owned();
        found.push(ListLine { reference, line: index + 1 });
    }
    found
}
