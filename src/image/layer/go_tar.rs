//! Tar headers byte for byte as Go's archive/tar writes them for sealer. Source of the rules: SEALER.md, "Layer id".

use std::collections::BTreeMap;

pub(super) const BLOCK: usize = 512;
const NAME: usize = 100;
const PREFIX: usize = 155;
/// The greatest numbers of 7 and of 11 octal digits.
const MAX_7: u64 = 0o7_777_777;
const MAX_11: u64 = 0o77_777_777_777;

/// What an entry is in a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flag {
    File,
    Symlink,
    Folder,
    Extension,
}

impl Flag {
    fn byte(self) -> u8 {
        match self {
            Self::File => b'0',
            Self::Symlink => b'2',
            Self::Folder => b'5',
            Self::Extension => b'x',
        }
    }
}

/// What a header says. Names are bytes as on disk.
#[derive(Debug, Clone)]
pub(super) struct Header<'a> {
    pub(super) name: &'a [u8],
    pub(super) target: &'a [u8],
    pub(super) flag: Flag,
    pub(super) mode: u32,
    pub(super) uid: u64,
    pub(super) gid: u64,
    pub(super) user: &'a [u8],
    pub(super) group: &'a [u8],
    pub(super) size: u64,
    /// Whole seconds.
    pub(super) mtime: i64,
}

impl Header<'_> {
    /// The blocks before the content: one of USTAR, or a PAX entry and then one.
    pub(super) fn blocks(&self) -> Vec<u8> {
        let mut records: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
        let mut ustar = true;
        let split = split(self.name);
        if !self.name.is_ascii() || self.name.len() > NAME {
            // A name that is too long but can be split stays USTAR on its own account; if something else does not
            // fit, the record is written nevertheless.
            ustar &= split.is_some();
            records.insert("path", self.name.to_owned());
        }
        for (key, text, limit) in [("linkpath", self.target, NAME), ("uname", self.user, 32), ("gname", self.group, 32)]
        {
            if !text.is_ascii() || text.len() > limit {
                ustar = false;
                records.insert(key, text.to_owned());
            }
        }
        for (key, number, limit) in [("uid", self.uid, MAX_7), ("gid", self.gid, MAX_7), ("size", self.size, MAX_11)] {
            if number > limit {
                ustar = false;
                records.insert(key, number.to_string().into_bytes());
            }
        }
        if u64::try_from(self.mtime).map_or(true, |mtime| mtime > MAX_11) {
            ustar = false;
            records.insert("mtime", self.mtime.to_string().into_bytes());
        }
        if ustar {
            let (prefix, name) = split.unwrap_or((b"", self.name));
            return self.block(prefix, name, self.target, self.user, self.group).to_vec();
        }
        let mut blocks = extension(self.name, &records);
        let [name, target, user, group] = [self.name, self.target, self.user, self.group].map(ascii);
        blocks.extend_from_slice(&self.block(b"", &name, &target, &user, &group));
        blocks
    }

    fn block(&self, prefix: &[u8], name: &[u8], target: &[u8], user: &[u8], group: &[u8]) -> [u8; BLOCK] {
        let mut block = Block([0; BLOCK]);
        let fitting = |number, limit| if number > limit { 0 } else { number };
        block.text(0, NAME, name);
        block.octal(100, 8, self.mode.into());
        block.octal(108, 8, fitting(self.uid, MAX_7));
        block.octal(116, 8, fitting(self.gid, MAX_7));
        block.octal(124, 12, fitting(self.size, MAX_11));
        block.octal(136, 12, fitting(u64::try_from(self.mtime).unwrap_or(0), MAX_11));
        block.text(157, NAME, target);
        block.text(265, 32, user);
        block.text(297, 32, group);
        block.octal(329, 8, 0);
        block.octal(337, 8, 0);
        block.text(345, PREFIX, prefix);
        block.finish(self.flag)
    }
}

struct Block([u8; BLOCK]);

