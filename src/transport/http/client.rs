//! Requests over HTTP: who is trusted, which redirects are followed.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::body::Bytes;
use jiff::Timestamp;
use reqwest::header::{self, HeaderMap};
use reqwest::{Client, Method};
use rustls::pki_types::CertificateDer;
use url::Url;

use super::body::Content;
use super::cause::TlsFault;
use super::certificates::{self, CertificatePlaces, HostCertificates};
use super::error::ErrorBody;
use super::proxies::{Proxies, is_loopback};
use super::request_url::RequestUrl;
use super::retry::{RetryPolicy, retry_after};
use super::tls;
use super::trust::Trust;
use crate::transport::auth::Authorization;
use crate::transport::text::redacted_url;
use crate::transport::{HttpError, Secret};
use crate::types::Observer;
use crate::types::chain;

/// Redirects that are followed, at most.
const REDIRECTS: usize = 5;

/// The factor by which an answer may take longer after an upload of a blob: registries hash and move it first.
const DIGESTION: u32 = 5;

/// The type of a form's content.
const FORM: &str = "application/x-www-form-urlencoded";

/// The most bytes of an error's body that are read for the message.
const REFUSAL: u64 = 64 * 1024;

/// How requests are made.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// When to try again.
    pub retry: RetryPolicy,
    /// How long a transfer may stall.
    pub stall: Duration,
    /// How long connecting may take, TLS included.
    pub connect: Duration,
    /// CA certificates in addition to the system's.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// Where certificates for single hosts lie.
    pub certificates: CertificatePlaces,
    /// The network is switched off.
    pub offline: bool,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            retry: RetryPolicy::default(),
            stall: Duration::from_mins(1),
            connect: Duration::from_secs(20),
            extra_roots: Vec::new(),
            certificates: CertificatePlaces::default(),
            offline: false,
        }
    }
}

/// Makes requests. Cloning is cheap, and clones share their connections.
#[derive(Clone)]
pub struct Http {
    inner: Arc<Inner>,
}

struct Inner {
    config: HttpConfig,
    observer: Arc<dyn Observer>,
    clients: Mutex<Vec<(ClientKind, Client)>>,
    proxies: Proxies,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct ClientKind {
    trust: Trust,
    /// Whether proxies from the environment are used.
    proxies: bool,
    /// Folders of hosts whose CA certificates are trusted.
    authorities: Vec<PathBuf>,
    /// The folder of the host itself, with its client certificate.
    own: Option<PathBuf>,
}

/// A request, by default a GET.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    /// For the URL's own host only; a redirect to another host does not get it.
    pub(crate) authorization: Option<Authorization>,
    pub(crate) trust: Trust,
    /// A form's content, encoded. It is never sent on after a redirect.
    pub(crate) form: Option<Secret>,
    /// The body. After a redirect, it is only sent within the same origin.
    pub(crate) content: Option<Content>,
    /// The server that sends us there: servers with a certificate from its own CAs are trusted too.
    pub(crate) sent_by: Option<Url>,
}

impl Request {
    /// A GET without anything else.
    pub(crate) fn get(url: Url, headers: HeaderMap) -> Self {
        let (method, trust) = (Method::GET, Trust::Verified);
        Self { method, url, headers, authorization: None, trust, form: None, content: None, sent_by: None }
    }
}

/// An answer whose body is still to come.
pub(crate) struct Response {
    inner: reqwest::Response,
    url: RequestUrl,
    stall: Duration,
}

impl Http {
    /// Clients are made when needed, so that a machine without CA certificates can use http mirrors.
    pub fn new(config: HttpConfig, observer: Arc<dyn Observer>) -> Self {
        let inner = Inner { config, observer, clients: Mutex::default(), proxies: Proxies::from_env() };
        Self { inner: Arc::new(inner) }
    }

    /// How requests are made.
    #[must_use]
    pub fn config(&self) -> &HttpConfig {
        &self.inner.config
    }

    /// Receives events about retries and progress.
    #[must_use]
    pub(crate) fn observer(&self) -> &dyn Observer {
        &*self.inner.observer
    }

