//! Tokens of registries: requested when a registry wants one, kept, and renewed once when they expire.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::Method;
use reqwest::header::{self, HeaderMap};
use serde::Deserialize;
use tokio::sync::Mutex as AsyncMutex;
use url::Url;

use super::access::Access;
use super::challenge::{self, Challenge};
use super::credentials::{Authorization, Credentials, Known, Proof};
use crate::transport::http::{Request, Response, Trust, authority};
use crate::transport::registry::{Endpoint, Who};
use crate::transport::{Http, HttpError, Secret};

/// The most bytes of a token server's answer.
const LIMIT: u64 = 256 * 1024;

/// The known authorizations, by repository.
pub(crate) struct Tokens {
    credentials: Arc<dyn Credentials>,
    slots: Mutex<HashMap<Endpoint, Arc<AsyncMutex<Slot>>>>,
}

/// The authorization for one repository.
#[derive(Debug, Clone, Default)]
pub(crate) struct Slot {
    pub(crate) authorization: Option<Authorization>,
    /// Whose login was used, or tried.
    pub(crate) who: Option<Who>,
    /// Counts renewals, so that only one of many refused requests asks for a new token.
    generation: u64,
}

/// The result of a renewal.
pub(crate) struct Renewed {
    pub(crate) slot: Slot,
    /// It was asked for just now.
    pub(crate) is_new: bool,
}

/// Format: distribution's token authentication specification, "Token Response Fields".
#[derive(Deserialize)]
struct TokenAnswer {
    token: Option<String>,
    access_token: Option<String>,
    /// Only if it was requested.
    refresh_token: Option<String>,
}

/// The answer of a token server.
pub(crate) struct Given {
    /// For the registry.
    pub(crate) token: Secret,
    /// What tokens are given for later, in place of a password.
    pub(crate) identity_token: Option<Secret>,
}

impl Tokens {
    pub(crate) fn new(credentials: Arc<dyn Credentials>) -> Self {
        Self { credentials, slots: Mutex::default() }
    }

    /// The source of logins.
    pub(crate) fn credentials(&self) -> Arc<dyn Credentials> {
        Arc::clone(&self.credentials)
    }

    fn slot(&self, endpoint: &Endpoint) -> Arc<AsyncMutex<Slot>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(endpoint.clone()).or_default())
    }

    /// The current authorization for the repository.
    pub(crate) async fn current(&self, endpoint: &Endpoint) -> Slot {
        self.slot(endpoint).lock().await.clone()
    }

    /// The file that a login can be written to.
    pub(crate) fn login_file(&self) -> Option<String> {
        self.credentials.login_file()
    }

    /// The user's login for the repository. Finding it may run a program, which must not block other requests.
    async fn login(&self, endpoint: &Endpoint) -> Result<Option<Known>, HttpError> {
        let (credentials, endpoint) = (Arc::clone(&self.credentials), endpoint.clone());
        let asked = tokio::task::spawn_blocking(move || credentials.login(endpoint.name(), &endpoint.repository)).await;
        match asked {
            Ok(known) => known.map_err(HttpError::Login),
            Err(stopped) => Err(HttpError::Setup(stopped.to_string())),
        }
    }

    /// A new authorization after `refused` was rejected; `None` if there is none. Another request may have obtained it
    /// in the meantime.
    ///
    /// `access` is what is needed; `is_insecure` says which hosts the user marked as insecure.
    pub(crate) async fn renew(
        &self,
        http: &Http,
        endpoint: &Endpoint,
        (refused, refusal): (&Slot, &Response),
        access: Access,
        is_insecure: impl Fn(&str) -> bool,
    ) -> Result<Option<Renewed>, HttpError> {
        let slot = self.slot(endpoint);
        let mut slot = slot.lock().await;
        if slot.generation > refused.generation {
            return Ok(Some(Renewed { slot: slot.clone(), is_new: false }));
        }
        let headers = refusal.headers().get_all(header::WWW_AUTHENTICATE).iter();
        let challenge = challenge::parse(headers.filter_map(|value| value.to_str().ok()));
        let Some(challenge) = challenge else { return Ok(None) };
        let known = self.login(endpoint).await?;
        // Before any request, so that a refusal can say whose login it was.
        slot.who = known.as_ref().map(|known| Who { whose: known.proof.whose(), origin: known.origin.clone() });
        let authorization = match (challenge, known.map(|known| known.proof)) {
            (Challenge::Bearer { .. }, Some(Proof::RegistryToken(token))) => Some(Authorization::Bearer(token)),
            (Challenge::Bearer { realm, service, scope }, proof) => {
                let realm = Realm::parse(&realm, endpoint, refusal, is_insecure)?;
                let scope = access.scope(scope, &endpoint.repository);
                let request = realm.request(service.as_deref(), &scope, refusal, proof);
                Some(Authorization::Bearer(ask(http, request).await?.token))
            }
            (Challenge::Basic, Some(Proof::Login(login))) => Some(Authorization::Basic(login)),
            (Challenge::Basic, Some(Proof::IdentityToken(_) | Proof::RegistryToken(_)) | None) => None,
        };
        let Some(authorization) = authorization else { return Ok(None) };
        slot.authorization = Some(authorization);
        slot.generation = refused.generation + 1;
        Ok(Some(Renewed { slot: slot.clone(), is_new: true }))
    }
}

