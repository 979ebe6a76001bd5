//! The small records next to the blobs: the last answer of each URL.

use std::io::Write as _;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::CacheError;
use crate::types::Digest;

/// The version of the records' form; another one is a miss.
const FORMAT: u32 = 1;

/// The most bytes of a record; a longer file is ignored.
const LIMIT: u64 = 64 * 1024;

/// What a URL gave when it was last asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UrlRecord {
    /// The URL without query string and credentials, for people.
    pub url: String,
    /// The digest of what it gave.
    pub digest: Digest,
    /// Bytes of what it gave.
    pub size: u64,
    /// The server's `ETag`, as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// The server's `Last-Modified`, as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Versioned<T> {
    format: u32,
    #[serde(flatten)]
    record: T,
}

/// Reads a record; a malformed record is ignored.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Option<T> {
    if fs_err::metadata(path).ok()?.len() > LIMIT {
        return None;
    }
    let bytes = fs_err::read(path).ok()?;
    match serde_json::from_slice::<Versioned<T>>(&bytes) {
        Ok(Versioned { format: FORMAT, record }) => Some(record),
        Ok(_) => None,
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "this record of the cache is damaged and is ignored");
            None
        }
    }
}

/// Writes a record; a reader sees the old one or the new one.
pub(super) fn write<T: Serialize>(path: &Path, staging: &Path, record: T) -> Result<(), CacheError> {
    let mut bytes =
        serde_json::to_vec_pretty(&Versioned { format: FORMAT, record }).expect("strings and numbers are always JSON");
    bytes.push(b'\n');
    let mut staged = tempfile::Builder::new().prefix(super::blob_writer::PART_PREFIX).tempfile_in(staging)?;
    staged.write_all(&bytes)?;
    staged.as_file().sync_all()?;
    staged.persist(path).map_err(|failed| failed.error)?;
    Ok(())
}
