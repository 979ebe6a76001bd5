//! The client for registries. Format: OCI distribution-spec `spec.md`, "Pull".

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::Method;
use reqwest::header::{self, HeaderMap, HeaderValue};
use url::Url;

use super::error::Refusal;
use super::registries_conf::{Endpoint, RegistriesConf};
use crate::cache::{Cache, Expected};
use crate::image::{Descriptor, MANIFEST_TYPES};
use crate::transport::auth::{Access, Authorization, Credentials, GivenLogin, Login, Tokens};
use crate::transport::http::{
    Content, Outcome, Patience, Request, Response, STATUSES, Source, Trust, Wanted, authority,
};
use crate::transport::{Http, HttpError, RegistryError};
use crate::types::Digest;

/// The most bytes of a manifest or list, as in other clients.
pub(crate) const DOCUMENT_LIMIT: u64 = 4 * 1024 * 1024;

/// Asks registries for documents and blobs. Cloning is cheap.
#[derive(Clone)]
pub struct RegistryClient {
    http: Http,
    inner: Arc<Inner>,
}

struct Inner {
    conf: RegistriesConf,
    tokens: Tokens,
    /// The scheme that each insecure host speaks.
    schemes: Mutex<HashMap<String, &'static str>>,
}

/// A document from a registry, with a verified digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answered {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Their digest.
    pub digest: Digest,
    /// `Content-Type`.
    pub media_type: Option<String>,
}

/// One request to a registry.
#[derive(Clone)]
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    pub(crate) at: At<'a>,
    /// The access that the whole operation needs: a push also reads, and requests only one token.
    pub(crate) access: Access,
    pub(crate) headers: HeaderMap,
    pub(crate) content: Option<Content>,
}

