//! Requests over HTTP: who is trusted, what is tried again, and downloads into the cache.

mod body;
mod cause;
mod certificates;
mod client;
mod download;
pub(super) mod error;
mod proxies;
mod request_url;
mod retry;
mod tls;
mod trust;

pub(crate) use body::{BlobContent, Content};
pub(crate) use certificates::CertificatePlaces;
pub use client::{Http, HttpConfig};
pub(crate) use client::{Request, Response};
pub(crate) use download::{Fetched, Outcome, STATUSES, Source, Wanted};
pub(crate) use error::HttpError;
pub(crate) use proxies::doubtful_proxies;
pub(crate) use request_url::RequestUrl;
pub(crate) use request_url::authority;
pub(crate) use retry::Attempts;
pub(crate) use retry::Patience;
pub use retry::RetryPolicy;
pub(crate) use trust::Trust;
