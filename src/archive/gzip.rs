//! Gzip whose bytes depend on the input alone: not on threads, machine, time or name.
//!
//! The input is cut in blocks of [`BLOCK`] bytes; each becomes one gzip member (RFC 1952, "members"), compressed by
//! libdeflate at [`LEVEL`], header time 0, system 255, no name. An empty input is one empty member.
//!
//! What was measured, sizes as parts of what `gzip -6` makes of the same tar:
//!
//! | tar of | libdeflate 6, 2 MiB members | zlib-rs 6, one member, 32 KiB dictionary |
//! |---|---|---|
//! | Go programs, 200 MB (Docker's) | 0.995 | 1.014 |
//! | one Go program, 57 MB | 0.997 | 1.018 |
//! | C and C++ programs | 0.993 | 1.025 |
//! | Rust, JSON and YAML | 1.004 | 1.001 |
//! | Python | 0.991 | 0.995 |
//! | log lines | 0.985 | 0.993 |
//!
//! libdeflate took 0.75 of zlib-rs' time on the first row. Its level 5 (1.004, 0.8 of the time of level 6) reaches
//! 1.021 on text; zlib-rs' level 4 is above 1.03 and its level 7 takes 1.8 times level 6. So libdeflate measures better in
//! both, at the price of several members: `gzip`, GNU `tar`, Go and zlib's `gzread` read those; what reads only the first member
//! (flate2's `GzDecoder`) does not. The encoder being another library than the decoder, the decoder can be
//! renewed for its safety without a byte changing here.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use libdeflater::{CompressionLvl, Compressor};

/// Bytes of input in one member. Decides bytes: never change it.
const BLOCK: usize = 2 << 20;

/// libdeflate's level. Decides bytes: never change it.
const LEVEL: i32 = 6;

/// Compresses what is written to it; [`finish`](Self::finish) must be called, or the end is missing.
///
/// At most two blocks a thread are in memory, and their results.
pub struct GzipWriter<W> {
    inner: W,
    threads: NonZeroUsize,
    block: Vec<u8>,
    wrote: bool,
    workers: Option<Sender<Job>>,
    /// Results in the order of their blocks.
    pending: VecDeque<Receiver<Vec<u8>>>,
}

struct Job {
    block: Vec<u8>,
    result: Sender<Vec<u8>>,
}

impl<W: Write> GzipWriter<W> {
    /// Writes to `inner`, compressing on up to `threads` threads, which start only when there is more than one block.
    pub fn new(inner: W, threads: NonZeroUsize) -> Self {
        Self { inner, threads, block: Vec::new(), wrote: false, workers: None, pending: VecDeque::new() }
    }

    /// Writes the rest and hands the inner writer back, not flushed.
    pub fn finish(mut self) -> io::Result<W> {
        if !self.block.is_empty() || !self.wrote {
            self.end_block()?;
        }
        while !self.pending.is_empty() {
            self.write_oldest()?;
        }
        Ok(self.inner)
    }

    fn end_block(&mut self) -> io::Result<()> {
        let whole = self.block.len() == BLOCK;
        let block = std::mem::take(&mut self.block);
        self.wrote = true;
        // A lone block is not worth a thread.
        if self.threads.get() == 1 || (self.workers.is_none() && !whole) {
            return self.inner.write_all(&member(&mut compressor(), &block));
        }
        if self.pending.len() >= self.threads.get() * 2 {
            self.write_oldest()?;
        }
        let (result, receiver) = channel();
        let threads = self.threads;
        let workers = self.workers.get_or_insert_with(|| start_workers(threads));
        // Where no worker is left to take it, the job and with it the result's sender are dropped: `write_oldest` says so.
        drop(workers.send(Job { block, result }));
        self.pending.push_back(receiver);
        Ok(())
    }

    fn write_oldest(&mut self) -> io::Result<()> {
        let Some(result) = self.pending.pop_front() else { return Ok(()) };
        let member = result.recv().map_err(|_| io::Error::other("a compressing thread ended before its work"))?;
        self.inner.write_all(&member)
    }
}

