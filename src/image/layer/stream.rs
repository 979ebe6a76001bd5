//! Tree → tar stream → layer id.

use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use super::{LayerError, OPAQUE_MARK, Owners, WHITEOUT_PREFIX};
use crate::disk::{Dir, DiskError, Kind, MAX_DEPTH, Meta};
use crate::tar::{BLOCK, Dialect, Header, Refusal};
use crate::types::{Digest, DigestWriter};

/// Types of entries.
const FILE: u8 = b'0';
const SYMLINK: u8 = b'2';
const FOLDER: u8 = b'5';

/// What a tree hashes to as a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerId {
    /// The layer's id: sha256 of its stream.
    pub digest: Digest,
    /// The stream's length in bytes.
    pub tar_size: u64,
}

/// Writes the tree below `dir` as the stream whose sha256 is its layer id.
///
/// The folder's own entry is left out. Symlinks keep their real targets, a hard link is a second file; sockets, FIFOs
/// and devices other than whiteouts are refused by name. The stream of an empty tree is two zero blocks, but it makes no
/// layer. Returns
/// whether there was any entry.
pub(crate) fn write_layer_at(dir: &Dir, owners: &Owners, out: impl Write) -> Result<bool, LayerError> {
    let mut stream = Stream::new(owners, out);
    let any = stream.folder(dir, 0)?;
    let mut out = stream.out;
    out.write_all(&[0; 2 * BLOCK]).and_then(|()| out.flush()).map_err(LayerError::Write)?;
    Ok(any)
}

/// Writes the entries of the tree below `dir` with `prefix/` before their names, without the blocks that end an
/// archive; the id that the tree hashes to as a layer on its own, or `None` if it is empty. A name with `\` is refused:
/// no sealer loads it.
pub(crate) fn write_entries_at(
    dir: &Dir,
    owners: &Owners,
    prefix: &str,
    out: impl Write,
) -> Result<Option<LayerId>, LayerError> {
    let within = Within { prefix: format!("{prefix}/").into_bytes(), hash: DigestWriter::new(io::sink()) };
    let mut stream = Stream { within: Some(within), ..Stream::new(owners, out) };
    let any = stream.folder(dir, 0)?;
    let Some(Within { mut hash, .. }) = stream.within else { return Ok(None) };
    hash.write_all(&[0; 2 * BLOCK]).map_err(LayerError::Write)?;
    let (_, digest, tar_size) = hash.finish();
    Ok(any.then_some(LayerId { digest, tar_size }))
}

/// The id of the tree below `dir` on this machine, or `None` if it is empty.
pub fn layer_id(dir: &Path) -> Result<Option<LayerId>, LayerError> {
    layer_id_at(&Dir::open(dir)?, &Owners::of_this_machine())
}

/// As [`layer_id`], of an open folder and with the given owners.
///
/// One thread reads, one hashes, so neither the disk nor sha256 waits for the other.
pub(crate) fn layer_id_at(dir: &Dir, owners: &Owners) -> Result<Option<LayerId>, LayerError> {
    let (sender, receiver) = sync_channel::<Vec<u8>>(8);
    thread::scope(|scope| {
        let hashing = scope.spawn(move || {
            let mut hash = DigestWriter::new(io::sink());
            for piece in receiver {
                hash.write_all(&piece)?;
            }
            Ok(hash.finish())
        });
        let any = write_layer_at(dir, owners, Pieces { piece: Vec::new(), sender });
        let hashed: io::Result<_> = hashing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let (_, digest, tar_size) = hashed.map_err(LayerError::Write)?;
        Ok(any?.then_some(LayerId { digest, tar_size }))
    })
}

/// Hands what is written to another thread, in large pieces.
struct Pieces {
    piece: Vec<u8>,
    sender: SyncSender<Vec<u8>>,
}

const PIECE: usize = 256 * 1024;

impl Write for Pieces {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(buf);
        if self.piece.len() >= PIECE {
            self.flush()?;
        }
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE + BLOCK));
        self.sender.send(piece).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}

struct Stream<'a, W> {
    owners: &'a Owners,
    out: W,
    within: Option<Within>,
    /// The path of the entry available, from the tree's top.
    name: Vec<u8>,
    buffer: Vec<u8>,
}

/// Where the entries are in a folder of a larger archive: that folder, and the hash of what they are without it.
struct Within {
    prefix: Vec<u8>,
    hash: DigestWriter<io::Sink>,
}

impl<'a, W: Write> Stream<'a, W> {
    fn new(owners: &'a Owners, out: W) -> Self {
        Self { owners, out, within: None, name: Vec::new(), buffer: vec![0; 128 * 1024] }
    }

