//! Whether an image is whole in a registry tree: every link and every blob's data.

use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::super::container::{ContainerImage, Descriptor};
use super::error::RegistryTreeError;
use super::paths::{RepositoryPaths, blob_data_path};
use crate::words::{ContextPath, Digest, DigestWriter};

/// Something that an image needs and the tree has not, or not right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// What it is: tag, list, manifest, config or layer.
    pub what: &'static str,
    /// Where it should be.
    pub path: ContextPath,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with a file of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It is not there.
    Absent,
    /// It is no regular file.
    NoFile,
    /// A blob's data has another size in bytes than its descriptor says.
    Size {
        /// The descriptor's.
        expected: u64,
        /// The file's.
        found: u64,
    },
    /// A blob's data has another content, of the right size.
    Content {
        /// The blob's digest.
        expected: Digest,
        /// The digest of what is there.
        found: Digest,
    },
    /// A link leads somewhere else.
    Link {
        /// Where it should lead.
        expected: Digest,
        /// What it holds, the first bytes of it.
        found: String,
    },
    /// It could not be read.
    Unreadable(String),
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {}'s `{}` {}", self.what, self.path, self.fault)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("is missing"),
            Self::NoFile => f.write_str("is no file"),
            Self::Size { expected, found } => write!(f, "has {found} bytes, expected {expected}"),
            Self::Content { expected, found } => write!(f, "has content of `{found}`, expected `{expected}`"),
            Self::Link { expected, found } => write!(f, "holds `{}`, expected `{expected}`", found.escape_default()),
            Self::Unreadable(why) => write!(f, "cannot be read: {why}"),
        }
    }
}

/// All that `image` lacks in the tree where `lookup` finds files: nothing, if a registry can serve it.
///
/// Sizes are compared, contents are not hashed.
pub fn check_registry_tree(
    image: &ContainerImage,
    lookup: &dyn Fn(&ContextPath) -> Option<PathBuf>,
) -> Result<Vec<Missing>, RegistryTreeError> {
    let paths = RepositoryPaths::of(&image.reference)?;
    let mut checker = Checker { lookup, missing: Vec::new() };
    let root = image.root().digest;
    for link in paths.tag_current_link().into_iter().chain(paths.tag_index_link(root)) {
        checker.link("tag", link, root);
    }
    let list = image.list.iter().map(|list| ("list", &list.descriptor));
    for (what, document) in list.chain([("manifest", &image.manifest.descriptor)]) {
        checker.link(what, paths.revision_link(document.digest), document.digest);
        checker.data(what, document);
    }
    let layers = image.layers.iter().map(|layer| ("layer", layer));
    for (what, blob) in std::iter::once(("config", &image.config)).chain(layers) {
        checker.link(what, paths.layer_link(blob.digest), blob.digest);
        checker.data(what, blob);
    }
    Ok(checker.missing)
}

struct Checker<'a> {
    lookup: &'a dyn Fn(&ContextPath) -> Option<PathBuf>,
    missing: Vec<Missing>,
}

impl Checker<'_> {
    fn link(&mut self, what: &'static str, path: ContextPath, expected: Digest) {
        let fault = (self.lookup)(&path).map_or(Ok(Some(Fault::Absent)), |file| link_fault(&file, expected));
        self.note(what, path, fault);
    }

    fn data(&mut self, what: &'static str, blob: &Descriptor) {
        let path = blob_data_path(blob.digest);
        let fault = (self.lookup)(&path).map_or(Ok(Some(Fault::Absent)), |file| data_fault(&file, blob.size));
        self.note(what, path, fault);
    }

    fn note(&mut self, what: &'static str, path: ContextPath, fault: io::Result<Option<Fault>>) {
        let fault = fault.unwrap_or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => Some(Fault::Absent),
            _ => Some(Fault::Unreadable(error.to_string())),
        });
        self.missing.extend(fault.map(|fault| Missing { what, path, fault }));
    }
}

/// What is wrong with a blob's data, all of it read.
pub fn content_fault(file: &Path, expected: Digest, size: u64) -> io::Result<Option<Fault>> {
    if let Some(fault) = data_fault(file, size)? {
        return Ok(Some(fault));
    }
    let mut writer = DigestWriter::new(io::sink());
    io::copy(&mut fs_err::File::open(file)?, &mut writer)?;
    let (_, found, _) = writer.finish();
    Ok((found != expected).then_some(Fault::Content { expected, found }))
}

/// What is wrong with a blob's data, without reading it.
fn data_fault(file: &Path, expected: u64) -> io::Result<Option<Fault>> {
    let metadata = fs_err::symlink_metadata(file)?;
    if !metadata.is_file() {
        return Ok(Some(Fault::NoFile));
    }
    Ok((metadata.len() != expected).then_some(Fault::Size { expected, found: metadata.len() }))
}

/// What is wrong with a link.
pub fn link_fault(file: &Path, expected: Digest) -> io::Result<Option<Fault>> {
    if !fs_err::symlink_metadata(file)?.is_file() {
        return Ok(Some(Fault::NoFile));
    }
    let mut found = Vec::new();
    // One byte more than a digest has tells what is too long.
    fs_err::File::open(file)?.take(72).read_to_end(&mut found)?;
    let same = found == expected.to_string().as_bytes();
    Ok((!same).then(|| Fault::Link { expected, found: String::from_utf8_lossy(&found).into_owned() }))
}
