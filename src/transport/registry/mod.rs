//! Registries: their addresses from registries.conf, pulling and pushing images.

mod client;
mod error;
mod pull;
mod pull_error;
mod push;
mod registries_conf;
mod upload;

pub use client::{Answered, RegistryClient};
pub(crate) use client::{At, Call};
pub use error::{Refusal, RegistryError, Who};
pub use pull::Puller;
pub use pull_error::PullError;
pub use push::{Attached, PushError, PushImage, PushLayer, Pushed, Pusher};
pub use registries_conf::{ConfError, ConfigPlaces, Endpoint, RegistriesConf};
