//! Messages between parent and child: one line of JSON each.

use serde::{Deserialize, Serialize};

/// The hidden command that the program starts itself with.
pub(crate) const CHILD_COMMAND: &str = "internal-run";

/// The most lower layers of one mount: the limit of the kernel.
pub(super) const MAX_LOWER: usize = 500;

/// The names in the folder that the mount is made in. All of them are short, for the options of a mount have to fit
/// into a page: the lower layers are symlinks `0`, `1`, … from the topmost.
pub(super) const UPPER: &str = "upper";
/// What the kernel wants for itself, empty, next to the upper folder.
pub(super) const WORK: &str = "work";
/// Where the mount is.
pub(super) const ROOT: &str = "root";
/// The lower layer if there is none.
pub(super) const EMPTY: &str = "empty";
/// Tells whether the file system has trusted attributes.
pub(super) const PROBE: &str = "probe";

/// The order for the child.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Order {
    /// How many lower layers there are.
    pub(super) lower: usize,
    /// The shell's command.
    pub(super) command: String,
}

/// The outcome.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Report {
    /// It will end with its parent, and is ready for its order.
    Ready,
    /// The preparation of the command failed.
    Failed {
        /// What was tried: `mount the layers over each other`.
        action: String,
        /// The system's error number, or its text if there is none.
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
