//! Entries of a stream → a tree, safely.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::io::Errno;

use super::{LayerError, OPAQUE_MARK, WHITEOUT_PREFIX};
use crate::disk::{Dir, DiskError, FileTime, Kind, complete_file, is_root};
use crate::tar::{Entry, EntryKind, EntryPath, Refusal};
use crate::types::Epoch;

const CAPABILITY: &[u8] = b"security.capability";
/// Where sealer keeps its store; it writes links' own paths below it as their targets.
const SEALER_ROOT: &[u8] = b"/var/lib/sealer/";

/// What a person should know of an entry that was unpacked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Note {
    /// It is setuid or setgid, or has capabilities, and keeps them.
    Privileged(String),
    /// It does not belong to root, and without root the owner could not be kept.
    OwnerLost(String),
    /// An extended attribute was left out: name, attribute.
    AttributeDropped(String, String),
    /// A symlink that sealer damaged by writing the link's own path as its target; it was not created.
    DamagedLink(String),
    /// A folder that no entry describes; it gets mode 0755 and belongs to root.
    FolderImplied(String),
}

impl Note {
    /// Whether it needs its own warning: lost owners already make the layer unverified.
    #[must_use]
    pub(crate) fn is_news(&self) -> bool {
        match self {
            Self::Privileged(_) | Self::AttributeDropped(..) | Self::DamagedLink(_) => true,
            Self::OwnerLost(_) | Self::FolderImplied(_) => false,
        }
    }

    /// Whether the tree lacks something from the stream.
    #[must_use]
    pub(crate) fn is_loss(&self) -> bool {
        match self {
            Self::Privileged(_) | Self::AttributeDropped(..) => false,
            Self::OwnerLost(_) | Self::DamagedLink(_) | Self::FolderImplied(_) => true,
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Privileged(name) => write!(f, "`{name}` is setuid or setgid or has capabilities"),
            Self::OwnerLost(name) => write!(f, "`{name}` does not belong to root, and only root can keep its owner"),
            Self::AttributeDropped(name, attribute) => {
                write!(f, "`{name}` has the attribute `{attribute}`, which was left out")
            }
            Self::DamagedLink(name) => {
                write!(f, "`{name}` is a symlink that sealer damaged (it points to itself); it was left out")
            }
            Self::FolderImplied(name) => {
                write!(f, "no entry describes the folder `{name}`; it gets mode 0755 and belongs to root")
            }
        }
    }
}

/// What a folder gets when everything is in it.
#[derive(Debug, Clone, Copy)]
struct FolderEnd {
    mode: u32,
    owner: (u32, u32),
    time: FileTime,
    /// No entry described it so far.
    implied: bool,
}

/// Builds a tree of entries; the last one of a name wins, a folder that comes again only gets its new attributes.
///
/// Every parent is opened beneath the tree's handle without following a symlink, every leaf is made new. Folders get
/// their modes, owners and times in [`Unpacker::finish`].
pub(crate) struct Unpacker {
    top: Dir,
    folders: BTreeMap<Vec<u8>, FolderEnd>,
    notes: Vec<Note>,
    root: bool,
    /// The folder that the last entry was in, for the next one is mostly there too.
    near: Option<(Vec<u8>, Dir)>,
    buffer: Vec<u8>,
}

impl Unpacker {
    /// Unpacks into `top`.
    #[must_use]
    pub(crate) fn new(top: Dir) -> Self {
        Self {
            top,
            folders: BTreeMap::new(),
            notes: Vec::new(),
            root: is_root(),
            near: None,
            buffer: vec![0; 128 * 1024],
        }
    }

