//! Builds tars for tests, good ones and malicious ones.

/// One header, every field of which can be wrong.
#[derive(Clone)]
pub(crate) struct Forged {
    pub(crate) kind: u8,
    pub(crate) name: Vec<u8>,
    pub(crate) link: Vec<u8>,
    pub(crate) mode: u32,
    pub(crate) content: Vec<u8>,
    /// The size field, where it shall not be the content's size.
    pub(crate) size_field: Option<[u8; 12]>,
    /// What is added to the right checksum.
    pub(crate) sum_off_by: u32,
    pub(crate) magic: [u8; 8],
    pub(crate) prefix: Vec<u8>,
}

pub(crate) fn entry(kind: u8, name: &[u8], link: &[u8], mode: u32, content: &[u8]) -> Forged {
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

pub(crate) fn file(name: &str, mode: u32, content: &[u8]) -> Forged {
    entry(b'0', name.as_bytes(), b"", mode, content)
}

pub(crate) fn folder(name: &str) -> Forged {
    entry(b'5', name.as_bytes(), b"", 0o755, b"")
}

pub(crate) fn symlink(name: &str, target: &str) -> Forged {
    entry(b'2', name.as_bytes(), target.as_bytes(), 0o777, b"")
}

pub(crate) fn hard_link(name: &str, target: &str) -> Forged {
    entry(b'1', name.as_bytes(), target.as_bytes(), 0o644, b"")
}

/// A PAX header with the records, each `key=value`.
pub(crate) fn pax(records: &[&[u8]]) -> Forged {
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
    pub(crate) fn bytes(&self) -> Vec<u8> {
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
pub(crate) fn tar(entries: &[Forged]) -> Vec<u8> {
    let mut bytes: Vec<u8> = entries.iter().flat_map(Forged::bytes).collect();
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}
