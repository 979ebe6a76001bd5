//! Floor 6, transport: registries.

mod registries_conf;

pub use registries_conf::{ConfError, ConfigPlaces, Endpoint, RegistriesConf};
