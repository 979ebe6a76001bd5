//! Runs a shell command over layers that are mounted over each other, and leaves nothing mounted.
//!
//! Mounts live only in the mount namespace of child processes, so the mounts end with the last of them, however it
//! ends. `unsafe` is forbidden here, so nothing is done between fork and exec; instead this program starts itself
//! twice:
//!
//! ```text
//! sealer build ──▶ keeper: asks to die with its parent; new mount and process namespaces
//!                    ──▶ init of those: asks to die with the keeper; mounts; waits for
//!                          ──▶ /bin/sh -c "cd ROOT && COMMAND"
//! ```
//!
//! When init ends, the kernel kills all that is left in its process namespace: background processes of the command cannot
//! write on into a layer whose id is being computed, nor hold the mounts. SIGKILL of the first process ends them all.

mod child;
mod message;
mod parent;

pub(crate) use child::child_main;
pub(crate) use message::CHILD_COMMAND;
pub(crate) use parent::{OverlayRun, run};
