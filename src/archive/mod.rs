//! Floor 3, archive: streams → streams; knows nothing of images.
//!
//! ```text
//! stranger's archive ──Spool::fill (guards, budgets)──▶ Members + data at offsets ──replace (contract)──▶ pack ──▶ the same bytes every time
//! ```
//!
//! Nothing here touches the file system by name: what must be kept on the way lies in a scratch file that the caller
//! hands in, and every entry is either stored or refused by its name.

mod compression;
mod contract;
mod entry_path;
mod error;
mod gzip;
mod header;
mod limits;
mod member;
mod pack;
mod pax;
mod program;
mod reader;
mod replace;
mod spool;
mod tar_writer;

#[cfg(test)]
mod attack_tests;
#[cfg(test)]
mod forge;

pub use compression::{Compression, Decompressed};
pub use contract::Breach;
pub use entry_path::EntryPath;
pub use error::{ArchiveError, Refusal};
pub use gzip::GzipWriter;
pub use limits::Limits;
pub use member::{Member, MemberKind};
pub use pack::{PackContent, PackEntry, PackedForm, pack};
pub use replace::{ReplaceOptions, ReplaceReport, replace};
pub use spool::{Spool, SpoolSlice};
pub use tar_writer::TarWriter;
