//! xz, zstd and bzip2 whose bytes depend on the input alone; gzip has its own file.
//!
//! What was measured on 32 MiB of a tar of programs, sizes as parts of what the format's own tool makes of them whole:
//!
//! | form | level | block | size | why this level |
//! |---|---|---|---|---|
//! | xz | 6 | 8 MiB | 1.008 | the tool's own; level 3 takes 0.77 of the time for 1.09 of the size |
//! | zstd | 9 | 8 MiB | 0.998 | 5 times the time of level 3 for 0.91 of its size; level 19 takes 17 times as long as 9 for 0.91 |
//! | bzip2 | 9 | one of its own blocks | 1.001 | the tool's own |
//!
//! xz and bzip2 are written and read by the same pure-Rust libraries, which take as long as the C ones do (xz decoding:
//! 1.2 times). zstd is the C library in both directions: a pure-Rust encoder reaches neither its size nor its levels, and
//! its decoder takes 4 times as long, which every layer in zstd would pay. Its decoder is the one that browsers and kernels trust.

use std::io::Write;

use bzip2::write::BzEncoder;
use lzma_rust2::{CheckType, XzOptions, XzWriter};

use super::blocks::BlockCodec;

/// Writing to a vector.
const MEMORY: &str = "memory takes all that is written";

/// Makes one xz stream of each block: level 6, CRC64.
pub(super) struct Xz;

impl BlockCodec for Xz {
    /// The dictionary of the level: nothing further back is seen anyway.
    const BLOCK: usize = 8 << 20;
    /// A compressor takes about 100 MiB.
    const MOST_THREADS: usize = 16;

    fn new() -> Self {
        Self
    }

    fn compress(&mut self, block: &[u8]) -> Vec<u8> {
        let mut options = XzOptions::with_preset(6);
        options.set_check_sum_type(CheckType::Crc64);
        let mut encoder = XzWriter::new(Vec::new(), options).expect("a preset is valid");
        encoder.write_all(block).expect(MEMORY);
        encoder.finish().expect(MEMORY)
    }
}

/// Makes one zstd frame of each block: level 9, with its size and a checksum.
pub(super) struct Zstd(zstd::bulk::Compressor<'static>);

impl BlockCodec for Zstd {
    const BLOCK: usize = 8 << 20;

    fn new() -> Self {
        let mut compressor = zstd::bulk::Compressor::new(9).expect("the level is one of zstd's");
        compressor
            .set_parameter(zstd::zstd_safe::CParameter::ChecksumFlag(true))
            .expect("every build of zstd has checksums");
        Self(compressor)
    }

    fn compress(&mut self, block: &[u8]) -> Vec<u8> {
        self.0.compress(block).expect("the buffer is as large as any result")
    }
}

/// Makes one bzip2 stream of each block: level 9.
pub(super) struct Bzip2;

impl BlockCodec for Bzip2 {
    /// One block of bzip2's own, if there are no long runs of one byte; longer ones came out larger, with a short block
    /// at the end of each.
    const BLOCK: usize = 899_981;

    fn new() -> Self {
        Self
    }

    fn compress(&mut self, block: &[u8]) -> Vec<u8> {
        let mut encoder = BzEncoder::new(Vec::new(), bzip2::Compression::best());
        encoder.write_all(block).expect(MEMORY);
        encoder.finish().expect(MEMORY)
    }
}

#[cfg(test)]
mod tests {
    use super::super::blocks::BlockWriter;
    use super::*;
    use crate::types::golden::output;
    use std::num::NonZeroUsize;
    use std::process::{Command, Stdio};

    fn packed<C: BlockCodec>(data: &[u8], threads: usize, piece: usize) -> Vec<u8> {
        let mut writer = BlockWriter::<_, C>::new(Vec::new(), NonZeroUsize::new(threads).unwrap());
        for part in data.chunks(piece) {
            writer.write_all(part).unwrap();
        }
        writer.finish().unwrap()
    }

    fn holds<C: BlockCodec>(tool: &str) {
        // Several blocks, cheap to compress.
        let data: Vec<u8> =
            (0..u32::try_from((2 * C::BLOCK + 77) / 4).unwrap()).flat_map(|n| (n / 999).to_le_bytes()).collect();
        let one = packed::<C>(&data, 1, usize::MAX);
        assert!(packed::<C>(&data, 3, 70_001) == one, "{tool}");
        let installed = output(Command::new(tool).arg("--version")).is_some();
        for data in [&data[..], b"", b"x"] {
            let ours = packed::<C>(data, 2, usize::MAX);
            let mut back = Vec::new();
            let limits = crate::tar::Limits { ratio: u64::MAX, ..crate::tar::Limits::RECIPE };
            let mut reader = super::super::Decompressed::new(&ours[..], &limits).unwrap();
            std::io::Read::read_to_end(&mut reader, &mut back).unwrap();
            assert!(back == data, "{tool}");
            if installed {
                let mut command = Command::new(tool);
                let mut child = command.arg("-dc").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
                let mut stdin = child.stdin.take().unwrap();
                let feeder = std::thread::spawn(move || stdin.write_all(&ours));
                let output = child.wait_with_output().unwrap();
                feeder.join().unwrap().unwrap();
                assert!(output.status.success() && output.stdout == data, "{tool}");
            }
        }
    }

    #[test]
    fn threads_change_nothing_and_the_own_tools_read_it() {
        holds::<Xz>("xz");
        holds::<Zstd>("zstd");
        holds::<Bzip2>("bzip2");
    }
}
