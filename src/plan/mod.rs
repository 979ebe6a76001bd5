//! Recipe → [`Plan`], without the network.
//!
//! A plan is concrete: it has no templates, every name is complete, every path is parsed. It is a document: `recipe
//! apply` executes exactly what `recipe plan -o json` prints. The work itself ([`StageWork`]) has no positions. They
//! are next to it in [`Places`](crate::types::Places), so a comment in the recipe cannot change the digest of the work.

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
