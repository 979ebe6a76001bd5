//! Gzip whose bytes depend on the input alone: not on threads, machine, time or name.
//!
//! The input is cut in blocks (see [`BlockWriter`](super::blocks)) of 2 MiB; each becomes one gzip member (RFC 1952, "members"), compressed by
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

use libdeflater::{CompressionLvl, Compressor};

use super::blocks::{BlockCodec, BlockWriter};

/// Compresses what is written to it to gzip.
pub(crate) type GzipWriter<W> = BlockWriter<W, Gzip>;

/// libdeflate's level. Decides bytes: never change it.
const LEVEL: i32 = 6;

/// Makes one gzip member of each block.
pub(crate) struct Gzip(Compressor);

impl BlockCodec for Gzip {
    const BLOCK: usize = 2 << 20;

    fn new() -> Self {
        Self(Compressor::new(CompressionLvl::new(LEVEL).expect("the level is one of libdeflate's")))
    }

    fn compress(&mut self, block: &[u8]) -> Vec<u8> {
        let mut out = vec![0; self.0.gzip_compress_bound(block.len())];
        let size = self.0.gzip_compress(block, &mut out).expect("the buffer is as large as any result");
        out.truncate(size);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::golden::output;
    use flate2::read::MultiGzDecoder;
    use proptest::prelude::*;
    use std::io::{Read, Write};
    use std::num::NonZeroUsize;
    use std::process::{Command, Stdio};

    const BLOCK: usize = Gzip::BLOCK;

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
