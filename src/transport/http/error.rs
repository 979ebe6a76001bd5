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
    /// The client could not be made, usually because this machine has no CA certificates.
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
    /// The proxy cannot be reached, or does not connect to the server.
    #[error("{url}: cannot connect through the proxy {proxy}: {reason}")]
    Proxy {
        /// The URL of the request.
        url: RequestUrl,
        /// The proxy, without the login that the user gave for it.
        proxy: String,
        /// Why.
        reason: String,
    },
    /// The proxy asks for a login.
    #[error("{url}: the proxy {proxy} asks for a login, or does not accept the login that it got")]
    ProxyLogin {
        /// The URL of the request.
        url: RequestUrl,
        /// The proxy, without the login that the user gave for it.
        proxy: String,
    },
    /// A text is not a URL of a server.
    #[error("`{text}` is not a valid URL: {reason}")]
    Url {
        /// The text.
        text: String,
        /// Why it is not one.
        reason: String,
    },
    /// The network is switched off.
    #[error("{url} cannot be reached: the network is switched off")]
    Offline {
        /// The URL of the request.
        url: RequestUrl,
    },
    /// No connection.
    #[error("{url}: cannot connect: {reason}")]
    Connect {
        /// The URL of the request.
        url: RequestUrl,
        /// Why.
        reason: String,
    },
    /// The other side is not trusted, or does not speak TLS.
    #[error("{url}: no trusted connection: {fault}")]
    Tls {
        /// The URL of the request.
        url: RequestUrl,
        /// Why.
        fault: TlsFault,
    },
    /// No byte came for a while.
    #[error("{url}: no data for {} s", .limit.as_secs_f32())]
    Stalled {
        /// The URL of the request.
        url: RequestUrl,
        /// How long was waited.
        limit: Duration,
    },
    /// The connection broke.
    #[error("{url}: the connection broke: {reason}")]
    Broken {
        /// The URL of the request.
        url: RequestUrl,
        /// Why.
        reason: String,
    },
    /// The body ended, but too early.
    #[error("{url}: the answer ended after {found} of {expected} bytes")]
    Ended {
        /// The URL of the request.
        url: RequestUrl,
        /// Bytes that it should have.
        expected: u64,
        /// Bytes that came.
        found: u64,
    },
    /// The request for the rest got another answer.
    #[error("{url}: the request for the rest from byte {from} got the answer {answer}")]
    Range {
        /// The URL of the request.
        url: RequestUrl,
        /// The first byte that was missing.
        from: u64,
        /// The answer, in words.
        answer: String,
    },
    /// A status that means an error.
    #[error("{url}: the server answered {status}{body}")]
    Status {
        /// The URL of the request.
        url: RequestUrl,
        /// The status.
        status: u16,
        /// The server's explanation.
        body: ErrorBody,
        /// `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// A redirect that is not followed.
    #[error("{url}: {reason}")]
    Redirect {
        /// The URL of the request.
        url: RequestUrl,
        /// Why it is not followed.
        reason: String,
    },
    /// A document that is too long to be one.
    #[error("{url}: the answer is longer than {limit} bytes, the limit for such a document")]
    TooLong {
        /// The URL of the request.
        url: RequestUrl,
        /// The limit in bytes.
        limit: u64,
    },
    /// The content is not what was expected.
    #[error("{url} returned something unexpected")]
    Wrong {
        /// The URL of the request.
        url: RequestUrl,
        /// The two digests or sizes.
        source: CacheError,
    },
    /// The answer cannot be used.
    #[error("{url}: {reason}")]
    Answer {
        /// The URL of the request.
        url: RequestUrl,
        /// Why.
        reason: String,
    },
    /// The content could not be stored.
    #[error(transparent)]
    Cache(#[from] CacheError),
}

/// The body of an error, if it has the format of registries. Format: distribution-spec `spec.md`, "Error codes".
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
    /// The text that follows a status.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.reason.is_empty() { Ok(()) } else { write!(f, ", {}", self.reason) }
    }
}

// It is not `Reportable`: how a mirror is named depends on who asked.
impl HttpError {
    /// Translates a client's error; `proxy` is the proxy that was used.
    pub(super) fn from_client(error: &reqwest::Error, url: RequestUrl, proxy: Option<&str>) -> Self {
        let proxy = proxy.map(str::to_owned);
        match (Cause::of(error), proxy) {
            (Cause::ProxyLogin, Some(proxy)) => Self::ProxyLogin { url, proxy },
            (Cause::Other(reason), Some(proxy)) if error.is_connect() => Self::Proxy { url, proxy, reason },
            // With TLS 1.3, the server asks for a client certificate after the handshake is done for us.
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

    /// Whether the same request may succeed a little later.
    #[must_use]
    pub(crate) fn is_transient(&self) -> bool {
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

    /// What to do next, if there is more to say than the message does; `mirror` says how to name a mirror.
    pub(crate) fn help(&self, mirror: &str) -> Option<String> {
        Some(match self {
            Self::Proxy { .. } => {
                "check that the proxy is up and allows this connection; `NO_PROXY` lists hosts that need no proxy"
                    .to_owned()
            }
            Self::ProxyLogin { .. } => {
                "add the login to the variable that names the proxy: `http://USER:PASSWORD@HOST:PORT`".to_owned()
            }
            Self::Login(error) => return error.help(),
            Self::Connect { url, .. } => {
                format!("check that the server is up and that `{}` is the right address; {mirror}", url.authority())
            }
            Self::Tls { url, fault: TlsFault::NoTls } => format!(
                "if `{0}` speaks http, allow it in registries.conf: `[[registry]]`, `location = \"{0}\"`, \
                 `insecure = true`",
                url.authority()
            ),
            Self::Tls { url, fault: TlsFault::ClientCertificate } => format!(
                "put it and its key into `/etc/containers/certs.d/{0}/client.cert` and `client.key` \
                 (`~/.config/containers/certs.d/{0}`)",
                url.authority()
            ),
            Self::Tls { url, .. } => format!(
                "check that `{0}` is the right address; put your own CA into the system's certificate store, or for \
                 this host only into `/etc/containers/certs.d/{0}/ca.crt` (`~/.config/containers/certs.d/{0}/ca.crt`)",
                url.authority()
            ),
            Self::Stalled { .. } | Self::Broken { .. } | Self::Ended { .. } | Self::Range { .. } => {
                format!("run the command again, it keeps what is complete; {mirror}")
            }
            Self::Status { .. } if self.is_transient() => format!("run the command again later; {mirror}"),
            Self::TooLong { .. } | Self::Wrong { .. } => {
                "check the digest; if it is right, a mirror or a proxy on the way returns something else".to_owned()
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
        insta::assert_snapshot!(connect.help("M can name a mirror").unwrap(), @"check that the server is up and that `127.0.0.1:1` is the right address; M can name a mirror");
        let elsewhere = url.clone().redirected(&"https://other/x".parse().unwrap());
        let tls = |fault| HttpError::Tls { url: elsewhere.clone(), fault }.help("").unwrap();
        assert!(tls(TlsFault::Certificate("")).starts_with("check that `other` is the right address;"));
        assert!(tls(TlsFault::NoTls).starts_with("if `other` speaks http,"));
        let status =
            |status| HttpError::Status { url: url.clone(), status, body: ErrorBody::default(), retry_after: None };
        assert_eq!((status(404).help(""), status(503).help("").is_some()), (None, true));
    }
}
