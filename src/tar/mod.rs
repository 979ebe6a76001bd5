//! Tar streams: one strict reader and one writer, on the headers of the `tar` crate.
//!
//! ```text
//! untrusted stream  ──Entries (policy, budgets)──▶ Entry + content, one after the other
//! Header ──blocks(dialect)──▶ bytes that depend on names, modes and contents alone
//! ```
//!
//! The crate gives the layout of a header and no more: its own numbers, names and PAX records are lenient, its reader
//! cannot tell an end mark from an early end, and its errors have no types. If two readers could read a stream
//! differently, it is refused: every entry is either returned, or refused by its name.

mod budget;
mod entry_path;
mod error;
mod header;
mod limits;
mod pax;
mod policy;
mod reader;
mod writer;

#[cfg(test)]
pub(crate) mod corpus;
#[cfg(test)]
pub(crate) mod forge;
#[cfg(test)]
mod tests;

pub(crate) use entry_path::EntryPath;
pub(crate) use error::shown;
pub(crate) use error::{Refusal, TarError};
pub(crate) use limits::Limits;
pub(crate) use policy::Policy;
pub(crate) use reader::{Entries, Entry, EntryKind};
pub use writer::TarWriter;
pub(crate) use writer::{Dialect, Header};

/// Bytes of a header, and of the unit to which content is padded.
pub(crate) const BLOCK: usize = 512;
