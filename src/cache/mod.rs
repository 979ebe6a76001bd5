//! Downloads and blobs; the only code that writes below the cache folder.
//!
//! ```text
//! CACHE/                          0700; a missing one is made
//! ├── blobs/sha256/<hex>          bytes whose sha256 is <hex>: files, layers, configs, manifests
//! ├── urls/<sha256 of URL>.json   what a URL gave last: {format, url, digest, size, etag, lastModified}
//! │                               or, under `layer <id> as gzip`, the blob that a layer of the store is packed as
//! ├── diff/                       what `recipe diff` unpacks, gone when it is done
//! └── staging/.part-<random>      what is being written; held by flock for as long as its writer lives
//! ```
//!
//! What always holds:
//!
//! - A name below `blobs/` appears by rename, when its bytes are hashed and flushed. Several processes may write the
//!   same blob; the last rename wins, and both wrote the same.
//! - Nothing in the cache is trusted when it is read: the size is compared when a blob is looked up, the digest while
//!   it is read ([`Cache::open_verified`]). A damaged blob counts as absent and is written anew.
//! - Records below `urls/` hold no query string and no credentials. One that cannot be read is a miss.
//! - Losing any of it costs time, never content: a rename that a power cut takes back is a miss.
//! - A staging file whose writer died is removed by the next one who opens the cache.

mod blob_reader;
mod blob_writer;
mod error;
mod records;
mod store;

pub(crate) use blob_reader::BlobReader;
pub(crate) use blob_writer::BlobWriter;
pub use blob_writer::Expected;
pub(crate) use error::CacheError;
pub(crate) use records::UrlRecord;
pub use store::Cache;
pub(crate) use store::Look;
