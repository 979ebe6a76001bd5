//! Builds tars for tests, good ones and such as no honest program writes.

use std::io::Write;

use lzma_rust2::{XzOptions, XzWriter};

use super::blocks::BlockCodec;
use super::compression::Compression;
use super::encoders::{Bzip2, Zstd};

/// One header, every field of which can be wrong.
#[derive(Clone)]
pub(super) struct Forged {
    pub(super) kind: u8,
    pub(super) name: Vec<u8>,
    pub(super) link: Vec<u8>,
    pub(super) mode: u32,
    pub(super) content: Vec<u8>,
    /// The size field, where it shall not be the content's size.
    pub(super) size_field: Option<[u8; 12]>,
    /// What is added to the right checksum.
    pub(super) sum_off_by: u32,
    pub(super) magic: [u8; 8],
    pub(super) prefix: Vec<u8>,
}

pub(super) fn entry(kind: u8, name: &[u8], link: &[u8], mode: u32, content: &[u8]) -> Forged {
    Forged {
        kind,
        name: name.to_vec(),
        link: link.to_vec(),
        mode,
        content: content.to_vec(),
        size_field: None,
        sum_off_by: 0,
        magic: *b"ustar\x0000",
        prefix: Vec::new(),
    }
}

pub(super) fn file(name: &str, mode: u32, content: &[u8]) -> Forged {
    entry(b'0', name.as_bytes(), b"", mode, content)
}

pub(super) fn folder(name: &str) -> Forged {
    entry(b'5', name.as_bytes(), b"", 0o755, b"")
}

pub(super) fn symlink(name: &str, target: &str) -> Forged {
    entry(b'2', name.as_bytes(), target.as_bytes(), 0o777, b"")
}

pub(super) fn hard_link(name: &str, target: &str) -> Forged {
    entry(b'1', name.as_bytes(), target.as_bytes(), 0o644, b"")
}

/// A PAX header with the records, each `key=value`.
pub(super) fn pax(records: &[&[u8]]) -> Forged {
    let mut content = Vec::new();
    for record in records {
        let mut length = record.len() + 3;
        while length != record.len() + 2 + length.to_string().len() {
            length += 1;
        }
        content.extend_from_slice(format!("{length} ").as_bytes());
        content.extend_from_slice(record);
        content.push(b'\n');
    }
    entry(b'x', b"PaxHeaders/x", b"", 0o644, &content)
}

impl Forged {
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut block = vec![0; 512];
        let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, &self.name);
        put(100, format!("{:07o}\0", self.mode).as_bytes());
        put(108, b"0001750\x000001750\0");
        put(
            124,
            &self
                .size_field
                .unwrap_or_else(|| format!("{:011o}\0", self.content.len()).into_bytes().try_into().unwrap()),
        );
        put(136, b"14000000000\0        ");
        put(156, &[self.kind]);
        put(157, &self.link);
        put(257, &self.magic);
        put(345, &self.prefix);
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum::<u32>() + self.sum_off_by;
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        block.extend_from_slice(&self.content);
        block.resize(block.len().next_multiple_of(512), 0);
        block
    }
}

/// The entries and the end.
pub(super) fn tar(entries: &[Forged]) -> Vec<u8> {
    let mut bytes: Vec<u8> = entries.iter().flat_map(Forged::bytes).collect();
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

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
