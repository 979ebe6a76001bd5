//! A URL → a verified file in the cache.
//!
//! The user's mirrors are tried before the URL itself. The content of a URL without digest is stored with the server's
//! version (`ETag`, `Last-Modified`), and only fetched again when that changed.

mod error;
mod fetcher;
mod url_mirror;

pub use error::FetchError;
pub use fetcher::{FetchedFile, Fetcher};
pub use url_mirror::{MirrorError, UrlMirror};
