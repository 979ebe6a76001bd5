//! An archive of `docker save` → its image, strictly.

use std::fs::File;
use std::io::{self, Read, Seek, Write};

use serde::Deserialize;

use super::{CONFIG_LIMIT, DockerArchiveReadError as Error};
use crate::archive::{ArchiveError, Compression, Decompressed, Member, MemberKind, Spool};
use crate::image::diff_ids;
use crate::tar::{EntryPath, Limits};
use crate::types::{Digest, DigestWriter, printable};

const MANIFEST: &str = "manifest.json";

/// Budgets of the outer tar: three or four entries a layer, of which there are at most 127, and layers of any size.
const OUTER: Limits = Limits { bytes: 256 << 30, ratio: 1100, free: 64 << 20, entries: 10_000, names: 4 << 20 };

/// One image in an archive of `docker save`.
///
/// Only entries that manifest.json names are read: a config that hashes to its name, and layers that are regular files
/// and hash to the config's diff ids, which is seen when they are [copied](Self::copy_layer) out.
pub(crate) struct DockerArchive {
    spool: Spool,
    config: Vec<u8>,
    id: Digest,
    layers: Vec<Layer>,
    index: Option<Index>,
}

struct Layer {
    name: String,
    diff_id: Digest,
    member: Member,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Manifest {
    config: String,
    layers: Option<Vec<String>>,
}

/// The OCI layout's list of images.
#[derive(Deserialize)]
struct Index {
    #[serde(default)]
    manifests: Vec<Indexed>,
}

#[derive(Deserialize)]
struct Indexed {
    digest: Digest,
}

impl DockerArchive {
    /// The tags that `docker load` gives to the images of an archive, which may be compressed.
    pub(crate) fn tags(file: File) -> Result<Vec<String>, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Tagged {
            repo_tags: Option<Vec<String>>,
        }
        let spool = if Decompressed::new(&file, &OUTER)?.compression() == Compression::None {
            Spool::of_plain(file, &OUTER)?
        } else {
            (&file).rewind().map_err(ArchiveError::Scratch)?;
            Spool::fill(&file, tempfile::tempfile().map_err(ArchiveError::Scratch)?, &OUTER)?
        };
        let images: Vec<Tagged> = parse(&document(&spool, MANIFEST)?, MANIFEST)?;
        Ok(images.into_iter().flat_map(|image| image.repo_tags.unwrap_or_default()).collect())
    }

    /// Reads the plain tar in `file`, from its first byte to its last; it must not change meanwhile.
    pub(crate) fn open(file: File) -> Result<Self, Error> {
        let spool = Spool::of_plain(file, &OUTER)?;
        let manifest = document(&spool, MANIFEST)?;
        let manifest: Vec<Manifest> = parse(&manifest, MANIFEST)?;
        let count = manifest.len();
        let [Manifest { config, layers: names }] =
            <[Manifest; 1]>::try_from(manifest).map_err(|_| Error::Images(count))?;
        let names = names.unwrap_or_default();
        let named = config_digest(&config).ok_or_else(|| {
            Error::Name(printable(&config).into_owned(), "`<64 hex digits>.json` or `blobs/sha256/<64 hex digits>`")
        })?;
        let bytes = document(&spool, &config)?;
        let id = Digest::of(&bytes);
        if id != named {
            return Err(Error::Config { name: config, found: id });
        }
        let diff_ids = diff_ids(&bytes).map_err(|source| Error::Document { name: config, source })?;
        if diff_ids.len() != names.len() {
            return Err(Error::Count { layers: names.len(), diff_ids: diff_ids.len() });
        }
        let layers = names.into_iter().zip(diff_ids);
        let layers = layers.map(|(name, diff_id)| Layer::find(&spool, name, diff_id)).collect::<Result<_, _>>()?;
        let index = find(&spool, "index.json").map(|_| parse(&document(&spool, "index.json")?, "index.json"));
        Ok(Self { config: bytes, id, layers, index: index.transpose()?, spool })
    }

    /// The config, byte for byte.
    #[must_use]
    pub(crate) fn config(&self) -> &[u8] {
        &self.config
    }

    /// The config's digest, which is the image id.
    #[must_use]
    pub(crate) fn id(&self) -> Digest {
        self.id
    }

