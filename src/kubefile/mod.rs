//! A Kubefile's text → [`Kubefile`], where a COPY puts things, what ARGs stand for. Pure.
//!
//! The format is sealer's own: `FROM image|scratch` first (ARG may be before it), then COPY, RUN, CMD and ARG; names
//! are case-insensitive; a comment is a line that starts with `#`; `\` at the end of a line continues it. Texts that
//! make sealer panic (an empty file, `COPY a`, a second FROM) are errors here.

mod args;
mod copy;
mod parse;
mod remote;

pub(crate) use args::{Replaced, parse_build_args, replace_args};
pub(crate) use copy::{CopyDestination, CopySource};
pub(crate) use parse::{Base, Instruction, Kubefile, parse};
pub(crate) use remote::RemoteFile;

/// The most layers of an image: the base's plus COPY and RUN, as sealer counts them.
pub(crate) const MAX_LAYERS: usize = 128;