/// Where a request goes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum At<'a> {
    /// Below the endpoint's repository.
    Path(&'a str),
    /// The URL that the registry gave for the next request, at the registry itself.
    Url(&'a Url),
    /// The top of the API, which checks the login.
    Top,
}

impl<'a> Call<'a> {
    pub(crate) fn new(method: Method, at: At<'a>) -> Self {
        let access = if matches!(method, Method::GET | Method::HEAD) { Access::Pull } else { Access::Push };
        Self { method, at, access, headers: HeaderMap::new(), content: None }
    }
}

impl RegistryClient {
    /// A client that uses the servers in `conf` and the logins in `credentials`.
    pub fn new(http: Http, conf: RegistriesConf, credentials: Arc<dyn Credentials>) -> Self {
        let inner = Inner { conf, tokens: Tokens::new(credentials), schemes: Mutex::default() };
        Self { http, inner: Arc::new(inner) }
    }

    /// The same with a login that was given for one registry (`HOST[:PORT]`, as in references). Mirrors and other hosts
    /// do not get it. It has its own tokens: a token of one login is never used for another.
    pub(crate) fn with_login(&self, registry: &str, login: Login) -> Self {
        let others = self.inner.tokens.credentials();
        let given = GivenLogin { host: registry.to_owned(), login, others };
        Self::new(self.http.clone(), self.inner.conf.clone(), Arc::new(given))
    }

    /// How requests are made.
    #[must_use]
    pub fn http(&self) -> &Http {
        &self.http
    }

    /// The settings for registries and mirrors.
    #[must_use]
    pub fn conf(&self) -> &RegistriesConf {
        &self.inner.conf
    }

    /// Reads a list or manifest by tag or by digest.
    pub(crate) async fn manifest(
        &self,
        endpoint: &Endpoint,
        tag: Result<&str, Digest>,
        patience: Patience,
    ) -> Result<Answered, RegistryError> {
        let name = tag.map_or_else(|digest| digest.to_string(), str::to_owned);
        let source = Get { client: self, endpoint, path: format!("manifests/{name}"), accept: true };
        let read = self.http.document(&source, DOCUMENT_LIMIT, patience).await;
        let (bytes, response) = match read {
            Ok(read) => read,
            Err(error) => return Err(self.explain(endpoint, Access::Pull, error).await),
        };
        let found = Digest::of(&bytes);
        let header = response.header(&header::HeaderName::from_static("docker-content-digest"));
        // A digest with another algorithm cannot be compared.
        let said = header.and_then(|digest| digest.parse::<Digest>().ok());
        for expected in [tag.err(), said].into_iter().flatten() {
            if expected != found {
                return Err(RegistryError::Digest { url: response.url().clone(), expected, found });
            }
        }
        let media_type = response.header(&header::CONTENT_TYPE).map(str::to_owned);
        Ok(Answered { bytes, digest: found, media_type })
    }

    /// Fetches a blob into the cache. `what` is its name in events.
    pub(crate) async fn blob(
        &self,
        endpoint: &Endpoint,
        blob: &Descriptor,
        cache: &Cache,
        what: &str,
        patience: Patience,
    ) -> Result<(), RegistryError> {
        let source = Get { client: self, endpoint, path: format!("blobs/{}", blob.digest), accept: false };
        let expected = Expected::exactly(blob.digest, blob.size);
        let wanted = Wanted { what, expected, patience, unless: HeaderMap::new() };
        match self.http.download(&source, cache, &wanted).await {
            Ok(Outcome::Fetched(_) | Outcome::NotModified) => Ok(()),
            Err(error) => Err(self.explain(endpoint, Access::Pull, error).await),
        }
    }

    /// Adds to a refusal whose login was used.
    pub(crate) async fn explain(&self, endpoint: &Endpoint, access: Access, error: HttpError) -> RegistryError {
        let HttpError::Status { status: status @ (401 | 403), url, .. } = &error else { return error.into() };
        let tokens = &self.inner.tokens;
        let slot = tokens.current(endpoint).await;
        // If the login got a token, it is valid; a refusal after that is about the repository.
        let is_of_registry = authority(url.asked()) == endpoint.host && url.asked().path().starts_with("/v2/");
        let is_known = *status == 403 || is_of_registry && matches!(slot.authorization, Some(Authorization::Bearer(_)));
        RegistryError::Credentials(Box::new(Refusal {
            error,
            registry: endpoint.name().to_owned(),
            repository: endpoint.repository.clone(),
            access,
            who: slot.who,
            is_known,
            login_file: tokens.login_file(),
        }))
    }

    /// One request, with the authorization that it needs; any status is an answer.
    pub(crate) async fn call(&self, endpoint: &Endpoint, call: &Call<'_>) -> Result<Response, HttpError> {
        let tokens = &self.inner.tokens;
        let is_insecure = |host: &str| self.inner.conf.is_insecure(host);
        let mut slot = tokens.current(endpoint).await;
        let mut is_new = false;
        loop {
            let response = self.send(endpoint, call, slot.authorization.as_ref()).await?;
            // The target of a redirect must not decide where credentials go.
            if response.status() != 401 || response.url().is_redirected() || is_new {
                return Ok(response);
            }
            match tokens.renew(&self.http, endpoint, (&slot, &response), call.access, is_insecure).await? {
                None => return Ok(response),
                // A token from another request may have expired; a new one is the last attempt.
                Some(renewed) => (slot, is_new) = (renewed.slot, renewed.is_new),
            }
        }
    }

    /// Sends over https. An insecure host may speak http instead; this is detected once and remembered.
    pub(crate) async fn send(
        &self,
        endpoint: &Endpoint,
        call: &Call<'_>,
        authorization: Option<&Authorization>,
    ) -> Result<Response, HttpError> {
        let trust = if endpoint.insecure { Trust::Insecure } else { Trust::Verified };
        let url = |text: String| match Url::parse(&text) {
            Ok(url) => Ok(url),
            Err(error) => Err(HttpError::Url { text, reason: error.to_string() }),
        };
        let request = |scheme: &str| {
            let url = match call.at {
                At::Url(url) => url.clone(),
                At::Path(path) => url(format!("{scheme}://{}/v2/{}/{path}", endpoint.host, endpoint.repository))?,
                At::Top => url(format!("{scheme}://{}/v2/", endpoint.host))?,
            };
            let (authorization, content, method) = (authorization.cloned(), call.content.clone(), call.method.clone());
            Ok::<_, HttpError>(Request {
                method,
                authorization,
                trust,
                content,
                ..Request::get(url, call.headers.clone())
            })
        };
        if !endpoint.insecure || matches!(call.at, At::Url(_)) {
            return self.http.send(request("https")?).await;
        }
        if let Some(scheme) = self.scheme(&endpoint.host) {
            return self.http.send(request(scheme)?).await;
        }
        let over_https = self.http.send(request("https")?).await;
        let (scheme, answer) = match over_https {
            Err(HttpError::Connect { .. } | HttpError::Proxy { .. } | HttpError::Tls { .. }) => {
                ("http", self.http.send(request("http")?).await)
            }
            answer => ("https", answer),
        };
        if answer.is_ok() {
            let mut schemes = self.inner.schemes.lock().unwrap_or_else(PoisonError::into_inner);
            schemes.insert(endpoint.host.clone(), scheme);
        }
        answer
    }

    fn scheme(&self, host: &str) -> Option<&'static str> {
        self.inner.schemes.lock().unwrap_or_else(PoisonError::into_inner).get(host).copied()
    }
}

/// GETs of one thing.
struct Get<'a> {
    client: &'a RegistryClient,
    endpoint: &'a Endpoint,
    path: String,
    accept: bool,
}

impl Source for Get<'_> {
    async fn get(&self, mut headers: HeaderMap) -> Result<Response, HttpError> {
        if self.accept {
            let types = MANIFEST_TYPES.join(", ");
            headers.insert(header::ACCEPT, HeaderValue::from_str(&types).expect("media types are plain ASCII"));
        }
        let call = Call { headers, ..Call::new(Method::GET, At::Path(&self.path)) };
        self.client.call(self.endpoint, &call).await?.expect(&STATUSES).await
    }
}
