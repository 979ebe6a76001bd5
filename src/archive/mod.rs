//! Streams → streams; knows nothing of images.
//!
//! ```text
//! stranger's archive ──Spool::fill (guards, budgets)──▶ Members + data at offsets ──replace (contract)──▶ pack ──▶ the same bytes every time
//! ```
//!
//! Nothing here touches the file system by name: what must be kept on the way lies in a scratch file that the caller
//! hands in, and every entry is either stored or refused by its name.

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