    /// Takes one entry, whose path and hard link's target are relative to the tree's top.
    pub(crate) fn take(&mut self, entry: &Entry, content: impl Read) -> Result<(), LayerError> {
        let refused = |why| LayerError::refused(entry.path.as_bytes(), why);
        let (parents, leaf) = entry.path.split();
        if parents.split(|byte| *byte == b'/').any(|parent| parent.starts_with(WHITEOUT_PREFIX)) {
            return Err(refused(Refusal::WhiteoutParent));
        }
        let owner = owner(entry).ok_or_else(|| refused(Refusal::Owner))?;
        let parent = self.open_parent(parents).map_err(|error| in_the_way(entry, error))?;
        self.note(entry, owner);
        if let Some(rest) = leaf.strip_prefix(WHITEOUT_PREFIX) {
            if entry.kind != EntryKind::File || entry.size != 0 {
                return Err(refused(Refusal::WhiteoutContent));
            }
            if leaf == OPAQUE_MARK {
                return if parents.is_empty() { Err(refused(Refusal::OpaqueTop)) } else { Ok(parent.set_opaque()?) };
            }
            if matches!(rest, b"" | b"." | b"..") || rest.starts_with(WHITEOUT_PREFIX) {
                return Err(refused(Refusal::WhiteoutOf));
            }
            return self.whiteout(entry, &parent, rest, owner);
        }
        match &entry.kind {
            EntryKind::File => self.file(entry, &parent, owner, content)?,
            EntryKind::HardLink { target } => self.hard_link(entry, &parent, target)?,
            EntryKind::Symlink { target } => self.symlink(entry, &parent, target, owner)?,
            EntryKind::Folder => self.folder(entry, &parent, owner)?,
            EntryKind::Whiteout => self.whiteout(entry, &parent, leaf, owner)?,
        }
        self.near = Some((parents.to_vec(), parent));
        Ok(())
    }

    /// Gives the folders their attributes, the deepest first; what is to be reported.
    pub(crate) fn finish(mut self) -> Result<Vec<Note>, LayerError> {
        self.near = None;
        let implied = self.folders.iter().filter(|(_, end)| end.implied);
        self.notes.extend(implied.map(|(path, _)| Note::FolderImplied(path.escape_ascii().to_string())));
        for (path, end) in self.folders.iter().rev() {
            let folder = self.top.beneath(Path::new(OsStr::from_bytes(path)))?;
            if self.root {
                folder.set_own_owner(end.owner.0, end.owner.1)?;
            }
            folder.set_own_mode(end.mode)?;
            folder.set_own_time(end.time)?;
        }
        Ok(self.notes)
    }

    fn open_parent(&mut self, path: &[u8]) -> Result<Dir, DiskError> {
        if let Some((near, dir)) = self.near.take()
            && near == path
        {
            return Ok(dir);
        }
        match self.top.beneath(Path::new(OsStr::from_bytes(path))) {
            Err(error) if error.is_not_found() => {}
            opened => return opened,
        }
        let mut dir = self.top.duplicate()?;
        let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
        let mut start = 0;
        for end in slashes.chain([path.len()]) {
            let name = OsStr::from_bytes(&path[start..end]);
            if dir.meta_if_there(name)?.is_none() {
                dir.make_folder(name, 0o700)?;
                let seconds = i64::try_from(Epoch::DEFAULT.seconds()).expect("the year 1980");
                let time = FileTime::of_seconds(seconds);
                self.folders
                    .insert(path[..end].to_vec(), FolderEnd { mode: 0o755, owner: (0, 0), time, implied: true });
            }
            dir = dir.folder(name)?;
            start = end + 1;
        }
        Ok(dir)
    }

    fn note(&mut self, entry: &Entry, owner: (u32, u32)) {
        let shown = || entry.path.as_bytes().escape_ascii().to_string();
        let capable = entry.attributes.iter().any(|(attribute, _)| attribute == CAPABILITY);
        let special = matches!(entry.kind, EntryKind::File) && entry.mode & 0o6000 != 0;
        if special || (capable && self.root) {
            self.notes.push(Note::Privileged(shown()));
        }
        if owner != (0, 0) && !self.root && !matches!(entry.kind, EntryKind::HardLink { .. }) {
            self.notes.push(Note::OwnerLost(shown()));
        }
        for (attribute, _) in &entry.attributes {
            if attribute != CAPABILITY || !self.root || entry.kind != EntryKind::File {
                self.notes.push(Note::AttributeDropped(shown(), attribute.escape_ascii().to_string()));
            }
        }
    }

    /// Clears the way for a new leaf: the last entry of a name wins.
    fn clear(&mut self, entry: &Entry, parent: &Dir, leaf: &OsStr, whiteout: bool) -> Result<(), LayerError> {
        let Some(there) = parent.meta_if_there(leaf)? else { return Ok(()) };
        if (there.kind == Kind::Whiteout) != whiteout {
            return Err(LayerError::refused(entry.path.as_bytes(), Refusal::RemovedAndHeld));
        }
        if there.kind == Kind::Folder {
            self.forget_folder(entry.path.as_bytes());
        }
        Ok(parent.remove_all(leaf)?)
    }