    /// Whether this image has that id in an engine: the digest of the config, or, for engines that keep images in
    /// containerd's store, that of the manifest or list that the archive's OCI layout names.
    #[must_use]
    pub(crate) fn is_called(&self, id: Digest) -> bool {
        self.id == id || self.index.as_ref().is_some_and(|index| index.manifests.iter().any(|image| image.digest == id))
    }

    /// How many layers there are.
    #[must_use]
    pub(crate) fn layer_count(&self) -> usize {
        self.layers.len()
    }

    /// Writes the layer of that number, decompressed, to `out`, which is invalid if this fails: only the end shows
    /// whether it matches the config.
    pub(crate) fn copy_layer<W: Write>(&self, index: usize, out: W) -> Result<W, Error> {
        let Layer { name, diff_id, member } = &self.layers[index];
        let unread = |source| Error::Layer { name: name.clone(), source };
        let mut stream = Decompressed::new(self.spool.content(member), &Limits::LAYER).map_err(unread)?;
        let mut writer = DigestWriter::new(out);
        let mut buffer = vec![0; 256 << 10];
        loop {
            let count = match stream.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(unread(ArchiveError::from_read(error))),
            };
            let written = writer.write_all(&buffer[..count]);
            written.map_err(|source| Error::Write { name: name.clone(), source })?;
        }
        let (out, found, _) = writer.finish();
        if found != *diff_id {
            return Err(Error::DiffId { name: name.clone(), expected: *diff_id, found });
        }
        Ok(out)
    }
}

impl Layer {
    fn find(spool: &Spool, name: String, diff_id: Digest) -> Result<Self, Error> {
        let parts: Vec<&str> = name.split('/').collect();
        let is_blob = matches!(parts[..], ["blobs", "sha256", hex] if Digest::from_hex(hex).is_ok());
        let is_legacy = matches!(parts[..], [hex, "layer.tar"] if Digest::from_hex(hex).is_ok());
        // What older engines and other tools call a layer at the archive's top.
        let is_top =
            matches!(parts[..], [file] if file.strip_suffix(".tar").is_some_and(|hex| Digest::from_hex(hex).is_ok()));
        if !is_blob && !is_legacy && !is_top {
            let expected = "`<64 hex digits>/layer.tar`, `<64 hex digits>.tar` or `blobs/sha256/<64 hex digits>`";
            return Err(Error::Name(printable(&name).into_owned(), expected));
        }
        let mut member = find(spool, &name).ok_or_else(|| Error::Missing(name.clone()))?;
        if let (true, MemberKind::Symlink { target }) = (is_legacy, &member.kind) {
            // A second layer with the same content; engines never write a link to a link.
            let other = target.strip_prefix(b"../".as_slice()).and_then(|other| std::str::from_utf8(other).ok());
            let other =
                other.filter(|other| other.strip_suffix("/layer.tar").is_some_and(|hex| Digest::from_hex(hex).is_ok()));
            let other = other.ok_or_else(|| Error::NoFile(name.clone()))?;
            member = find(spool, other).ok_or_else(|| Error::Missing(other.to_owned()))?;
        }
        let MemberKind::File { .. } = member.kind else { return Err(Error::NoFile(name)) };
        Ok(Self { member: member.clone(), name, diff_id })
    }
}

/// The digest that the name of a config says.
fn config_digest(name: &str) -> Option<Digest> {
    let hex = name.strip_suffix(".json").or_else(|| name.strip_prefix("blobs/sha256/"))?;
    Digest::from_hex(hex).ok()
}

fn find<'a>(spool: &'a Spool, name: &str) -> Option<&'a Member> {
    let path = EntryPath::parse(name.as_bytes()).ok().flatten()?;
    spool.member(&path)
}

/// The bytes of a small file.
fn document(spool: &Spool, name: &str) -> Result<Vec<u8>, Error> {
    let member = find(spool, name).ok_or_else(|| Error::Missing(name.to_owned()))?;
    let MemberKind::File { size } = member.kind else { return Err(Error::NoFile(name.to_owned())) };
    if size > CONFIG_LIMIT {
        return Err(Error::Size { name: name.to_owned(), size });
    }
    let mut bytes = Vec::new();
    let read = spool.content(member).read_to_end(&mut bytes);
    read.map_err(|error| Error::Archive(ArchiveError::Scratch(error)))?;
    Ok(bytes)
}

fn parse<T: for<'de> Deserialize<'de>>(bytes: &[u8], name: &str) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|source| Error::Document { name: name.to_owned(), source })
}

#[cfg(test)]
mod tests;
