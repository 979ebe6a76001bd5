//! From a tar stream to its entries, one after the other; an entry that cannot be understood, or could be understood in
//! two ways, is refused by its name.

use std::io::{self, Read, Seek, SeekFrom};

use super::BLOCK;
use super::budget::Budget;
use super::entry_path::EntryPath;
use super::error::shown;
use super::error::{Refusal, TarError};
use super::header::RawHeader;
use super::limits::Limits;
use super::pax::Pax;
use super::policy::Policy;
use crate::disk::FileTime;

/// The largest size that a ustar header holds; for larger files, writers write this value or 0 next to a PAX size.
const USTAR_SIZE: u64 = 0o77_777_777_777;

/// The kinds of entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EntryKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Symlink {
        /// Where to, as written.
        target: Vec<u8>,
    },
    /// A further name of a file that should be before it.
    HardLink {
        /// That file's name.
        target: EntryPath,
    },
    /// A character device 0:0; only in layers.
    Whiteout,
}

/// What a stream says about an entry, long names and PAX records included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its path.
    pub path: EntryPath,
    /// File, folder, link or whiteout.
    pub kind: EntryKind,
    /// The 12 permission bits.
    pub mode: u32,
    /// The owner's number.
    pub uid: i64,
    /// The group's number.
    pub gid: i64,
    /// When it was changed.
    pub mtime: FileTime,
    /// Bytes of content; 0 of what is not a file.
    pub size: u64,
    /// Extended attributes by their name; only in layers.
    pub attributes: Vec<(Vec<u8>, Vec<u8>)>,
}

/// The entries of a tar stream. The entry of the top folder itself (`./`) has nothing that is kept, and is skipped.
pub(crate) struct Entries<R> {
    input: R,
    skip: fn(&mut R, u64) -> io::Result<u64>,
    policy: Policy,
    budget: Budget,
    /// Bytes that were read or skipped.
    at: u64,
    /// Bytes of content that are left to read, and of padding after them.
    content: u64,
    padding: u64,
    ended: bool,
}

/// The extensions from the headers before an entry.
#[derive(Default)]
struct Ahead {
    pax: Option<Pax>,
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
}

impl<R: Read> Entries<R> {
    /// Reads `input`, which should be buffered, within the budgets of `limits`.
    pub(crate) fn new(input: R, policy: Policy, limits: &Limits) -> Self {
        let skip = |input: &mut R, count| io::copy(&mut input.take(count), &mut io::sink());
        let budget = Budget::new(limits);
        Self { input, skip, policy, budget, at: 0, content: 0, padding: 0, ended: false }
    }

    /// As [`new`](Self::new), but content that is not asked for is not read.
    pub(crate) fn seeking(input: R, policy: Policy, limits: &Limits) -> Self
    where
        R: Seek,
    {
        Self { skip: seek_over, ..Self::new(input, policy, limits) }
    }

    /// The next entry, or `None` after the end mark, after which only zeros may follow. Content that was not read is
    /// skipped.
    pub(crate) fn next_entry(&mut self) -> Result<Option<Entry>, TarError> {
        let mut ahead = Ahead::default();
        while !self.ended {
            self.skip_content()?;
            let Some(header) = self.header()? else { break };
            self.budget.header()?;
            match header.kind {
                b'x' | b'g' | b'L' | b'K' => self.look_ahead(&header, &mut ahead)?,
                _ => {
                    if let Some(entry) = self.entry(header, std::mem::take(&mut ahead))? {
                        return Ok(Some(entry));
                    }
                }
            }
        }
        if ahead.pax.is_some() || ahead.name.is_some() || ahead.link.is_some() {
            return Err(TarError::entry(b"", Refusal::Order));
        }
        Ok(None)
    }

    /// Where the content of the entry available begins in the stream, before any of it was read.
    pub(crate) fn offset(&self) -> u64 {
        self.at
    }

