//! What applying a plan would do, for people, for a change request and for machines.
//!
//! Nothing is guessed. What can be done without a network is done, by the very code of [`apply`](crate::apply): context
//! entries are gathered from the layers that the store has, steps run whose inputs are in the cache, COPYs are carried out
//! and searched for images. All of it happens in a temporary folder that is gone afterwards, and what it made is compared
//! with what was there before. What depends on something that is not at hand is said to be known later, and when.
//!
//! Neither store nor cache is written, and neither is made where it is not there; nothing is asked of any host.

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
