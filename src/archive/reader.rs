//! From a decompressed tar to its members; what is not understood, or could be in two ways, is refused by its name.

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt;

use super::entry_path::{EntryPath, shown};
use super::error::{ArchiveError, Refusal};
use super::header::{BLOCK, Header};
use super::limits::Limits;
use super::member::{Member, MemberKind};
use super::pax::Records;

/// The largest size that a ustar header holds; writers that cannot say more leave it or 0 beside a PAX size.
const USTAR_SIZE: u64 = 0o77_777_777_777;

/// Reads the members of the tar that `file` holds, `length` bytes long, and sorts them by path.
pub(super) fn read_members(file: &File, length: u64, limits: &Limits) -> Result<Vec<Member>, ArchiveError> {
    let mut reader = Reader { file, length, at: 0, limits, names: 0, by_path: HashMap::new(), members: Vec::new() };
    let mut headers = 0u64;
    let mut ahead = Ahead::default();
    while let Some((header, at)) = reader.header()? {
        headers += 1;
        if headers > limits.entries {
            return Err(ArchiveError::Budget { what: "entries", limit: limits.entries });
        }
        match header.kind {
            b'x' | b'g' | b'L' | b'K' => reader.look_ahead(&header, &mut ahead)?,
            _ => reader.member(header, at, std::mem::take(&mut ahead))?,
        }
    }
    if ahead != Ahead::default() {
        return Err(entry(b"", Refusal::Order));
    }
    let mut members = reader.members;
    refuse_below_others(&mut members)?;
    members.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(members)
}

/// What the headers before an entry said of it.
#[derive(Default, PartialEq, Eq)]
struct Ahead {
    pax: Option<Records>,
    long_name: Option<Vec<u8>>,
    long_link: Option<Vec<u8>>,
}

struct Reader<'a> {
    file: &'a File,
    length: u64,
    at: u64,
    limits: &'a Limits,
    names: u64,
    by_path: HashMap<EntryPath, usize>,
    members: Vec<Member>,
}