    /// The content of the entry available.
    pub(crate) fn content(&mut self) -> impl Read + '_ {
        Content(self)
    }

    /// The next header, or `None` at the end of the archive.
    fn header(&mut self) -> Result<Option<RawHeader>, TarError> {
        let at = self.at;
        let mut block = ::tar::Header::new_old();
        match self.fill(block.as_mut_bytes()) {
            Err(TarError::CutShort(_)) if at == 0 => return Err(TarError::NotTar),
            filled => filled?,
        }
        if block.as_bytes().iter().all(|byte| *byte == 0) {
            self.end()?;
            return Ok(None);
        }
        match RawHeader::parse(&block) {
            Ok(header) => Ok(Some(header)),
            Err(_) if at == 0 => Err(TarError::NotTar),
            Err(why) => Err(TarError::Header { at, why }),
        }
    }

    fn fill(&mut self, mut buffer: &mut [u8]) -> Result<(), TarError> {
        while !buffer.is_empty() {
            match self.read(buffer)? {
                0 => return Err(TarError::CutShort(self.at)),
                count => buffer = &mut buffer[count..],
            }
        }
        Ok(())
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, TarError> {
        loop {
            match self.input.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(TarError::Read { at: self.at, source }),
                Ok(count) => {
                    self.at += count as u64;
                    return Ok(count);
                }
            }
        }
    }

    fn skip_content(&mut self) -> Result<(), TarError> {
        let left = std::mem::take(&mut self.content) + std::mem::take(&mut self.padding);
        if left > 0 {
            let skipped = (self.skip)(&mut self.input, left);
            let skipped = skipped.map_err(|source| TarError::Read { at: self.at, source })?;
            self.at += skipped;
            if skipped < left {
                return Err(TarError::CutShort(self.at));
            }
        }
        Ok(())
    }

    /// After the first block of zeros: a second, and then nothing but zeros.
    fn end(&mut self) -> Result<(), TarError> {
        self.ended = true;
        let mut buffer = vec![0; 64 << 10];
        let second = self.at;
        self.fill(&mut buffer[..BLOCK])?;
        if buffer.iter().any(|byte| *byte != 0) {
            return Err(TarError::Trailing(second));
        }
        let end = self.at;
        loop {
            let before = self.at;
            let count = self.read(&mut buffer)?;
            if let Some(garbage) = buffer[..count].iter().position(|byte| *byte != 0) {
                return Err(TarError::Trailing(before + garbage as u64));
            }
            if count == 0 {
                return Ok(());
            }
            if self.at - end > Limits::PADDING {
                return Err(TarError::Budget { what: "bytes of zeros after its end", limit: Limits::PADDING });
            }
        }
    }

    /// The content of a header that describes the next one.
    fn look_ahead(&mut self, header: &RawHeader, ahead: &mut Ahead) -> Result<(), TarError> {
        let refuse = |why| TarError::entry(&header.name, why);
        let size = header.size.filter(|size| *size <= Limits::EXTENSION).ok_or_else(|| refuse(Refusal::Size))?;
        let mut data = vec![0; usize::try_from(size).expect("an extension is small")];
        self.fill(&mut data)?;
        self.padding = padding(size);
        let (gnu, pax) = (ahead.name.is_some() || ahead.link.is_some(), ahead.pax.is_some());
        match header.kind {
            b'L' | b'K' => {
                let place = if header.kind == b'L' { &mut ahead.name } else { &mut ahead.link };
                if data.last() == Some(&0) {
                    data.pop();
                }
                if data.contains(&0) {
                    return Err(refuse(Refusal::Nul));
                }
                if place.replace(data).is_some() {
                    return Err(refuse(Refusal::Order));
                }
            }
            _ if pax || (gnu && header.kind == b'g') => return Err(refuse(Refusal::Order)),
            b'x' => ahead.pax = Some(Pax::parse(&data).map_err(refuse)?),
            _ => self.policy.check_global(&Pax::parse(&data).map_err(refuse)?).map_err(refuse)?,
        }
        Ok(())
    }

    fn entry(&mut self, header: RawHeader, ahead: Ahead) -> Result<Option<Entry>, TarError> {
        let pax = ahead.pax.unwrap_or_default();
        let said_twice = (pax.path.is_some() && ahead.name.is_some()) || (pax.link.is_some() && ahead.link.is_some());
        let name = pax.path.or(ahead.name).unwrap_or(header.name);
        let link = pax.link.or(ahead.link).unwrap_or(header.link);
        let refuse = |why| TarError::entry(&name, why);
        if said_twice {
            return Err(refuse(Refusal::Order));
        }
        let size = size(header.size, pax.size).map_err(refuse)?;
        if size > self.budget.limits.bytes {
            return Err(refuse(Refusal::Size));
        }
        self.budget.content(size)?;
        self.budget.names(name.len() + link.len())?;
        let path = EntryPath::parse(&name).map_err(refuse)?;
        let is_folder = match header.kind {
            b'5' => true,
            // Before tars had an entry type for folders, a trailing slash marked them.
            0 | b'0' => name.ends_with(b"/"),
            _ => false,
        };
        if self.policy == Policy::Files {
            // On folders, setgid and sticky are normal, and do not give rights as on programs.
            let special = header.mode & if is_folder { 0o4000 } else { 0o7000 };
            if special != 0 {
                return Err(refuse(Refusal::SpecialBits(special)));
            }
        }
        let kind = match header.kind {
            _ if is_folder => EntryKind::Folder,
            0 | b'0' | b'7' => EntryKind::File,
            b'1' => hard_link(&link).map_err(refuse)?,
            b'2' => EntryKind::Symlink { target: symlink_target(link).map_err(refuse)? },
            b'3' if header.is_device_zero && self.policy == Policy::Layer => EntryKind::Whiteout,
            b'3' | b'4' => return Err(refuse(Refusal::Kind("a device"))),
            b'6' => return Err(refuse(Refusal::Kind("a FIFO"))),
            b's' => return Err(refuse(Refusal::Kind("a socket"))),
            b'S' => return Err(refuse(Refusal::Sparse)),
            b'M' | b'V' | b'D' | b'N' => return Err(refuse(Refusal::Kind("a part of a backup"))),
            other => return Err(refuse(Refusal::Type(char::from(other)))),
        };
        if size > 0 && kind != EntryKind::File {
            return Err(refuse(Refusal::Content));
        }
        let attributes = self.policy.attributes(pax.attributes).map_err(refuse)?;
        let Some(path) = path else {
            return if is_folder { Ok(None) } else { Err(refuse(Refusal::Top)) };
        };
        if is_folder && path.components().count() > Limits::DEPTH {
            return Err(refuse(Refusal::Deep));
        }
        self.budget.folders(&path, is_folder)?;
        (self.content, self.padding) = (size, padding(size));
        Ok(Some(Entry {
            path,
            kind,
            mode: header.mode,
            uid: pax.uid.unwrap_or(header.uid),
            gid: pax.gid.unwrap_or(header.gid),
            mtime: pax.mtime.unwrap_or(FileTime::of_seconds(header.mtime)),
            size,
            attributes,
        }))
    }
}

