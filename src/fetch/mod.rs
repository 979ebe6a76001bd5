//! A URL → a verified file in the cache.
//!
//! The user's mirrors are tried before the URL itself. The content of a URL without digest is stored with the server's
//! version (`ETag`, `Last-Modified`), and only fetched again when that changed.

mod error;
mod fetcher;
mod url_mirror;

pub(crate) use error::FetchError;
pub(crate) use fetcher::FetchedFile;
pub use fetcher::Fetcher;
pub use url_mirror::UrlMirror;
