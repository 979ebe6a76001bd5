//! Saved archives (`sealer save`) → images of the store.
//!
//! An archive holds `<layer hex>/…` per layer, `<image id>.yaml` per platform and `Metadata`. Everything is unpacked
//! into a staging folder and committed together; nothing that an entry is called deletes anything.

use std::collections::BTreeMap;
use std::io::{BufReader, Read};

use super::{Commit, StagedFolder, StagedLayer, Staging, Store, StoreError};
use crate::image::layer::{EntryKind, LayerId, Limits, Owners, TarEntries, TarEntry, Unpacker, layer_id_at};
use crate::image::model::{ImageDocument, ImageId, Metadata};
use crate::words::Digest;

/// The greatest YAML or `Metadata` that is read, in bytes.
const MAX_DOCUMENT: u64 = 4 << 20;

/// What came out of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The images, now in the store.
    pub images: Vec<ImageDocument>,
    /// What a person should know, in whole sentences.
    pub warnings: Vec<String>,
}

impl Store {
    /// Loads a saved archive, all of it or nothing.
    ///
    /// The documents stay as they are, byte for byte. A layer's tree is hashed again; one that does not hash to its id
    /// (sealer's own with symlinks, or one with owners where we are not root) is taken with a warning and marked
    /// unverified.
    pub fn load(&self, archive: impl Read, limits: Limits, created: jiff::Timestamp) -> Result<Loaded, StoreError> {
        let staging = self.stage()?;
        let mut entries = TarEntries::new(BufReader::with_capacity(256 * 1024, archive));
        let mut parts = Parts::new(&staging, limits);
        while let Some(entry) = entries.next_entry()? {
            parts.take(&entry, entries.content())?;
        }
        let (images, layers, warnings) = parts.finish()?;
        let commit = Commit { images, layers, created };
        self.commit(&staging, &commit)?;
        Ok(Loaded { images: commit.images, warnings })
    }
}

/// What an archive was seen to hold so far.
struct Parts<'a> {
    staging: &'a Staging,
    limits: Limits,
    layers: BTreeMap<Digest, (StagedFolder, Unpacker)>,
    images: BTreeMap<ImageId, ImageDocument>,
    metadata: bool,
}

impl<'a> Parts<'a> {
    fn new(staging: &'a Staging, limits: Limits) -> Self {
        Self { staging, limits, layers: BTreeMap::new(), images: BTreeMap::new(), metadata: false }
    }

    fn take(&mut self, entry: &TarEntry, content: impl Read) -> Result<(), StoreError> {
        let name = &entry.name[..];
        let refused = |reason: &str| StoreError::archive(name, reason);
        // A real sealer refuses these, so an archive that has them was not made to be loaded.
        if name.contains(&b'\\') || name.starts_with(b"/") || name.split(|byte| *byte == b'/').any(|part| part == b"..")
        {
            return Err(refused("its name has a `\\`, a leading `/` or `..`"));
        }
        let name = name.strip_prefix(b"./").unwrap_or(name);
        if matches!(name, b"" | b".") && entry.kind == EntryKind::Folder {
            return Ok(());
        }
        let (first, rest) = match name.iter().position(|byte| *byte == b'/') {
            Some(slash) => (&name[..slash], &name[slash + 1..]),
            None => (name, &b""[..]),
        };
        let first = str::from_utf8(first).map_err(|_| refused("its name is no text"))?;
        if let Ok(layer) = Digest::from_hex(first) {
            return self.layer(layer, entry, rest, content);
        }
        if entry.kind != EntryKind::File || !rest.is_empty() {
            return Err(refused("it is neither in a layer's folder nor an image's document"));
        }
        let document = read(content, entry)?;
        if let Some(id) = first.strip_suffix(".yaml") {
            let id: ImageId = id.parse().map_err(|_| refused("its name is no image id"))?;
            return self.image(id, document, entry);
        }
        if first != "Metadata" || self.metadata {
            return Err(refused("no such thing is in an archive of sealer's, or not twice"));
        }
        Metadata::from_json(&document).map_err(|_| refused("it is not the list of images that sealer writes"))?;
        self.metadata = true;
        Ok(())
    }

