//! One member of an archive that passed the guards.

use crate::tar::EntryPath;

/// A file, folder or link, and where its content is in the decompressed tar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    /// Its path.
    pub path: EntryPath,
    /// File, folder or link.
    pub kind: MemberKind,
    /// Permission bits; setgid and sticky only on folders. A hard link has those of its file.
    pub mode: u32,
    /// Offset of the content of a file, or of a hard link's file, in the decompressed tar; 0 for the others.
    pub offset: u64,
}

/// The kinds of members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MemberKind {
    /// A regular file of so many bytes.
    File {
        /// Bytes.
        size: u64,
    },
    /// A folder.
    Folder,
    /// A symbolic link.
    Symlink {
        /// Where to, as written.
        target: Vec<u8>,
    },
    /// A further name of a file that is before it.
    HardLink {
        /// The name under which the content is in the archive; never a link itself.
        target: EntryPath,
        /// Bytes of that file.
        size: u64,
    },
}

impl Member {
    /// Bytes of a file, by whichever name; `None` for what is not a file.
    #[must_use]
    pub(crate) fn file_size(&self) -> Option<u64> {
        match self.kind {
            MemberKind::File { size } | MemberKind::HardLink { size, .. } => Some(size),
            MemberKind::Folder | MemberKind::Symlink { .. } => None,
        }
    }
}
