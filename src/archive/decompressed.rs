//! A reader that decompresses within budgets: of bytes, of their ratio, of the decoder's memory.

use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};

use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::MultiGzDecoder;
use lzma_rust2::XzReader;
use zstd::stream::read::Decoder as ZstdDecoder;

use super::compression::Compression;
use super::error::ArchiveError;
use crate::tar::{Limits, TarError};

/// Decompresses a whole stream in any supported compression: several members (gzip), streams (xz, bzip2) or frames
/// (zstd) are one stream, and other data after them is an error. Checksums are verified.
///
/// A decoder keeps at most [`Limits::WINDOW`] bytes of what it decompressed: an xz block or a zstd frame that asks for
/// more is refused before it gets them. (gzip and bzip2 cannot ask for more than 32 KiB and 900 kB.)
///
/// Errors are [`ArchiveError`] inside [`io::Error`].
pub(crate) struct Decompressed<R: Read> {
    decoder: Decoder<Source<R>>,
    limits: Limits,
    produced: u64,
    /// An error was returned. No decoder is used after an error: xz's would never return.
    has_failed: bool,
}

type Source<R> = BufReader<Counted<Chain<Cursor<Vec<u8>>, R>>>;

enum Decoder<B: BufRead> {
    Plain(B),
    Gzip(Box<MultiGzDecoder<B>>),
    Xz(Box<XzReader<B>>),
    Zstd(Box<ZstdDecoder<'static, B>>),
    Bzip2(Box<MultiBzDecoder<B>>),
}

impl<B: BufRead> Decoder<B> {
    fn new(compression: Compression, source: B) -> io::Result<Self> {
        Ok(match compression {
            Compression::None => Self::Plain(source),
            Compression::Gzip => Self::Gzip(Box::new(MultiGzDecoder::new(source))),
            Compression::Xz => Self::Xz(Box::new(XzReader::new_mem_limit(source, true, XZ_KIB))),
            Compression::Zstd => {
                let mut decoder = ZstdDecoder::with_buffer(source)?;
                decoder.window_log_max(Limits::WINDOW.ilog2())?;
                Self::Zstd(Box::new(decoder))
            }
            Compression::Bzip2 => Self::Bzip2(Box::new(MultiBzDecoder::new(source))),
        })
    }

    fn source(&self) -> &B {
        match self {
            Self::Plain(source) => source,
            Self::Gzip(decoder) => decoder.get_ref(),
            Self::Xz(decoder) => decoder.inner(),
            Self::Zstd(decoder) => decoder.get_ref(),
            Self::Bzip2(decoder) => decoder.get_ref(),
        }
    }

    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(source) => source.read(buf),
            Self::Gzip(decoder) => decoder.read(buf),
            Self::Xz(decoder) => decoder.read(buf),
            Self::Zstd(decoder) => decoder.read(buf),
            Self::Bzip2(decoder) => decoder.read(buf),
        }
    }
}

/// The most KiB that an xz block may ask for: the window and the decoder's own needs.
#[expect(clippy::cast_possible_truncation, reason = "checked below")]
const XZ_KIB: u32 = (Limits::WINDOW >> 10) as u32 + 1024;
const _: () = assert!(Limits::WINDOW.is_power_of_two() && Limits::WINDOW >> 10 < 1 << 20);

impl<R: Read> Decompressed<R> {
    /// Reads the first bytes and detects the compression.
    pub(crate) fn new(mut inner: R, limits: &Limits) -> Result<Self, ArchiveError> {
        let mut start = Vec::new();
        (&mut inner).take(Compression::MAGIC).read_to_end(&mut start).map_err(ArchiveError::from_read)?;
        let compression = Compression::detect(&start);
        let counted = Counted { inner: Cursor::new(start).chain(inner), count: 0, failed: false };
        let source = BufReader::with_capacity(128 << 10, counted);
        let decoder = Decoder::new(compression, source).map_err(ArchiveError::Read)?;
        Ok(Self { decoder, limits: limits.clone(), produced: 0, has_failed: false })
    }

    /// How the stream is compressed.
    #[must_use]
    pub(crate) fn compression(&self) -> Compression {
        match self.decoder {
            Decoder::Plain(_) => Compression::None,
            Decoder::Gzip(_) => Compression::Gzip,
            Decoder::Xz(_) => Compression::Xz,
            Decoder::Zstd(_) => Compression::Zstd,
            Decoder::Bzip2(_) => Compression::Bzip2,
        }
    }

    fn source(&self) -> &Counted<Chain<Cursor<Vec<u8>>, R>> {
        self.decoder.source().get_ref()
    }

