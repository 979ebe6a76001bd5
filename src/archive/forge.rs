//! Compressed streams and programs for tests.

use std::io::Write;

use lzma_rust2::{XzOptions, XzWriter};

use super::blocks::BlockCodec;
use super::compression::Compression;
use super::encoders::{Bzip2, Zstd};

/// One stream of the compression, made on its own.
pub(super) fn compress(compression: Compression, data: &[u8]) -> Vec<u8> {
    match compression {
        Compression::None => data.to_vec(),
        Compression::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(data).unwrap();
            encoder.finish().unwrap()
        }
        Compression::Xz => {
            let mut encoder = XzWriter::new(Vec::new(), XzOptions::with_preset(0)).unwrap();
            encoder.write_all(data).unwrap();
            encoder.finish().unwrap()
        }
        Compression::Zstd => Zstd::new().compress(data),
        Compression::Bzip2 => Bzip2::new().compress(data),
    }
}

pub(super) fn gzip(data: &[u8]) -> Vec<u8> {
    compress(Compression::Gzip, data)
}

/// What a stream is in each compression.
pub(super) const COMPRESSED: [Compression; 4] =
    [Compression::Gzip, Compression::Xz, Compression::Zstd, Compression::Bzip2];

/// The data plain and in each compression.
pub(super) fn in_each(data: &[u8]) -> Vec<Vec<u8>> {
    [Compression::None].iter().chain(&COMPRESSED).map(|compression| compress(*compression, data)).collect()
}

/// The start of a program for the machine.
pub(super) fn elf(machine: u8) -> Vec<u8> {
    let mut head = b"\x7fELF\x02\x01\x01".to_vec();
    head.resize(64, 0);
    head[18] = machine;
    head
}
