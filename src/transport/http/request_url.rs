//! The URL of a request, for errors.

use std::fmt;
use std::sync::Arc;

use url::{Position, Url};

use crate::transport::text::redacted_url;

/// The requested URL, and the origin of the last redirect. Messages show neither query nor login, because these may
/// contain secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestUrl {
    asked: Arc<Url>,
    redirected: Option<Arc<Url>>,
}

impl RequestUrl {
    pub(crate) fn new(asked: &Url) -> Self {
        Self { asked: Arc::new(asked.clone()), redirected: None }
    }

    /// The same, led on to `next`.
    pub(super) fn redirected(self, next: &Url) -> Self {
        let redirected = (next.origin() != self.asked.origin()).then(|| Arc::new(next.clone()));
        Self { redirected, ..self }
    }

    pub(crate) fn asked(&self) -> &Url {
        &self.asked
    }

    /// Whether a redirect led to another origin.
    pub(crate) fn is_redirected(&self) -> bool {
        self.redirected.is_some()
    }

    /// `HOST[:PORT]` of the last server: after a redirect, that is the one that failed.
    pub(crate) fn authority(&self) -> &str {
        authority(self.redirected.as_ref().unwrap_or(&self.asked))
    }
}

/// `HOST[:PORT]` of a URL.
pub(crate) fn authority(url: &Url) -> &str {
    &url[Position::BeforeHost..Position::AfterPort]
}

impl fmt::Display for RequestUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&redacted_url(&self.asked))?;
        match &self.redirected {
            Some(url) => write!(f, " (redirected to {})", authority(url)),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for RequestUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
impl From<&str> for RequestUrl {
    fn from(url: &str) -> Self {
        Self::new(&url.parse().unwrap())
    }
}
