//! Why a request over HTTP failed.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::RequestUrl;
use super::cause::{Cause, TlsFault};
use crate::cache::CacheError;
use crate::transport::auth::CredentialsError;
use crate::transport::text::one_line;
use crate::types::{FailureKind, Reportable as _};

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
        url: RequestUrl,
        /// The proxy, without the login that the user gave for it.
        proxy: String,
        /// Why.
        reason: String,
    },
    /// The proxy on the way wants to know who asks.
    #[error("{url}: the proxy {proxy} asks for a login, or does not take the one that it was given")]
    ProxyLogin {
        /// Where to.
        url: RequestUrl,
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
        url: RequestUrl,
    },
    /// No connection.
    #[error("{url}: cannot connect: {reason}")]
    Connect {
        /// Where to.
        url: RequestUrl,
        /// Why.
        reason: String,
    },
    /// The other side is not trusted, or does not speak TLS.
    #[error("{url}: no trusted connection: {fault}")]
    Tls {
        /// Where to.
        url: RequestUrl,
        /// Why.
        fault: TlsFault,
    },
    /// No byte came for a while.
    #[error("{url}: nothing came for {} s", .limit.as_secs_f32())]
    Stalled {
        /// Where from.
        url: RequestUrl,
        /// How long was waited.
        limit: Duration,
    },
    /// The connection broke.
    #[error("{url}: the connection broke: {reason}")]
    Broken {
        /// Where to.
        url: RequestUrl,
        /// Why.
        reason: String,
    },
    /// The body ended, but too early.
    #[error("{url}: it ended after {found} of {expected} bytes")]
    Ended {
        /// Where from.
        url: RequestUrl,
        /// Bytes that it should have.
        expected: u64,
        /// Bytes that came.
        found: u64,
    },
    /// The rest was asked for and something else came.
    #[error("{url}: asked for the rest from byte {from}, the server answered {answer}")]
    Range {
        /// Where from.
        url: RequestUrl,
        /// The first byte that was missing.
        from: u64,
        /// What came.
        answer: String,
    },
    /// A status that means no.
    #[error("{url}: the server answered {status}{body}")]
    Status {
        /// Where from.
        url: RequestUrl,
        /// The status.
        status: u16,
        /// What the server said to it.
        body: ErrorBody,
        /// `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// A redirect that is not followed.
    #[error("{url}: {reason}")]
    Redirect {
        /// Where from.
        url: RequestUrl,
        /// Why it is not followed.
        reason: String,
    },
    /// A document that is too long to be one.
    #[error("{url}: longer than the {limit} bytes that such a document may have")]
    TooLong {
        /// Where from.
        url: RequestUrl,
        /// The limit in bytes.
        limit: u64,
    },
    /// Something came that it should not be.
    #[error("{url} did not give what was expected")]
    Wrong {
        /// Where from.
        url: RequestUrl,
        /// What was expected and found.
        source: CacheError,
    },
    /// The answer is of no use.
    #[error("{url}: {reason}")]
    Answer {
        /// Where from.
        url: RequestUrl,
        /// Why.
        reason: String,
    },
    /// What came could not be kept.
    #[error(transparent)]
    Cache(#[from] CacheError),
}

/// What a refusal says, where it speaks as registries do. Format: distribution-spec `spec.md`, "Error codes".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErrorBody {
    /// `BLOB_UPLOAD_UNKNOWN`; may be empty.
    pub code: String,
    /// The code and what it means, on one line; may be empty.
    pub reason: String,
}

impl ErrorBody {
    pub(super) fn read(body: &[u8]) -> Self {
        let value: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |key: &str| value["errors"][0][key].as_str().unwrap_or_default();
        Self { code: text("code").to_owned(), reason: one_line(&format!("{} {}", text("code"), text("message"))) }
    }
}

impl fmt::Display for ErrorBody {
    /// As it goes on after a status.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.reason.is_empty() { Ok(()) } else { write!(f, ", {}", self.reason) }
    }
}

