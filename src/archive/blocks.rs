//! Compression on several threads whose bytes depend on the input alone: not on threads, machine or time.
//!
//! The input is cut in blocks of a fixed size, each of which is compressed on its own to a whole stream of its format;
//! in all four formats, such streams one after the other are one stream. An empty input is one empty block.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::marker::PhantomData;
use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

/// Compresses blocks, each on its own.
pub(crate) trait BlockCodec {
    /// Bytes of input in one block. Decides bytes: never change it.
    const BLOCK: usize;
    /// The most threads: each one needs its own compressor.
    const MOST_THREADS: usize = usize::MAX;

    /// A compressor for any number of blocks.
    fn new() -> Self;

    /// The whole stream that a block becomes.
    fn compress(&mut self, block: &[u8]) -> Vec<u8>;
}

/// Compresses what is written to it; [`finish`](Self::finish) must be called, or the end is missing.
///
/// At most two blocks a thread are in memory, and their results.
pub(crate) struct BlockWriter<W, C> {
    inner: W,
    threads: NonZeroUsize,
    block: Vec<u8>,
    wrote: bool,
    workers: Option<Sender<Job>>,
    /// Results in the order of their blocks.
    pending: VecDeque<Receiver<Vec<u8>>>,
    codec: PhantomData<C>,
}

struct Job {
    block: Vec<u8>,
    result: Sender<Vec<u8>>,
}

impl<W: Write, C: BlockCodec> BlockWriter<W, C> {
    /// Writes to `inner`, compressing on up to `threads` threads, which start only when there is more than one block.
    pub(crate) fn new(inner: W, threads: NonZeroUsize) -> Self {
        let threads = threads.min(NonZeroUsize::new(C::MOST_THREADS).unwrap_or(NonZeroUsize::MIN));
        let (workers, pending) = (None, VecDeque::new());
        Self { inner, threads, block: Vec::new(), wrote: false, workers, pending, codec: PhantomData }
    }

    /// Writes the rest and hands the inner writer back, not flushed.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        if !self.block.is_empty() || !self.wrote {
            self.end_block()?;
        }
        while !self.pending.is_empty() {
            self.write_oldest()?;
        }
        Ok(self.inner)
    }

    fn end_block(&mut self) -> io::Result<()> {
        let whole = self.block.len() == C::BLOCK;
        let block = std::mem::take(&mut self.block);
        self.wrote = true;
        // A lone block is not worth a thread.
        if self.threads.get() == 1 || (self.workers.is_none() && !whole) {
            return self.inner.write_all(&C::new().compress(&block));
        }
        if self.pending.len() >= self.threads.get() * 2 {
            self.write_oldest()?;
        }
        let (result, receiver) = channel();
        let threads = self.threads;
        let workers = self.workers.get_or_insert_with(|| start_workers::<C>(threads));
        // If no worker is left, the job and the sender of its result are dropped, and `write_oldest` reports it.
        drop(workers.send(Job { block, result }));
        self.pending.push_back(receiver);
        Ok(())
    }

    fn write_oldest(&mut self) -> io::Result<()> {
        let Some(result) = self.pending.pop_front() else { return Ok(()) };
        let compressed = result.recv().map_err(|_| io::Error::other("a compressing thread ended before its work"))?;
        self.inner.write_all(&compressed)
    }
}

impl<W: Write, C: BlockCodec> Write for BlockWriter<W, C> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let taken = buf.len().min(C::BLOCK - self.block.len());
        self.block.extend_from_slice(&buf[..taken]);
        if self.block.len() == C::BLOCK {
            self.end_block()?;
        }
        Ok(taken)
    }

    /// Does not end a block, as that would change bytes.
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Threads that end when the last sender of jobs is dropped.
fn start_workers<C: BlockCodec>(threads: NonZeroUsize) -> Sender<Job> {
    let (sender, receiver) = channel::<Job>();
    let receiver = Arc::new(Mutex::new(receiver));
    for _ in 0..threads.get() {
        let receiver = Arc::clone(&receiver);
        std::thread::spawn(move || {
            let mut codec = C::new();
            loop {
                let job = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
                let Ok(Job { block, result }) = job else { return };
                // Nobody waits any more if the writer was dropped after an error.
                drop(result.send(codec.compress(&block)));
            }
        });
    }
    sender
}
