//! A tar stream as a sequence of entries, read strictly: where two readers could see different things, it is refused.

use std::io::{self, Read};

use super::number::{header_number, header_time};
use super::pax::Pax;
use crate::disk::FileTime;
use crate::words::FailureKind;

const BLOCK: usize = 512;
/// The largest size that 11 octal digits hold: 8 GiB less one byte.
const MAX_OCTAL: u64 = 0o77_777_777_777;
/// What the records and long names of one entry may have, in bytes.
const MAX_EXTENSION: u64 = 1 << 20;
/// How many zeros may follow the end mark, in bytes. Writers fill their last record up, mostly to 10 KiB; tape drives had
/// records of at most some hundred KiB. A stream that goes on is no padding, and one from a device never ends.
const MAX_PADDING: u64 = 1 << 20;

/// Why a stream could not be read.
#[derive(Debug, thiserror::Error)]
pub enum TarError {
    /// Whoever gives the stream failed.
    #[error("could not read the tar stream at byte {at}")]
    Read {
        /// Bytes before.
        at: u64,
        /// What it said.
        source: io::Error,
    },
    /// It ended before its end mark.
    #[error("the tar stream is cut short: it ends at byte {at} without an end mark")]
    CutShort {
        /// Its length.
        at: u64,
    },
    /// It is no tar stream, or one that readers do not agree on.
    #[error("the tar stream is malformed at byte {at}: {reason}")]
    Malformed {
        /// Where the header begins.
        at: u64,
        /// Why.
        reason: String,
    },
}

impl TarError {
    /// What the exit code says of it: what fails a digest on the way in is a failed verification.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Read { source, .. } if source.kind() == io::ErrorKind::InvalidData => FailureKind::Verification,
            Self::Read { .. } | Self::CutShort { .. } | Self::Malformed { .. } => FailureKind::Failed,
        }
    }
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A second name of a file before it.
    HardLink,
    /// A symlink.
    Symlink,
    /// A folder.
    Folder,
    /// A character device 0:0.
    Whiteout,
    /// What no layer holds, in a word for people.
    Other(&'static str),
}

/// What a stream says of an entry, long names and PAX records included. Names are bytes, as they stand there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TarEntry {
    /// The name, unchecked: see [`Unpacker`](super::Unpacker).
    pub name: Vec<u8>,
    /// The target of a link, unchecked.
    pub target: Vec<u8>,
    /// What it is.
    pub kind: EntryKind,
    /// The 12 permission bits.
    pub mode: u32,
    /// The owner's number.
    pub uid: u64,
    /// The group's number.
    pub gid: u64,
    /// When it was changed.
    pub mtime: FileTime,
    /// Bytes of content; 0 of what is no file.
    pub size: u64,
    /// Extended attributes by their name.
    pub attributes: Vec<(Vec<u8>, Vec<u8>)>,
}

/// The entries of a tar stream, one after the other.
pub struct TarEntries<R> {
    input: R,
    at: u64,
    content: u64,
    padding: u64,
    ended: bool,
}

#[derive(Default)]
struct Extensions {
    pax: Option<Pax>,
    name: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
}

impl<R: Read> TarEntries<R> {
    /// Reads `input`, which should be buffered.
    pub fn new(input: R) -> Self {
        Self { input, at: 0, content: 0, padding: 0, ended: false }
    }

    /// The next entry, none after the end mark, behind which only zeros may come, at most 1 MiB. Content that was not read is skipped.
    pub fn next_entry(&mut self) -> Result<Option<TarEntry>, TarError> {
        self.skip()?;
        let mut before = Extensions::default();
        let any = |before: &Extensions| before.pax.is_some() || before.name.is_some() || before.target.is_some();
        while !self.ended {
            let at = self.at;
            let malformed = |reason: String| TarError::Malformed { at, reason };
            let block = self.block()?;
            if block.iter().all(|byte| *byte == 0) {
                if any(&before) {
                    return Err(malformed("an entry is announced and does not come".to_owned()));
                }
                self.end()?;
                break;
            }
            let raw = RawHeader::parse(&block).map_err(malformed)?;
            let twice = || malformed("an entry is announced twice".to_owned());
            match raw.flag {
                b'x' if before.pax.is_some() => return Err(twice()),
                b'x' => before.pax = Some(Pax::parse(&self.extension(&raw, at)?).map_err(malformed)?),
                b'L' if before.name.is_some() => return Err(twice()),
                b'L' => before.name = Some(long_name(self.extension(&raw, at)?)),
                b'K' if before.target.is_some() => return Err(twice()),
                b'K' => before.target = Some(long_name(self.extension(&raw, at)?)),
                b'g' if any(&before) => return Err(malformed("records for all entries before an entry".to_owned())),
                b'g' => Pax::check_global(&self.extension(&raw, at)?).map_err(malformed)?,
                _ => {
                    let entry = raw.entry(before).map_err(malformed)?;
                    self.content = entry.size;
                    self.padding = entry.size.next_multiple_of(BLOCK as u64) - entry.size;
                    return Ok(Some(entry));
                }
            }
        }
        Ok(None)
    }

