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
pub use auth::{
    Accepted, Access, Anonymous, AuthPlaces, Credentials, CredentialsError, Erased, Known, LogInError, Login,
    LoginError, LoginLocation, LoginScope, LoginScopeError, LoginStore, LoginStoreError, Logins, Proof, Secret, Stored,
};
pub use docker::{
    Engine, EngineError, EngineFault, EngineHost, EngineImage, EngineInfo, EngineSettings, EngineStorage,
};
pub use http::{
    CertificatePlaces, ErrorBody, Http, HttpConfig, HttpError, Patience, RequestUrl, RetryPolicy, TlsFault, Trust,
    doubtful_proxies,
};
pub(crate) use http::{Fetched, Outcome, Request, Response, STATUSES, Source, Wanted};
pub(crate) use keyed_locks::KeyedLocks;
pub use registry::{
    Answered, Attached, ConfError, ConfigPlaces, Endpoint, PullError, Puller, PushError, PushImage, PushLayer, Pushed,
    Pusher, Refusal, RegistriesConf, RegistryClient, RegistryError, Who,
};
pub use text::redacted_url;
pub use tried::Tried;
