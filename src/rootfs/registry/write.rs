//! Writes images into a registry tree, in an empty folder of our own.

use std::collections::{HashMap, HashSet};
use std::io::{self, Write};
use std::path::Path;

use fs_err::os::unix::fs::OpenOptionsExt;

use super::paths::known;
use super::{Fault, Holds, Part, RegistryStorage, RegistryTreeError, RepositoryPaths};
use crate::disk::{Dir, DiskError, FileTime, Kind, is_root};
use crate::image::{Blobs, ContainerImage};
use crate::rootfs::Overlay;
use crate::types::{ContextPath, Digest, Epoch, ImageRef, VerifyingReader};

/// Writes `images` below `registry/` in the folder `into`, which must be private and without a `registry`.
///
/// `lower` are the lower layers; the files of theirs that an image relies on are read and verified. A blob that is
/// damaged is thrown away. After an error the folder has a part of the tree and must be dropped. Nothing is flushed to
/// the disk: the code that commits the folder does that.
pub(crate) fn write_registry_tree(
    images: &[ContainerImage],
    blobs: &dyn Blobs,
    lower: &Overlay,
    into: &Path,
    epoch: Epoch,
) -> Result<(), RegistryTreeError> {
    let mut writer = Writer { blobs, lower, into, done: HashSet::new() };
    for image in without_collisions(images)? {
        writer.image(image)?;
    }
    let top = known("registry");
    let folder = into.join(top.as_path());
    if !folder.exists() {
        return Ok(());
    }
    let finished = Dir::open(&folder).and_then(|folder| finish(&folder, epoch.into()));
    finished.map_err(|error| write_error(&top, error.into()))
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
    lower: &'a Overlay,
    into: &'a Path,
    done: HashSet<ContextPath>,
}

impl Writer<'_> {
    /// The tags come last.
    fn image(&mut self, image: &ContainerImage) -> Result<(), RegistryTreeError> {
        for part in RepositoryPaths::of(&image.reference)?.parts(image).into_iter().rev() {
            if !self.is_new(&image.reference, &part)? {
                continue;
            }
            match part.holds {
                Holds::Link(to) => self.file(&part.path, to.to_string().as_bytes())?,
                Holds::Data(digest, size) => {
                    let mut documents = std::iter::once(&image.manifest).chain(&image.list);
                    match documents.find(|document| document.descriptor.digest == digest) {
                        Some(document) => {
                            let (image, found) = (Box::new(image.reference.clone()), Digest::of(&document.bytes));
                            if found != digest {
                                return Err(RegistryTreeError::Document { image, expected: digest, found });
                            }
                            self.file(&part.path, &document.bytes)?;
                        }
                        None => self.blob(image, &part, (digest, size))?,
                    }
                }
            }
        }
        Ok(())
    }

    fn blob(
        &mut self,
        image: &ContainerImage,
        part: &Part,
        (digest, size): (Digest, u64),
    ) -> Result<(), RegistryTreeError> {
        let failed = |source: io::Error| {
            if source.kind() == io::ErrorKind::InvalidData {
                self.blobs.discard(digest);
            }
            RegistryTreeError::Blob { digest, image: Box::new(image.reference.clone()), source }
        };
        let mut source = self.blobs.open(digest).map_err(failed)?;
        let mut file = self.create(&part.path)?;
        // A clone shares the bytes on disk; it is verified all the same, by reading it.
        if rustix::fs::ioctl_ficlone(&file, &source).is_ok() {
            let mut reader = VerifyingReader::new(&mut file, digest, size);
            io::copy(&mut reader, &mut io::sink()).map_err(failed)?;
        } else {
            let mut reader = VerifyingReader::new(&mut source, digest, size);
            io::copy(&mut reader, &mut file).map_err(failed)?;
        }
        Ok(())
    }

    /// Whether the file is neither written yet nor, as it should be, in a lower layer; tags are written in any case.
    fn is_new(&mut self, image: &ImageRef, part: &Part) -> Result<bool, RegistryTreeError> {
        if !self.done.insert(part.path.clone()) {
            return Ok(false);
        }
        if part.what == "tag" {
            return Ok(true);
        }
        match RegistryStorage::new(self.lower).content_fault(part) {
            Some(Fault::Absent) => Ok(true),
            Some(fault) => {
                let file = self.lower.find(&part.path).ok().flatten();
                let file = file.unwrap_or_else(|| part.path.as_path().to_owned());
                Err(RegistryTreeError::Lower { file, image: Box::new(image.clone()), fault })
            }
            None => Ok(false),
        }
    }

    fn file(&self, path: &ContextPath, bytes: &[u8]) -> Result<(), RegistryTreeError> {
        self.create(path)?.write_all(bytes).map_err(|source| write_error(path, source))
    }

    fn create(&self, path: &ContextPath) -> Result<fs_err::File, RegistryTreeError> {
        let full = self.into.join(path.as_path());
        let folder = full.parent().map_or(Ok(()), fs_err::create_dir_all);
        let mut options = fs_err::OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(0o600);
        folder.and_then(|()| options.open(full)).map_err(|source| write_error(path, source))
    }
}

fn write_error(path: &ContextPath, source: io::Error) -> RegistryTreeError {
    RegistryTreeError::Write { path: path.clone(), source }
}

/// Owner, mode and time of all written files and folders, whatever group we run as, the folder above hands down or the
/// umask leaves; only root can give it away. A folder's time comes last, as every change in it changes its time.
fn finish(folder: &Dir, time: FileTime) -> Result<(), DiskError> {
    for name in folder.names()? {
        if folder.meta(&name)?.kind == Kind::Folder {
            finish(&folder.folder(&name)?, time)?;
            continue;
        }
        if is_root() {
            folder.set_owner(&name, 0, 0)?;
        }
        folder.set_mode(&name, 0o600)?;
        folder.set_time(&name, time)?;
    }
    if is_root() {
        folder.set_own_owner(0, 0)?;
    }
    folder.set_own_mode(0o750)?;
    folder.set_own_time(time)
}
