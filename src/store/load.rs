//! Saved archives (`sealer save`) → images of the store.
//!
//! An archive holds `<layer hex>/…` per layer, `<image id>.yaml` per platform and `Metadata`. Everything is unpacked
//! into a staging folder and committed together; the name of an entry can never delete anything.

use std::collections::{BTreeMap, HashSet};
use std::io::{BufReader, Read};

use super::{Commit, StagedFolder, StagedLayer, Staging, Store, StoreError};
use crate::image::layer::{LayerId, Owners, Unpacker, layer_id_at};
use crate::image::model::{ImageDocument, ImageId, Metadata};
use crate::tar::{Entries, Entry, EntryKind, EntryPath, Limits, Policy, TarError};
use crate::types::Digest;

/// The greatest YAML or `Metadata` that is read, in bytes.
const MAX_DOCUMENT: u64 = 4 << 20;
/// The document in an archive of a sealer up to v0.6.1.
const OLD_DOCUMENT: &str = "image_metadata.yaml";
/// The first block of an archive, in bytes: if it is all zeros, the archive is empty.
const FIRST: u64 = 512;

/// The contents of a loaded archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The images, now in the store.
    pub images: Vec<ImageDocument>,
    /// Warnings, in whole sentences.
    pub warnings: Vec<String>,
}

impl Store {
    /// Loads a saved archive, all of it or nothing.
    ///
    /// The documents stay as they are, byte for byte. A layer's tree is hashed again; one that does not hash to its id
    /// (sealer's own with symlinks, or one with owners if we are not root) is accepted with a warning and marked
    /// unverified.
    pub fn load(&self, archive: impl Read, limits: &Limits, created: jiff::Timestamp) -> Result<Loaded, StoreError> {
        let mut archive = BufReader::with_capacity(256 * 1024, archive);
        let mut first = Vec::new();
        let read = archive.by_ref().take(FIRST).read_to_end(&mut first);
        read.map_err(|source| TarError::Read { at: 0, source })?;
        if !first.is_empty() && first.iter().all(|byte| *byte == 0) {
            return Err(StoreError::ArchiveEmpty);
        }
        let staging = self.stage()?;
        let mut entries = Entries::new(first.chain(archive), Policy::Layer, limits);
        let mut parts = Parts::new(&staging);
        while let Some(entry) = entries.next_entry()? {
            parts.take(entry, entries.content())?;
        }
        let (images, layers, warnings) = parts.finish()?;
        let commit = Commit { images, layers, created };
        self.commit(&staging, &commit).map_err(|error| match error {
            StoreError::NoLayer { image, layer } => StoreError::ArchiveLacks { image, layer },
            other => other,
        })?;
        Ok(Loaded { images: commit.images, warnings })
    }
}

/// The parts of an archive that were read so far.
struct Parts<'a> {
    staging: &'a Staging,
    layers: BTreeMap<Digest, (StagedFolder, Unpacker)>,
    images: BTreeMap<ImageId, ImageDocument>,
    /// The images in the order of the archive, so that saving them again keeps it.
    order: Vec<ImageId>,
    metadata: bool,
}

impl<'a> Parts<'a> {
    fn new(staging: &'a Staging) -> Self {
        Self { staging, layers: BTreeMap::new(), images: BTreeMap::new(), order: Vec::new(), metadata: false }
    }

    fn take(&mut self, entry: Entry, content: impl Read) -> Result<(), StoreError> {
        let refused = |reason: &str| StoreError::archive(&entry.path, reason);
        // A real sealer refuses these, so such an archive was not made to be loaded.
        if entry.path.as_bytes().contains(&b'\\') {
            return Err(refused("its name has a `\\`"));
        }
        let first = entry.path.components().next().unwrap_or_default();
        let first = str::from_utf8(first).map_err(|_| refused("its name is not UTF-8"))?;
        if let Ok(layer) = Digest::from_hex(first) {
            return self.layer(layer, entry, content);
        }
        if entry.kind != EntryKind::File || entry.path.as_bytes().len() > first.len() {
            return Err(refused("it is neither in the folder of a layer nor the document of an image"));
        }
        if first == OLD_DOCUMENT {
            return Err(StoreError::OldArchive);
        }
        let document = read(content, &entry)?;
        if let Some(id) = first.strip_suffix(".yaml") {
            let id: ImageId = id.parse().map_err(|_| refused("its name is not an image id"))?;
            return self.image(id, document, &entry.path);
        }
        if first != "Metadata" || self.metadata {
            return Err(refused("an archive from sealer has no such entry, or not twice"));
        }
        Metadata::from_json(&document).map_err(|source| StoreError::archive_document(&entry.path, source))?;
        self.metadata = true;
        Ok(())
    }

