//! Two images as a cluster sees them: their documents, their layers laid over one another, their registries.

use std::collections::BTreeSet;
use std::path::Path;

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::cached::{self, Cached};
use super::change::{Kind, Mode};
use super::content::{Contents, Findings};
use super::entries::{self, Located};
use super::path::{name_text, one_line};
use super::report::{FileDiff, FileState, ImageDiff, ImageState, LayerDiff, Sides};
use super::side::{Side, SideLayer};
use super::tree::{self, Entries, Entry};
use super::{Change, DiffError, DiffPath, document};
use crate::rootfs::STORAGE;

/// What is compared beyond what always is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Options {
    /// Times of files too.
    pub times: bool,
}

/// Compares two images. `scratch` is a folder for unpacked data.
///
/// Files that both sides have from one layer are not read.
pub(crate) fn compare(old: &Side, new: &Side, scratch: &Path, options: Options) -> Result<ImageDiff, DiffError> {
    let (olds, news) = (View::read(old)?, View::read(new)?);
    let contents = Contents { scratch, is_strict: false };
    Ok(ImageDiff {
        old: olds.state(),
        new: news.state(),
        document: document::compare(&old.image, &new.image, false),
        layers: layers(&olds, &news),
        files: files(&contents, &olds, &news, options)?,
        cached_images: cached::compare(&olds.cached, &news.cached),
    })
}

/// An image with all that is known of its files without reading them.
struct View<'a> {
    side: &'a Side,
    /// Bytes of each layer.
    sizes: Vec<u64>,
    entries: Entries,
    cached: Cached,
}

impl<'a> View<'a> {
    fn read(side: &'a Side) -> Result<Self, DiffError> {
        let sizes = side.layers.iter().map(SideLayer::size).collect::<Result<_, _>>()?;
        let entries = tree::read(&side.overlay())?;
        let cached = cached::read(side)?;
        Ok(Self { side, sizes, entries, cached })
    }

    fn state(&self) -> ImageState {
        let image = &self.side.image;
        ImageState {
            name: image.name.to_string(),
            id: image.id.map(|id| id.to_string()),
            platform: image.platform.clone(),
            layers: self.sizes.len(),
            size: self.sizes.iter().sum(),
        }
    }

    fn layer(&self, index: usize, sides: Sides) -> LayerDiff {
        let layer = &self.side.layers[index];
        LayerDiff {
            sides,
            old: (sides != Sides::New).then_some(index + 1),
            new: (sides != Sides::Old).then_some(index + 1),
            id: layer.id,
            kind: layer.kind.as_str(),
            value: one_line(&layer.value),
            size: self.sizes[index],
        }
    }

    fn file_state(entry: &Entry) -> FileState {
        FileState {
            kind: entry.kind,
            size: entry.size(),
            mode: Mode(entry.meta.mode),
            owner: format!("{}:{}", entry.meta.uid, entry.meta.gid),
            target: entry.target.as_deref().map(name_text),
            layer: entry.layer + 1,
        }
    }
}

/// All layers of both; empty if they are the same.
fn layers(old: &View<'_>, new: &View<'_>) -> Vec<LayerDiff> {
    let keys = |view: &View<'_>| {
        view.side.layers.iter().map(|layer| (layer.id, layer.kind.as_str(), layer.value.clone())).collect::<Vec<_>>()
    };
    let (olds, news) = (keys(old), keys(new));
    if olds == news {
        return Vec::new();
    }
    let mut layers = Vec::new();
    for op in capture_diff_slices(Algorithm::Myers, &olds, &news) {
        let (_, old_range, new_range) = op.as_tag_tuple();
        if matches!(op, DiffOp::Equal { .. }) {
            layers.extend(
                old_range
                    .zip(new_range)
                    .map(|(index, other)| LayerDiff { new: Some(other + 1), ..old.layer(index, Sides::Both) }),
            );
        } else {
            layers.extend(old_range.map(|index| old.layer(index, Sides::Old)));
            layers.extend(new_range.map(|index| new.layer(index, Sides::New)));
        }
    }
    layers
}

fn files(
    contents: &Contents<'_>,
    old: &View<'_>,
    new: &View<'_>,
    options: Options,
) -> Result<Vec<FileDiff>, DiffError> {
    let paths: BTreeSet<&Vec<u8>> = old.entries.keys().chain(new.entries.keys()).collect();
    let mut files = Vec::new();
    for path in paths {
        let (before, after) = (old.entries.get(path), new.entries.get(path));
        let mut found = Findings::default();
        let at = DiffPath::file(path);
        match (before, after) {
            (Some(before), Some(after)) => {
                // The same file of the same layer.
                if old.side.layers[before.layer].is_same(&new.side.layers[after.layer]) {
                    continue;
                }
                let located = |side, entry| Located { side, path, entry };
                let (before, after) = (located(old.side, before), located(new.side, after));
                entries::compare(contents, &at, before, after, options.times, &mut found)?;
                if is_tag(path) && old.cached.explained.contains(path) && new.cached.explained.contains(path) {
                    // Where it leads is what the cached images are compared by.
                    found.differences.retain(|difference| !is_of_content(&difference.what));
                }
            }
            (Some(gone), None) if !is_explained(path, gone, &old.cached) => {
                found.add(&at, Change::Removed { old: entries::thing(gone) });
            }
            (None, Some(added)) if !is_explained(path, added, &new.cached) => {
                found.add(&at, Change::Added { new: entries::thing(added) });
            }
            (Some(_) | None, None) | (None, Some(_)) => {}
        }
        if !found.differences.is_empty() {
            files.push(FileDiff {
                path: name_text(path),
                old: before.map(View::file_state),
                new: after.map(View::file_state),
                differences: found.differences,
                notes: found.notes,
            });
        }
    }
    Ok(files)
}

/// Whether the report about cached images covers a path in a registry. Its folders only change with their contents.
fn is_explained(path: &[u8], entry: &Entry, cached: &Cached) -> bool {
    let is_on_the_way = |outer: &[u8], inner: &[u8]| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
    };
    let is_folder = entry.kind == Kind::Folder
        && (is_on_the_way(STORAGE.as_bytes(), path) || is_on_the_way(path, STORAGE.as_bytes()));
    is_folder || cached.explained.contains(path)
}

/// Whether a path says what a tag stands for.
fn is_tag(path: &[u8]) -> bool {
    path.starts_with(STORAGE.as_bytes()) && path.ends_with(b"/current/link")
}

fn is_of_content(change: &Change) -> bool {
    matches!(change, Change::Content { .. } | Change::Lines { .. })
}
