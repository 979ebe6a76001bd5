//! Writes images into a registry tree, in an empty folder of our own.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs::{FileTimes, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use fs_err::os::unix::fs::OpenOptionsExt;
use rustix::fs::{Gid, Uid};

use super::super::container::{Blobs, ContainerImage, Descriptor, Document};
use super::check::{Fault, content_fault, link_fault};
use super::error::RegistryTreeError;
use super::paths::{RepositoryPaths, blob_data_path};
use crate::disk::is_root;
use crate::words::{ContextPath, Digest, Epoch, ImageRef, VerifyingReader};

/// What was written and what was not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Blobs that were written, documents included.
    pub blobs: u64,
    /// Bytes of these.
    pub bytes: u64,
    /// Blobs that a lower layer has.
    pub shared: u64,
    /// Links that were written.
    pub links: u64,
}

/// Writes `images` below `registry/` in the folder `into`, which must be private and without a `registry`.
///
/// `lower` finds the files of the lower layers, merged; those that an image relies on are read and verified. A blob that
/// is damaged is thrown away. On an error the folder holds a part of the tree, to be thrown away.
/// Nothing is flushed to the disk: whoever commits the folder does that.
pub fn write_registry_tree(
    images: &[ContainerImage],
    blobs: &dyn Blobs,
    lower: &dyn Fn(&ContextPath) -> Option<PathBuf>,
    into: &Path,
    epoch: Epoch,
) -> Result<Written, RegistryTreeError> {
    let images = without_collisions(images)?;
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(epoch.seconds());
    let mut writer = Writer {
        blobs,
        lower,
        into,
        times: FileTimes::new().set_accessed(time).set_modified(time),
        folders: BTreeSet::new(),
        done: HashSet::new(),
        written: Written::default(),
    };
    for image in images {
        writer.image(image)?;
    }
    writer.set_folder_times()?;
    Ok(writer.written)
}

/// The images, those that are given twice once.
fn without_collisions(images: &[ContainerImage]) -> Result<Vec<&ContainerImage>, RegistryTreeError> {
    let mut by_path: HashMap<(&str, &str), &ContainerImage> = HashMap::new();
    let mut distinct = Vec::new();
    for image in images {
        let Some(tag) = image.reference.tag() else {
            distinct.push(image);
            continue;
        };
        match by_path.insert((image.reference.repository(), tag), image) {
            None => distinct.push(image),
            Some(one) if one == image => {}
            Some(one) => {
                return Err(RegistryTreeError::Collision {
                    one: Box::new(one.reference.clone()),
                    one_digest: one.root().digest,
                    other: Box::new(image.reference.clone()),
                    other_digest: image.root().digest,
                });
            }
        }
    }
    Ok(distinct)
}

struct Writer<'a> {
    blobs: &'a dyn Blobs,
    lower: &'a dyn Fn(&ContextPath) -> Option<PathBuf>,
    into: &'a Path,
    times: FileTimes,
    folders: BTreeSet<ContextPath>,
    done: HashSet<ContextPath>,
    written: Written,
}

