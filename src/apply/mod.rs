//! Runs a [`Plan`](crate::plan::Plan) exactly as it is.
//!
//! The plan's lock decides on inputs ([`Plan::inputs`](crate::plan::Plan::inputs)). The report has the inputs that were
//! used in addition, so that they can be locked.
//!
//! First, it asks for everything that the plan names from outside, so that all failures are reported together, each
//! with its line. Then, for each stage, it gathers the context, changes it and builds. When all stages are done, it
//! commits the images together; until then, the store is as it was.

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