    fn layer(&mut self, layer: Digest, mut entry: Entry, content: impl Read) -> Result<(), StoreError> {
        let unpacker = match self.layers.entry(layer) {
            std::collections::btree_map::Entry::Occupied(there) => &mut there.into_mut().1,
            std::collections::btree_map::Entry::Vacant(free) => {
                let folder = self.staging.new_layer_dir()?;
                let unpacker = Unpacker::new(folder.dir().duplicate()?);
                &mut free.insert((folder, unpacker)).1
            }
        };
        let top = EntryPath::parse(layer.hex().as_bytes()).ok().flatten().expect("hex digits are a name");
        let Some(path) = entry.path.below(&top) else {
            // The layer's own folder, which already exists.
            let folder = entry.kind == EntryKind::Folder;
            return if folder { Ok(()) } else { Err(StoreError::archive(&entry.path, "a layer is a folder")) };
        };
        if let EntryKind::HardLink { target } = &mut entry.kind {
            *target = target
                .below(&top)
                .ok_or_else(|| StoreError::archive(&entry.path, "its hard link leads out of its layer"))?;
        }
        unpacker.take(&Entry { path, ..entry }, content).map_err(|source| StoreError::ArchiveLayer { layer, source })
    }

    fn image(&mut self, id: ImageId, yaml: Vec<u8>, path: &EntryPath) -> Result<(), StoreError> {
        let document = ImageDocument::from_yaml(yaml).map_err(|source| StoreError::archive_document(path, source))?;
        if document.id() != id {
            return Err(StoreError::archive(path, format!("the document in it has the id {}", document.id())));
        }
        match self.images.insert(id, document.clone()) {
            Some(before) if before != document => {
                Err(StoreError::archive(path, "it is there twice, with different contents"))
            }
            Some(_) => Ok(()),
            None => {
                self.order.push(id);
                Ok(())
            }
        }
    }

    #[expect(clippy::type_complexity, reason = "the three things that a load is about, named where they are taken")]
    fn finish(mut self) -> Result<(Vec<ImageDocument>, Vec<StagedLayer>, Vec<String>), StoreError> {
        let images: Vec<ImageDocument> = self.order.iter().filter_map(|id| self.images.remove(id)).collect();
        if images.is_empty() || !self.metadata {
            return Err(StoreError::ArchiveEmpty);
        }
        let (mut layers, mut warnings) = (Vec::new(), Vec::new());
        let owners = Owners::of_this_machine();
        for (digest, (folder, unpacker)) in self.layers {
            let notes = unpacker.finish().map_err(|source| StoreError::ArchiveLayer { layer: digest, source })?;
            // A real sealer's archive of several platforms has the layers that they share once for each.
            let mut said = HashSet::new();
            let news = notes.iter().filter(|note| note.is_news()).map(|note| format!("layer {digest}: {note}"));
            warnings.extend(news.filter(|warning| said.insert(warning.clone())));
            if !images.iter().any(|image| image.image().layer_ids().any(|id| id == digest)) {
                warnings
                    .push(format!("the layer {digest} does not belong to an image of the archive and was left out"));
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

fn read(mut content: impl Read, entry: &Entry) -> Result<Vec<u8>, StoreError> {
    if entry.size > MAX_DOCUMENT {
        return Err(StoreError::archive(&entry.path, format!("it has {} bytes", entry.size)));
    }
    let mut bytes = Vec::new();
    let read = content.read_to_end(&mut bytes);
    read.map_err(|error| StoreError::archive(&entry.path, error.to_string()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{archive, document};
    use super::*;

    type Entry<'a> = (&'a str, u8, &'a [u8]);

    fn refusal(archive: impl Read) -> String {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("root"));
        let error = store.load(archive, &Limits::SAVED, jiff::Timestamp::UNIX_EPOCH).unwrap_err();
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        [Some(error.to_string()), cause].into_iter().flatten().collect::<Vec<_>>().join(": ")
    }

    #[test]
    fn streams_of_zeros_end() {
        assert!(refusal(std::io::repeat(0)).contains("the archive has no image"));
        let some = archive(&[("Metadata", b'0', b"{}")]);
        assert!(refusal(some.chain(std::io::repeat(0))).contains("bytes of zeros after its end"));
    }

    #[test]
    fn refusals_are_about_the_archive() {
        let image = document("a:1", "linux/amd64", &[Digest::of(b"layer")]);
        let (yaml, layer) = (format!("{}.yaml", image.id()), format!("{}/.wh.", Digest::of(b"layer").hex()));
        let metadata = ("Metadata", b'0', &b"{}"[..]);
        let cases: [(&[Entry<'_>], &str); 6] = [
            (&[metadata], "the archive has no image"),
            (&[(&yaml, b'0', b"kind: [")], "its document"),
            (&[("Metadata", b'0', b"")], "the list of images cannot be read"),
            (&[(&layer, b'0', b"")], "could not unpack the layer"),
            (&[("stray", b'0', b"")], "the archive is refused at `stray`"),
            (&[metadata, (&yaml, b'0', image.yaml())], "neither in the archive nor in the store"),
        ];
        for (entries, part) in cases {
            let said = refusal(&archive(entries)[..]);
            assert!(said.contains(part) && said.contains("the archive"), "{said}");
            assert!(!said.contains("load the image again"), "{said}");
        }
        assert_eq!(refusal(&b""[..]), "the archive cannot be read: this is not a tar archive; is it compressed?");
    }
}
