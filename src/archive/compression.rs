//! Compressions told by their first bytes, and a reader that decompresses within a budget.

use std::fmt;
use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};

use flate2::bufread::MultiGzDecoder;

use super::error::ArchiveError;
use super::limits::Limits;

/// How a stream is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// RFC 1952.
    Gzip,
    /// The xz format.
    Xz,
    /// RFC 8878.
    Zstd,
    /// bzip2.
    Bzip2,
}

impl Compression {
    /// Bytes that [`detect`](Self::detect) wants to see.
    const MAGIC: u64 = 6;

    /// The compression whose magic the first bytes are.
    #[must_use]
    pub fn detect(start: &[u8]) -> Self {
        match start {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31 | 0x17, ..] => Self::Bzip2,
            _ => Self::None,
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "plain",
            Self::Gzip => "gzip",
            Self::Xz => "xz",
            Self::Zstd => "zstd",
            Self::Bzip2 => "bzip2",
        })
    }
}

/// Decompresses a stream of any compression that is read, whole: several gzip members are one stream, and what
/// follows them and is no member is an error.
///
/// Errors are [`ArchiveError`] inside [`io::Error`].
pub struct Decompressed<R: Read> {
    decoder: Decoder<Source<R>>,
    limits: Limits,
    produced: u64,
}

type Source<R> = BufReader<Counted<Chain<Cursor<Vec<u8>>, R>>>;

enum Decoder<B: BufRead> {
    Plain(B),
    Gzip(Box<MultiGzDecoder<B>>),
}

impl<R: Read> Decompressed<R> {
    /// Reads the first bytes and tells the compression by them.
    pub fn new(mut inner: R, limits: &Limits) -> Result<Self, ArchiveError> {
        let mut start = Vec::new();
        (&mut inner).take(Compression::MAGIC).read_to_end(&mut start).map_err(ArchiveError::from_read)?;
        let compression = Compression::detect(&start);
        let counted = Counted { inner: Cursor::new(start).chain(inner), count: 0, failed: false };
        let source = BufReader::with_capacity(128 << 10, counted);
        let decoder = match compression {
            Compression::None => Decoder::Plain(source),
            Compression::Gzip => Decoder::Gzip(Box::new(MultiGzDecoder::new(source))),
            other @ (Compression::Xz | Compression::Zstd | Compression::Bzip2) => {
                return Err(ArchiveError::Unsupported(other));
            }
        };
        Ok(Self { decoder, limits: limits.clone(), produced: 0 })
    }

    /// How the stream is compressed.
    #[must_use]
    pub fn compression(&self) -> Compression {
        match self.decoder {
            Decoder::Plain(_) => Compression::None,
            Decoder::Gzip(_) => Compression::Gzip,
        }
    }

    fn source(&self) -> &Counted<Chain<Cursor<Vec<u8>>, R>> {
        match &self.decoder {
            Decoder::Plain(source) => source.get_ref(),
            Decoder::Gzip(decoder) => decoder.get_ref().get_ref(),
        }
    }

    fn budget(&self) -> Option<ArchiveError> {
        let Limits { bytes, ratio, free, .. } = self.limits;
        if self.produced > bytes {
            return Some(ArchiveError::Budget { what: "decompressed bytes", limit: bytes });
        }
        let consumed = self.source().count;
        (self.produced > free && self.produced / ratio > consumed)
            .then_some(ArchiveError::Budget { what: "decompressed bytes for each compressed one", limit: ratio })
    }

    fn explain(&self, error: io::Error) -> ArchiveError {
        if self.source().failed {
            return ArchiveError::from_read(error);
        }
        match error.kind() {
            io::ErrorKind::UnexpectedEof => ArchiveError::Truncated(self.produced),
            _ => ArchiveError::Damaged(self.compression(), error),
        }
    }
}

impl<R: Read> Read for Decompressed<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let result = match &mut self.decoder {
            Decoder::Plain(source) => source.read(buf),
            Decoder::Gzip(decoder) => decoder.read(buf),
        };
        let count = match result {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, self.explain(error))),
            Ok(count) => count,
        };
        self.produced += count as u64;
        match self.budget() {
            Some(error) => Err(io::Error::new(io::ErrorKind::InvalidData, error)),
            None => Ok(count),
        }
    }
}

/// Counts what is read, and remembers whether an error came from below.
struct Counted<R> {
    inner: R,
    count: u64,
    failed: bool,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let result = self.inner.read(buf);
        match &result {
            Ok(count) => self.count += *count as u64,
            Err(error) => self.failed = error.kind() != io::ErrorKind::Interrupted,
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn read(data: &[u8], limits: &Limits) -> Result<Vec<u8>, String> {
        let mut out = Vec::new();
        let mut reader = Decompressed::new(data, limits).map_err(|error| error.to_string())?;
        reader.read_to_end(&mut out).map_err(|error| error.to_string())?;
        Ok(out)
    }

    #[test]
    fn members_are_one_stream_and_anything_else_behind_them_is_an_error() {
        let two = [gzip(b"hello "), gzip(b"world")].concat();
        assert_eq!(read(&two, &Limits::RECIPE).unwrap(), b"hello world");
        for garbage in [&b"\0"[..], b"\x1f", b"\x1f\x8b", b"garbage that is long enough for a header"] {
            assert!(read(&[&two[..], garbage].concat(), &Limits::RECIPE).is_err(), "{garbage:?}");
        }
        for cut in 1..two.len() {
            let whole_member = cut == gzip(b"hello ").len();
            // A single byte of the magic is no gzip stream, but a short plain one.
            assert_eq!(read(&two[..cut], &Limits::RECIPE).is_ok(), whole_member || cut == 1, "{cut}");
        }
    }

    #[test]
    fn every_flipped_bit_of_the_data_is_seen() {
        let good = gzip(b"some text that is compressed, some text that is not");
        for at in 10..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert!(read(&bad, &Limits::RECIPE).is_err(), "{at}");
        }
    }

    #[test]
    fn bombs_end_at_the_budget() {
        let limits = Limits { bytes: 1 << 20, ratio: 200, free: 64 << 10, ..Limits::RECIPE };
        let zeros = gzip(&vec![0; 1 << 19]);
        assert!(read(&zeros, &limits).unwrap_err().contains("for each compressed one"));
        let noise: Vec<u8> = (0..=1u32 << 18).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        for stream in [noise.clone(), gzip(&noise), vec![gzip(b"1234567890"); 110_000].concat()] {
            assert!(read(&stream, &limits).unwrap_err().contains("1048576 decompressed bytes"));
        }
    }

    #[test]
    fn other_compressions_are_named() {
        for (magic, name) in
            [(&b"\xfd7zXZ\0...."[..], "xz"), (b"\x28\xb5\x2f\xfd....", "zstd"), (b"BZh91AY&SY", "bzip2")]
        {
            assert!(read(magic, &Limits::RECIPE).unwrap_err().contains(&format!("compressed with {name},")));
        }
        assert_eq!(read(b"BZhello", &Limits::RECIPE).unwrap(), b"BZhello");
    }
}
