//! Shows what applying a plan would do, for people, for a change request and for machines.
//!
//! It does not guess. It does everything that works without the network, with the same code as [`apply`](crate::apply):
//! it gathers context entries from the layers in the store, runs the steps whose inputs are in the cache, runs COPYs
//! and searches their files for images. All of this happens in a temporary folder that is removed afterwards. The
//! result is compared with the state before. If something depends on a missing input, the preview says when it will be
//! known.
//!
//! It does not write to the store or the cache, does not create them, and does not ask any host.

mod changes;
mod inputs;
mod markdown;
mod model;
mod offline;
mod preview_maker;
mod say;
mod snapshot;
mod space;
mod stage;
mod steps;
mod text;

pub(crate) use changes::{Change, ChangeKind, Facts};
pub(crate) use inputs::{Input, InputState, Pin};
pub(crate) use markdown::markdown;
pub(crate) use model::{
    BuildPreview, CachedPreview, EntryPreview, InstructionPreview, Preview, StagePreview, StepPreview, TakenLayer,
    Verdict,
};
pub(crate) use preview_maker::{Beside, preview};
pub(crate) use space::{Need, Space, Totals};
pub(crate) use text::{Style, text};
