//! Tar stream → tree, hashed as it arrives.

use std::io::{self, BufReader, Read, Write};

use super::{LayerError, Note, Unpacker};
use crate::disk::Dir;
use crate::tar::{Entries, Limits, Policy};
use crate::types::{Digest, DigestWriter};

/// The result of unpacking a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unpacked {
    /// sha256 of the whole stream: the layer's id, if the stream is correct.
    pub stream: Digest,
    /// The stream's length in bytes.
    pub stream_size: u64,
    /// What a person should know, and what was not kept.
    pub notes: Vec<Note>,
}

impl Unpacked {
    /// Whether the tree has everything from the stream, so that its id can be recomputed from it.
    #[must_use]
    pub(crate) fn is_faithful(&self) -> bool {
        !self.notes.iter().any(Note::is_loss)
    }
}

/// Unpacks a layer's stream into `into`, an empty folder that only we can enter.
///
/// Whiteouts become 0:0 devices and `trusted.overlay.opaque`; everything that a hostile stream could do is refused by
/// name. The stream is read to its last byte and hashed, so that the caller can compare.
pub(crate) fn unpack(stream: impl Read, into: &Dir, limits: &Limits) -> Result<Unpacked, LayerError> {
    let mut hash = DigestWriter::new(io::sink());
    let hashed = Hashed { inner: BufReader::with_capacity(256 * 1024, stream), hash: &mut hash };
    let mut entries = Entries::new(hashed, Policy::Layer, limits);
    let mut unpacker = Unpacker::new(into.duplicate()?);
    while let Some(entry) = entries.next_entry()? {
        unpacker.take(&entry, entries.content())?;
    }
    let notes = unpacker.finish()?;
    drop(entries);
    let (_, stream, stream_size) = hash.finish();
    Ok(Unpacked { stream, stream_size, notes })
}

struct Hashed<'a, R> {
    inner: R,
    hash: &'a mut DigestWriter<io::Sink>,
}

impl<R: Read> Read for Hashed<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buf)?;
        self.hash.write_all(&buf[..count])?;
        Ok(count)
    }
}
