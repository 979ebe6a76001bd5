//! What parent and child tell each other: a line of JSON each.

use serde::{Deserialize, Serialize};

/// The hidden command that the program starts itself with.
pub const CHILD_COMMAND: &str = "internal-run";

/// How often a lower layer may stand in one mount: the most that the kernel takes.
pub(super) const MAX_LOWER: usize = 500;

/// The names in the folder that the mount is made in. All of them are short, for the options of a mount have to fit into
/// a page: the lower layers are symlinks `0`, `1`, … from the topmost.
pub(super) const UPPER: &str = "upper";
/// What the kernel wants for itself, empty, beside the upper folder.
pub(super) const WORK: &str = "work";
/// Where the mount is.
pub(super) const ROOT: &str = "root";
/// The lower layer where there is none.
pub(super) const EMPTY: &str = "empty";
/// Tells whether the file system has trusted attributes.
pub(super) const PROBE: &str = "probe";

/// What the child is to do.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Order {
    /// How many lower layers there are.
    pub(super) lower: usize,
    /// The shell's command.
    pub(super) command: String,
}

/// What became of it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Report {
    /// It will die with its parent, and may be told what to do.
    Ready,
    /// Something could not be made ready for the command.
    Failed {
        /// What was tried: `mount the layers over each other`.
        action: String,
        /// The system's error number, and where it has none its text.
        error: Reason,
    },
    /// The shell ended with this exit code.
    Exited(i32),
    /// The shell was ended by this signal.
    Killed(i32),
}

/// Why something failed.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Reason {
    /// An error number of the system.
    System(i32),
    /// Anything else.
    Text(String),
}
