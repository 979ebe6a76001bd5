//! An entry of a folder: kind, mode, owner, time and size.

use rustix::fs::{FileType, Stat, Timespec};

use crate::types::Epoch;

/// A time of a file: seconds since 1970 (before it: negative) and nanoseconds from there on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct FileTime {
    /// Whole seconds, rounded down.
    pub seconds: i64,
    /// 0 to 999,999,999.
    pub nanos: u32,
}

impl FileTime {
    /// A time of whole seconds.
    #[must_use]
    pub(crate) fn of_seconds(seconds: i64) -> Self {
        Self { seconds, nanos: 0 }
    }

    /// The nearest whole second, half a second up; what a layer stores.
    #[must_use]
    pub(crate) fn rounded(self) -> i64 {
        self.seconds.saturating_add(i64::from(self.nanos >= 500_000_000))
    }

    pub(super) fn timespec(self) -> Timespec {
        Timespec { tv_sec: self.seconds, tv_nsec: self.nanos.into() }
    }
}

/// The kind of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symlink.
    Symlink,
    /// A character device 0:0: in an overlay, the name is gone.
    Whiteout,
    /// A socket, FIFO or other device; the word is for messages.
    Special(&'static str),
}

/// The metadata of an entry in a folder; symlinks are not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meta {
    /// File, folder, symlink or other.
    pub kind: Kind,
    /// The 12 permission bits.
    pub mode: u32,
    /// The owner's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
    /// When the content was last changed.
    pub mtime: FileTime,
    /// Bytes; of a symlink, its target's length.
    pub size: u64,
    /// The file's identity: device and inode.
    pub identity: (u64, u64),
}

impl Meta {
    #[expect(
        clippy::unnecessary_cast,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the widths of `stat` differ between architectures; nanoseconds and sizes fit"
    )]
    pub(super) fn of(stat: &Stat) -> Self {
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Kind::File,
            FileType::Directory => Kind::Folder,
            FileType::Symlink => Kind::Symlink,
            FileType::CharacterDevice if stat.st_rdev == 0 => Kind::Whiteout,
            FileType::Fifo => Kind::Special("FIFO"),
            FileType::Socket => Kind::Special("socket"),
            FileType::CharacterDevice | FileType::BlockDevice | FileType::Unknown => Kind::Special("device"),
        };
        Self {
            kind,
            mode: stat.st_mode & 0o7777,
            uid: stat.st_uid,
            gid: stat.st_gid,
            mtime: FileTime { seconds: stat.st_mtime as i64, nanos: stat.st_mtime_nsec as u32 },
            size: stat.st_size as u64,
            identity: (stat.st_dev as u64, stat.st_ino as u64),
        }
    }
}

impl From<Epoch> for FileTime {
    fn from(epoch: Epoch) -> Self {
        Self::of_seconds(i64::try_from(epoch.seconds()).expect("an epoch has at most 33 bits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_second_rounds_up_also_before_1970() {
        for (seconds, nanos, rounded) in [(5, 499_999_999, 5), (5, 500_000_000, 6), (-2, 500_000_000, -1), (-2, 1, -2)]
        {
            assert_eq!(FileTime { seconds, nanos }.rounded(), rounded);
        }
    }
}
