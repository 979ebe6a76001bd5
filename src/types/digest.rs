//! sha256 digests, and two streams for them: a writer that hashes, and a reader that fails before its end if the digest
//! is wrong.

use std::fmt;
use std::io::{self, Read, Write};
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

/// A sha256 digest, written `sha256:<64 lower-case hex digits>`.
///
/// The only way from a string to a path in the store, the cache or a registry tree is through this type, so no
/// text from outside ever becomes part of a path. Format: OCI image-spec `descriptor.md`, "Digests".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// Why a text is not a [`Digest`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// The algorithm is not sha256, the only one that sealer and docker-registry use.
    #[error("`{0}` is not a supported digest: expected `sha256:` and 64 hex digits")]
    Form(String),
}

impl Digest {
    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// A digest from its raw 32 bytes.
    #[cfg(test)]
    pub(crate) fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A digest from 64 lower-case hex digits without an algorithm.
    pub(crate) fn from_hex(hex: &str) -> Result<Self, DigestError> {
        let error = || DigestError::Form(hex.to_owned());
        let digits = hex.as_bytes();
        if digits.len() != 64 {
            return Err(error());
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let high = hex_value(pair[0]).ok_or_else(error)?;
            let low = hex_value(pair[1]).ok_or_else(error)?;
            *byte = high << 4 | low;
        }
        Ok(Self(bytes))
    }

    /// The 64 lower-case hex digits, without the algorithm.
    #[must_use]
    pub fn hex(&self) -> String {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut hex = String::with_capacity(64);
        for byte in self.0 {
            hex.push(char::from(DIGITS[usize::from(byte >> 4)]));
            hex.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
        hex
    }
}

fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let hex = text.strip_prefix("sha256:");
        hex.and_then(|hex| Self::from_hex(hex).ok()).ok_or_else(|| DigestError::Form(text.to_owned()))
    }
}

crate::types::serde_as_text!(Digest);

/// Passes every byte on to `inner`, and counts and hashes the written bytes.
pub(crate) struct DigestWriter<W> {
    inner: W,
    hasher: Sha256,
    size: u64,
}

impl<W: Write> DigestWriter<W> {
    /// Wraps `inner`.
    pub(crate) fn new(inner: W) -> Self {
        Self { inner, hasher: Sha256::new(), size: 0 }
    }

    /// How many bytes were written so far.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Ends the stream: the inner writer, the digest and the number of bytes.
    pub(crate) fn finish(self) -> (W, Digest, u64) {
        (self.inner, Digest(self.hasher.finalize().into()), self.size)
    }
}

impl<W: Write> Write for DigestWriter<W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let taken = self.inner.write(buf)?;
        self.hasher.update(&buf[..taken]);
        self.size += taken as u64;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Reads `inner` and fails before its end if size or digest are wrong.
///
/// The error is [`io::ErrorKind::InvalidData`] and says both the expected and the found.
pub(crate) struct VerifyingReader<R> {
    inner: R,
    hasher: Sha256,
    seen: u64,
    expected: Digest,
    size: u64,
    verified: bool,
}

impl<R: Read> VerifyingReader<R> {
    /// Expects exactly `size` bytes that hash to `expected`.
    pub(crate) fn new(inner: R, expected: Digest, size: u64) -> Self {
        Self { inner, hasher: Sha256::new(), seen: 0, expected, size, verified: false }
    }
}

impl<R: Read> Read for VerifyingReader<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        let count = self.inner.read(buf)?;
        self.hasher.update(&buf[..count]);
        self.seen += count as u64;
        if self.seen > self.size || (count == 0 && self.seen != self.size) {
            let found = if self.seen > self.size { "more".to_owned() } else { self.seen.to_string() };
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("expected {} bytes of {}, found {found}", self.size, self.expected),
            ));
        }
        if self.seen == self.size && !self.verified {
            let found = Digest(self.hasher.clone().finalize().into());
            if found != self.expected {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("expected content of {}, found {found}", self.expected),
                ));
            }
            self.verified = true;
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELLO: &str = "sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";

    #[test]
    fn digest_of_known_text_round_trips() {
        let digest = Digest::of(b"hello\n");
        assert_eq!(digest.to_string(), HELLO);
        assert_eq!(HELLO.parse::<Digest>().unwrap(), digest);
    }

    #[test]
    fn texts_that_are_no_digest_are_refused() {
        for text in ["", "sha256:", "sha512:00", &HELLO[..70], &HELLO.to_uppercase(), "sha256:../../../../etc/passwd"] {
            assert!(text.parse::<Digest>().is_err(), "{text}");
        }
    }

    #[test]
    fn reader_fails_before_the_end_on_wrong_content_or_size() {
        let right = Digest::of(b"hello\n");
        let read = |content: &[u8], size| {
            let mut out = Vec::new();
            VerifyingReader::new(content, right, size).read_to_end(&mut out).map_err(|e| e.to_string())
        };
        assert_eq!(read(b"hello\n", 6), Ok(6));
        for (content, size) in [(&b"jello\n"[..], 6), (b"hello", 6), (b"hello\n\n", 6), (b"hello\n", 5)] {
            assert!(read(content, size).is_err());
        }
    }

    #[test]
    fn writer_counts_and_hashes() {
        let mut writer = DigestWriter::new(Vec::new());
        writer.write_all(b"hel").unwrap();
        writer.write_all(b"lo\n").unwrap();
        let (out, digest, size) = writer.finish();
        assert_eq!((out.as_slice(), digest.to_string().as_str(), size), (&b"hello\n"[..], HELLO, 6));
    }
}
