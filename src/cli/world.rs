//! The rooms that touch the world, set up as the user's settings say.

use std::path::Path;
use std::sync::Arc;

use crate::cache::Cache;
use crate::fetch::{Fetcher, UrlMirror};
use crate::supply::Supply;
use crate::transport::{Http, Puller, RegistriesConf, RegistryClient};
use crate::words::{FailureKind, Observer};

use super::failure::Failed;

/// How many blobs are under way at once.
const PARALLEL_DOWNLOADS: usize = 6;

/// What the world looks like to a command; `--sandbox` only sets other values here.
pub(super) struct Settings<'a> {
    /// The cache's folder.
    pub(super) cache: &'a Path,
    /// A `registries.conf`, instead of the user's own.
    pub(super) registries_conf: Option<&'a Path>,
    /// URL mirrors, `PREFIX=LOCATION`.
    pub(super) url_mirrors: &'a [String],
}

/// Images and files from outside, reported to `observer`.
pub(super) fn supply(settings: &Settings<'_>, observer: &Arc<dyn Observer>) -> Result<Supply, Failed> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failed::doing(format!("start the network's threads: {error}")))?;
    let cache = Cache::open(settings.cache).map_err(|error| Failed::from_error(error.kind(), &error))?;
    let cache = Arc::new(cache);
    let registries = match settings.registries_conf {
        Some(file) => RegistriesConf::load_file(file),
        None => RegistriesConf::load(),
    };
    let registries = registries.map_err(|error| Failed::from_error(FailureKind::Failed, &error))?;
    let http = Http::new().map_err(|error| Failed::from_error(error.kind(), &error))?;
    let mirrors = settings
        .url_mirrors
        .iter()
        .map(|text| UrlMirror::parse(text).map_err(|error| Failed::Usage(error.to_string())))
        .collect::<Result<Vec<_>, _>>()?;
    let client = RegistryClient::new(http.clone(), registries, Arc::clone(observer));
    let puller = Puller::new(client, Arc::clone(&cache), Arc::clone(observer), PARALLEL_DOWNLOADS);
    let fetcher = Fetcher::new(http, Arc::clone(&cache), mirrors, Arc::clone(observer));
    Ok(Supply::new(runtime, puller, fetcher, cache))
}