    /// Sends one request and follows redirects; any other status is returned as an answer.
    pub(crate) async fn send(&self, mut request: Request) -> Result<Response, HttpError> {
        let mut url = RequestUrl::new(&request.url);
        if self.inner.config.offline {
            return Err(HttpError::Offline { url });
        }
        for _ in 0..=REDIRECTS {
            let proxy = self.inner.proxies.on_the_way_to(&request.url);
            let client = self.client(&request, proxy.as_deref())?;
            let mut builder = client.request(request.method.clone(), request.url.clone());
            if let Some(form) = &request.form {
                builder = builder.header(header::CONTENT_TYPE, FORM).body(form.expose().to_owned());
            }
            if let Some(content) = &request.content {
                builder = builder.header(header::CONTENT_LENGTH, content.size()).body(content.body());
            }
            builder = builder.headers(request.headers.clone());
            builder = match &request.authorization {
                None => builder,
                Some(Authorization::Bearer(token)) => builder.bearer_auth(token.expose()),
                Some(Authorization::Basic(login)) => builder.basic_auth(&login.username, Some(login.password.expose())),
            };
            tracing::debug!(url = %redacted_url(&request.url), "{}", request.method);
            let stall = self.inner.config.stall;
            let answer = self.answer(builder.send(), request.content.as_ref()).await;
            let answer = answer.map_err(|limit| HttpError::Stalled { url: url.clone(), limit })?;
            let inner = answer.map_err(|error| HttpError::from_client(&error, url.clone(), proxy.as_deref()))?;
            if let (407, Some(proxy)) = (inner.status().as_u16(), proxy) {
                return Err(HttpError::ProxyLogin { url, proxy });
            }
            let Some(next) = redirect(&inner, &request.url, &url)? else {
                return Ok(Response { inner, url, stall });
            };
            if request.form.is_some() {
                let reason = "a redirect of a request with a secret, which is never followed".to_owned();
                return Err(HttpError::Redirect { url, reason });
            }
            let led = url.clone().redirected(&next);
            if !matches!(request.method, Method::GET | Method::HEAD)
                && (led.is_redirected() || !matches!(inner.status().as_u16(), 307 | 308))
            {
                let reason =
                    "a redirect of a request that writes, which is only followed to the same server".to_owned();
                return Err(HttpError::Redirect { url, reason });
            }
            url = led;
            if url.is_redirected() {
                request.authorization = None;
                request.trust = Trust::Verified;
                request.sent_by.get_or_insert_with(|| url.asked().clone());
            }
            request.url = next;
        }
        Err(HttpError::Redirect { url, reason: format!("more than {REDIRECTS} redirects") })
    }

    /// Waits for an answer while the body makes progress; the error is the limit that was exceeded.
    async fn answer<T>(&self, sending: impl Future<Output = T>, content: Option<&Content>) -> Result<T, Duration> {
        let stall = self.inner.config.stall;
        let sent = || content.map_or(0, Content::sent);
        let all = content.map_or(0, |content| sent() + content.size());
        let mut sending = std::pin::pin!(sending);
        loop {
            let before = sent();
            let limit = if before > 0 && before >= all { stall * DIGESTION } else { stall };
            match tokio::time::timeout(limit, &mut sending).await {
                Ok(answer) => return Ok(answer),
                Err(_) if sent() > before => {}
                Err(_) => return Err(limit),
            }
        }
    }

    fn client(&self, request: &Request, proxy: Option<&str>) -> Result<Client, HttpError> {
        let is_plain = request.url.scheme() == "http";
        let places = &self.inner.config.certificates;
        let own = if is_plain { None } else { places.folder(&request.url) };
        let sender = request.sent_by.as_ref().filter(|_| !is_plain).and_then(|url| places.folder(url));
        let mut authorities: Vec<_> = own.iter().cloned().chain(sender).collect();
        authorities.dedup();
        let kind = ClientKind { trust: request.trust, proxies: !is_loopback(&request.url), authorities, own };
        match self.client_of(&kind) {
            // Without verification, missing CA certificates do not matter.
            Err(_) if is_plain && proxy.is_none_or(|proxy| proxy.starts_with("http:")) => {
                self.client_of(&ClientKind { trust: Trust::Insecure, ..kind })
            }
            client => client,
        }
    }

