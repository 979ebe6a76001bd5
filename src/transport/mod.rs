//! Registries, and the HTTP that [`fetch`](crate::fetch) shares.
//!
//! ```text
//! Puller ──▶ RegistryClient ──▶ Http::download ──▶ Http::send ──▶ reqwest
//! images     documents, blobs,   retry, resume,     redirects,
//!            tokens, mirrors     digest → cache     trust
//!                  ▲                                    ▲
//! Pusher ──────────┴────────── put_blob, put_manifest ──┘
//! ```
//!
//! Images that no registry has come from [`Engine`], the local Docker engine.
//!
//! These rules always hold: a host is contacted over verified https, unless the user marked it as insecure; https never
//! falls back to http; credentials only go to their own host; and everything in the cache had its digest checked.

mod auth;
mod docker;
mod http;
mod keyed_locks;
mod registry;
mod settings;
mod text;
mod tried;

pub(crate) use auth::AuthFile;
pub(crate) use auth::{Accepted, AuthPlaces, Erased, LoginScope, LoginScopeError, LoginStore, Logins, Stored};
pub use auth::{Anonymous, Credentials, CredentialsError, Known, Login, Proof, Secret};
pub(crate) use docker::{Engine, EngineHost};
pub(crate) use docker::{EngineError, EngineFault, EngineImage, EngineInfo, EngineSettings, EngineStorage};
pub(crate) use http::{CertificatePlaces, HttpError, Patience, RequestUrl, doubtful_proxies};
pub(crate) use http::{Fetched, Outcome, Request, Response, STATUSES, Source, Wanted};
pub use http::{Http, HttpConfig, RetryPolicy};
pub(crate) use keyed_locks::KeyedLocks;
pub(crate) use registry::ConfigPlaces;
pub(crate) use registry::{Attached, ConfError, Endpoint, PullError, Pushed, RegistryError};
pub use registry::{Puller, PushImage, PushLayer, Pusher, RegistriesConf, RegistryClient};
pub(crate) use text::redacted_url;
pub(crate) use tried::Tried;
