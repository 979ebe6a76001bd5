//! Compares layer by layer, as strictly as layer ids: for callers that expect the same bytes.

use std::collections::BTreeSet;
use std::path::Path;

use super::change::{Kind, Thing};
use super::content::{Contents, Findings};
use super::entries::{self, Located};
use super::side::Side;
use super::tree::{self, Entries};
use super::{Change, DiffError, DiffPath, Difference, document};

/// The first difference of two images that should be the same, times included; `None` if all of their layers and their
/// documents are. `scratch` is a folder for unpacked data.
///
/// The order is fixed: layers from the lowest, in them paths by their bytes, members of archives likewise; then the
/// documents. Layers of one id are not read, unless one of them was never seen to hash to it.
pub(crate) fn first_difference(old: &Side, new: &Side, scratch: &Path) -> Result<Option<Difference>, DiffError> {
    let contents = Contents { scratch, is_strict: true };
    for number in 1..=old.layers.len().max(new.layers.len()) {
        if let Some(first) = layer(&contents, old, new, number)? {
            return Ok(Some(first));
        }
    }
    Ok(document::compare(&old.image, &new.image, true).into_iter().next())
}

/// The first difference of the layers with a number, which counts from 1.
fn layer(contents: &Contents<'_>, old: &Side, new: &Side, number: usize) -> Result<Option<Difference>, DiffError> {
    let (index, at) = (number - 1, DiffPath::layer(number));
    let whole = |side: &Side| -> Result<Thing, DiffError> {
        Ok(Thing { kind: Kind::Layer, size: Some(side.layers[index].size()?) })
    };
    let (before, after) = match (old.layers.get(index), new.layers.get(index)) {
        (Some(before), Some(after)) => (before, after),
        (Some(_), None) => return Ok(Some(Difference { path: at, what: Change::Removed { old: whole(old)? } })),
        (None, Some(_)) => return Ok(Some(Difference { path: at, what: Change::Added { new: whole(new)? } })),
        (None, None) => return Ok(None),
    };
    if before.is_same(after) {
        return Ok(None);
    }
    let olds = tree::read_layer(&before.folder, index)?;
    let news = tree::read_layer(&after.folder, index)?;
    if let Some(first) = first_entry(contents, &at, (old, &olds), (new, &news))? {
        return Ok(Some(first));
    }
    let id = Change::LayerId { old: before.id, new: after.id };
    Ok((before.id != after.id).then_some(Difference { path: at, what: id }))
}

fn first_entry(
    contents: &Contents<'_>,
    at: &DiffPath,
    (old, olds): (&Side, &Entries),
    (new, news): (&Side, &Entries),
) -> Result<Option<Difference>, DiffError> {
    let paths: BTreeSet<&Vec<u8>> = olds.keys().chain(news.keys()).collect();
    for path in paths {
        let at = at.inner(path);
        let mut found = Findings::default();
        match (olds.get(path), news.get(path)) {
            (Some(before), Some(after)) => {
                let old = Located { side: old, path, entry: before };
                let new = Located { side: new, path, entry: after };
                entries::compare(contents, &at, old, new, true, &mut found)?;
            }
            (Some(gone), None) => found.add(&at, Change::Removed { old: entries::thing(gone) }),
            (None, Some(added)) => found.add(&at, Change::Added { new: entries::thing(added) }),
            (None, None) => {}
        }
        if let Some(first) = found.differences.into_iter().next() {
            return Ok(Some(first));
        }
    }
    Ok(None)
}