struct Content<'a, R>(&'a mut Entries<R>);

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

fn size(header: Option<u64>, pax: Option<u64>) -> Result<u64, Refusal> {
    match (header, pax) {
        (None, _) => Err(Refusal::Size),
        (Some(size), None) => Ok(size),
        (Some(size), Some(pax)) if size == pax => Ok(size),
        (Some(0 | USTAR_SIZE), Some(pax)) if pax > USTAR_SIZE => Ok(pax),
        (Some(header), Some(pax)) => Err(Refusal::Sizes { header, pax }),
    }
}

fn padding(size: u64) -> u64 {
    (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64
}

fn hard_link(link: &[u8]) -> Result<EntryKind, Refusal> {
    if link.is_empty() {
        return Err(Refusal::NoTarget);
    }
    let target = EntryPath::parse(link).ok().flatten().ok_or_else(|| Refusal::HardLink(shown(link)))?;
    Ok(EntryKind::HardLink { target })
}

fn symlink_target(link: Vec<u8>) -> Result<Vec<u8>, Refusal> {
    match link.len() {
        0 => Err(Refusal::NoTarget),
        1..Limits::PATH if !link.contains(&0) => Ok(link),
        _ => Err(Refusal::Target),
    }
}

/// Skips bytes without reading them; returns how many there were.
fn seek_over<R: Seek>(input: &mut R, count: u64) -> io::Result<u64> {
    let from = input.stream_position()?;
    let end = input.seek(SeekFrom::End(0))?;
    let to = from.saturating_add(count).min(end);
    input.seek(SeekFrom::Start(to))?;
    Ok(to.saturating_sub(from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_beside_a_record_has_the_same_size_or_says_that_it_does_not_fit() {
        const TOO_LARGE: u64 = USTAR_SIZE + 1;
        for (header, record, expected) in [
            (5, None, Some(5)),
            (5, Some(5), Some(5)),
            (0, Some(5), None),
            (6, Some(5), None),
            (USTAR_SIZE, Some(5), None),
            (TOO_LARGE, Some(TOO_LARGE), Some(TOO_LARGE)),
            (0, Some(TOO_LARGE), Some(TOO_LARGE)),
            (USTAR_SIZE, Some(TOO_LARGE), Some(TOO_LARGE)),
            (5, Some(TOO_LARGE), None),
            (TOO_LARGE + 1, Some(TOO_LARGE), None),
            (0, Some(USTAR_SIZE), None),
        ] {
            assert_eq!(size(Some(header), record).ok(), expected, "{header} {record:?}");
        }
    }

    #[test]
    fn zeros_after_the_end_mark_are_padding_up_to_a_limit() {
        let first = |length| Entries::new(io::repeat(0).take(length), Policy::Layer, &Limits::LAYER).next_entry();
        for padding in [0, 10 << 10, Limits::PADDING] {
            assert_eq!(first(1024 + padding).unwrap(), None, "{padding}");
        }
        for padding in [Limits::PADDING + 1, u64::MAX - 1024] {
            let error = first(1024 + padding).unwrap_err().to_string();
            assert_eq!(error, "the archive is refused: it has more than 1048576 bytes of zeros after its end");
        }
    }
}
