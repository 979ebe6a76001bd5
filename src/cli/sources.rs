//! Registries, URLs and the engine, set up as the user's settings say.

use std::path::Path;
use std::sync::Arc;

use tokio::runtime::Runtime;

use crate::cache::Cache;
use crate::fetch::{Fetcher, UrlMirror};
use crate::sources::{Counter, Sources};
use crate::transport::{
    Anonymous, AuthPlaces, CertificatePlaces, ConfigPlaces, Engine, EngineHost, Http, HttpConfig, Logins, Puller,
    RegistriesConf, RegistryClient, doubtful_proxies,
};
use crate::types::{Event, Observer};

use super::failure::Failed;

/// The environment of a command; `--sandbox` only sets other values here.
pub(super) struct Settings<'a> {
    /// The cache's folder.
    pub(super) cache: &'a Path,
    /// A `registries.conf`, instead of the user's own.
    pub(super) registries_conf: Option<&'a Path>,
    /// URL mirrors: lists of `PREFIX=LOCATION`.
    pub(super) url_mirrors: &'a [String],
}

/// Whether the network may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Network {
    /// Yes.
    On,
    /// No: everything must be in the cache.
    Off,
}

/// Images and files from outside, reported to `observer`.
pub(super) fn sources(settings: &Settings<'_>, observer: &Arc<dyn Observer>) -> Result<Sources, Failed> {
    sources_with(Network::On, settings, observer)
}

/// As [`sources`], with or without a network.
pub(super) fn sources_with(
    network: Network,
    settings: &Settings<'_>,
    observer: &Arc<dyn Observer>,
) -> Result<Sources, Failed> {
    let runtime = runtime()?;
    let cache = Arc::new(Cache::open(settings.cache)?);
    let registries = match settings.registries_conf {
        Some(file) => RegistriesConf::load(&ConfigPlaces { named: Some(file.to_owned()), user: None, system: None })?,
        None => RegistriesConf::load(&ConfigPlaces::from_env())?,
    };
    let logins = Logins::load(&AuthPlaces::from_env())?;
    for message in registries.warnings().iter().cloned().chain(doubtful_proxies()) {
        observer.event(Event::Warning { message });
    }
    let mut mirrors = Vec::new();
    for text in settings.url_mirrors {
        mirrors.extend(UrlMirror::parse_list(text).map_err(Failed::usage)?);
    }
    let counter = Counter::new(Arc::clone(observer));
    let listener = || Arc::clone(&counter) as Arc<dyn Observer>;
    let offline = network == Network::Off;
    let config = HttpConfig { certificates: CertificatePlaces::from_env(), offline, ..HttpConfig::default() };
    let http = Http::new(config, listener());
    let client = RegistryClient::new(http.clone(), registries, Arc::new(logins));
    let puller = Puller::new(client, Arc::clone(&cache), listener(), Puller::PARALLEL);
    let fetcher = Fetcher::new(http, Arc::clone(&cache), mirrors, listener());
    let engine = Engine::new(EngineHost::from_env(), Arc::clone(&cache), listener());
    Ok(Sources::new(runtime, puller, engine, fetcher, cache, counter))
}

/// Registries without a cache, and without the user's logins.
pub(super) struct Registries {
    pub(super) runtime: Runtime,
    pub(super) client: RegistryClient,
}

/// Registries as the user's settings say, reported to `observer`.
pub(super) fn registries(observer: &Arc<dyn Observer>) -> Result<Registries, Failed> {
    let runtime = runtime()?;
    let conf = RegistriesConf::load(&ConfigPlaces::from_env())?;
    for message in conf.warnings().iter().cloned().chain(doubtful_proxies()) {
        observer.event(Event::Warning { message });
    }
    let config = HttpConfig { certificates: CertificatePlaces::from_env(), ..HttpConfig::default() };
    let client = RegistryClient::new(Http::new(config, Arc::clone(observer)), conf, Arc::new(Anonymous));
    Ok(Registries { runtime, client })
}

fn runtime() -> Result<Runtime, Failed> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failed::doing(format!("start the network's threads: {error}")))
}
