//! Requests over HTTP: who is trusted, what is tried again, and downloads into the cache.

mod body;
mod cause;
mod certificates;
mod client;
mod download;
mod error;
mod proxies;
mod request_url;
mod retry;
mod tls;

pub(crate) use body::{BlobContent, Content};
pub use cause::TlsFault;
pub use certificates::CertificatePlaces;
pub use client::{Http, HttpConfig, Trust};
pub(crate) use client::{Request, Response};
pub(crate) use download::{Fetched, Outcome, STATUSES, Source, Wanted};
pub use error::{ErrorBody, HttpError};
pub use proxies::doubtful_proxies;
pub use request_url::RequestUrl;
pub(crate) use request_url::authority;
pub(crate) use retry::Attempts;
pub use retry::{Patience, RetryPolicy};