// It is not `Reportable`: how a mirror is named depends on who asked.
impl HttpError {
    /// What became of a request, in our words; `proxy` is who it went through.
    pub(super) fn from_client(error: &reqwest::Error, url: RequestUrl, proxy: Option<&str>) -> Self {
        let proxy = proxy.map(str::to_owned);
        match (Cause::of(error), proxy) {
            (Cause::ProxyLogin, Some(proxy)) => Self::ProxyLogin { url, proxy },
            (Cause::Other(reason), Some(proxy)) if error.is_connect() => Self::Proxy { url, proxy, reason },
            // As of TLS 1.3 a client certificate is asked for when the connection stands for us already.
            (Cause::Tls(fault), _) if error.is_connect() || fault == TlsFault::ClientCertificate => {
                Self::Tls { url, fault }
            }
            (Cause::Tls(fault), _) => Self::Broken { url, reason: fault.to_string() },
            (Cause::Other(_), None) if error.is_connect() && error.is_timeout() => {
                Self::Connect { url, reason: "timed out".to_owned() }
            }
            (Cause::Other(reason), None) if error.is_connect() => Self::Connect { url, reason },
            (Cause::Other(reason), _) => Self::Broken { url, reason },
            (Cause::ProxyLogin, None) => Self::Connect { url, reason: "a proxy asks for a login".to_owned() },
        }
    }

    /// Whether the same request may go well a little later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Status { status, .. } => matches!(status, 408 | 429 | 500..=599),
            error => matches!(
                error,
                Self::Connect { .. }
                    | Self::Proxy { .. }
                    | Self::Stalled { .. }
                    | Self::Broken { .. }
                    | Self::Ended { .. }
                    | Self::Range { .. }
            ),
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
                format!("is the server up, and is `{}` the right place? {mirror}", url.authority())
            }
            Self::Tls { url, fault: TlsFault::NoTls } => format!(
                "does `{0}` speak http? nobody is asked so unless you say it: `[[registry]]`, `location = \"{0}\"`, \
                 `insecure = true` in registries.conf",
                url.authority()
            ),
            Self::Tls { url, fault: TlsFault::ClientCertificate } => format!(
                "it and its key belong into `/etc/containers/certs.d/{0}/client.cert` and `client.key` \
                 (`~/.config/containers/certs.d/{0}`)",
                url.authority()
            ),
            Self::Tls { url, .. } => format!(
                "is `{0}` the right place? a CA of your own belongs into the system's store of certificates, or for this \
                 host alone into `/etc/containers/certs.d/{0}/ca.crt` (`~/.config/containers/certs.d/{0}/ca.crt`)",
                url.authority()
            ),
            Self::Stalled { .. } | Self::Broken { .. } | Self::Ended { .. } | Self::Range { .. } => {
                format!("run the command again, what is complete is kept; {mirror}")
            }
            Self::Status { .. } if self.is_transient() => format!("run the command again later; {mirror}"),
            Self::TooLong { .. } | Self::Wrong { .. } => {
                "is the digest right? else somebody on the way, a mirror or a proxy, gives something else".to_owned()
            }
            _ => return None,
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
            _ => FailureKind::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_names_the_place() {
        let url = RequestUrl::from("http://127.0.0.1:1/v2/x");
        let connect = HttpError::Connect { url: url.clone(), reason: String::new() };
        insta::assert_snapshot!(connect.help("M can name a mirror").unwrap(), @"is the server up, and is `127.0.0.1:1` the right place? M can name a mirror");
        let elsewhere = url.clone().redirected(&"https://other/x".parse().unwrap());
        let tls = |fault| HttpError::Tls { url: elsewhere.clone(), fault }.help("").unwrap();
        assert!(tls(TlsFault::Certificate("")).starts_with("is `other` the right place?"));
        assert!(tls(TlsFault::NoTls).starts_with("does `other` speak http?"));
        let status =
            |status| HttpError::Status { url: url.clone(), status, body: ErrorBody::default(), retry_after: None };
        assert_eq!((status(404).help(""), status(503).help("").is_some()), (None, true));
    }
}
