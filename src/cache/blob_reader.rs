//! Reading blobs from the cache.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::types::{Digest, VerifyingReader};

/// Reads a blob and fails before its end if it does not match its name.
///
/// A damaged blob is removed, so that running the same command again fetches it.
pub struct BlobReader {
    inner: VerifyingReader<fs_err::File>,
    path: PathBuf,
    digest: Digest,
    size: u64,
    /// Whether a damaged blob is kept.
    is_kept: bool,
}

impl BlobReader {
    pub(super) fn open(path: &Path, digest: Digest, is_kept: bool) -> io::Result<Self> {
        let file = fs_err::File::open(path)?;
        let size = file.metadata()?.len();
        Ok(Self { inner: VerifyingReader::new(file, digest, size), path: path.to_owned(), digest, size, is_kept })
    }

    /// Bytes in all.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }
}

impl Read for BlobReader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buf).map_err(|error| {
            if error.kind() != io::ErrorKind::InvalidData {
                return error;
            }
            if self.is_kept {
                let message = format!("{} is damaged in the cache ({error})", self.digest);
                return io::Error::new(io::ErrorKind::InvalidData, message);
            }
            let outcome = match fs_err::remove_file(&self.path) {
                Ok(()) => "it was removed; run the command again".to_owned(),
                Err(error) => format!("remove it ({error})"),
            };
            let message = format!("{} is damaged in the cache ({error}): {outcome}", self.digest);
            io::Error::new(io::ErrorKind::InvalidData, message)
        })
    }
}
