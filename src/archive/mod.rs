//! Streams → streams; knows nothing about images.
//!
//! ```text
//! untrusted archive  ──Spool::fill (guards, budgets)──▶ Members + data at offsets ──replace (contract)──▶ pack ──▶ the same bytes every time
//! ```
//!
//! Nothing here touches the file system by name: temporary data is in a scratch file from the caller, and every entry
//! is either stored or refused by its name.

mod blocks;
mod compression;
mod contract;
mod decompressed;
mod encoders;
mod error;
mod gzip;
mod member;
mod members;
mod pack;
mod program;
mod replace;
mod spool;

#[cfg(test)]
mod attack_tests;
#[cfg(test)]
mod forge;

pub use blocks::{BlockCodec, BlockWriter};
pub use compression::Compression;
pub use contract::Breach;
pub use decompressed::Decompressed;
pub use error::ArchiveError;
pub use gzip::{Gzip, GzipWriter};
pub use member::{Member, MemberKind};
pub use pack::{PackContent, PackEntry, PackedForm, pack};
pub use replace::{ReplaceOptions, ReplaceReport, replace};
pub use spool::{Spool, SpoolSlice};
