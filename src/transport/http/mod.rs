//! Requests over HTTP: who is trusted, what is tried again, and downloads into the cache.

mod body;
mod cause;
mod certificates;
mod client;
mod download;
mod error;
mod proxies;
mod retry;

pub(crate) use body::{BlobContent, Content};
pub use certificates::CertificatePlaces;
pub use client::{Http, HttpConfig, Trust};
pub(crate) use client::{Request, Response};
pub(crate) use download::{Fetched, Outcome, STATUSES, Source, Wanted};
pub use error::HttpError;
pub use proxies::doubtful_proxies;
pub(crate) use retry::Attempts;
pub use retry::{Patience, RetryPolicy};