    /// What is in a folder; whether that is anything.
    fn folder(&mut self, dir: &Dir, depth: usize) -> Result<bool, LayerError> {
        if depth > MAX_DEPTH {
            return Err(DiskError::Deep { path: dir.path().to_owned(), limit: MAX_DEPTH }.into());
        }
        let names = dir.names()?;
        for name in &names {
            let above = self.name.len();
            if above > 0 {
                self.name.push(b'/');
            }
            self.entry(dir, name, depth)?;
            self.name.truncate(above);
        }
        Ok(!names.is_empty())
    }

    fn entry(&mut self, dir: &Dir, name: &OsStr, depth: usize) -> Result<(), LayerError> {
        let meta = dir.meta(name)?;
        if name.as_bytes().starts_with(WHITEOUT_PREFIX) {
            let path = [&self.name[..], name.as_bytes()].concat();
            return Err(LayerError::refused(&path, Refusal::WhiteoutName));
        }
        match meta.kind {
            Kind::File => {
                self.name.extend_from_slice(name.as_bytes());
                self.file(dir, name, &meta)
            }
            Kind::Folder => {
                self.name.extend_from_slice(name.as_bytes());
                self.header(FOLDER, &meta, 0, &[])?;
                let folder = dir.folder(name)?;
                if folder.is_opaque()? {
                    self.opaque_mark(&meta)?;
                }
                self.folder(&folder, depth + 1).map(|_| ())
            }
            Kind::Symlink => {
                self.name.extend_from_slice(name.as_bytes());
                self.header(SYMLINK, &meta, 0, &dir.read_link(name)?)
            }
            Kind::Whiteout => {
                self.name.extend_from_slice(WHITEOUT_PREFIX);
                self.name.extend_from_slice(name.as_bytes());
                self.header(FILE, &Meta { mode: 0o600, ..meta }, 0, &[])
            }
            Kind::Special(what) => Err(DiskError::Special { path: dir.path().join(name), what }.into()),
        }
    }

    fn file(&mut self, dir: &Dir, name: &OsStr, meta: &Meta) -> Result<(), LayerError> {
        let mut file = dir.open_file(name)?;
        self.header(FILE, meta, meta.size, &[])?;
        let mut seen = 0;
        loop {
            let count = file
                .read(&mut self.buffer)
                .map_err(|source| LayerError::Read { path: dir.path().join(name), source })?;
            seen += count as u64;
            if seen > meta.size || (count == 0 && seen < meta.size) {
                return Err(LayerError::Changed { path: dir.path().join(name) });
            }
            if count == 0 {
                break;
            }
            content(&mut self.within, &mut self.out, &self.buffer[..count])?;
        }
        let padding = usize::try_from(seen.next_multiple_of(BLOCK as u64) - seen).expect("less than a block");
        content(&mut self.within, &mut self.out, &[0; BLOCK][..padding])
    }

    fn opaque_mark(&mut self, folder: &Meta) -> Result<(), LayerError> {
        let above = self.name.len();
        self.name.push(b'/');
        self.name.extend_from_slice(OPAQUE_MARK);
        let mark = Meta { mode: folder.mode & 0o777, mtime: crate::disk::FileTime::default(), ..*folder };
        self.header(FILE, &mark, 0, &[])?;
        self.name.truncate(above);
        Ok(())
    }

    fn header(&mut self, kind: u8, meta: &Meta, size: u64, target: &[u8]) -> Result<(), LayerError> {
        let owner = self.owners.in_stream(meta.uid, meta.gid);
        let header = Header {
            name: &self.name,
            target,
            kind,
            mode: meta.mode,
            uid: owner.uid.into(),
            gid: owner.gid.into(),
            user: owner.user,
            group: owner.group,
            size,
            mtime: meta.mtime.rounded(),
        };
        let Some(within) = &mut self.within else {
            return self.out.write_all(&header.blocks(Dialect::Go)).map_err(LayerError::Write);
        };
        if header.name.contains(&b'\\') {
            return Err(LayerError::refused(header.name, Refusal::Unloadable));
        }
        within.hash.write_all(&header.blocks(Dialect::Go)).map_err(LayerError::Write)?;
        let name = [&within.prefix[..], header.name].concat();
        self.out.write_all(&Header { name: &name, ..header }.blocks(Dialect::Go)).map_err(LayerError::Write)
    }
}

fn content(within: &mut Option<Within>, out: &mut impl Write, bytes: &[u8]) -> Result<(), LayerError> {
    let hashed = within.as_mut().map_or(Ok(()), |within| within.hash.write_all(bytes));
    hashed.and_then(|()| out.write_all(bytes)).map_err(LayerError::Write)
}
