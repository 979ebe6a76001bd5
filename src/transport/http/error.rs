//! Why a request over HTTP failed.

use std::path::PathBuf;
use std::time::Duration;

use super::cause::{CLIENT_CERTIFICATE, NO_TLS, Words, reason};
use crate::cache::CacheError;
use crate::transport::auth::CredentialsError;
use crate::words::FailureKind;

/// Why a request over HTTP failed. URLs are without query string and credentials.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The client could not be made: no CA certificates on this machine, mostly.
    #[error("https cannot be used here: {0}")]
    Setup(String),
    /// The user's certificates for a host cannot be used.
    #[error("the certificates in `{}` cannot be used: {reason}", .path.display())]
    Certificates {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// It cannot be known who the user is.
    #[error(transparent)]
    Login(CredentialsError),
    /// The proxy on the way cannot be reached, or does not lead there.
    #[error("{url}: cannot connect through the proxy {proxy}: {reason}")]
    Proxy {
        /// Where to.
        url: String,
        /// The proxy, without the login that the user gave for it.
        proxy: String,
        /// Why.
        reason: String,
    },
    /// The proxy on the way wants to know who asks.
    #[error("{url}: the proxy {proxy} asks for a login, or does not take the one that it was given")]
    ProxyLogin {
        /// Where to.
        url: String,
        /// The proxy, without the login that the user gave for it.
        proxy: String,
    },
    /// A text is no URL of a server.
    #[error("`{text}` is no URL that can be asked: {reason}")]
    Url {
        /// The text.
        text: String,
        /// Why it is none.
        reason: String,
    },
    /// The network is switched off.
    #[error("{url} is not asked: the network is switched off")]
    Offline {
        /// Where to.
        url: String,
    },
    /// No connection.
    #[error("{url}: cannot connect: {reason}")]
    Connect {
        /// Where to.
        url: String,
        /// Why.
        reason: String,
    },
    /// The other side is not trusted, or does not speak TLS.
    #[error("{url}: no trusted connection: {reason}")]
    Tls {
        /// Where to.
        url: String,
        /// Why.
        reason: String,
    },
    /// No byte came for a while.
    #[error("{url}: nothing came for {} s", .limit.as_secs_f32())]
    Stalled {
        /// Where from.
        url: String,
        /// How long was waited.
        limit: Duration,
    },
    /// The connection broke.
    #[error("{url}: the connection broke: {reason}")]
    Broken {
        /// Where to.
        url: String,
        /// Why.
        reason: String,
    },
    /// The body ended, but too early.
    #[error("{url}: it ended after {found} of {expected} bytes")]
    Ended {
        /// Where from.
        url: String,
        /// Bytes that it should have.
        expected: u64,
        /// Bytes that came.
        found: u64,
    },
    /// The rest was asked for and something else came.
    #[error("{url}: asked for the rest from byte {from}, the server answered {answer}")]
    Range {
        /// Where from.
        url: String,
        /// The first byte that was missing.
        from: u64,
        /// What came.
        answer: String,
    },
    /// A status that means no.
    #[error("{url}: the server answered {status}{}", said(.reason))]
    Status {
        /// Where from.
        url: String,
        /// The status.
        status: u16,
        /// What the server said to it, may be empty.
        reason: String,
        /// `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// A redirect that is not followed.
    #[error("{url}: {reason}")]
    Redirect {
        /// Where from.
        url: String,
        /// Why it is not followed.
        reason: String,
    },
    /// A document that is too long to be one.
    #[error("{url}: longer than the {limit} bytes that such a document may have")]
    TooLong {
        /// Where from.
        url: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// Something came that it should not be.
    #[error("{url} did not give what was expected")]
    Wrong {
        /// Where from.
        url: String,
        /// What was expected and found.
        source: CacheError,
    },
    /// The answer is of no use.
    #[error("{url}: {reason}")]
    Answer {
        /// Where from.
        url: String,
        /// Why.
        reason: String,
    },
    /// What came could not be kept.
    #[error(transparent)]
    Cache(#[from] CacheError),
}

fn said(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(", {reason}") }
}

/// `HOST:PORT` of a URL as messages have it.
fn place(url: &str) -> &str {
    // Where a redirect led is where it went wrong.
    if let Some((_, there)) = url.rsplit_once(" (redirected to ") {
        return there.trim_end_matches(')');
    }
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

impl HttpError {
    /// What became of a request, in our words; `proxy` is who it went through.
    pub(crate) fn from_client(error: reqwest::Error, url: &str, proxy: Option<&str>) -> Self {
        let (is_connect, is_timeout) = (error.is_connect(), error.is_timeout());
        let error = error.without_url();
        let Words { reason, is_tls, is_proxy_login } = reason(&error);
        let url = url.to_owned();
        if let (true, Some(proxy)) = (is_proxy_login, proxy) {
            return Self::ProxyLogin { url, proxy: proxy.to_owned() };
        }
        if let (Some(proxy), true, false) = (proxy, is_connect, is_tls) {
            return Self::Proxy { url, proxy: proxy.to_owned(), reason };
        }
        match (is_connect, is_tls) {
            (true, true) => Self::Tls { url, reason },
            // As of TLS 1.3 this comes when the connection stands for us already.
            (false, true) if reason == CLIENT_CERTIFICATE => Self::Tls { url, reason },
            (true, false) if is_timeout => Self::Connect { url, reason: "timed out".to_owned() },
            (true, false) => Self::Connect { url, reason },
            (false, _) => Self::Broken { url, reason },
        }
    }

    /// Whether the same request may go well a little later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Connect { .. }
            | Self::Proxy { .. }
            | Self::Stalled { .. }
            | Self::Broken { .. }
            | Self::Ended { .. }
            | Self::Range { .. } => true,
            Self::Status { status, .. } => matches!(status, 408 | 429 | 500..=599),
            Self::Setup(_)
            | Self::Certificates { .. }
            | Self::Login(_)
            | Self::ProxyLogin { .. }
            | Self::Url { .. }
            | Self::Offline { .. }
            | Self::Tls { .. }
            | Self::Redirect { .. }
            | Self::TooLong { .. }
            | Self::Wrong { .. }
            | Self::Answer { .. }
            | Self::Cache(_) => false,
        }
    }

    /// What to do next, where there is more to say than the message does; `mirror` is how a mirror is named.
    pub(crate) fn help(&self, mirror: &str) -> Option<String> {
        Some(match self {
            Self::Proxy { .. } => {
                "is the proxy up, and does it let this through? `NO_PROXY` names hosts to ask without it".to_owned()
            }
            Self::ProxyLogin { .. } => {
                "write the login into the variable that names the proxy: `http://USER:PASSWORD@HOST:PORT`".to_owned()
            }
            Self::Login(error) => return error.help(),
            Self::Connect { url, .. } => {
                format!("is the server up, and is `{}` the right place? {mirror}", place(url))
            }
            Self::Tls { url, reason } if reason == NO_TLS => format!(
                "does `{0}` speak http? nobody is asked so unless you say it: `[[registry]]`, `location = \"{0}\"`, \
                 `insecure = true` in registries.conf",
                place(url)
            ),
            Self::Tls { url, reason } if reason == CLIENT_CERTIFICATE => format!(
                "it and its key belong into `/etc/containers/certs.d/{0}/client.cert` and `client.key` \
                 (`~/.config/containers/certs.d/{0}`)",
                place(url)
            ),
            Self::Tls { url, .. } => format!(
                "is `{0}` the right place? a CA of your own belongs into the system's store of certificates, or for this \
                 host alone into `/etc/containers/certs.d/{0}/ca.crt` (`~/.config/containers/certs.d/{0}/ca.crt`)",
                place(url)
            ),
            Self::Stalled { .. } | Self::Broken { .. } | Self::Ended { .. } | Self::Range { .. } => {
                format!("run the command again, what is complete is kept; {mirror}")
            }
            Self::Status { .. } if self.is_transient() => format!("run the command again later; {mirror}"),
            Self::TooLong { .. } | Self::Wrong { .. } => {
                "is the digest right? else somebody on the way, a mirror or a proxy, gives something else".to_owned()
            }
            Self::Setup(_)
            | Self::Certificates { .. }
            | Self::Url { .. }
            | Self::Offline { .. }
            | Self::Status { .. }
            | Self::Redirect { .. }
            | Self::Answer { .. }
            | Self::Cache(_) => return None,
        })
    }

    /// The kind of failure.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        match self {
            _ if self.is_transient() => FailureKind::Retry,
            Self::TooLong { .. } => FailureKind::Verification,
            Self::Wrong { source, .. } | Self::Cache(source) => source.kind(),
            Self::Login(error) => error.kind(),
            Self::Setup(_)
            | Self::Certificates { .. }
            | Self::Proxy { .. }
            | Self::ProxyLogin { .. }
            | Self::Url { .. }
            | Self::Offline { .. }
            | Self::Connect { .. }
            | Self::Tls { .. }
            | Self::Stalled { .. }
            | Self::Broken { .. }
            | Self::Ended { .. }
            | Self::Range { .. }
            | Self::Status { .. }
            | Self::Redirect { .. }
            | Self::Answer { .. } => FailureKind::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_names_the_place() {
        let (url, reason) = ("http://127.0.0.1:1/v2/x", String::new());
        let connect = HttpError::Connect { url: url.to_owned(), reason: reason.clone() };
        insta::assert_snapshot!(connect.help("M can name a mirror").unwrap(), @"is the server up, and is `127.0.0.1:1` the right place? M can name a mirror");
        assert!(
            HttpError::Tls { url: url.to_owned(), reason: reason.clone() }.help("").unwrap().contains("`127.0.0.1:1`")
        );
        let status =
            |status| HttpError::Status { url: url.to_owned(), status, reason: String::new(), retry_after: None };
        assert_eq!((status(404).help(""), status(503).help("").is_some()), (None, true));
    }
}