    /// The content of the entry at hand.
    pub fn content(&mut self) -> impl Read + '_ {
        Content(self)
    }

    fn extension(&mut self, raw: &RawHeader, at: u64) -> Result<Vec<u8>, TarError> {
        if raw.size > MAX_EXTENSION {
            let reason = format!("its records have {} bytes; at most {MAX_EXTENSION} are read", raw.size);
            return Err(TarError::Malformed { at, reason });
        }
        self.content = raw.size;
        self.padding = raw.size.next_multiple_of(BLOCK as u64) - raw.size;
        let mut bytes = Vec::new();
        let read = Content(self).read_to_end(&mut bytes);
        read.map_err(|source| self.read_error(source))?;
        self.skip()?;
        Ok(bytes)
    }

    fn skip(&mut self) -> Result<(), TarError> {
        let copied = io::copy(&mut Content(self), &mut io::sink());
        copied.map_err(|source| self.read_error(source))?;
        self.content = std::mem::take(&mut self.padding);
        let copied = io::copy(&mut Content(self), &mut io::sink());
        copied.map_err(|source| self.read_error(source)).map(|_| ())
    }

    fn read_error(&self, source: io::Error) -> TarError {
        if source.kind() == io::ErrorKind::UnexpectedEof {
            TarError::CutShort { at: self.at }
        } else {
            TarError::Read { at: self.at, source }
        }
    }

    fn block(&mut self) -> Result<[u8; BLOCK], TarError> {
        let mut block = [0; BLOCK];
        self.content = BLOCK as u64;
        let read = Content(self).read_exact(&mut block);
        read.map_err(|source| self.read_error(source))?;
        Ok(block)
    }

    /// After the first zero block: a second, and then nothing but zeros.
    fn end(&mut self) -> Result<(), TarError> {
        let mut zeros = self.block()?.to_vec();
        self.ended = true;
        let end = self.at;
        loop {
            if zeros.iter().any(|byte| *byte != 0) {
                return Err(TarError::Malformed { at: self.at, reason: "something follows its end mark".to_owned() });
            }
            zeros.resize(64 * 1024, 0);
            let count = self.input.read(&mut zeros).map_err(|source| TarError::Read { at: self.at, source })?;
            if count == 0 {
                return Ok(());
            }
            self.at += count as u64;
            if self.at - end > MAX_PADDING {
                let reason = format!("more than {MAX_PADDING} bytes of zeros follow its end mark");
                return Err(TarError::Malformed { at: end, reason });
            }
            zeros.truncate(count);
        }
    }
}

struct Content<'a, R>(&'a mut TarEntries<R>);

impl<R: Read> Read for Content<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let entries = &mut *self.0;
        let most = usize::try_from(entries.content).unwrap_or(usize::MAX).min(buf.len());
        if most == 0 {
            return Ok(0);
        }
        let count = entries.input.read(&mut buf[..most])?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        entries.at += count as u64;
        entries.content -= count as u64;
        Ok(count)
    }
}

/// GNU's long names end with a NUL.
fn long_name(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.last() == Some(&0) {
        bytes.pop();
    }
    bytes
}

struct RawHeader {
    flag: u8,
    name: Vec<u8>,
    target: Vec<u8>,
    mode: u32,
    uid: u64,
    gid: u64,
    mtime: i64,
    size: u64,
    device: (u64, u64),
}

impl RawHeader {
    fn parse(block: &[u8; BLOCK]) -> Result<Self, String> {
        let text = |at: usize, width: usize| {
            let field = &block[at..at + width];
            field[..field.iter().position(|byte| *byte == 0).unwrap_or(width)].to_owned()
        };
        let number = |what: &str, at: usize, width: usize| {
            header_number(&block[at..at + width]).ok_or_else(|| format!("its {what} is no number"))
        };
        let mut blank = *block;
        blank[148..156].fill(b' ');
        let sum: u64 = blank.iter().map(|byte| u64::from(*byte)).sum();
        if number("checksum", 148, 8)? != sum {
            return Err("its checksum is wrong (is it compressed?)".to_owned());
        }
        let posix = &block[257..263] == b"ustar\0";
        let gnu = &block[257..265] == b"ustar  \0";
        let mut name = text(0, 100);
        if posix && block[345] != 0 {
            name = [&text(345, 155)[..], b"/", &name].concat();
        }
        let device =
            if posix || gnu { (number("device", 329, 8)?, number("device", 337, 8)?) } else { Default::default() };
        Ok(Self {
            flag: block[156],
            name,
            target: text(157, 100),
            mode: u32::try_from(number("mode", 100, 8)? & 0o7777).expect("12 bits"),
            uid: number("owner", 108, 8)?,
            gid: number("group", 116, 8)?,
            size: number("size", 124, 12)?,
            mtime: header_time(&block[136..148]).ok_or("its time is no number")?,
            device,
        })
    }