impl Reader<'_> {
    /// The next header and its offset, none at the archive's end.
    fn header(&mut self) -> Result<Option<(Header, u64)>, ArchiveError> {
        let at = self.at;
        let block = self.block()?;
        if block.iter().all(|byte| *byte == 0) {
            if self.block()?.iter().any(|byte| *byte != 0) {
                return Err(ArchiveError::Trailing(at + BLOCK as u64));
            }
            self.nothing_follows()?;
            return Ok(None);
        }
        match Header::parse(&block) {
            Ok(header) => Ok(Some((header, at))),
            Err(_) if at == 0 => Err(ArchiveError::NotTar),
            Err(why) => Err(ArchiveError::Header { at, why }),
        }
    }

    fn block(&mut self) -> Result<[u8; BLOCK], ArchiveError> {
        let mut block = [0; BLOCK];
        if self.length < self.at + BLOCK as u64 {
            return Err(if self.at == 0 { ArchiveError::NotTar } else { ArchiveError::Truncated(self.length) });
        }
        self.file.read_exact_at(&mut block, self.at).map_err(ArchiveError::Scratch)?;
        self.at += BLOCK as u64;
        Ok(block)
    }

    /// Writers fill the last record with zeros: only those may follow.
    fn nothing_follows(&mut self) -> Result<(), ArchiveError> {
        let mut buffer = vec![0; 64 << 10];
        while self.at < self.length {
            let count = usize::try_from(self.length - self.at).unwrap_or(usize::MAX).min(buffer.len());
            self.file.read_exact_at(&mut buffer[..count], self.at).map_err(ArchiveError::Scratch)?;
            if let Some(garbage) = buffer[..count].iter().position(|byte| *byte != 0) {
                return Err(ArchiveError::Trailing(self.at + garbage as u64));
            }
            self.at += count as u64;
        }
        Ok(())
    }

    /// Goes over `size` bytes of content and their padding; the offset where they start.
    fn skip(&mut self, size: u64) -> Result<u64, ArchiveError> {
        let start = self.at;
        let padded = size.checked_next_multiple_of(BLOCK as u64).and_then(|size| start.checked_add(size));
        self.at = padded.filter(|end| *end <= self.length).ok_or(ArchiveError::Truncated(self.length))?;
        Ok(start)
    }

    /// The content of a header that describes the next one.
    fn look_ahead(&mut self, header: &Header, ahead: &mut Ahead) -> Result<(), ArchiveError> {
        let refuse = |why| Err(entry(&header.name, why));
        let size = header.size.filter(|size| *size <= Limits::PAX);
        let Some(size) = size else { return refuse(Refusal::Size) };
        let start = self.skip(size)?;
        let mut data = vec![0; usize::try_from(size).expect("a header's content was limited")];
        self.file.read_exact_at(&mut data, start).map_err(ArchiveError::Scratch)?;
        let gnu = ahead.long_name.is_some() || ahead.long_link.is_some();
        match header.kind {
            b'L' | b'K' => {
                let place = if header.kind == b'L' { &mut ahead.long_name } else { &mut ahead.long_link };
                if ahead.pax.is_some() || place.is_some() {
                    return refuse(Refusal::Order);
                }
                if data.last() == Some(&0) {
                    data.pop();
                }
                if data.contains(&0) {
                    return refuse(Refusal::Nul);
                }
                *place = Some(data);
            }
            b'x' if gnu || ahead.pax.is_some() => return refuse(Refusal::Order),
            b'x' => match Records::parse(&data) {
                Ok(records) => ahead.pax = Some(records),
                Err(why) => return refuse(why),
            },
            // A global header.
            _ if gnu || ahead.pax.is_some() => return refuse(Refusal::Order),
            _ => match Records::parse(&data) {
                Ok(records) if records.names_something() => {
                    return refuse(Refusal::Pax("it gives all entries a name or a size"));
                }
                Ok(_) => {}
                Err(why) => return refuse(why),
            },
        }
        Ok(())
    }

    fn member(&mut self, header: Header, at: u64, ahead: Ahead) -> Result<(), ArchiveError> {
        let Ahead { pax, long_name, long_link } = ahead;
        let pax = pax.unwrap_or_default();
        let name = pax.path.or(long_name).unwrap_or(header.name);
        let link = pax.link.or(long_link).unwrap_or(header.link);
        let refuse = |why| entry(&name, why);
        let size = match (header.size, pax.size) {
            (None, _) => return Err(refuse(Refusal::Size)),
            (Some(size), None) => size,
            (Some(size), Some(pax)) if size == pax => size,
            (Some(0 | USTAR_SIZE), Some(pax)) if pax > USTAR_SIZE => pax,
            (Some(header), Some(pax)) => return Err(refuse(Refusal::Sizes { header, pax })),
        };
        if size > self.limits.bytes {
            return Err(refuse(Refusal::Size));
        }
        self.names += (name.len() + link.len()) as u64;
        if self.names > self.limits.names {
            return Err(ArchiveError::Budget { what: "bytes of names", limit: self.limits.names });
        }
        let path = EntryPath::parse(&name).map_err(refuse)?;
        let folder = match header.kind {
            b'5' => true,
            // Before there were folders in tars, a slash at the end said so.
            0 | b'0' => name.ends_with(b"/"),
            _ => false,
        };
        // On folders setgid and sticky are ordinary, and give nobody rights that a program would.
        let special = header.mode & if folder { 0o4000 } else { 0o7000 };
        if special != 0 {
            return Err(refuse(Refusal::SpecialBits(special)));
        }
        let kind = match header.kind {
            _ if folder => MemberKind::Folder,
            0 | b'0' | b'7' => MemberKind::File { size },
            b'1' => self.hard_link(&link).map_err(refuse)?,
            b'2' => MemberKind::Symlink { target: target(link).map_err(refuse)? },
            b'3' | b'4' => return Err(refuse(Refusal::Kind("a device"))),
            b'6' => return Err(refuse(Refusal::Kind("a FIFO"))),
            b's' => return Err(refuse(Refusal::Kind("a socket"))),
            b'S' => return Err(refuse(Refusal::Sparse)),
            b'M' | b'V' | b'D' | b'N' => return Err(refuse(Refusal::Kind("a part of a backup"))),
            other => return Err(refuse(Refusal::Type(char::from(other)))),
        };
        if size > 0 && !matches!(kind, MemberKind::File { .. }) {
            return Err(refuse(Refusal::Content));
        }
        let Some(path) = path else {
            // The top folder's own entry says nothing that is kept.
            return if folder { Ok(()) } else { Err(refuse(Refusal::Top)) };
        };
        debug_assert!(self.at == at + BLOCK as u64, "a member's content follows its header");
        let start = self.skip(size)?;
        let (mode, offset) = match &kind {
            MemberKind::File { .. } => (header.mode, start),
            MemberKind::HardLink { target, .. } => {
                let file = &self.members[self.by_path[target]];
                (file.mode, file.offset)
            }
            MemberKind::Folder | MemberKind::Symlink { .. } => (header.mode, 0),
        };
        if self.by_path.insert(path.clone(), self.members.len()).is_some() {
            return Err(entry(path.as_bytes(), Refusal::Twice));
        }
        self.members.push(Member { path, kind, mode, offset });
        Ok(())
    }

    fn hard_link(&self, link: &[u8]) -> Result<MemberKind, Refusal> {
        if link.is_empty() {
            return Err(Refusal::NoTarget);
        }
        let none = || Refusal::HardLink(shown(link));
        let target = EntryPath::parse(link).ok().flatten().ok_or_else(none)?;
        let found = self.by_path.get(&target).map(|index| &self.members[*index]);
        match found.map(|member| &member.kind) {
            Some(MemberKind::File { size }) => Ok(MemberKind::HardLink { target, size: *size }),
            Some(MemberKind::HardLink { target, size }) => {
                Ok(MemberKind::HardLink { target: target.clone(), size: *size })
            }
            Some(MemberKind::Folder | MemberKind::Symlink { .. }) | None => Err(none()),
        }
    }
}

fn target(link: Vec<u8>) -> Result<Vec<u8>, Refusal> {
    match link.len() {
        0 => Err(Refusal::NoTarget),
        1..=Limits::PATH if !link.contains(&0) => Ok(link),
        _ => Err(Refusal::Target),
    }
}

/// Refuses a member below a file or a link, whichever came first in the archive.
fn refuse_below_others(members: &mut [Member]) -> Result<(), ArchiveError> {
    // Component by component, what lies below a path comes right after it.
    members.sort_unstable_by(|a, b| a.path.components().cmp(b.path.components()));
    let mut other: Option<&EntryPath> = None;
    for member in members.iter() {
        if let Some(other) = other.filter(|other| member.path.is_below(other)) {
            return Err(entry(member.path.as_bytes(), Refusal::BelowOther(other.to_string())));
        }
        other = match member.kind {
            MemberKind::Folder => None,
            MemberKind::File { .. } | MemberKind::Symlink { .. } | MemberKind::HardLink { .. } => Some(&member.path),
        };
    }
    Ok(())
}

/// The error for an entry.
pub(super) fn entry(name: &[u8], why: Refusal) -> ArchiveError {
    ArchiveError::Entry { path: shown(name), why }
}
