//! Tree → tar stream → layer id.

use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use super::go_tar::{BLOCK, Flag, Header};
use super::{LayerError, OPAQUE_MARK, Owners, WHITEOUT_PREFIX};
use crate::disk::{Dir, DiskError, Kind, MAX_DEPTH, Meta};
use crate::words::{Digest, DigestWriter};

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
/// layer.
pub fn write_layer(dir: &Path, owners: &Owners, out: impl Write) -> Result<(), LayerError> {
    write_layer_at(&Dir::open(dir)?, owners, out).map(|_| ())
}

/// As [`write_layer`], from an open folder; says whether there was any entry.
pub fn write_layer_at(dir: &Dir, owners: &Owners, out: impl Write) -> Result<bool, LayerError> {
    let mut stream = Stream { owners, out: Plain(out), name: Vec::new(), buffer: vec![0; 128 * 1024] };
    let any = stream.folder(dir, 0)?;
    let mut out = stream.out.0;
    out.write_all(&[0; 2 * BLOCK]).and_then(|()| out.flush()).map_err(LayerError::Write)?;
    Ok(any)
}

/// Writes the entries of the tree below `dir` with `prefix/` before their names, without the blocks that end an archive;
/// the id that the tree hashes to as a layer on its own, none where it is empty. A name with `\` is refused:
/// no sealer loads it.
pub fn write_entries_at(
    dir: &Dir,
    owners: &Owners,
    prefix: &str,
    out: impl Write,
) -> Result<Option<LayerId>, LayerError> {
    let out = Prefixed {
        prefix: format!("{prefix}/").into_bytes(),
        out,
        hash: DigestWriter::new(io::sink()),
        unloadable: None,
    };
    let mut stream = Stream { owners, out, name: Vec::new(), buffer: vec![0; 128 * 1024] };
    let any = stream.folder(dir, 0)?;
    if let Some(name) = stream.out.unloadable {
        let reason =
            "no sealer loads an archive with a `\\` in a name; push the image instead, or name the file otherwise";
        return Err(LayerError::refused(&name, reason));
    }
    let mut hash = stream.out.hash;
    hash.write_all(&[0; 2 * BLOCK]).map_err(LayerError::Write)?;
    let (_, digest, tar_size) = hash.finish();
    Ok(any.then_some(LayerId { digest, tar_size }))
}

/// Where headers and contents of entries go.
trait Entries {
    fn header(&mut self, header: &Header<'_>) -> io::Result<()>;
    fn content(&mut self, bytes: &[u8]) -> io::Result<()>;
}

/// The stream itself.
struct Plain<W>(W);

impl<W: Write> Entries for Plain<W> {
    fn header(&mut self, header: &Header<'_>) -> io::Result<()> {
        self.0.write_all(&header.blocks())
    }

    fn content(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }
}

/// The entries in a folder of a larger archive, while the stream itself is only hashed.
struct Prefixed<W> {
    prefix: Vec<u8>,
    out: W,
    hash: DigestWriter<io::Sink>,
    /// The first name that nobody would load.
    unloadable: Option<Vec<u8>>,
}

impl<W: Write> Entries for Prefixed<W> {
    fn header(&mut self, header: &Header<'_>) -> io::Result<()> {
        if self.unloadable.is_none() && header.name.contains(&b'\\') {
            self.unloadable = Some(header.name.to_vec());
        }
        self.hash.write_all(&header.blocks())?;
        let name = [&self.prefix[..], header.name].concat();
        self.out.write_all(&Header { name: &name, ..header.clone() }.blocks())
    }

    fn content(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.write_all(bytes)?;
        self.out.write_all(bytes)
    }
}

/// The id of the tree below `dir` on this machine, none where it is empty.
pub fn layer_id(dir: &Path) -> Result<Option<LayerId>, LayerError> {
    layer_id_at(&Dir::open(dir)?, &Owners::of_this_machine())
}

/// As [`layer_id`], of an open folder and with the given owners.
///
/// One thread reads, one hashes, so neither the disk nor sha256 waits for the other.
pub fn layer_id_at(dir: &Dir, owners: &Owners) -> Result<Option<LayerId>, LayerError> {
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
    /// The path of the entry at hand, from the tree's top.
    name: Vec<u8>,
    buffer: Vec<u8>,
}

impl<W: Entries> Stream<'_, W> {
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
            return Err(LayerError::refused(&path, "in a layer its name would remove something; rename it"));
        }
        match meta.kind {
            Kind::File => {
                self.name.extend_from_slice(name.as_bytes());
                self.file(dir, name, &meta)
            }
            Kind::Folder => {
                self.name.extend_from_slice(name.as_bytes());
                self.header(Flag::Folder, &meta, 0, &[])?;
                let folder = dir.folder(name)?;
                if folder.is_opaque()? {
                    self.opaque_mark(&meta)?;
                }
                self.folder(&folder, depth + 1).map(|_| ())
            }
            Kind::Symlink => {
                self.name.extend_from_slice(name.as_bytes());
                self.header(Flag::Symlink, &meta, 0, &dir.read_link(name)?)
            }
            Kind::Whiteout => {
                self.name.extend_from_slice(WHITEOUT_PREFIX);
                self.name.extend_from_slice(name.as_bytes());
                self.header(Flag::File, &Meta { mode: 0o600, ..meta }, 0, &[])
            }
            Kind::Special(what) => Err(DiskError::Special { path: dir.path().join(name), what }.into()),
        }
    }

    fn file(&mut self, dir: &Dir, name: &OsStr, meta: &Meta) -> Result<(), LayerError> {
        let mut file = dir.open_file(name)?;
        self.header(Flag::File, meta, meta.size, &[])?;
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
            self.out.content(&self.buffer[..count]).map_err(LayerError::Write)?;
        }
        let padding = usize::try_from(seen.next_multiple_of(BLOCK as u64) - seen).expect("less than a block");
        self.out.content(&[0; BLOCK][..padding]).map_err(LayerError::Write)
    }

    fn opaque_mark(&mut self, folder: &Meta) -> Result<(), LayerError> {
        let above = self.name.len();
        self.name.push(b'/');
        self.name.extend_from_slice(OPAQUE_MARK);
        let mark = Meta { mode: folder.mode & 0o777, mtime: crate::disk::FileTime::default(), ..*folder };
        self.header(Flag::File, &mark, 0, &[])?;
        self.name.truncate(above);
        Ok(())
    }

    fn header(&mut self, flag: Flag, meta: &Meta, size: u64, target: &[u8]) -> Result<(), LayerError> {
        let owner = self.owners.in_stream(meta.uid, meta.gid);
        let header = Header {
            name: &self.name,
            target,
            flag,
            mode: meta.mode,
            uid: owner.uid.into(),
            gid: owner.gid.into(),
            user: owner.user,
            group: owner.group,
            size,
            mtime: meta.mtime.rounded(),
        };
        self.out.header(&header).map_err(LayerError::Write)
    }
}
