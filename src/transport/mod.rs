//! Floor 6, transport: registries, and the HTTP that [`fetch`](crate::fetch) shares.
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
//! What always holds: a host is asked over verified https, unless the user named it insecure; there is no way down from
//! https to http; credentials go to their own host only; and nothing is in the cache whose digest was not compared.

mod auth_file;
mod auth_text;
mod certificates;
mod challenge;
mod client_words;
mod content;
mod credentials;
mod download;
mod engine;
mod helper;
mod http;
mod http_error;
mod keep_error;
mod keyed_locks;
mod log_in;
mod log_in_error;
mod login_file;
mod login_keeper;
mod login_scope;
mod logins;
mod proxies;
mod pull_error;
mod puller;
mod push_error;
mod pusher;
mod registries_conf;
mod registry;
mod registry_error;
mod retry;
mod secret;
mod settings_file;
mod shown;
mod tokens;
mod upload;

pub use certificates::CertificatePlaces;
pub use credentials::{Anonymous, Credentials, CredentialsError, Known, Login, LoginError, Proof};
pub(crate) use download::{Fetched, Outcome, STATUSES, Source, Wanted};
pub use engine::{
    Engine, EngineAbout, EngineError, EngineImage, EnginePlace, EngineRunning, EngineSilence, EngineStorage,
};
pub use http::{Http, HttpConfig, Trust};
pub(crate) use http::{Request, Response};
pub use http_error::HttpError;
pub use keep_error::KeepError;
pub(crate) use keyed_locks::KeyedLocks;
pub use log_in::Accepted;
pub use log_in_error::LogInError;
pub use login_keeper::{Forgotten, Kept, LoginKeeper, Place};
pub use login_scope::{LoginScope, LoginScopeError};
pub use logins::{AuthPlaces, Logins};
pub use proxies::doubtful_proxies;
pub use pull_error::{PullError, Tried};
pub use puller::Puller;
pub use push_error::PushError;
pub use pusher::{Attached, PushImage, PushLayer, Pushed, Pusher};
pub use registries_conf::{ConfError, ConfigPlaces, Endpoint, RegistriesConf};
pub use registry::{Answered, RegistryClient};
pub use registry_error::{Refusal, RegistryError, Who};
pub use retry::{Patience, RetryPolicy};
pub use secret::Secret;
pub(crate) use shown::chain;
pub use shown::shown_url;
pub use tokens::Access;
