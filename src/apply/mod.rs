//! Floor 8, apply: carries out a [`Plan`](crate::plan::Plan), exactly as it stands.
//!
//! First everything that the plan names from outside is asked for at once, so that all that cannot be had is reported
//! together, each with its line. Then stage after stage: gather the context, change it, build. When every stage is whole,
//! the images are committed together; until then the store is as it was.

mod context;
mod directory;
mod gather;
mod report;
mod rootfs;
mod run;

pub use context::{EntryFailure, layers_of, take};
pub use report::{Report, StepReport, StepStatus};
pub use run::Applier;