    fn client_of(&self, kind: &ClientKind) -> Result<Client, HttpError> {
        let mut clients = self.inner.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, client)) = clients.iter().find(|(other, _)| other == kind) {
            return Ok(client.clone());
        }
        let config = &self.inner.config;
        let mut host = HostCertificates::default();
        for folder in &kind.authorities {
            let HostCertificates { authorities, identity } = certificates::read(folder)?;
            host.authorities.extend(authorities);
            host.identity = host.identity.or(identity.filter(|_| kind.own.as_ref() == Some(folder)));
        }
        let tls = tls::settings(kind.trust, &config.extra_roots, host);
        let tls = tls.map_err(|error| match (kind.authorities.first(), error) {
            (None, rustls::Error::General(reason)) => HttpError::Setup(reason),
            (None, error) => HttpError::Setup(TlsFault::of(&error).to_string()),
            (Some(path), error) => {
                HttpError::Certificates { path: path.clone(), reason: TlsFault::of(&error).to_string() }
            }
        })?;
        let mut builder = Client::builder()
            .user_agent(concat!("sealer/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(config.connect)
            .tls_backend_preconfigured(tls);
        if !kind.proxies {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| HttpError::Setup(chain(&error)))?;
        clients.push((kind.clone(), client.clone()));
        Ok(client)
    }
}

/// The target of a redirect, if the answer is one that is followed.
fn redirect(answer: &reqwest::Response, from: &Url, url: &RequestUrl) -> Result<Option<Url>, HttpError> {
    if !matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let location = answer.headers().get(header::LOCATION).and_then(|location| location.to_str().ok());
    let next = follow(from, location);
    next.map(Some).map_err(|reason| HttpError::Redirect { url: url.clone(), reason: reason.to_owned() })
}

fn follow(from: &Url, location: Option<&str>) -> Result<Url, &'static str> {
    let location = location.ok_or("a redirect without a target")?;
    let next = from.join(location).map_err(|_| "a redirect to something that is not a URL")?;
    match (from.scheme(), next.scheme()) {
        (_, "https") | ("http", "http") => Ok(next),
        ("https", "http") => Err("a redirect from https to http, which is never followed"),
        _ => Err("a redirect to neither http nor https"),
    }
}

impl Response {
    pub(crate) fn status(&self) -> u16 {
        self.inner.status().as_u16()
    }

    /// The URL of the request.
    pub(crate) fn url(&self) -> &RequestUrl {
        &self.url
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        self.inner.headers()
    }

    pub(crate) fn header(&self, name: &header::HeaderName) -> Option<&str> {
        self.headers().get(name)?.to_str().ok()
    }

    /// `Content-Length`.
    pub(crate) fn length(&self) -> Option<u64> {
        self.header(&header::CONTENT_LENGTH)?.trim().parse().ok()
    }

    /// The next bytes of the body; `None` at its end.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, HttpError> {
        match tokio::time::timeout(self.stall, self.inner.chunk()).await {
            Err(_) => Err(HttpError::Stalled { url: self.url.clone(), limit: self.stall }),
            Ok(chunk) => chunk.map_err(|error| HttpError::from_client(&error, self.url.clone(), None)),
        }
    }

    /// The whole body, of at most `limit` bytes.
    pub(crate) async fn bytes(&mut self, limit: u64) -> Result<Vec<u8>, HttpError> {
        let mut bytes = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            if (bytes.len() + chunk.len()) as u64 > limit {
                return Err(HttpError::TooLong { url: self.url.clone(), limit });
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    /// The answer, where its status is one of `good`, else the error.
    pub(crate) async fn expect(mut self, good: &[u16]) -> Result<Self, HttpError> {
        if good.contains(&self.status()) {
            return Ok(self);
        }
        let now = Timestamp::now();
        let retry_after = self.header(&header::RETRY_AFTER).and_then(|value| retry_after(value, now));
        let body = self.bytes(REFUSAL).await.unwrap_or_default();
        Err(HttpError::Status { status: self.status(), body: ErrorBody::read(&body), retry_after, url: self.url })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_never_go_down_to_http() {
        for (from, location, expected) in [
            ("https://a/b", Some("/c"), Some("https://a/c")),
            ("https://a/b", Some("//x/c"), Some("https://x/c")),
            ("https://a/b", Some("https://x/c"), Some("https://x/c")),
            ("https://a/b", Some("http://a/c"), None),
            ("https://a/b", Some("file:///etc/passwd"), None),
            ("https://a/b", None, None),
            ("http://a/b", Some("https://x/c"), Some("https://x/c")),
            ("http://a/b", Some("http://x/c"), Some("http://x/c")),
            ("http://a/b", Some("data:,x"), None),
            // The user's password is only for the user's host.
            ("https://u:p@a/b", Some("//x/c"), Some("https://x/c")),
        ] {
            let next = follow(&Url::parse(from).unwrap(), location);
            assert_eq!(next.ok().as_ref().map(Url::as_str), expected, "{from} {location:?}");
        }
    }
}
