//! A tree of files in memory, and the tar stream that sealer makes of it.

use std::collections::BTreeMap;
use std::io::Read;

use hyper::body::Bytes;

use crate::tar::{BLOCK, Dialect, Header};

/// The time of everything in the sandbox, 2020-09-13T12:26:40Z: not the recipes' constant, so that a time that is
/// changed where it should stay is seen.
const TIME: i64 = 1_600_000_000;

/// A file or a folder of a [`Tree`]; all belong to 0:0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A folder with its permission bits.
    Folder(u32),
    /// A file with its permission bits and its content.
    File(u32, Bytes),
}

/// Files and folders by path, in the order of sealer's walk: by name, folder by folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    entries: BTreeMap<Vec<String>, Entry>,
}

impl Tree {
    /// An empty tree.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file with mode 0644; folders above it that are not there get 0755.
    #[must_use]
    pub fn file(self, path: &str, content: impl Into<Bytes>) -> Self {
        self.entry(path, Entry::File(0o644, content.into()))
    }

    /// Adds a file that can be executed, mode 0755.
    #[must_use]
    pub fn program(self, path: &str, content: impl Into<Bytes>) -> Self {
        self.entry(path, Entry::File(0o755, content.into()))
    }

    /// Adds a folder with mode 0755.
    #[must_use]
    pub fn folder(self, path: &str) -> Self {
        self.entry(path, Entry::Folder(0o755))
    }

    /// Adds a file or folder; folders above it that are not there get 0755.
    #[must_use]
    pub fn entry(mut self, path: &str, entry: Entry) -> Self {
        self.insert(path, entry, 0o755);
        self
    }

    /// Adds a file or folder; folders above it that are not there get `folder_mode`.
    pub fn insert(&mut self, path: &str, entry: Entry, folder_mode: u32) {
        let parts: Vec<String> = path.split('/').map(str::to_owned).collect();
        for depth in 1..parts.len() {
            self.entries.entry(parts[..depth].to_vec()).or_insert(Entry::Folder(folder_mode));
        }
        self.entries.insert(parts, entry);
    }

    /// Adds all of `other` below the folder `to`.
    #[must_use]
    pub fn with(mut self, to: &str, other: Self) -> Self {
        for (path, entry) in other.entries {
            self.insert(&format!("{to}/{}", path.join("/")), entry, 0o755);
        }
        self
    }

    /// All entries, a folder before what is in it.
    pub fn entries(&self) -> impl Iterator<Item = (String, &Entry)> {
        self.entries.iter().map(|(path, entry)| (path.join("/"), entry))
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The sum of the files' sizes in bytes.
    pub fn size(&self) -> u64 {
        let sizes = self.entries.values().map(|entry| match entry {
            Entry::Folder(_) => 0,
            Entry::File(_, content) => content.len() as u64,
        });
        sizes.sum()
    }

    /// The tar stream, whose sha256 is the layer id.
    #[must_use]
    pub fn tar(&self) -> Vec<u8> {
        let mut tar = Vec::new();
        for (path, entry) in self.entries() {
            let (kind, mode, content) = match entry {
                Entry::Folder(mode) => (b'5', *mode, Bytes::new()),
                Entry::File(mode, content) => (b'0', *mode, content.clone()),
            };
            let (name, size) = (path.as_bytes(), content.len() as u64);
            let (user, group) = (&b"root"[..], &b"root"[..]);
            let header = Header { kind, name, target: b"", mode, uid: 0, gid: 0, user, group, size, mtime: TIME };
            tar.extend_from_slice(&header.blocks(Dialect::Go));
            tar.extend_from_slice(&content);
            tar.resize(tar.len().next_multiple_of(BLOCK), 0);
        }
        tar.resize(tar.len() + 2 * BLOCK, 0);
        tar
    }
}

/// `bytes` as one gzip member without name and time.
#[must_use]
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    let mut reader = flate2::GzBuilder::new().mtime(0).read(bytes, flate2::Compression::fast());
    // Reading memory cannot fail; otherwise the digests would not match.
    drop(reader.read_to_end(&mut packed));
    packed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_come_before_what_is_in_them_and_names_in_byte_order() {
        let tree = Tree::new().file("a.c", "1").file("a/z", "2").file("a-b", "3").entry("x", Entry::Folder(0o700));
        let paths: Vec<_> = tree.entries().map(|(path, _)| path).collect();
        assert_eq!(paths, ["a", "a/z", "a-b", "a.c", "x"]);
    }

    #[test]
    fn the_stream_is_read_back_as_it_was() {
        let long = format!("registry/{}/_manifests/tags/v1/index/sha256/{}/link", "r".repeat(40), "0".repeat(64));
        let tree = Tree::new().file(&long, "sha256:0").program("bin/x", vec![7; 1000]);
        let tar = tree.tar();
        let mut archive = tar::Archive::new(tar.as_slice());
        let mut found = Vec::new();
        for entry in archive.entries().unwrap() {
            let entry = entry.unwrap();
            let path = entry.path().unwrap().to_str().unwrap().to_owned();
            found.push((path, entry.header().mode().unwrap(), entry.size()));
        }
        let expected = tree.entries().map(|(path, entry)| match entry {
            Entry::Folder(mode) => (path, *mode, 0),
            Entry::File(mode, content) => (path, *mode, content.len() as u64),
        });
        assert_eq!(found, expected.collect::<Vec<_>>());
    }
}