impl Block {
    fn text(&mut self, at: usize, width: usize, text: &[u8]) {
        let field = &mut self.0[at..at + width];
        let length = text.len().min(width);
        field[..length].copy_from_slice(&text[..length]);
        // Go cuts the slashes that the cut left at the end, for old readers would take the entry for a folder.
        if text.len() > width && field.ends_with(b"/") {
            let kept = field.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
            field[kept] = 0;
        }
    }

    fn octal(&mut self, at: usize, width: usize, number: u64) {
        let text = format!("{number:0digits$o}", digits = width - 1);
        self.0[at..at + width - 1].copy_from_slice(text.as_bytes());
    }

    fn finish(mut self, flag: Flag) -> [u8; BLOCK] {
        self.0[156] = flag.byte();
        self.0[257..265].copy_from_slice(b"ustar\x0000");
        self.0[148..156].fill(b' ');
        let sum: u32 = self.0.iter().map(|byte| u32::from(*byte)).sum();
        self.0[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        self.0
    }
}

/// The PAX entry: header, records, padding.
fn extension(name: &[u8], records: &BTreeMap<&str, Vec<u8>>) -> Vec<u8> {
    let mut content = Vec::new();
    for (key, value) in records {
        content.extend_from_slice(&record(key, value));
    }
    let (folder, file) = name.iter().rposition(|byte| *byte == b'/').map_or((&b""[..], name), |slash| {
        let (folder, file) = name.split_at(slash + 1);
        (folder, file)
    });
    let mut path = ascii(&[folder, b"PaxHeaders.0/", file].concat());
    path.truncate(NAME);
    while path.ends_with(b"/") {
        path.pop();
    }
    let mut block = Block([0; BLOCK]);
    block.text(0, NAME, &path);
    for (at, width, number) in [(100, 8, 0), (108, 8, 0), (116, 8, 0), (124, 12, content.len() as u64), (136, 12, 0)] {
        block.octal(at, width, number);
    }
    let mut blocks = block.finish(Flag::Extension).to_vec();
    blocks.extend_from_slice(&content);
    blocks.resize(blocks.len().next_multiple_of(BLOCK), 0);
    blocks
}

/// `<length> <key>=<value>\n`, the length counting itself.
fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + rest.to_string().len();
    if length.to_string().len() + rest != length {
        length += 1;
    }
    [format!("{length} {key}=").as_bytes(), value, b"\n"].concat()
}

/// Prefix and name of a long ASCII name that USTAR can hold in two fields.
fn split(name: &[u8]) -> Option<(&[u8], &[u8])> {
    if name.len() <= NAME || !name.is_ascii() {
        return None;
    }
    let slash = name[..name.len().min(PREFIX + 1)].iter().rposition(|byte| *byte == b'/')?;
    let (prefix, rest) = (&name[..slash], &name[slash + 1..]);
    (!prefix.is_empty() && !rest.is_empty() && rest.len() <= NAME).then_some((prefix, rest))
}

fn ascii(text: &[u8]) -> Vec<u8> {
    text.iter().copied().filter(|byte| byte.is_ascii() && *byte != 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_counts_its_own_length() {
        for (value, start) in [(0, "5 k="), (4, "9 "), (5, "11 "), (92, "98 "), (93, "99 "), (94, "101 ")] {
            let record = record("k", &vec![b'x'; value]);
            assert!(record.starts_with(start.as_bytes()), "{}", record.escape_ascii());
            let said: usize = str::from_utf8(&record).unwrap().split(' ').next().unwrap().parse().unwrap();
            assert_eq!(said, record.len());
        }
    }

    #[test]
    fn a_long_name_is_split_where_it_can_be() {
        let part = "p".repeat(100);
        assert_eq!(split(format!("{part}/{part}").as_bytes()), Some((part.as_bytes(), part.as_bytes())));
        for name in [part.clone(), format!("{part}x"), format!("{part}/{part}x"), format!("{part}/é")] {
            assert_eq!(split(name.as_bytes()), None, "{name}");
        }
    }
}