impl<W: Write> Write for GzipWriter<W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let taken = buf.len().min(BLOCK - self.block.len());
        self.block.extend_from_slice(&buf[..taken]);
        if self.block.len() == BLOCK {
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
fn start_workers(threads: NonZeroUsize) -> Sender<Job> {
    let (sender, receiver) = channel::<Job>();
    let receiver = Arc::new(Mutex::new(receiver));
    for _ in 0..threads.get() {
        let receiver = Arc::clone(&receiver);
        std::thread::spawn(move || {
            let mut compressor = compressor();
            loop {
                let job = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
                let Ok(Job { block, result }) = job else { return };
                // Nobody waits any more where the writer was dropped on an error.
                drop(result.send(member(&mut compressor, &block)));
            }
        });
    }
    sender
}

fn compressor() -> Compressor {
    Compressor::new(CompressionLvl::new(LEVEL).expect("the level is one of libdeflate's"))
}

fn member(compressor: &mut Compressor, block: &[u8]) -> Vec<u8> {
    let mut out = vec![0; compressor.gzip_compress_bound(block.len())];
    let size = compressor.gzip_compress(block, &mut out).expect("the buffer is as large as any result");
    out.truncate(size);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::golden::output;
    use flate2::read::MultiGzDecoder;
    use proptest::prelude::*;
    use std::io::Read;
    use std::process::{Command, Stdio};

    fn gzip(data: &[u8], threads: usize, piece: usize) -> Vec<u8> {
        let mut writer = GzipWriter::new(Vec::new(), NonZeroUsize::new(threads).unwrap());
        for part in data.chunks(piece) {
            writer.write_all(part).unwrap();
        }
        writer.finish().unwrap()
    }

    /// Text-like bytes that are the same on every run and longer than several blocks.
    fn text(size: usize) -> Vec<u8> {
        let words = ["kubelet ", "container ", "image\n", "registry/", "--flag=", "0123456789", "sealer ", "\t}\n"];
        let mut seed = 42u64;
        let mut out = Vec::with_capacity(size + 16);
        while out.len() < size {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            out.extend_from_slice(words[(seed >> 61) as usize].as_bytes());
            out.push(seed.to_be_bytes()[2]);
        }
        out.truncate(size);
        out
    }

    #[test]
    fn threads_and_pieces_do_not_change_a_byte() {
        for size in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5] {
            let data = text(size);
            let one = gzip(&data, 1, usize::MAX);
            for (threads, piece) in [(2, 4096), (3, BLOCK), (4, 1_000_003)] {
                assert!(gzip(&data, threads, piece) == one, "{size} bytes on {threads} threads");
            }
            let mut back = Vec::new();
            MultiGzDecoder::new(&one[..]).read_to_end(&mut back).unwrap();
            assert!(back == data);
            assert_eq!(one[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8))]
        #[test]
        fn any_input_is_the_same_on_any_number_of_threads(start in 0usize..5000, size in 0usize..(2 * BLOCK + BLOCK / 2), threads in 1usize..5) {
            let data = &text(start + size)[start..];
            prop_assert!(gzip(data, threads, 70_001) == gzip(data, 1, usize::MAX));
        }
    }

    #[test]
    fn gzip_takes_it_and_makes_hardly_less_of_it() {
        if output(Command::new("gzip").arg("--version")).is_none() {
            return;
        }
        let data = text(3 * BLOCK);
        let ours = gzip(&data, 2, 65_536);
        let run = |arguments: &[&str], input: Vec<u8>| {
            let child = Command::new("gzip").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
            let mut child = child.unwrap();
            let mut stdin = child.stdin.take().unwrap();
            let feeder = std::thread::spawn(move || stdin.write_all(&input));
            let output = child.wait_with_output().unwrap();
            feeder.join().unwrap().unwrap();
            output.status.success().then_some(output.stdout)
        };
        let theirs = run(&["-6", "-n"], data.clone()).unwrap();
        assert!(run(&["-d"], ours.clone()).unwrap() == data);
        assert!(run(&["-t"], ours.clone()).is_some());
        assert!(ours.len() * 100 <= theirs.len() * 103, "{} against {}", ours.len(), theirs.len());
    }
}
