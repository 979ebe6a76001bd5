//! What the engine says of itself: its version, how it runs, which images it has. Nothing is changed by asking.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error as ApiError;
use bollard::models::SystemInfo;
use bollard::query_parameters::ListImagesOptions;

use super::EnginePlace;
use super::place::Address;
use crate::words::printable;

/// What an engine says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineAbout {
    /// Its version as it writes it, `19.03.14-sealer`.
    pub version: String,
    /// How it runs; none where it does not say so in words that are understood.
    pub running: Option<EngineRunning>,
    /// The names of its images, sorted; none where it does not give them.
    pub images: Option<BTreeSet<String>>,
}

/// How an engine runs, whatever its files and its flags say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EngineRunning {
    /// Registries that it asks without verified https, `HOST[:PORT]`; ranges of addresses are not among them.
    pub insecure: BTreeSet<String>,
    /// The proxies that it asks registries through, without logins.
    pub proxies: Vec<String>,
    /// Whom it asks without a proxy, as `NO_PROXY` is written.
    pub no_proxy: String,
}

/// Why an engine says nothing of itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineSilence {
    /// The place is none that is asked.
    #[error("{0}")]
    Place(&'static str),
    /// There is no such socket.
    #[error("there is no such socket")]
    NoSocket,
    /// The socket is not for this user.
    #[error("permission denied")]
    Denied,
    /// Nobody answers.
    #[error("{0}")]
    Unreachable(String),
    /// It answers that it cannot.
    #[error("the engine is in trouble: {message} (status {status})")]
    Trouble {
        /// The HTTP status.
        status: u16,
        /// What it says, printable.
        message: String,
    },
    /// Something answers that is no engine.
    #[error("what answers there is no engine that is understood: {0}")]
    Strange(String),
}

impl EnginePlace {
    /// Whether it is a socket of this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        matches!(self.address(), Address::Socket(_))
    }

    /// Asks the engine there about itself; each of three questions may take `limit`.
    pub fn about(&self, limit: Duration) -> Result<EngineAbout, EngineSilence> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| EngineSilence::Unreachable(format!("cannot start to ask: {error}")))?;
        runtime.block_on(self.ask(limit))
    }

    async fn ask(&self, limit: Duration) -> Result<EngineAbout, EngineSilence> {
        let docker = self.open(limit)?;
        let asked = tokio::time::timeout(limit, docker.version()).await;
        let asked = asked
            .map_err(|_| EngineSilence::Unreachable(format!("no answer within {} s", limit.as_secs_f32())))?
            .map_err(|error| silence(&error))?;
        let version = asked.version.filter(|version| !version.is_empty());
        let version = version.ok_or_else(|| EngineSilence::Strange("it has no version".to_owned()))?;
        // Whoever has a version is an engine; what else it does not say is not known, and no failure.
        let info = tokio::time::timeout(limit, docker.info()).await;
        let listed = tokio::time::timeout(limit, docker.list_images(None::<ListImagesOptions>)).await;
        let names = |list: Vec<bollard::models::ImageSummary>| {
            let names = list.into_iter().flat_map(|image| image.repo_tags);
            names.filter(|name| name != "<none>:<none>").map(|name| printable(&name).into_owned()).collect()
        };
        Ok(EngineAbout {
            version: printable(&version).into_owned(),
            running: info.ok().and_then(Result::ok).map(running),
            images: listed.ok().and_then(Result::ok).map(names),
        })
    }

    fn open(&self, limit: Duration) -> Result<Docker, EngineSilence> {
        let (version, seconds) = (bollard::API_DEFAULT_VERSION, limit.as_secs().max(1));
        let opened = match self.address() {
            Address::Socket(path) => {
                // The client would say only that the socket is not found, whatever is in the way.
                fs_err::symlink_metadata(Path::new(path)).map_err(|error| of_system(&error))?;
                Docker::connect_with_unix(path, seconds, version)
            }
            Address::Tcp(host) => Docker::connect_with_http(&format!("tcp://{host}"), seconds, version),
            Address::Tls => return Err(EngineSilence::Place("engines behind TLS are not asked")),
            Address::Other => return Err(EngineSilence::Place("only sockets and plain TCP are understood")),
        };
        opened.map_err(|error| silence(&error))
    }
}

fn running(info: SystemInfo) -> EngineRunning {
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
    EngineRunning { insecure: insecure.collect(), proxies, no_proxy: info.no_proxy.unwrap_or_default() }
}

fn of_system(error: &io::Error) -> EngineSilence {
    match error.kind() {
        io::ErrorKind::NotFound => EngineSilence::NoSocket,
        io::ErrorKind::PermissionDenied => EngineSilence::Denied,
        io::ErrorKind::ConnectionRefused => {
            EngineSilence::Unreachable("connection refused: nothing listens there".to_owned())
        }
        _ => EngineSilence::Unreachable(printable(&error.to_string()).into_owned()),
    }
}

/// What the client says, in our words.
fn silence(error: &ApiError) -> EngineSilence {
    let short = |text: &str| printable(text.trim()).lines().next().unwrap_or_default().chars().take(200).collect();
    match error {
        ApiError::DockerResponseServerError { status_code, message } => {
            return EngineSilence::Trouble { status: *status_code, message: short(message) };
        }
        ApiError::JsonDataError { message, .. } => return EngineSilence::Strange(short(message)),
        // The client's own kinds are many, and the system's reason lies deeper in all others.
        _ => {}
    }
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    let mut last = error.to_string();
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return match error.kind() {
                io::ErrorKind::UnexpectedEof
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe => {
                    EngineSilence::Strange("the connection ended before the answer did".to_owned())
                }
                _ => of_system(error),
            };
        }
        last = error.to_string();
        next = error.source();
    }
    EngineSilence::Strange(short(&last))
}