    fn budget(&self) -> Option<TarError> {
        let Limits { bytes, ratio, free, .. } = self.limits;
        if self.produced > bytes {
            return Some(TarError::Budget { what: "decompressed bytes", limit: bytes });
        }
        let consumed = self.source().count;
        (self.produced > free && self.produced / ratio > consumed)
            .then_some(TarError::Budget { what: "decompressed bytes for each compressed one", limit: ratio })
    }

    fn explain(&self, error: io::Error) -> ArchiveError {
        if self.source().failed {
            return ArchiveError::from_read(error);
        }
        match error.kind() {
            io::ErrorKind::UnexpectedEof => ArchiveError::Tar(TarError::CutShort(self.produced)),
            // Messages of the decoders of xz and zstd: zstd's errors have no kinds.
            io::ErrorKind::OutOfMemory => ArchiveError::Window(self.compression()),
            _ if error.to_string() == ZSTD_WINDOW => ArchiveError::Window(self.compression()),
            _ => ArchiveError::Damaged(self.compression(), error),
        }
    }
}

/// zstd's message about a frame whose window is too large.
const ZSTD_WINDOW: &str = "Frame requires too much memory for decoding";

impl<R: Read> Read for Decompressed<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            // Decoders would take a short read as the end of a block.
            return Ok(0);
        }
        if self.has_failed {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the stream failed before"));
        }
        let count = match self.decoder.read(buf) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => {
                self.has_failed = true;
                return Err(io::Error::new(io::ErrorKind::InvalidData, self.explain(error)));
            }
            Ok(count) => count,
        };
        self.produced += count as u64;
        match self.budget() {
            Some(error) => {
                self.has_failed = true;
                Err(io::Error::new(io::ErrorKind::InvalidData, ArchiveError::Tar(error)))
            }
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
    use super::super::forge::{COMPRESSED, compress};
    use super::*;
    use crate::types::golden::output;
    use std::io::Write;
    use std::process::{Command, Stdio};

    fn read(data: &[u8], limits: &Limits) -> Result<Vec<u8>, String> {
        let mut out = Vec::new();
        let mut reader = Decompressed::new(data, limits).map_err(|error| error.to_string())?;
        reader.read_to_end(&mut out).map_err(|error| error.to_string())?;
        Ok(out)
    }

    #[test]
    fn members_are_one_stream_and_anything_else_behind_them_is_an_error() {
        for compression in COMPRESSED {
            let (one, other) = (compress(compression, b"hello "), compress(compression, b"world"));
            let two = [&one[..], &other].concat();
            assert_eq!(read(&two, &Limits::RECIPE).unwrap(), b"hello world", "{compression}");
            for garbage in
                [&b"\0"[..], b"\x1f", b"\x1f\x8b", b"BZh", b"(", b"garbage that is long enough for a header", &[0; 5]]
            {
                assert!(read(&[&two[..], garbage].concat(), &Limits::RECIPE).is_err(), "{compression}: {garbage:?}");
            }
            for cut in 6..two.len() {
                assert_eq!(read(&two[..cut], &Limits::RECIPE).is_ok(), cut == one.len(), "{compression}: {cut}");
            }
        }
        // A single byte of the magic is not a gzip stream, but a short plain one.
        assert_eq!(read(b"\x1f", &Limits::RECIPE).unwrap(), b"\x1f");
        assert_eq!(read(b"BZhello", &Limits::RECIPE).unwrap(), b"BZhello");
    }

    #[test]
    fn padding_and_frames_to_skip_are_as_the_formats_say() {
        let xz = compress(Compression::Xz, b"x");
        for (padding, good) in [(4, true), (8, true), (1, false), (6, false)] {
            let zeros = vec![0; padding];
            assert_eq!(read(&[&xz[..], &zeros].concat(), &Limits::RECIPE).is_ok(), good, "{padding} at the end");
            assert_eq!(read(&[&xz[..], &zeros, &xz].concat(), &Limits::RECIPE).is_ok(), good, "{padding} between");
        }
        let zstd = compress(Compression::Zstd, b"z");
        let skipped = b"\x5a\x2a\x4d\x18\x03\0\0\0abc";
        let whole = [&skipped[..], &zstd, skipped, &zstd, skipped].concat();
        assert_eq!(read(&whole, &Limits::RECIPE).unwrap(), b"zz");
        assert_eq!(
            read(&whole[..whole.len() - 1], &Limits::RECIPE).unwrap_err(),
            "the archive ends too early, after 2 decompressed bytes: fetch it again"
        );
    }

    #[test]
    fn no_flipped_bit_gives_other_bytes() {
        let text = b"some text that is compressed, some text that is not";
        for compression in COMPRESSED {
            let good = compress(compression, text);
            // Without its magic it is another stream.
            for (at, bit) in (6..good.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
                let mut bad = good.clone();
                bad[at] ^= 1 << bit;
                // gzip's header has no checksum, and what fills a last byte is nothing.
                let read = read(&bad, &Limits::RECIPE);
                assert!(read.is_err() || read.unwrap() == text, "{compression}: bit {bit} of byte {at}");
            }
            let mut bad = good.clone();
            bad[good.len() - 5] ^= 16;
            assert!(read(&bad, &Limits::RECIPE).is_err(), "{compression}");
        }
    }

    #[test]
    fn bombs_end_at_the_budget() {
        let limits = Limits { bytes: 1 << 20, ratio: 100, free: 64 << 10, ..Limits::RECIPE };
        let noise: Vec<u8> = (0..=1u32 << 18).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        assert!(read(&noise, &limits).unwrap_err().contains("1048576 decompressed bytes"));
        for compression in COMPRESSED {
            let zeros = compress(compression, &vec![0; 1 << 19]);
            let error = read(&zeros, &limits).err().unwrap_or_default();
            assert!(error.contains("for each compressed one"), "{compression}: {error}");
            let many = compress(compression, &noise[..5000]).repeat(220);
            for stream in [compress(compression, &noise), many] {
                let error = read(&stream, &limits).err().unwrap_or_default();
                assert!(error.contains("1048576 decompressed bytes"), "{compression}: {error}");
            }
        }
    }

    #[test]
    fn windows_are_limited() {
        let xz = |dictionary: u32| {
            let mut options = lzma_rust2::XzOptions::with_preset(0);
            options.lzma_options.dict_size = dictionary;
            let mut writer = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
            writer.write_all(b"x").unwrap();
            writer.finish().unwrap()
        };
        let zstd = |log: u8| {
            // RFC 8878, 3.1.1.1: no single segment, no checksum; the window; the last block, raw, of one byte.
            [&b"\x28\xb5\x2f\xfd\0"[..], &[(log - 10) << 3], b"\x09\0\0x"].concat()
        };
        let refused = |name| {
            Err(format!(
                "the archive is refused: its {name} stream needs more than 128 MiB of memory: compress it with a \
                 smaller window"
            ))
        };
        assert_eq!(read(&xz(128 << 20), &Limits::RECIPE), Ok(b"x".to_vec()));
        assert_eq!(read(&xz(192 << 20), &Limits::RECIPE), refused("xz"));
        assert_eq!(read(&[xz(1 << 20), xz(192 << 20)].concat(), &Limits::RECIPE), refused("xz"));
        assert_eq!(read(&zstd(27), &Limits::RECIPE), Ok(b"x".to_vec()));
        assert_eq!(read(&zstd(28), &Limits::RECIPE), refused("zstd"));
        assert_eq!(read(&[zstd(20), zstd(41)].concat(), &Limits::RECIPE), refused("zstd"));
    }

    #[test]
    fn what_the_formats_own_tools_write_is_read() {
        let data: Vec<u8> = (0..400_000u32).flat_map(|n| (n / 3).wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        for tool in [
            &["gzip", "-9"][..],
            &["xz", "-0"],
            &["xz", "-0", "--check=sha256", "--block-size=300000"],
            &["xz", "-0", "--check=none"],
            &["xz", "--x86", "--lzma2=preset=1"],
            &["xz", "--delta=dist=4", "--lzma2=preset=1"],
            &["zstd", "-1"],
            &["zstd", "--long=27", "--no-check", "-3"],
            &["bzip2", "-1"],
        ] {
            if output(Command::new(tool[0]).arg("--version")).is_none() {
                continue;
            }
            let mut command = Command::new(tool[0]);
            let mut child =
                command.args(&tool[1..]).arg("-c").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
            let mut stdin = child.stdin.take().unwrap();
            let input = data.clone();
            let feeder = std::thread::spawn(move || stdin.write_all(&input));
            let packed = child.wait_with_output().unwrap().stdout;
            feeder.join().unwrap().unwrap();
            assert!(read(&packed, &Limits::RECIPE).unwrap() == data, "{tool:?}");
        }
    }

    #[test]
    fn an_error_from_below_is_no_damage() {
        struct Fails;
        impl Read for Fails {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("the disk is gone"))
            }
        }
        for compression in COMPRESSED {
            let stream = compress(compression, b"some text");
            let mut reader = Decompressed::new(stream[..stream.len() - 3].chain(Fails), &Limits::RECIPE).unwrap();
            let error = io::copy(&mut reader, &mut io::sink()).unwrap_err();
            assert!(matches!(ArchiveError::from_read(error), ArchiveError::Read(_)), "{compression}");
        }
    }
}