    /// Drops a folder and all below it, which stand together in the map: a stream that replaces thousands of folders
    /// must not go through all of them each time.
    fn forget_folder(&mut self, path: &[u8]) {
        self.folders.remove(path);
        // `0` is the byte after `/`.
        let below = [path, b"/"].concat()..[path, b"0"].concat();
        let gone: Vec<Vec<u8>> = self.folders.range(below).map(|(folder, _)| folder.clone()).collect();
        for folder in gone {
            self.folders.remove(&folder);
        }
    }

    fn file(
        &mut self,
        entry: &Entry,
        parent: &Dir,
        owner: (u32, u32),
        mut content: impl Read,
    ) -> Result<(), LayerError> {
        let leaf = leaf(&entry.path);
        self.clear(entry, parent, leaf, false)?;
        let mut file = parent.create_file(leaf, 0o600)?;
        let (path, mut copied) = (file.path().to_owned(), 0);
        loop {
            let failed = |source| LayerError::Content { name: entry.path.to_string(), source };
            let count = content.read(&mut self.buffer).map_err(failed)?;
            if count == 0 {
                break;
            }
            file.write_all(&self.buffer[..count]).map_err(|source| DiskError::io("write", &path, source))?;
            copied += count as u64;
        }
        if copied != entry.size {
            let why = Refusal::Short { found: copied, size: entry.size };
            return Err(LayerError::refused(entry.path.as_bytes(), why));
        }
        complete_file(&file, self.root.then_some(owner), entry.mode, entry.mtime)?;
        if self.root {
            for (_, value) in entry.attributes.iter().filter(|(attribute, _)| attribute == CAPABILITY) {
                parent.set_capability(leaf, value)?;
            }
        }
        Ok(())
    }

    fn hard_link(&mut self, entry: &Entry, parent: &Dir, target: &EntryPath) -> Result<(), LayerError> {
        let refused = || LayerError::refused(entry.path.as_bytes(), Refusal::HardLink(target.to_string()));
        let folder = self.top.beneath(Path::new(OsStr::from_bytes(target.split().0))).map_err(|_| refused())?;
        let (file, leaf) = (leaf(target), leaf(&entry.path));
        let there = folder.meta_if_there(file)?.filter(|there| there.kind == Kind::File).ok_or_else(refused)?;
        if parent.meta_if_there(leaf)?.is_some_and(|meta| meta.identity == there.identity) {
            return Ok(());
        }
        self.clear(entry, parent, leaf, false)?;
        Ok(folder.link(file, parent, leaf)?)
    }

    fn symlink(&mut self, entry: &Entry, parent: &Dir, target: &[u8], owner: (u32, u32)) -> Result<(), LayerError> {
        let leaf = leaf(&entry.path);
        self.clear(entry, parent, leaf, false)?;
        if target.starts_with(SEALER_ROOT) && target.ends_with(&[b"/", entry.path.as_bytes()].concat()) {
            self.notes.push(Note::DamagedLink(entry.path.as_bytes().escape_ascii().to_string()));
            return Ok(());
        }
        parent.make_symlink(leaf, target)?;
        self.owner_and_time(entry, parent, leaf, owner)
    }

    fn folder(&mut self, entry: &Entry, parent: &Dir, owner: (u32, u32)) -> Result<(), LayerError> {
        let leaf = leaf(&entry.path);
        if parent.meta_if_there(leaf)?.is_none_or(|there| there.kind != Kind::Folder) {
            self.clear(entry, parent, leaf, false)?;
            parent.make_folder(leaf, 0o700)?;
        }
        let end = FolderEnd { mode: entry.mode, owner, time: entry.mtime, implied: false };
        self.folders.insert(entry.path.as_bytes().to_vec(), end);
        Ok(())
    }

    fn whiteout(&mut self, entry: &Entry, parent: &Dir, leaf: &[u8], owner: (u32, u32)) -> Result<(), LayerError> {
        let leaf = OsStr::from_bytes(leaf);
        self.clear(entry, parent, leaf, true)?;
        parent.make_whiteout(leaf)?;
        self.owner_and_time(entry, parent, leaf, owner)
    }

    fn owner_and_time(&self, entry: &Entry, parent: &Dir, leaf: &OsStr, owner: (u32, u32)) -> Result<(), LayerError> {
        if self.root {
            parent.set_owner(leaf, owner.0, owner.1)?;
        }
        Ok(parent.set_time(leaf, entry.mtime)?)
    }
}