    fn entry(self, before: Extensions) -> Result<TarEntry, String> {
        let pax = before.pax.unwrap_or_default();
        if (pax.path.is_some() && before.name.is_some()) || (pax.target.is_some() && before.target.is_some()) {
            return Err("its name is given twice".to_owned());
        }
        let kind = match self.flag {
            0 if self.name.ends_with(b"/") => EntryKind::Folder,
            0 | b'0' | b'7' => EntryKind::File,
            b'1' => EntryKind::HardLink,
            b'2' => EntryKind::Symlink,
            b'3' if self.device == (0, 0) => EntryKind::Whiteout,
            b'3' | b'4' => EntryKind::Other("device"),
            b'5' => EntryKind::Folder,
            b'6' => EntryKind::Other("FIFO"),
            b'S' => EntryKind::Other("sparse file"),
            _ => EntryKind::Other("entry of an unknown kind"),
        };
        let size = match pax.size {
            Some(size) if size == self.size => size,
            // What does not fit into the header: a writer that needs the record puts 0 or the most that does.
            Some(size) if size > MAX_OCTAL && (self.size == 0 || self.size == MAX_OCTAL) => size,
            Some(size) => return Err(format!("it has two sizes, {size} and {}", self.size)),
            None => self.size,
        };
        if size != 0 && !matches!(kind, EntryKind::File | EntryKind::Other(_)) {
            return Err(format!("it is no file and has a content of {size} bytes"));
        }
        if i64::try_from(size).is_err() {
            return Err(format!("its size is {size} bytes"));
        }
        Ok(TarEntry {
            name: pax.path.or(before.name).unwrap_or(self.name),
            target: pax.target.or(before.target).unwrap_or(self.target),
            kind,
            mode: self.mode,
            uid: pax.uid.unwrap_or(self.uid),
            gid: pax.gid.unwrap_or(self.gid),
            mtime: pax.mtime.unwrap_or(FileTime::of_seconds(self.mtime)),
            size,
            attributes: pax.attributes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_beside_a_record_has_the_same_size_or_says_that_it_does_not_fit() {
        const TOO_LARGE: u64 = MAX_OCTAL + 1;
        for (header, record, expected) in [
            (5, None, Some(5)),
            (5, Some(5), Some(5)),
            (0, Some(5), None),
            (6, Some(5), None),
            (MAX_OCTAL, Some(5), None),
            (TOO_LARGE, Some(TOO_LARGE), Some(TOO_LARGE)),
            (0, Some(TOO_LARGE), Some(TOO_LARGE)),
            (MAX_OCTAL, Some(TOO_LARGE), Some(TOO_LARGE)),
            (5, Some(TOO_LARGE), None),
            (TOO_LARGE + 1, Some(TOO_LARGE), None),
            (0, Some(MAX_OCTAL), None),
        ] {
            let raw = RawHeader {
                flag: b'0',
                name: b"a".to_vec(),
                target: Vec::new(),
                mode: 0,
                uid: 0,
                gid: 0,
                mtime: 0,
                size: header,
                device: (0, 0),
            };
            let before = Extensions { pax: Some(Pax { size: record, ..Pax::default() }), ..Extensions::default() };
            assert_eq!(raw.entry(before).ok().map(|entry| entry.size), expected, "{header} {record:?}");
        }
    }

    #[test]
    fn zeros_after_the_end_mark_are_padding_up_to_a_limit() {
        let entries = |input| TarEntries::new(io::repeat(0).take(input)).next_entry();
        for padding in [0, 10 << 10, MAX_PADDING] {
            assert_eq!(entries(1024 + padding).unwrap(), None, "{padding}");
        }
        for padding in [MAX_PADDING + 1, u64::MAX - 1024] {
            let error = entries(1024 + padding).unwrap_err().to_string();
            assert!(error.contains("of zeros follow its end mark"), "{error}");
        }
    }
}
