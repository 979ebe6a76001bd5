//! The outside world without requests: what is not in the cache does not exist.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crate::cache::Cache;
use crate::fetch::{Fetcher, UrlMirror};
use crate::sources::{Counter, Sources};
use crate::transport::{Anonymous, Engine, EngineHost, Http, HttpConfig, Puller, RegistriesConf, RegistryClient};
use crate::types::{Event, Failure, Observer, Silent};

/// The sources without the network: only the content of the cache. They do not write anything and do not ask any host.
pub(super) fn offline(cache: &Path, mirrors: Vec<UrlMirror>) -> Result<Sources, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let cache = Arc::new(Cache::open_to_read(cache));
    let counter = Counter::new(Arc::new(Silent));
    let listener = || Arc::clone(&counter) as Arc<dyn Observer>;
    let http = Http::new(HttpConfig { offline: true, ..HttpConfig::default() }, listener());
    let client = RegistryClient::new(http.clone(), RegistriesConf::default(), Arc::new(Anonymous));
    let puller = Puller::new(client, Arc::clone(&cache), listener(), Puller::PARALLEL);
    let fetcher = Fetcher::new(http, Arc::clone(&cache), mirrors, listener());
    // The engine is never asked: nothing here needs an image from it.
    let engine = Engine::new(EngineHost::from_env(), Arc::clone(&cache), listener());
    Ok(Sources::new(runtime, puller, engine, fetcher, cache, counter))
}

/// Collects the warnings that apply would print.
#[derive(Default)]
pub(super) struct Warnings(Mutex<Vec<String>>);

impl Warnings {
    /// All warnings, each once.
    pub(super) fn into_vec(self) -> Vec<String> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Warnings {
    fn event(&self, event: Event) {
        if let Event::Warning { message } = event {
            let mut warnings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if !warnings.contains(&message) {
                warnings.push(message);
            }
        }
    }
}
