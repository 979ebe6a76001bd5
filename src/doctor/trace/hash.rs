//! Blobs decompressed and hashed, each file once.

use std::collections::HashMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::archive::Decompressed;
use crate::tar::Limits;
use crate::types::chain;
use crate::types::{Digest, DigestWriter, Event, Observer, VerifyingReader};

/// Bytes between two progress events.
const PULSE: u64 = 4 << 20;

/// Hashes the decompressed content of blobs, and caches the result because images share layers.
pub(super) struct Hasher<'a> {
    observer: &'a dyn Observer,
    done: HashMap<PathBuf, Result<Digest, String>>,
}

impl<'a> Hasher<'a> {
    pub(super) fn new(observer: &'a dyn Observer) -> Self {
        Self { observer, done: HashMap::new() }
    }

    /// The diff id of the blob in `file`, or why there is none. The blob's own digest is also checked.
    pub(super) fn diff_id(&mut self, file: &Path, digest: Digest) -> Result<Digest, String> {
        if let Some(known) = self.done.get(file) {
            return known.clone();
        }
        let hashed = self.hash(file, digest).map_err(|error| chain(&error));
        self.done.insert(file.to_owned(), hashed.clone());
        hashed
    }

    fn hash(&self, file: &Path, digest: Digest) -> io::Result<Digest> {
        let opened = fs_err::File::open(file)?;
        let size = opened.metadata()?.len();
        let what = format!("blob {digest}");
        let verifying = VerifyingReader::new(opened, digest, size);
        let counted = Counted { inner: verifying, observer: self.observer, what: &what, size, seen: 0, told: 0 };
        self.observer.event(Event::Transfer { what: what.clone(), received: 0, total: Some(size) });
        let mut stream = Decompressed::new(counted, &Limits::LAYER).map_err(io::Error::other)?;
        let mut writer = DigestWriter::new(io::sink());
        io::copy(&mut stream, &mut writer)?;
        let (_, diff_id, _) = writer.finish();
        self.observer.event(Event::Transferred { what, digest, size });
        Ok(diff_id)
    }
}

/// Reports how far it was read.
struct Counted<'a, R> {
    inner: R,
    observer: &'a dyn Observer,
    what: &'a str,
    size: u64,
    seen: u64,
    told: u64,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buf)?;
        self.seen += count as u64;
        if self.seen - self.told >= PULSE {
            self.told = self.seen;
            let (what, received) = (self.what.to_owned(), self.seen);
            self.observer.event(Event::Transfer { what, received, total: Some(self.size) });
        }
        Ok(count)
    }
}
