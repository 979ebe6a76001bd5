//! Carries out a [`Plan`](crate::plan::Plan), exactly as it stands.
//!
//! What the plan's lock says of inputs holds ([`Plan::inputs`](crate::plan::Plan::inputs)); what was used beyond it is in the
//! report, to be locked.
//!
//! First everything that the plan names from outside is asked for at once, so that all that cannot be had is reported
//! together, each with its line. Then stage after stage: gather the context, change it, build. When every stage is whole,
//! the images are committed together; until then the store is as it was.

mod closed;
mod context;
mod directory;
mod gather;
mod inputs;
mod lock;
mod report;
mod run;

pub(crate) use closed::{StepBehind, stage_of, steps_behind};
pub(crate) use context::{layers_of, take};
pub(crate) use lock::{Inputs, look_up};
pub(crate) use report::{Moved, Report, StepStatus};
pub(crate) use run::Applier;
pub(crate) use run::STAGE_ANNOTATION;
pub(crate) use run::instruction_route;
