//! What the engine says of itself: its version, how it runs, which images it has. Nothing is changed by asking.

use std::collections::BTreeSet;
use std::time::Duration;

use bollard::models::SystemInfo;
use bollard::query_parameters::ListImagesOptions;

use super::{EngineFault, EngineHost};
use crate::types::printable;

/// What an engine says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineInfo {
    /// Its version as it writes it, `19.03.14-sealer`.
    pub version: String,
    /// How it runs; none where it does not say so in words that are understood.
    pub running: Option<EngineSettings>,
    /// The names of its images, sorted; none where it does not give them.
    pub images: Option<BTreeSet<String>>,
}

/// How an engine runs, whatever its files and its flags say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EngineSettings {
    /// Registries that it asks without verified https, `HOST[:PORT]`; ranges of addresses are not among them.
    pub insecure: BTreeSet<String>,
    /// The proxies that it asks registries through, without logins.
    pub proxies: Vec<String>,
    /// Whom it asks without a proxy, as `NO_PROXY` is written.
    pub no_proxy: String,
}

impl EngineHost {
    /// Asks the engine there about itself; each of three questions may take `limit`.
    pub fn info(&self, limit: Duration) -> Result<EngineInfo, EngineFault> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| EngineFault::Unreachable(format!("cannot start to ask: {error}")))?;
        runtime.block_on(self.ask(limit))
    }

    async fn ask(&self, limit: Duration) -> Result<EngineInfo, EngineFault> {
        let engine = self.connect(limit)?;
        let version = engine.answer(engine.api.version()).await?.version.filter(|version| !version.is_empty());
        let version = version.ok_or_else(|| EngineFault::Strange("it has no version".to_owned()))?;
        // Whoever has a version is an engine; what else it does not say is not known, and no failure.
        let info = engine.answer(engine.api.info()).await;
        let listed = engine.answer(engine.api.list_images(None::<ListImagesOptions>)).await;
        let names = |list: Vec<bollard::models::ImageSummary>| {
            let names = list.into_iter().flat_map(|image| image.repo_tags);
            names.filter(|name| name != "<none>:<none>").map(|name| printable(&name).into_owned()).collect()
        };
        Ok(EngineInfo {
            version: printable(&version).into_owned(),
            running: info.ok().map(running),
            images: listed.ok().map(names),
        })
    }
}

fn running(info: SystemInfo) -> EngineSettings {
    let registries = info.registry_config.and_then(|config| config.index_configs).unwrap_or_default();
    let insecure = registries.into_iter().filter(|(_, index)| index.secure == Some(false)).map(|(name, _)| name);
    let set = |text: Option<String>| text.filter(|text| !text.is_empty());
    let mut proxies: Vec<String> = [info.http_proxy, info.https_proxy].into_iter().filter_map(set).collect();
    for proxy in &mut proxies {
        // The engine masks the password itself; the user's name is nobody's business either.
        let host = proxy.rsplit_once("://").map_or(proxy.as_str(), |(_, host)| host);
        *proxy = printable(host.rsplit('@').next().unwrap_or_default()).into_owned();
    }
    proxies.sort();
    proxies.dedup();
    EngineSettings { insecure: insecure.collect(), proxies, no_proxy: info.no_proxy.unwrap_or_default() }
}
