//! Writing blobs to the cache.

use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::CacheError;
use crate::types::{Digest, DigestWriter};

/// How the names of staging files start.
pub(super) const PART_PREFIX: &str = ".part-";

/// What is known about a blob before its bytes are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expected {
    /// Its digest.
    pub digest: Option<Digest>,
    /// Its size in bytes.
    pub size: Option<u64>,
}

impl Expected {
    /// Exactly this blob.
    #[must_use]
    pub(crate) fn exactly(digest: Digest, size: u64) -> Self {
        Self { digest: Some(digest), size: Some(size) }
    }
}

/// Takes a blob's bytes, hashing them, in a file that gets its name only when it is [finished](Self::finish).
///
/// Dropped before, it leaves nothing behind.
pub struct BlobWriter {
    staged: NamedTempFile,
    hasher: DigestWriter<io::Sink>,
    blobs: PathBuf,
}

impl BlobWriter {
    /// Stages a file in `staging` that will become one of `blobs`.
    pub(super) fn new(staging: &Path, blobs: PathBuf) -> Result<Self, CacheError> {
        let staged = tempfile::Builder::new().prefix(PART_PREFIX).tempfile_in(staging)?;
        // The lock shows a later process that this one is still running; see `Cache::open`. A file system without locks
        // (some network mounts) loses only the clean-up after a crash.
        if let Err(error) = staged.as_file().try_lock() {
            tracing::debug!(%error, path = %staged.path().display(), "cannot lock");
        }
        Ok(Self { staged, hasher: DigestWriter::new(io::sink()), blobs })
    }

    /// Bytes written so far.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.hasher.size()
    }

    /// Forgets everything written so far.
    pub(crate) fn restart(&mut self) -> Result<(), CacheError> {
        let file = self.staged.as_file_mut();
        file.set_len(0)?;
        file.rewind()?;
        self.hasher = DigestWriter::new(io::sink());
        Ok(())
    }

    /// Compares with `expected`, flushes and names the blob; returns digest and size.
    ///
    /// On any error, the staged file is removed.
    pub fn finish(self, expected: Expected) -> Result<(Digest, u64), CacheError> {
        let (_, digest, size) = self.hasher.finish();
        if let Some(expected) = expected.size.filter(|expected| *expected != size) {
            return Err(CacheError::WrongSize { expected, found: size, cut: false });
        }
        if let Some(expected) = expected.digest.filter(|expected| *expected != digest) {
            return Err(CacheError::WrongDigest { expected, found: digest });
        }
        // It is flushed before it is named: a name must never point to bytes that a power cut could still lose.
        self.staged.as_file().sync_all()?;
        self.staged.persist(self.blobs.join(digest.hex())).map_err(|failed| failed.error)?;
        Ok((digest, size))
    }
}

impl Write for BlobWriter {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let taken = self.staged.write(buf)?;
        self.hasher.write_all(&buf[..taken])?;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.staged.flush()
    }
}
