//! Images of the store → a saved archive, as `sealer save` writes it.
//!
//! ```text
//! <layer hex>/...        per layer, in the order in which the images name them, each once
//! <image id>.yaml        per platform
//! Metadata               one line of JSON: name → id, platform, size, time per platform
//! ```
//!
//! There is no entry `./`, no entry for a layer's own folder and nothing twice: SEALER.md says what a real sealer's
//! `load` would delete because of them. The same images of the same store give the same bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use super::{Store, StoreError, StoredImage};
use crate::disk::Dir;
use crate::image::layer::{LayerError, Owners, write_entries_at};
use crate::image::model::{Manifest, ManifestList, Metadata};
use crate::tar::TarWriter;
use crate::types::{Digest, Epoch, Platform, SealerName};

/// The contents of a saved archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// The images.
    pub images: Vec<StoredImage>,
    /// Warnings, in whole sentences.
    pub warnings: Vec<String>,
}

impl Store {
    /// The images of a name: those of the given platforms, or of all if none is given, in the order of the list.
    pub(crate) fn find_all(&self, name: &SealerName, platforms: &[Platform]) -> Result<Vec<StoredImage>, StoreError> {
        let there = self.platforms(name)?;
        if there.is_empty() {
            return Err(StoreError::NoImage(name.to_string()));
        }
        if let Some(platform) = platforms.iter().find(|platform| !there.contains(platform)) {
            let there = there.iter().map(ToString::to_string).collect();
            return Err(StoreError::NoPlatform { image: name.to_string(), platform: platform.clone(), there });
        }
        let wanted = there.into_iter().filter(|platform| platforms.is_empty() || platforms.contains(platform));
        wanted
            .map(|platform| self.find(name, &platform)?.ok_or_else(|| StoreError::NoImage(name.to_string())))
            .collect()
    }

    /// Writes images as an archive. `title` is the name that its `Metadata` says, as the user wrote it, with its tag.
    ///
    /// Each layer is hashed while it is written: one that does not hash to its id is refused, unless it never did,
    /// which is only a warning.
    pub fn save(&self, images: Vec<StoredImage>, title: &str, mut out: impl Write) -> Result<Saved, StoreError> {
        let owners = Owners::of_this_machine();
        let (mut written, mut warnings) = (BTreeSet::new(), Vec::new());
        for image in &images {
            for layer in image.document.image().layer_ids() {
                if written.insert(layer) {
                    warnings.extend(self.save_layer(image, layer, &owners, &mut out)?);
                }
            }
        }
        write_documents(&images, title, out).map_err(LayerError::Write)?;
        Ok(Saved { images, warnings })
    }

    /// Writes one layer; returns a warning if there is one.
    fn save_layer(
        &self,
        image: &StoredImage,
        layer: Digest,
        owners: &Owners,
        out: impl Write,
    ) -> Result<Option<String>, StoreError> {
        let gone = || StoreError::NoLayer { image: image.name.to_string(), layer };
        let dir = match Dir::open(&self.layer_dir(&layer)) {
            Err(error) if error.is_not_found() => return Err(gone()),
            dir => dir?,
        };
        let found = write_entries_at(&dir, owners, &layer.hex(), out)?;
        self.judge(image, layer, found.map(|found| found.digest))
    }

    /// Compares a layer's hash on its way out of the store with its id: an error if it is damaged, a warning if it was
    /// never verified. `found` is `None` if the layer is empty.
    pub(crate) fn judge(
        &self,
        image: &StoredImage,
        layer: Digest,
        found: Option<Digest>,
    ) -> Result<Option<String>, StoreError> {
        if found == Some(layer) {
            return Ok(None);
        }
        if self.was_verified(&layer)? {
            return Err(StoreError::ChangedLayer { image: image.name.to_string(), layer, found });
        }
        if self.is_unverified(&layer)? {
            let name = &image.name;
            return Ok(Some(format!(
                "layer {layer} of `{name}` was never verified against its id; it is saved as it is"
            )));
        }
        if self.is_real_sealers(&layer)? {
            let name = &image.name;
            return Ok(Some(format!(
                "layer {layer} of `{name}` does not hash to its id, because a real sealer unpacked it; it is saved as \
                 it is"
            )));
        }
        Err(StoreError::DamagedLayer { image: image.name.to_string(), layer, found })
    }
}

/// The documents of all images and the list of them, which end the archive.
fn write_documents(images: &[StoredImage], title: &str, out: impl Write) -> io::Result<()> {
    let mut metadata = Metadata(BTreeMap::new());
    let list: &mut ManifestList = metadata.0.entry(title.to_owned()).or_default();
    let mut tar = TarWriter::new(out, Epoch::DEFAULT);
    for image in images {
        let (id, yaml) = (image.document.id().to_string(), image.document.yaml());
        tar.file(format!("{id}.yaml").as_bytes(), 0o644, yaml.len() as u64, yaml)?;
        let platform = (&image.document.image().platform).into();
        list.manifests.push(Manifest { id, created: image.created.clone(), size: image.size, platform });
    }
    let line = metadata.to_line();
    tar.file(b"Metadata", 0o644, line.len() as u64, &line[..])?;
    let mut out = tar.finish()?;
    out.flush()
}

#[cfg(test)]
mod tests;
