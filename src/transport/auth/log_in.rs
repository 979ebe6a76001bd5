//! Tries a login at its registry.
//!
//! Format: OCI distribution-spec `spec.md`, "Determining Support"; distribution's token authentication specification,
//! `offline_token`.

use reqwest::header::WWW_AUTHENTICATE;
use reqwest::{Method, StatusCode};

use super::challenge::{self, Challenge};
use super::credentials::{Authorization, Login, Proof};
use super::tokens::{Given, Realm, ask};
use crate::transport::http::{Attempts, Patience, RequestUrl, Response};
use crate::transport::registry::{At, Call, ConfError, Endpoint};
use crate::transport::{HttpError, LoginScope, RegistryClient, Secret};
use crate::types::{FailureKind, Reportable};

/// A login that its registry accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Name and password, as they were tried.
    pub login: Login,
    /// A token from the registry's token server, to be stored instead of the password.
    pub identity_token: Option<Secret>,
    /// Whether the registry asked for a login. If it lets everyone in, the login was not tested.
    pub was_asked: bool,
}

impl Accepted {
    /// What to store: the token if there is one, else the login.
    #[must_use]
    pub fn proof(&self) -> Proof {
        match &self.identity_token {
            Some(token) => Proof::IdentityToken(token.clone()),
            None => Proof::Login(self.login.clone()),
        }
    }
}

impl RegistryClient {
    /// Tests a login at the registry itself, not at a mirror. Nothing is written.
    ///
    /// It uses http, or https with an unverified certificate, only if registries.conf marks the registry as insecure.
    pub async fn log_in(&self, scope: &LoginScope, login: &Login) -> Result<Accepted, LogInError> {
        let endpoint = self.conf().login_endpoint(scope)?;
        let mut attempts = Attempts::new(&self.http().config().retry, Patience::Brief, self.http().observer());
        loop {
            match self.try_login(&endpoint, login).await {
                Err(LogInError::Http(error)) => attempts.failed(error, false).await?,
                result => return result,
            }
        }
    }

    async fn try_login(&self, endpoint: &Endpoint, login: &Login) -> Result<Accepted, LogInError> {
        let accepted = |identity_token, was_asked| Accepted { login: login.clone(), identity_token, was_asked };
        let refusal = self.at_top(endpoint, None).await?;
        if refusal.status() != StatusCode::UNAUTHORIZED || refusal.url().is_redirected() {
            refusal.expect(&[200]).await?;
            return Ok(accepted(None, false));
        }
        let headers = refusal.headers().get_all(WWW_AUTHENTICATE).iter();
        let challenge = challenge::parse(headers.filter_map(|value| value.to_str().ok()));
        let (authorization, identity_token) = match challenge {
            Some(Challenge::Basic) => (Authorization::Basic(login.clone()), None),
            Some(Challenge::Bearer { realm, service, .. }) => {
                let given = self.token(endpoint, &refusal, &realm, service.as_deref(), login).await;
                let Given { token, identity_token } = given.map_err(|error| judged(error, endpoint, login))?;
                (Authorization::Bearer(token), identity_token)
            }
            None => return Err(LogInError::Challenge { url: refusal.url().clone() }),
        };
        let answer = self.at_top(endpoint, Some(&authorization)).await?.expect(&[200]).await;
        answer.map_err(|error| judged(error, endpoint, login))?;
        Ok(accepted(identity_token, true))
    }

    /// Asks the top of the API.
    async fn at_top(&self, endpoint: &Endpoint, authorization: Option<&Authorization>) -> Result<Response, HttpError> {
        self.send(endpoint, &Call::new(Method::GET, At::Top), authorization).await
    }

    /// Asks for a token that opens nothing but the top, and for one to be kept.
    async fn token(
        &self,
        endpoint: &Endpoint,
        refusal: &Response,
        realm: &str,
        service: Option<&str>,
        login: &Login,
    ) -> Result<Given, HttpError> {
        let realm = Realm::parse(realm, endpoint, refusal, |host| self.conf().is_insecure(host))?;
        let mut request = realm.request(service, "", refusal, Some(Proof::Login(login.clone())));
        let mut query = request.url.query_pairs_mut();
        query.append_pair("account", &login.username).append_pair("client_id", "sealer");
        query.append_pair("offline_token", "true");
        drop(query);
        ask(self.http(), request).await
    }
}

/// Turns a failure into a refused login if that is what it means.
fn judged(error: HttpError, endpoint: &Endpoint, login: &Login) -> LogInError {
    match error {
        HttpError::Status { status: 401 | 403, .. } => LogInError::Refused {
            registry: endpoint.name().to_owned(),
            username: crate::transport::text::one_line(&login.username),
            error,
        },
        error => error.into(),
    }
}

/// Why a registry did not take a login.
#[derive(Debug, thiserror::Error)]
pub enum LogInError {
    /// It says no.
    #[error("the registry does not accept the login of `{username}` for `{registry}` ({error})")]
    Refused {
        /// `HOST[:PORT]`.
        registry: String,
        /// Whose login.
        username: String,
        /// What the registry, or its token server, answered.
        error: HttpError,
    },
    /// It wants a kind of login that we do not have.
    #[error("{url}: the registry asks for a kind of login other than user name and password")]
    Challenge {
        /// The URL of the request.
        url: RequestUrl,
    },
    /// The user's settings block the registry.
    #[error(transparent)]
    Conf(#[from] ConfError),
    /// The registry could not be asked.
    #[error(transparent)]
    Http(#[from] HttpError),
}

impl Reportable for LogInError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Refused { .. } | Self::Challenge { .. } => FailureKind::Failed,
            Self::Conf(error) => error.kind(),
            Self::Http(error) => error.kind(),
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Refused { .. } => Some(
                "check the user name and the password; many registries want a token instead of the password".to_owned(),
            ),
            Self::Http(HttpError::Stalled { .. } | HttpError::Broken { .. }) => {
                Some("run the command again later".to_owned())
            }
            Self::Http(HttpError::Status { status: 404, .. }) => {
                Some("check that this is a registry, written as `HOST[:PORT]`".to_owned())
            }
            Self::Http(error @ HttpError::Status { .. }) if error.is_transient() => {
                Some("run the command again later".to_owned())
            }
            Self::Http(error) => error.help("registries.conf lists the hosts that speak http"),
            Self::Conf(error) => error.help(),
            Self::Challenge { .. } => None,
        }
    }
}
