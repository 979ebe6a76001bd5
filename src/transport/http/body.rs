//! What a request carries to a server: sent anew with each try, and verified while it is sent.

use std::io::{self, Read as _};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::sync::mpsc::{Receiver, channel};

use crate::types::{Digest, Event, Observer, VerifyingReader};

/// Bytes that are read from a file at once.
const PIECE: usize = 256 * 1024;

/// How many pieces wait for the network, at most.
const AHEAD: usize = 4;

/// How many bytes lie between two words about progress.
const PULSE: u64 = 1 << 20;

/// What a request carries. Cloning is cheap.
#[derive(Clone)]
pub(crate) enum Content {
    /// Bytes at hand.
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
    /// Bytes that went out, in all tries.
    sent: AtomicU64,
    /// Why the file could not be sent, where it was the file.
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
    /// The blob in the file `path`, called `what` in what `observer` hears of its progress.
    pub(crate) fn new(path: PathBuf, digest: Digest, size: u64, what: String, observer: Arc<dyn Observer>) -> Self {
        Self { path, digest, size, what, observer, sent: AtomicU64::new(0), damage: Mutex::default() }
    }

    /// Its name in events.
    pub(crate) fn what(&self) -> &str {
        &self.what
    }

    /// Why the file could not be sent, where it was the file: gone, or not what its digest says.
    pub(crate) fn damage(&self) -> Option<io::Error> {
        self.damage.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Reads the file on a thread of its own: the disk must not hold up the network.
    fn stream(self: &Arc<Self>) -> Receiver<io::Result<Bytes>> {
        let (sender, receiver) = channel(AHEAD);
        let blob = Arc::clone(self);
        tokio::task::spawn_blocking(move || {
            if let Err(error) = blob.read(|piece| sender.blocking_send(Ok(piece)).is_ok()) {
                let told = io::Error::new(error.kind(), error.to_string());
                *blob.damage.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                // Nobody listens where the request failed meanwhile.
                drop(sender.blocking_send(Err(told)));
            }
        });
        receiver
    }

    /// Hands the file's bytes on until they end or are not wanted any more. The last ones only where all are right.
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

    /// Bytes that went out so far, in all tries: whether anything moves at all.
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

/// A blob on its way.
struct BlobBody {
    blob: Arc<BlobContent>,
    /// None where nothing is to come.
    stream: Option<Receiver<io::Result<Bytes>>>,
    left: u64,
    /// What was said last of the progress.
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
