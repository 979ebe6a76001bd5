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

pub use context::{ContextSource, LayerChoice};
pub use lock::{
    LOCK_VERSION, Lock, LockChange, Locked, LockedBase, LockedFile, NameError, is_lock_file, lock_file_of, read_lock,
};
pub use model::{FORMAT_VERSION, PassedOver, Plan, PlannedStage, StageWork};
pub use resolve::{DEFAULT_CLUSTER_REGISTRY, Narrowing, StageSketch, Survey, resolve, survey};
pub use warnings::{doubtful_charts, doubtful_runs};
