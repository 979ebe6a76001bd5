//! Streams → streams; knows nothing about images.
//!
//! ```text
//! untrusted archive  ──Spool::fill (guards, budgets)──▶ Members + data at offsets ──replace (contract)──▶ pack ──▶ the same bytes every time
//! ```
//!
//! Nothing here touches the file system by name: temporary data is in a scratch file from the caller, and every entry
//! is either stored or refused by its name.

mod blocks;
mod breach;
mod compression;
mod contract;
mod decompressed;
mod encoders;
mod error;
mod gzip;
mod member;
mod members;
mod pack;
mod packed_form;
mod program;
mod replace;
mod spool;

#[cfg(test)]
mod attack_tests;
#[cfg(test)]
mod forge;

pub(crate) use compression::Compression;
pub(crate) use decompressed::Decompressed;
pub(crate) use error::ArchiveError;
pub(crate) use gzip::GzipWriter;
pub(crate) use member::{Member, MemberKind};
pub(crate) use packed_form::PackedForm;
pub(crate) use replace::{ReplaceOptions, ReplaceReport, replace};
pub(crate) use spool::Spool;
