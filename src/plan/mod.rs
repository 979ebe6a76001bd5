//! Recipe → [`Plan`], without a network.
//!
//! A plan is concrete: no template is left, every name is complete, every path is parsed. It is a document: what
//! `recipe plan -o json` prints is what `recipe apply` executes. The work itself ([`StageWork`]) carries no positions;
//! they stand beside it in [`Places`](crate::types::Places), so that a comment in the recipe cannot change what the work's digest is.

mod context;
mod lock;
mod model;
mod resolve;
mod warnings;

pub(crate) use context::{ContextSource, LayerChoice};
pub use lock::{Lock, Locked, LockedFile, lock_file_of};
pub(crate) use lock::{LockChange, LockedBase, is_lock_file, read_lock};
pub use model::{FORMAT_VERSION, Plan};
pub(crate) use model::{PassedOver, PlannedStage, StageWork};
pub(crate) use resolve::{DEFAULT_CLUSTER_REGISTRY, StageSketch, survey};
pub use resolve::{Narrowing, resolve};
pub(crate) use warnings::{doubtful_charts, doubtful_runs};
