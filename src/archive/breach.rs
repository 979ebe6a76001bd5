//! The ways in which a new archive falls short of the old one.

use std::fmt;

use crate::tar::EntryPath;

/// One way in which the new archive falls short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Breach {
    /// The old archive has it, the new one has not.
    Missing(EntryPath),
    /// One of the two is a folder, and the other is not.
    Kind {
        /// Its path.
        path: EntryPath,
        /// Its kind in the original.
        was: &'static str,
        /// Its kind now.
        is: &'static str,
    },
    /// Somebody who could execute it no longer can.
    LessExecutable {
        /// Its path.
        path: EntryPath,
        /// The old mode.
        was: u32,
        /// The new mode.
        is: u32,
    },
    /// It was a file or folder, and is now a link whose target is not in the archive.
    Dangling {
        /// Its path.
        path: EntryPath,
        /// The link's target, escaped.
        target: String,
    },
    /// It has an execute bit, but cannot be executed.
    NoProgram {
        /// Its path.
        path: EntryPath,
        /// Why it cannot be executed.
        why: &'static str,
    },
    /// It is a program for another machine.
    OtherMachine {
        /// Its path.
        path: EntryPath,
        /// The machine that it is for.
        found: String,
        /// The platform's.
        expected: String,
    },
}

impl Breach {
    /// The path that it is about.
    #[must_use]
    pub(crate) fn path(&self) -> &EntryPath {
        match self {
            Self::Missing(path)
            | Self::Kind { path, .. }
            | Self::LessExecutable { path, .. }
            | Self::Dangling { path, .. }
            | Self::NoProgram { path, .. }
            | Self::OtherMachine { path, .. } => path,
        }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(path) => write!(f, "`{path}` is missing: if that is intended, add it to `allowMissing`"),
            Self::Kind { path, was, is } => write!(f, "`{path}` was {was} and is now {is}"),
            Self::LessExecutable { path, was, is } => {
                write!(f, "`{path}` is less executable: its mode was {was:04o} and is {is:04o}")
            }
            Self::Dangling { path, target } => {
                write!(f, "`{path}` is a link to `{target}`, which does not exist in the new archive")
            }
            Self::NoProgram { path, why } => write!(f, "`{path}` has an execute bit, but {why}"),
            Self::OtherMachine { path, found, expected } => {
                write!(f, "`{path}` is a program for {found}, expected {expected}")
            }
        }
    }
}
