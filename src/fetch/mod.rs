//! A URL → a verified file in the cache.
//!
//! Mirrors that the user named are asked before the URL itself. What a URL without digest gave is remembered with the
//! name that its server has for it (`ETag`, `Last-Modified`), and only fetched again when that changed.

mod error;
mod fetcher;
mod url_mirror;

pub use error::FetchError;
pub use fetcher::{FetchedFile, Fetcher};
pub use url_mirror::{MirrorError, UrlMirror};
