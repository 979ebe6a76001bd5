//! Registries: their addresses from registries.conf, pulling and pushing images.

mod client;
mod error;
mod pull;
mod pull_error;
mod push;
mod registries_conf;
mod upload;

pub use client::RegistryClient;
pub(crate) use client::{At, Call};
pub(crate) use error::{RegistryError, Who};
pub use pull::Puller;
pub(crate) use pull_error::PullError;
pub(crate) use push::{Attached, Pushed};
pub use push::{PushImage, PushLayer, Pusher};
pub(crate) use registries_conf::ConfigPlaces;
pub use registries_conf::RegistriesConf;
pub(crate) use registries_conf::{ConfError, Endpoint};