impl Writer<'_> {
    fn image(&mut self, image: &ContainerImage) -> Result<(), RegistryTreeError> {
        let paths = RepositoryPaths::of(&image.reference)?;
        for blob in image.blobs() {
            self.blob(&image.reference, blob)?;
            self.link_unless_lower(&image.reference, &paths.layer_link(blob.digest), blob.digest)?;
        }
        for document in std::iter::once(&image.manifest).chain(&image.list) {
            self.document(&image.reference, document)?;
            let digest = document.descriptor.digest;
            self.link_unless_lower(&image.reference, &paths.revision_link(digest), digest)?;
        }
        let root = image.root().digest;
        for link in paths.tag_current_link().into_iter().chain(paths.tag_index_link(root)) {
            if self.done.insert(link.clone()) {
                self.link(&link, root)?;
            }
        }
        Ok(())
    }

    fn blob(&mut self, image: &ImageRef, blob: &Descriptor) -> Result<(), RegistryTreeError> {
        let path = blob_data_path(blob.digest);
        if !self.is_new(image, &path, |file| content_fault(file, blob.digest, blob.size))? {
            return Ok(());
        }
        let failed = |source: io::Error| {
            if source.kind() == io::ErrorKind::InvalidData {
                self.blobs.discard(blob.digest);
            }
            RegistryTreeError::Blob { digest: blob.digest, image: Box::new(image.clone()), source }
        };
        let mut source = self.blobs.open(blob.digest).map_err(failed)?;
        let mut file = self.create(&path)?;
        // A clone shares the bytes on disk; it is verified all the same, by reading it.
        if rustix::fs::ioctl_ficlone(&file, &source).is_ok() {
            let mut reader = VerifyingReader::new(&mut file, blob.digest, blob.size);
            io::copy(&mut reader, &mut io::sink()).map_err(failed)?;
        } else {
            let mut reader = VerifyingReader::new(&mut source, blob.digest, blob.size);
            io::copy(&mut reader, &mut file).map_err(failed)?;
        }
        self.written.blobs += 1;
        self.written.bytes += blob.size;
        self.end(&path, &file)
    }

    fn document(&mut self, image: &ImageRef, document: &Document) -> Result<(), RegistryTreeError> {
        let expected = document.descriptor.digest;
        let found = Digest::of(&document.bytes);
        if found != expected {
            return Err(RegistryTreeError::Document { image: Box::new(image.clone()), expected, found });
        }
        let size = document.bytes.len() as u64;
        let path = blob_data_path(expected);
        if !self.is_new(image, &path, |file| content_fault(file, expected, size))? {
            return Ok(());
        }
        self.written.blobs += 1;
        self.written.bytes += size;
        self.file(&path, &document.bytes)
    }

    fn link_unless_lower(&mut self, image: &ImageRef, path: &ContextPath, to: Digest) -> Result<(), RegistryTreeError> {
        let shared = self.written.shared;
        let new = self.is_new(image, path, |file| link_fault(file, to));
        // Only blobs are counted as shared.
        self.written.shared = shared;
        if new? { self.link(path, to) } else { Ok(()) }
    }

    fn link(&mut self, path: &ContextPath, to: Digest) -> Result<(), RegistryTreeError> {
        self.written.links += 1;
        self.file(path, to.to_string().as_bytes())
    }

    /// Whether the path is neither written yet nor, as it should be, in a lower layer.
    fn is_new(
        &mut self,
        image: &ImageRef,
        path: &ContextPath,
        fault: impl Fn(&Path) -> io::Result<Option<Fault>>,
    ) -> Result<bool, RegistryTreeError> {
        if !self.done.insert(path.clone()) {
            return Ok(false);
        }
        let Some(file) = (self.lower)(path) else { return Ok(true) };
        match fault(&file) {
            Ok(None) => {
                self.written.shared += 1;
                Ok(false)
            }
            Ok(Some(fault)) => Err(RegistryTreeError::Lower { file, image: Box::new(image.clone()), fault }),
            Err(source) => Err(RegistryTreeError::ReadLower { path: path.clone(), source }),
        }
    }

    fn file(&mut self, path: &ContextPath, bytes: &[u8]) -> Result<(), RegistryTreeError> {
        let mut file = self.create(path)?;
        file.write_all(bytes).map_err(|source| RegistryTreeError::Write { path: path.clone(), source })?;
        self.end(path, &file)
    }

    fn create(&mut self, path: &ContextPath) -> Result<fs_err::File, RegistryTreeError> {
        self.folders_above(path)?;
        let mut options = fs_err::OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(0o600);
        let full = self.into.join(path.as_path());
        options.open(full).map_err(|source| RegistryTreeError::Write { path: path.clone(), source })
    }

    /// Owner, mode and time of a file, once all is written to it.
    fn end(&self, path: &ContextPath, file: &fs_err::File) -> Result<(), RegistryTreeError> {
        // The mode when creating goes through the umask.
        give_to_root(file)
            .and_then(|()| file.set_permissions(Permissions::from_mode(0o600)))
            .and_then(|()| file.file().set_times(self.times))
            .map_err(|source| RegistryTreeError::Write { path: path.clone(), source })
    }

    fn folders_above(&mut self, path: &ContextPath) -> Result<(), RegistryTreeError> {
        let ancestors = std::iter::successors(path.parent(), ContextPath::parent);
        let mut new: Vec<ContextPath> =
            ancestors.take_while(|folder| !folder.is_root() && !self.folders.contains(folder)).collect();
        while let Some(folder) = new.pop() {
            let full = self.into.join(folder.as_path());
            fs_err::create_dir(&full)
                .and_then(|()| fs_err::File::open(&full))
                .and_then(|handle| give_to_root(&handle))
                .and_then(|()| fs_err::set_permissions(&full, Permissions::from_mode(0o750)))
                .map_err(|source| RegistryTreeError::Write { path: folder.clone(), source })?;
            self.folders.insert(folder);
        }
        Ok(())
    }

    /// Last of all, as every new entry changes its folder's time.
    fn set_folder_times(&self) -> Result<(), RegistryTreeError> {
        for folder in &self.folders {
            fs_err::File::open(self.into.join(folder.as_path()))
                .and_then(|handle| handle.file().set_times(self.times))
                .map_err(|source| RegistryTreeError::Write { path: folder.clone(), source })?;
        }
        Ok(())
    }
}

/// All of the tree is 0:0, whatever group we run as or the folder above hands down; only root can give it away.
fn give_to_root(file: &fs_err::File) -> io::Result<()> {
    if !is_root() {
        return Ok(());
    }
    Ok(rustix::fs::fchown(file, Some(Uid::ROOT), Some(Gid::ROOT))?)
}
