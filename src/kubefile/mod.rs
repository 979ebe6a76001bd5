//! Floor 3, kubefile: a Kubefile's text → [`Kubefile`], and where a COPY puts things. Pure.
//!
//! The format is sealer's own: `FROM image|scratch` first (ARG may stand before it), then COPY, RUN, CMD and ARG; names
//! are case-insensitive; a comment is a line that starts with `#`; `\` at the end of a line continues it. What makes
//! sealer panic (an empty file, `COPY a`, a second FROM) is an error here.

mod copy;
mod parse;

pub use copy::{CopyDestination, CopySource};
pub use parse::{Base, Instruction, Kubefile, parse};

/// The most layers that an image may have: the base's with COPY and RUN, as sealer counts them.
pub const MAX_LAYERS: usize = 128;
