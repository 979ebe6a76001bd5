//! Tokens of registries: asked for when a registry wants one, kept, renewed once when they expire.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::header::{self, HeaderMap};
use serde::Deserialize;
use tokio::sync::Mutex as AsyncMutex;
use url::Url;

use super::challenge::{self, Challenge};
use super::credentials::{Authorization, Credentials};
use super::http::{Request, Response, Trust};
use super::registries_conf::Endpoint;
use super::{Http, HttpError, Secret};

/// The most bytes of a token server's answer.
const LIMIT: u64 = 256 * 1024;

/// What opens which repository, as far as it is known.
pub(super) struct Tokens {
    credentials: Arc<dyn Credentials>,
    slots: Mutex<HashMap<Endpoint, Arc<AsyncMutex<Slot>>>>,
}

/// The authorization for one repository.
#[derive(Debug, Clone, Default)]
pub(super) struct Slot {
    pub(super) authorization: Option<Authorization>,
    /// Counts renewals, so that of many who were refused at once only one asks.
    generation: u64,
}

/// What a renewal gave.
pub(super) struct Renewed {
    pub(super) slot: Slot,
    /// It was asked for just now.
    pub(super) is_new: bool,
}

/// Format: distribution's token authentication specification, "Token Response Fields".
#[derive(Deserialize)]
struct TokenAnswer {
    token: Option<String>,
    access_token: Option<String>,
}

impl Tokens {
    pub(super) fn new(credentials: Arc<dyn Credentials>) -> Self {
        Self { credentials, slots: Mutex::default() }
    }

    /// Who knows the logins.
    pub(super) fn credentials(&self) -> Arc<dyn Credentials> {
        Arc::clone(&self.credentials)
    }

    fn slot(&self, endpoint: &Endpoint) -> Arc<AsyncMutex<Slot>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(endpoint.clone()).or_default())
    }

    /// What is known to open the repository.
    pub(super) async fn current(&self, endpoint: &Endpoint) -> Slot {
        self.slot(endpoint).lock().await.clone()
    }

    /// What opens the repository after `refused` did not; none where nothing can. It may be what somebody else got
    /// meanwhile.
    ///
    /// `is_insecure` says which hosts the user named so.
    pub(super) async fn renew(
        &self,
        http: &Http,
        endpoint: &Endpoint,
        refused: &Slot,
        refusal: &Response,
        is_insecure: impl Fn(&str) -> bool,
    ) -> Result<Option<Renewed>, HttpError> {
        let slot = self.slot(endpoint);
        let mut slot = slot.lock().await;
        if slot.generation > refused.generation {
            return Ok(Some(Renewed { slot: slot.clone(), is_new: false }));
        }
        let login = self.credentials.login(&endpoint.host, &endpoint.repository);
        let headers = refusal.headers().get_all(header::WWW_AUTHENTICATE).iter();
        let authorization = match challenge::parse(headers.filter_map(|value| value.to_str().ok())) {
            Some(Challenge::Bearer { realm, service, scope }) => {
                let url = token_url(&realm, service.as_deref(), scope, endpoint, refusal)?;
                let authority = url[url::Position::BeforeHost..url::Position::AfterPort].to_owned();
                let is_named = endpoint.insecure && (authority == endpoint.host || is_insecure(&authority));
                let request = Request {
                    url,
                    headers: HeaderMap::new(),
                    authorization: login.map(Authorization::Basic),
                    trust: if is_named { Trust::Insecure } else { Trust::Verified },
                };
                Some(Authorization::Bearer(ask(http, request).await?))
            }
            Some(Challenge::Basic) => login.map(Authorization::Basic),
            None => None,
        };
        let Some(authorization) = authorization else { return Ok(None) };
        *slot = Slot { authorization: Some(authorization), generation: refused.generation + 1 };
        Ok(Some(Renewed { slot: slot.clone(), is_new: true }))
    }
}

/// Where the token is, with what it is for. A registry over https must not send us, with a password, to http.
fn token_url(
    realm: &str,
    service: Option<&str>,
    scope: Option<String>,
    endpoint: &Endpoint,
    refusal: &Response,
) -> Result<Url, HttpError> {
    let refuse = |reason: &str| HttpError::Answer {
        url: refusal.url().to_owned(),
        reason: format!("{reason}: `{}`", super::shown::printable(realm.split('?').next().unwrap_or_default())),
    };
    let mut url = Url::parse(realm).map_err(|_| refuse("it sends us for a token to what is no URL"))?;
    match url.scheme() {
        "https" => {}
        "http" if endpoint.insecure && refusal.url().starts_with("http:") => {}
        _ => return Err(refuse("it sends us for a token to what is not https")),
    }
    let scope = scope.unwrap_or_else(|| format!("repository:{}:pull", endpoint.repository));
    {
        let mut query = url.query_pairs_mut();
        if let Some(service) = service {
            query.append_pair("service", service);
        }
        query.append_pair("scope", &scope);
    }
    Ok(url)
}

async fn ask(http: &Http, request: Request) -> Result<Secret, HttpError> {
    let mut response = http.send(request).await?.expect(&[200]).await?;
    let bytes = response.bytes(LIMIT).await?;
    let answer: Option<TokenAnswer> = serde_json::from_slice(&bytes).ok();
    let token = answer.and_then(|answer| answer.token.or(answer.access_token)).filter(|token| {
        // What cannot stand in a header would only fail later, and say itself.
        !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic())
    });
    token.map(Secret::new).ok_or_else(|| HttpError::Answer {
        url: response.url().to_owned(),
        reason: "the token server's answer has no token".to_owned(),
    })
}
