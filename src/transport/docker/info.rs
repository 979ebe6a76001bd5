//! Information about the engine: its version, its settings, its images. The requests change nothing.

use std::collections::BTreeSet;
use std::time::Duration;

use bollard::models::SystemInfo;
use bollard::query_parameters::ListImagesOptions;

use super::{EngineFault, EngineHost};
use crate::types::printable;

/// Information about an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EngineInfo {
    /// Its version as it writes it, `19.03.14-sealer`.
    pub version: String,
    /// Its settings; `None` if it does not report them in a known form.
    pub running: Option<EngineSettings>,
    /// The names of its images, sorted; `None` if it does not give them.
    pub images: Option<BTreeSet<String>>,
}

/// How an engine runs, whatever its files and its flags say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct EngineSettings {
    /// Registries that it asks without verified https, `HOST[:PORT]`; ranges of addresses are not among them.
    pub insecure: BTreeSet<String>,
    /// The proxies that it asks registries through, without logins.
    pub proxies: Vec<String>,
    /// Hosts that it contacts without a proxy, in the format of `NO_PROXY`.
    pub no_proxy: String,
}

impl EngineHost {
    /// Asks the engine about itself; each of three requests may take `limit`.
    pub(crate) fn info(&self, limit: Duration) -> Result<EngineInfo, EngineFault> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime =
            runtime.map_err(|error| EngineFault::Unreachable(format!("cannot start the request: {error}")))?;
        runtime.block_on(self.ask(limit))
    }

    async fn ask(&self, limit: Duration) -> Result<EngineInfo, EngineFault> {
        let engine = self.connect(limit)?;
        let version = engine.answer(engine.api.version()).await?.version.filter(|version| !version.is_empty());
        let version = version.ok_or_else(|| EngineFault::Strange("it has no version".to_owned()))?;
        // If there is a version, it is an engine; other missing answers are not an error.
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
        // The engine masks the password itself; the user name is hidden as well.
        let host = proxy.rsplit_once("://").map_or(proxy.as_str(), |(_, host)| host);
        *proxy = printable(host.rsplit('@').next().unwrap_or_default()).into_owned();
    }
    proxies.sort();
    proxies.dedup();
    EngineSettings { insecure: insecure.collect(), proxies, no_proxy: info.no_proxy.unwrap_or_default() }
}