/// Where tokens are given.
pub(crate) struct Realm {
    url: Url,
    trust: Trust,
}

impl Realm {
    /// Reads a challenge's realm. A registry must not redirect a password to http, neither from https nor to a host
    /// that the user did not mark as insecure.
    pub(crate) fn parse(
        realm: &str,
        endpoint: &Endpoint,
        refusal: &Response,
        is_insecure: impl Fn(&str) -> bool,
    ) -> Result<Self, HttpError> {
        let refuse = |reason: &str| HttpError::Answer {
            url: refusal.url().clone(),
            reason: format!(
                "{reason}: `{}`",
                crate::transport::text::one_line(realm.split('?').next().unwrap_or_default())
            ),
        };
        let url = Url::parse(realm).map_err(|_| refuse("its URL for tokens is not valid"))?;
        let authority = authority(&url);
        let is_named = endpoint.insecure && (authority == endpoint.host || is_insecure(authority));
        match url.scheme() {
            "https" => {}
            "http" if is_named && refusal.url().asked().scheme() == "http" => {}
            _ => return Err(refuse("its URL for tokens is neither https nor on a host that is marked insecure")),
        }
        Ok(Self { url, trust: if is_named { Trust::Insecure } else { Trust::Verified } })
    }

    /// Builds the request for a token, with the user's proof. Format: distribution's token authentication
    /// specification, and for an identity token its OAuth 2 form.
    pub(crate) fn request(
        self,
        service: Option<&str>,
        scope: &str,
        refusal: &Response,
        proof: Option<Proof>,
    ) -> Request {
        let Self { mut url, trust } = self;
        let sent_by = Some(refusal.url().asked().clone());
        let request = |method, url, authorization, form| Request {
            method,
            authorization,
            trust,
            form,
            sent_by,
            ..Request::get(url, HeaderMap::new())
        };
        if let Some(Proof::IdentityToken(token)) = &proof {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            form.append_pair("grant_type", "refresh_token").append_pair("refresh_token", token.expose());
            form.append_pair("client_id", "sealer").append_pair("scope", scope);
            if let Some(service) = service {
                form.append_pair("service", service);
            }
            return request(Method::POST, url, None, Some(Secret::new(form.finish())));
        }
        {
            let mut query = url.query_pairs_mut();
            if let Some(service) = service {
                query.append_pair("service", service);
            }
            // One parameter each: mounting a blob needs the repository that has it too.
            for scope in scope.split_ascii_whitespace() {
                query.append_pair("scope", scope);
            }
        }
        let login = match proof {
            Some(Proof::Login(login)) => Some(Authorization::Basic(login)),
            Some(Proof::IdentityToken(_) | Proof::RegistryToken(_)) | None => None,
        };
        request(Method::GET, url, login, None)
    }
}

/// Asks a token server.
pub(crate) async fn ask(http: &Http, request: Request) -> Result<Given, HttpError> {
    let mut response = http.send(request).await?.expect(&[200]).await?;
    let bytes = response.bytes(LIMIT).await?;
    // A token that is not valid in a header would only fail later, and show itself in the message.
    let is_fit = |token: &String| !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic());
    let answer: Option<TokenAnswer> = serde_json::from_slice(&bytes).ok();
    let given = answer.and_then(|TokenAnswer { token, access_token, refresh_token }| {
        let token = Secret::new(token.or(access_token).filter(is_fit)?);
        Some(Given { token, identity_token: refresh_token.filter(is_fit).map(Secret::new) })
    });
    given.ok_or_else(|| HttpError::Answer {
        url: response.url().clone(),
        reason: "the token server's answer has no token".to_owned(),
    })
}