fn leaf(path: &EntryPath) -> &OsStr {
    OsStr::from_bytes(path.split().1)
}

fn owner(entry: &Entry) -> Option<(u32, u32)> {
    // The last number means "leave it" to the system.
    let number = |number: i64| u32::try_from(number).ok().filter(|number| *number != u32::MAX);
    Some((number(entry.uid)?, number(entry.gid)?))
}

/// A parent that is not a folder is the stream's fault, not the disk's.
fn in_the_way(entry: &Entry, error: DiskError) -> LayerError {
    match &error {
        DiskError::Io { source, .. } if matches!(Errno::from_io_error(source), Some(Errno::NOTDIR | Errno::LOOP)) => {
            LayerError::refused(entry.path.as_bytes(), Refusal::InTheWay)
        }
        DiskError::Io { .. }
        | DiskError::Busy { .. }
        | DiskError::Name { .. }
        | DiskError::Special { .. }
        | DiskError::Deep { .. } => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANY: usize = 20_000;
    /// In ticks. Without the square it is a third of this, with it many times.
    const LIMIT: u64 = 400;

    fn take(unpacker: &mut Unpacker, kind: EntryKind, mode: u32, name: &str) {
        let (path, mtime) = (EntryPath::parse(name.as_bytes()).unwrap().unwrap(), FileTime::of_seconds(1));
        let entry = Entry { path, kind, mode, uid: 0, gid: 0, mtime, size: 0, attributes: Vec::new() };
        unpacker.take(&entry, &b""[..]).unwrap();
    }

    fn unpacker(folder: &tempfile::TempDir) -> Unpacker {
        Unpacker::new(Dir::open(folder.path()).unwrap())
    }

    /// In memory if there is such a place: this measures our bookkeeping, which must not grow with the square of the
    /// entries.
    fn folder() -> tempfile::TempDir {
        tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
    }

    /// The processor's time that this thread had for itself, in hundredths of a second: other work does not change it.
    fn ticks() -> u64 {
        let stat = fs_err::read_to_string("/proc/thread-self/stat").unwrap();
        stat.rsplit_once(") ").unwrap().1.split(' ').nth(11).unwrap().parse().unwrap()
    }

    #[test]
    fn many_notes_do_not_slow_many_folders_down() {
        let folder = folder();
        let mut unpacker = unpacker(&folder);
        let before = ticks();
        (0..MANY).for_each(|at| take(&mut unpacker, EntryKind::File, 0o4755, &format!("f{at}")));
        (0..MANY).for_each(|at| take(&mut unpacker, EntryKind::Folder, 0o755, &format!("d{at}")));
        let took = ticks() - before;
        assert!(took < LIMIT, "{took} ticks");
        assert_eq!(unpacker.finish().unwrap().len(), MANY);
    }

    #[test]
    fn many_folders_are_replaced_by_files_quickly() {
        let folder = folder();
        let mut unpacker = unpacker(&folder);
        let before = ticks();
        (0..MANY).for_each(|at| take(&mut unpacker, EntryKind::Folder, 0o755, &format!("{at}")));
        (0..MANY).for_each(|at| take(&mut unpacker, EntryKind::File, 0o644, &format!("{at}")));
        let took = ticks() - before;
        assert!(took < LIMIT, "{took} ticks");
        assert_eq!(unpacker.finish().unwrap(), []);
    }

    #[test]
    fn a_replaced_folder_is_forgotten_with_all_below_it_and_nothing_beside_it() {
        let folder = folder();
        let mut unpacker = unpacker(&folder);
        for name in ["a/b/c", "a-b", "a0", "ab", "é/x"] {
            take(&mut unpacker, EntryKind::Folder, 0o700, name);
        }
        take(&mut unpacker, EntryKind::File, 0o644, "a");
        let left: Vec<&[u8]> = unpacker.folders.keys().map(|path| &path[..]).collect();
        assert_eq!(left, [&b"a-b"[..], b"a0", b"ab", "é".as_bytes(), "é/x".as_bytes()]);
        // An implied folder that was removed needs no note.
        assert_eq!(unpacker.finish().unwrap(), [Note::FolderImplied("\\xc3\\xa9".to_owned())]);
    }
}
