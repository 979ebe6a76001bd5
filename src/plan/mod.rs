//! Recipe → [`Plan`], without a network.
//!
//! A plan is concrete: no template is left, every name is complete, every path is parsed. It is a document: what
//! `recipe plan -o json` prints is what `recipe apply` executes. The work itself ([`StageWork`]) carries no positions;
//! they stand beside it in [`Places`], so that a comment in the recipe cannot change what the work's digest is.

mod context;
mod file_mode;
mod file_steps;
mod lock;
mod model;
mod places;
mod resolve;
mod step_files;
mod warnings;

pub use context::{ContextSource, LayerChoice};
pub use file_mode::{FileMode, FileModeError};
pub use file_steps::{Chmod, CopyFile, Download, MovePath, Remove, ReplaceText, Symlink, WriteFile};
pub use lock::{
    LOCK_VERSION, Lock, LockChange, Locked, LockedBase, LockedFile, NameError, is_lock_file, lock_file_of, read_lock,
};
pub use model::{
    ArchiveSource, FORMAT_VERSION, ListEntry, PassedOver, Plan, PlannedStage, PlannedStep, StageWork, registry_path,
};
pub use places::{Places, Route};
pub use resolve::{DEFAULT_CLUSTER_REGISTRY, Narrowing, StageSketch, Survey, resolve, survey};
pub use step_files::{FieldPaths, StepFiles};
pub use warnings::{doubtful_charts, doubtful_runs};
