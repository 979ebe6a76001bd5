//! The body of a request: sent again with each attempt, and verified while it is sent.

use std::io::{self, Read as _};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::sync::mpsc::{Receiver, channel};

use crate::types::{Digest, Event, Observer, VerifyingReader};

/// How many bytes are read from a file at a time.
const PIECE: usize = 256 * 1024;

/// How many pieces wait for the network, at most.
const AHEAD: usize = 4;

/// Bytes between two progress events.
const PULSE: u64 = 1 << 20;

/// The body of a request. Cloning is cheap.
#[derive(Clone)]
pub(crate) enum Content {
    /// Bytes in memory.
    Bytes(Bytes),
    /// A blob in a file.
    Blob(Arc<BlobContent>),
}

/// A blob that is sent from a file.
pub(crate) struct BlobContent {
    path: PathBuf,
    digest: Digest,
    size: u64,
    /// Its name in events.
    what: String,
    observer: Arc<dyn Observer>,
    /// Bytes sent, over all attempts.
    sent: AtomicU64,
    /// Why the file could not be read, if the file was the problem.
    damage: Mutex<Option<io::Error>>,
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Self::Blob(blob) => write!(f, "Blob({}, {})", blob.digest, blob.size),
        }
    }
}

impl BlobContent {
    /// The blob in the file `path`; `what` is its name in the events for `observer`.
    pub(crate) fn new(path: PathBuf, digest: Digest, size: u64, what: String, observer: Arc<dyn Observer>) -> Self {
        Self { path, digest, size, what, observer, sent: AtomicU64::new(0), damage: Mutex::default() }
    }

    /// Its name in events.
    pub(crate) fn what(&self) -> &str {
        &self.what
    }

    /// Why the file could not be sent, if the file was the problem: missing, or not what its digest says.
    pub(crate) fn damage(&self) -> Option<io::Error> {
        self.damage.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Reads the file on its own thread, because the disk must not block the network.
    fn stream(self: &Arc<Self>) -> Receiver<io::Result<Bytes>> {
        let (sender, receiver) = channel(AHEAD);
        let blob = Arc::clone(self);
        tokio::task::spawn_blocking(move || {
            if let Err(error) = blob.read(|piece| sender.blocking_send(Ok(piece)).is_ok()) {
                let told = io::Error::new(error.kind(), error.to_string());
                *blob.damage.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                // Nobody listens if the request failed in the meantime.
                drop(sender.blocking_send(Err(told)));
            }
        });
        receiver
    }

    /// Passes the file's bytes on until they end or are no longer wanted. The last ones are passed on only if all bytes
    /// are right.
    fn read(&self, mut take: impl FnMut(Bytes) -> bool) -> io::Result<()> {
        let mut reader = VerifyingReader::new(fs_err::File::open(&self.path)?, self.digest, self.size);
        loop {
            let mut piece = vec![0; PIECE];
            let count = reader.read(&mut piece)?;
            piece.truncate(count);
            if count == 0 || !take(piece.into()) {
                return Ok(());
            }
        }
    }
}

impl Content {
    /// Bytes in all.
    pub(crate) fn size(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Blob(blob) => blob.size,
        }
    }

    /// Bytes sent so far, over all attempts: shows whether there is any progress.
    pub(crate) fn sent(&self) -> u64 {
        match self {
            Self::Bytes(_) => 0,
            Self::Blob(blob) => blob.sent.load(Ordering::Relaxed),
        }
    }

    /// The body for one try.
    pub(crate) fn body(&self) -> reqwest::Body {
        match self {
            Self::Bytes(bytes) => bytes.clone().into(),
            Self::Blob(blob) => {
                let stream = if blob.size == 0 { None } else { Some(blob.stream()) };
                reqwest::Body::wrap(BlobBody { blob: Arc::clone(blob), stream, left: blob.size, said: 0 })
            }
        }
    }
}

/// A blob in transfer.
struct BlobBody {
    blob: Arc<BlobContent>,
    /// `None` if there is nothing to send.
    stream: Option<Receiver<io::Result<Bytes>>>,
    left: u64,
    /// The progress that was reported last.
    said: u64,
}

impl Body for BlobBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let Some(stream) = &mut self.stream else { return Poll::Ready(None) };
        match stream.poll_recv(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(None) => Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into()))),
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(error))),
            Poll::Ready(Some(Ok(piece))) => {
                let count = piece.len() as u64;
                self.left = self.left.saturating_sub(count);
                self.blob.sent.fetch_add(count, Ordering::Relaxed);
                let gone = self.blob.size - self.left;
                if gone - self.said >= PULSE || self.left == 0 {
                    self.said = gone;
                    let (what, total) = (self.blob.what.clone(), Some(self.blob.size));
                    self.blob.observer.event(Event::Transfer { what, received: gone, total });
                }
                Poll::Ready(Some(Ok(Frame::data(piece))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
