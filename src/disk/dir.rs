//! A folder held open.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, FileType, Gid, Mode, OFlags, RenameFlags, ResolveFlags, StatxFlags, Timestamps, UTIME_OMIT, Uid,
    XattrFlags,
};

use super::{DiskError, FileTime, Kind, Meta};

const OPAQUE: &str = "trusted.overlay.opaque";
const FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::CLOEXEC).union(OFlags::NOFOLLOW);
const BENEATH: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_SYMLINKS).union(ResolveFlags::NO_MAGICLINKS);

/// An open folder; all names are relative to the handle, and symlinks are never followed.
///
/// The path is only for messages.
#[derive(Debug)]
pub struct Dir {
    handle: OwnedFd,
    path: PathBuf,
}

impl Dir {
    /// Opens a folder by its path. Symlinks in the path belong to the user and are followed.
    pub fn open(path: &Path) -> Result<Self, DiskError> {
        let handle = rustix::fs::open(path, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
            .map_err(|error| DiskError::io("open the folder", path, error))?;
        Ok(Self { handle, path: path.to_owned() })
    }

    /// Opens a folder by its path and creates missing parts, with mode 0755 minus the umask.
    pub(crate) fn open_or_make(path: &Path) -> Result<Self, DiskError> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true).mode(0o755);
        builder.create(path).map_err(|error| DiskError::io("create the folder", path, error))?;
        Self::open(path)
    }

    /// The path it was opened by. For messages, and for programs that are given a path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Refuses what is not a single component.
    pub(super) fn component(&self, name: &OsStr) -> Result<(), DiskError> {
        let bytes = name.as_bytes();
        let good = !matches!(bytes, b"" | b"." | b"..") && !bytes.contains(&b'/') && !bytes.contains(&0);
        if good { Ok(()) } else { Err(DiskError::Name { folder: self.path.clone(), name: bytes.to_owned() }) }
    }

    pub(super) fn error(&self, action: &'static str, name: &OsStr, error: impl Into<io::Error>) -> DiskError {
        DiskError::io(action, self.path.join(name), error)
    }

    fn done<T>(&self, action: &'static str, name: &OsStr, result: rustix::io::Result<T>) -> Result<T, DiskError> {
        result.map_err(|error| self.error(action, name, error))
    }

    fn open_at(&self, action: &'static str, name: &OsStr, flags: OFlags, mode: Mode) -> Result<OwnedFd, DiskError> {
        self.component(name)?;
        let flags = flags | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        self.done(action, name, rustix::fs::openat2(&self.handle, name, flags, mode, BENEATH))
    }

    /// A second handle of the same folder.
    pub fn duplicate(&self) -> Result<Self, DiskError> {
        let handle = rustix::fs::openat(&self.handle, ".", FOLDER, Mode::empty());
        Ok(Self { handle: self.done("open the folder", OsStr::new(""), handle)?, path: self.path.clone() })
    }

    /// A separate handle of this folder for locking, because flock locks belong to a handle.
    pub(super) fn as_file(&self) -> Result<fs_err::File, DiskError> {
        let own = self.duplicate()?;
        Ok(fs_err::File::from_parts(own.handle.into(), own.path))
    }

    /// Opens a folder of this folder.
    pub fn folder(&self, name: impl AsRef<OsStr>) -> Result<Self, DiskError> {
        let name = name.as_ref();
        let handle = self.open_at("open the folder", name, FOLDER, Mode::empty())?;
        Ok(Self { handle, path: self.path.join(name) })
    }

    /// Opens the folder at `path` below this one; a symlink or `..` anywhere in it is an error, the empty path is this
    /// folder.
    pub(crate) fn beneath(&self, path: &Path) -> Result<Self, DiskError> {
        if path.as_os_str().is_empty() {
            return self.duplicate();
        }
        let handle = rustix::fs::openat2(&self.handle, path, FOLDER, Mode::empty(), BENEATH);
        Ok(Self { handle: self.done("open the folder", path.as_os_str(), handle)?, path: self.path.join(path) })
    }

    /// Makes a folder that does not exist yet, with exactly this mode, and opens it.
    pub(crate) fn make_folder(&self, name: impl AsRef<OsStr>, mode: u32) -> Result<Self, DiskError> {
        let name = name.as_ref();
        self.component(name)?;
        let private = Mode::from_raw_mode(0o700);
        self.done("create the folder", name, rustix::fs::mkdirat(&self.handle, name, private))?;
        let folder = self.folder(name)?;
        if mode != 0o700 {
            folder.set_own_mode(mode)?;
        }
        Ok(folder)
    }

    /// Opens a folder of this folder; makes it with `mode` if it does not exist.
    pub(crate) fn folder_or_make(&self, name: impl AsRef<OsStr>, mode: u32) -> Result<Self, DiskError> {
        let name = name.as_ref();
        match self.folder(name) {
            Err(error) if error.is_not_found() => match self.make_folder(name, mode) {
                Err(error) if error.is_there_already() => self.folder(name),
                result => result,
            },
            opened => opened,
        }
    }

    /// Opens a file of this folder to read it. It must be a regular file.
    pub(crate) fn open_file(&self, name: impl AsRef<OsStr>) -> Result<fs_err::File, DiskError> {
        let name = name.as_ref();
        // Without NONBLOCK a FIFO in place of the file would block forever.
        let handle = self.open_at("open", name, OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty())?;
        let stat = self.done("look at", name, rustix::fs::fstat(&handle))?;
        match Meta::of(&stat).kind {
            Kind::File => Ok(fs_err::File::from_parts(handle.into(), self.path.join(name))),
            Kind::Folder => Err(self.error("read", name, io::Error::from(io::ErrorKind::IsADirectory))),
            Kind::Symlink | Kind::Whiteout => Err(DiskError::Special { path: self.path.join(name), what: "device" }),
            Kind::Special(what) => Err(DiskError::Special { path: self.path.join(name), what }),
        }
    }

    /// Makes a file that does not exist yet, with exactly this mode, to be written.
    pub(crate) fn create_file(&self, name: impl AsRef<OsStr>, mode: u32) -> Result<fs_err::File, DiskError> {
        let name = name.as_ref();
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL;
        let handle = self.open_at("create", name, flags, Mode::from_raw_mode(0o600))?;
        if mode != 0o600 {
            self.done("set the mode of", name, rustix::fs::fchmod(&handle, Mode::from_raw_mode(mode)))?;
        }
        Ok(fs_err::File::from_parts(handle.into(), self.path.join(name)))
    }

    /// Makes a file that does not exist yet, with the mode that the user's umask leaves, to be written: one for the
    /// user.
    pub(crate) fn create_user_file(&self, name: impl AsRef<OsStr>) -> Result<fs_err::File, DiskError> {
        let name = name.as_ref();
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL;
        let handle = self.open_at("create", name, flags, Mode::from_raw_mode(0o666))?;
        Ok(fs_err::File::from_parts(handle.into(), self.path.join(name)))
    }

    /// Opens a file of this folder read-only, and makes it, empty and with mode 0644, if it does not exist: lock files.
    pub(crate) fn open_or_create_file(&self, name: impl AsRef<OsStr>) -> Result<fs_err::File, DiskError> {
        let name = name.as_ref();
        let handle = self.open_at("open", name, OFlags::RDONLY | OFlags::CREATE, Mode::from_raw_mode(0o644))?;
        Ok(fs_err::File::from_parts(handle.into(), self.path.join(name)))
    }

    /// The metadata of this folder.
    pub(crate) fn own_meta(&self) -> Result<Meta, DiskError> {
        let stat = self.done("look at", OsStr::new(""), rustix::fs::fstat(&self.handle))?;
        Ok(Meta::of(&stat))
    }

    /// When this folder was created, according to the file system: a rename does not change it, and nobody can set it.
    /// `None` if the file system does not say.
    pub(crate) fn birth(&self) -> Result<Option<FileTime>, DiskError> {
        let asked = rustix::fs::statx(&self.handle, "", AtFlags::EMPTY_PATH, StatxFlags::BTIME);
        let stat = self.done("look at", OsStr::new(""), asked)?;
        let said = stat.stx_mask & StatxFlags::BTIME.bits() != 0;
        Ok(said.then_some(FileTime { seconds: stat.stx_btime.tv_sec, nanos: stat.stx_btime.tv_nsec }))
    }

    /// The metadata of a name.
    pub fn meta(&self, name: impl AsRef<OsStr>) -> Result<Meta, DiskError> {
        let name = name.as_ref();
        self.component(name)?;
        let stat = rustix::fs::statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW);
        Ok(Meta::of(&self.done("look at", name, stat)?))
    }

    /// The metadata of a name; `None` if it does not exist.
    pub(crate) fn meta_if_there(&self, name: impl AsRef<OsStr>) -> Result<Option<Meta>, DiskError> {
        match self.meta(name) {
            Ok(meta) => Ok(Some(meta)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The names in it, in byte order.
    pub fn names(&self) -> Result<Vec<OsString>, DiskError> {
        let here = OsStr::new("");
        let mut names = Vec::new();
        for entry in self.done("list", here, rustix::fs::Dir::read_from(&self.handle))? {
            let entry = self.done("list", here, entry)?;
            let name = entry.file_name().to_bytes();
            if !matches!(name, b"." | b"..") {
                names.push(OsString::from_vec(name.to_owned()));
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Where a symlink points.
    pub fn read_link(&self, name: impl AsRef<OsStr>) -> Result<Vec<u8>, DiskError> {
        let name = name.as_ref();
        self.component(name)?;
        let target = rustix::fs::readlinkat(&self.handle, name, Vec::new());
        Ok(self.done("read the symlink", name, target)?.into_bytes())
    }

    /// Makes a symlink that does not exist yet.
    pub(crate) fn make_symlink(&self, name: impl AsRef<OsStr>, target: &[u8]) -> Result<(), DiskError> {
        let name = name.as_ref();
        self.component(name)?;
        let target = OsStr::from_bytes(target);
        self.done("create the symlink", name, rustix::fs::symlinkat(target, &self.handle, name))
    }

    /// Makes a whiteout (a character device 0:0, which needs no privilege since Linux 5.8) that does not exist yet.
    pub(crate) fn make_whiteout(&self, name: impl AsRef<OsStr>) -> Result<(), DiskError> {
        let name = name.as_ref();
        self.component(name)?;
        let made = rustix::fs::mknodat(&self.handle, name, FileType::CharacterDevice, Mode::from_raw_mode(0o600), 0);
        self.done("create the whiteout", name, made)?;
        self.set_mode(name, 0o600)
    }

    /// Gives a file of this folder a second name in `to` (a hard link). The link is on the same file system or an error.
    pub fn link(&self, name: impl AsRef<OsStr>, to: &Self, new: impl AsRef<OsStr>) -> Result<(), DiskError> {
        let (name, new) = (name.as_ref(), new.as_ref());
        self.component(name)?;
        to.component(new)?;
        let linked = rustix::fs::linkat(&self.handle, name, &to.handle, new, AtFlags::empty());
        to.done("create the hard link", new, linked)
    }

    /// Renames; what is at the new name is replaced in one step.
    pub fn rename(&self, name: impl AsRef<OsStr>, to: &Self, new: impl AsRef<OsStr>) -> Result<(), DiskError> {
        self.rename_with(name.as_ref(), to, new.as_ref(), RenameFlags::empty())
    }

    /// Renames, and fails if the new name already exists.
    pub(crate) fn rename_new(
        &self,
        name: impl AsRef<OsStr>,
        to: &Self,
        new: impl AsRef<OsStr>,
    ) -> Result<(), DiskError> {
        self.rename_with(name.as_ref(), to, new.as_ref(), RenameFlags::NOREPLACE)
    }

    /// Swaps two things in one step.
    pub(crate) fn exchange(
        &self,
        name: impl AsRef<OsStr>,
        to: &Self,
        other: impl AsRef<OsStr>,
    ) -> Result<(), DiskError> {
        self.rename_with(name.as_ref(), to, other.as_ref(), RenameFlags::EXCHANGE)
    }

    fn rename_with(&self, name: &OsStr, to: &Self, new: &OsStr, flags: RenameFlags) -> Result<(), DiskError> {
        self.component(name)?;
        to.component(new)?;
        let renamed = rustix::fs::renameat_with(&self.handle, name, &to.handle, new, flags);
        to.done("move a finished thing to", new, renamed)
    }

    /// Removes a file, symlink or device.
    pub fn remove_file(&self, name: impl AsRef<OsStr>) -> Result<(), DiskError> {
        let name = name.as_ref();
        self.component(name)?;
        self.done("remove", name, rustix::fs::unlinkat(&self.handle, name, AtFlags::empty()))
    }

    /// Removes whatever is there, folders with all that is in them; fine if there is nothing.
    pub(crate) fn remove_all(&self, name: impl AsRef<OsStr>) -> Result<(), DiskError> {
        super::walk::remove_all(self, name.as_ref())
    }

    /// The parent folder, which must have this identity, because this folder may have been moved.
    pub(super) fn parent(&self, identity: (u64, u64)) -> Result<Self, DiskError> {
        let up = OsStr::new("..");
        let handle = self.done("open", up, rustix::fs::openat(&self.handle, up, FOLDER, Mode::empty()))?;
        let parent = Self { handle, path: self.path.parent().unwrap_or(&self.path).to_owned() };
        if parent.own_meta()?.identity == identity {
            Ok(parent)
        } else {
            Err(self.error("go back up from", OsStr::new(""), io::ErrorKind::NotFound))
        }
    }

    pub(super) fn remove_empty_folder(&self, name: &OsStr) -> Result<(), DiskError> {
        self.done("remove the folder", name, rustix::fs::unlinkat(&self.handle, name, AtFlags::REMOVEDIR))
    }

    /// Makes a folder accessible for its owner after [`Dir::folder`] could not open it. Only for what will be removed.
    pub(super) fn open_up(&self, name: &OsStr) -> Result<(), DiskError> {
        let mode = Mode::from_raw_mode(0o700);
        self.done("open up", name, rustix::fs::chmodat(&self.handle, name, mode, AtFlags::empty()))
    }

    /// Sets the permission bits of a file, folder or device; of a symlink there are none, so that is an error.
    pub fn set_mode(&self, name: impl AsRef<OsStr>, mode: u32) -> Result<(), DiskError> {
        let name = name.as_ref();
        let kind = self.meta(name)?.kind;
        let action = "set the mode of";
        match kind {
            Kind::Folder => self.folder(name)?.set_own_mode(mode),
            Kind::File => {
                let file = self.open_file(name)?;
                self.done(action, name, rustix::fs::fchmod(&file, Mode::from_raw_mode(mode)))
            }
            // A device cannot be opened, and chmodat follows symlinks; this is not a symlink, and the folder is ours.
            Kind::Whiteout => {
                let mode = Mode::from_raw_mode(mode);
                self.done(action, name, rustix::fs::chmodat(&self.handle, name, mode, AtFlags::empty()))
            }
            Kind::Symlink | Kind::Special(_) => Err(self.error(action, name, io::ErrorKind::InvalidInput)),
        }
    }

    /// Sets this folder's permission bits.
    pub(crate) fn set_own_mode(&self, mode: u32) -> Result<(), DiskError> {
        let done = rustix::fs::fchmod(&self.handle, Mode::from_raw_mode(mode));
        self.done("set the mode of", OsStr::new(""), done)
    }

    /// Sets the owner of a name; clears setuid, so the mode comes after it.
    pub(crate) fn set_owner(&self, name: impl AsRef<OsStr>, uid: u32, gid: u32) -> Result<(), DiskError> {
        let name = name.as_ref();
        self.component(name)?;
        let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
        let done = rustix::fs::chownat(&self.handle, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW);
        self.done("set the owner of", name, done)
    }

    /// Sets this folder's owner.
    pub(crate) fn set_own_owner(&self, uid: u32, gid: u32) -> Result<(), DiskError> {
        let done = rustix::fs::fchown(&self.handle, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
        self.done("set the owner of", OsStr::new(""), done)
    }

    /// Sets the time of a name, of a symlink itself; to the nanosecond.
    pub(crate) fn set_time(&self, name: impl AsRef<OsStr>, time: FileTime) -> Result<(), DiskError> {
        let name = name.as_ref();
        self.component(name)?;
        let done = rustix::fs::utimensat(&self.handle, name, &times(time), AtFlags::SYMLINK_NOFOLLOW);
        self.done("set the time of", name, done)
    }

    /// Sets this folder's time; to be done after the last change in it.
    pub(crate) fn set_own_time(&self, time: FileTime) -> Result<(), DiskError> {
        self.done("set the time of", OsStr::new(""), rustix::fs::futimens(&self.handle, &times(time)))
    }

    /// Whether this folder hides what lower layers have under its name (`trusted.overlay.opaque=y`).
    ///
    /// Only root can see the attribute; to others no folder is opaque.
    pub(crate) fn is_opaque(&self) -> Result<bool, DiskError> {
        let mut value = [0; 2];
        match rustix::fs::fgetxattr(&self.handle, OPAQUE, &mut value[..]) {
            Ok(length) => Ok(&value[..length] == b"y"),
            Err(rustix::io::Errno::NODATA | rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::RANGE) => Ok(false),
            Err(error) => Err(self.error("read the attributes of", OsStr::new(""), error)),
        }
    }

    /// Makes this folder opaque; needs root.
    pub(crate) fn set_opaque(&self) -> Result<(), DiskError> {
        let done = rustix::fs::fsetxattr(&self.handle, OPAQUE, b"y", XattrFlags::empty());
        self.done("set `trusted.overlay.opaque` (which needs root) of", OsStr::new(""), done)
    }

    /// Gives a file its capabilities (`security.capability`, as the kernel stores them); needs root.
    pub(crate) fn set_capability(&self, name: impl AsRef<OsStr>, value: &[u8]) -> Result<(), DiskError> {
        let name = name.as_ref();
        let file = self.open_file(name)?;
        let done = rustix::fs::fsetxattr(&file, "security.capability", value, XattrFlags::empty());
        self.done("set the capabilities of", name, done)
    }

    /// Flushes this folder: the names in it are on the disk when it returns.
    pub fn flush(&self) -> Result<(), DiskError> {
        self.done("flush", OsStr::new(""), rustix::fs::fsync(&self.handle))
    }

    /// Flushes the whole file system that this folder is on.
    ///
    /// One call for a tree of thousands of files, instead of one flush for each. Since Linux 5.8 it also says when an
    /// earlier write-back failed.
    pub(crate) fn flush_file_system(&self) -> Result<(), DiskError> {
        self.done("flush the file system of", OsStr::new(""), rustix::fs::syncfs(&self.handle))
    }
}

fn times(time: FileTime) -> Timestamps {
    let keep = rustix::fs::Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
    Timestamps { last_access: keep, last_modification: time.timespec() }
}

/// Gives an open file its owner, if one is named, its mode and its time: by its handle, in an order
/// in which no change undoes another.
pub(crate) fn complete_file(
    file: &fs_err::File,
    owner: Option<(u32, u32)>,
    mode: u32,
    time: FileTime,
) -> Result<(), DiskError> {
    let done =
        |action, result: rustix::io::Result<()>| result.map_err(|error| DiskError::io(action, file.path(), error));
    if let Some((uid, gid)) = owner {
        let (uid, gid) = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
        done("set the owner of", rustix::fs::fchown(file, uid, gid))?;
    }
    done("set the mode of", rustix::fs::fchmod(file, Mode::from_raw_mode(mode)))?;
    done("set the time of", rustix::fs::futimens(file, &times(time)))
}