    fn layer(&mut self, layer: Digest, entry: &TarEntry, rest: &[u8], content: impl Read) -> Result<(), StoreError> {
        let unpacker = match self.layers.entry(layer) {
            std::collections::btree_map::Entry::Occupied(there) => &mut there.into_mut().1,
            std::collections::btree_map::Entry::Vacant(free) => {
                let folder = self.staging.new_layer_dir()?;
                let unpacker = Unpacker::new(folder.dir().duplicate()?, self.limits);
                &mut free.insert((folder, unpacker)).1
            }
        };
        if rest.is_empty() {
            // The layer's own folder: it is there.
            let folder = entry.kind == EntryKind::Folder;
            return if folder { Ok(()) } else { Err(StoreError::archive(&entry.name, "a layer is a folder")) };
        }
        let hex = [layer.hex().as_bytes(), b"/"].concat();
        let target = entry.target.strip_prefix(b"./").unwrap_or(&entry.target);
        let target = match entry.kind {
            EntryKind::HardLink => target
                .strip_prefix(&hex[..])
                .ok_or_else(|| StoreError::archive(&entry.name, "its hard link leads out of its layer"))?,
            EntryKind::File | EntryKind::Symlink | EntryKind::Folder | EntryKind::Whiteout | EntryKind::Other(_) => {
                target
            }
        };
        Ok(unpacker.take(entry, rest, target, content)?)
    }

    fn image(&mut self, id: ImageId, yaml: Vec<u8>, entry: &TarEntry) -> Result<(), StoreError> {
        let document =
            ImageDocument::from_yaml(yaml).map_err(|source| StoreError::Document { image: id.to_string(), source })?;
        if document.id() != id {
            return Err(StoreError::archive(&entry.name, format!("the document in it has the id {}", document.id())));
        }
        match self.images.insert(id, document.clone()) {
            Some(before) if before != document => {
                Err(StoreError::archive(&entry.name, "it is there twice, and not the same"))
            }
            _ => Ok(()),
        }
    }

    #[expect(clippy::type_complexity, reason = "the three things that a load is about, named where they are taken")]
    fn finish(self) -> Result<(Vec<ImageDocument>, Vec<StagedLayer>, Vec<String>), StoreError> {
        let images: Vec<ImageDocument> = self.images.into_values().collect();
        if images.is_empty() || !self.metadata {
            return Err(StoreError::archive(b"", "it holds no image of sealer's: its documents are missing"));
        }
        let (mut layers, mut warnings) = (Vec::new(), Vec::new());
        let owners = Owners::of_this_machine();
        for (digest, (folder, unpacker)) in self.layers {
            let notes = unpacker.finish()?;
            warnings.extend(notes.iter().filter(|note| note.is_news()).map(|note| format!("layer {digest}: {note}")));
            if !images.iter().any(|image| image.image().layer_ids().any(|id| id == digest)) {
                warnings.push(format!("the layer {digest} belongs to no image of the archive and was left out"));
                continue;
            }
            let found = layer_id_at(folder.dir(), &owners)?;
            let verified = found.is_some_and(|found| found.digest == digest);
            if !verified {
                warnings
                    .push(format!("the content of layer {digest} does not hash to its id; it is marked unverified"));
            }
            let id = LayerId { digest, tar_size: found.map_or(0, |found| found.tar_size) };
            layers.push(StagedLayer { folder, id, cache_id: None, verified });
        }
        Ok((images, layers, warnings))
    }
}

fn read(mut content: impl Read, entry: &TarEntry) -> Result<Vec<u8>, StoreError> {
    if entry.size > MAX_DOCUMENT {
        return Err(StoreError::archive(&entry.name, format!("it has {} bytes", entry.size)));
    }
    let mut bytes = Vec::new();
    let read = content.read_to_end(&mut bytes);
    read.map_err(|error| StoreError::archive(&entry.name, error.to_string()))?;
    Ok(bytes)
}
