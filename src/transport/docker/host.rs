//! Where the engine listens, as Docker's own client finds it.

use std::fmt;
use std::time::Duration;

use bollard::Docker;
use tokio::time::timeout;

use super::EngineFault;
use crate::types::printable;

/// How long anything may take: an engine writes an image to its own disk before its first byte comes.
pub(super) const LONGEST: Duration = Duration::from_mins(30);

/// Where the engine listens: `DOCKER_HOST`, else the usual socket.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct EngineHost {
    host: String,
    /// The user asked for TLS, which must not be ignored silently.
    tls: bool,
}

/// The meaning of a `DOCKER_HOST`.
#[derive(Debug, PartialEq, Eq)]
enum Address<'a> {
    /// The path of a socket.
    Socket(&'a str),
    /// `HOST:PORT`, plain HTTP.
    Tcp(String),
    /// TCP, but with TLS.
    Tls,
    /// Another scheme.
    Other,
}

impl EngineHost {
    const SOCKET: &str = "/var/run/docker.sock";
    /// The port of an engine without TLS.
    const PORT: u16 = 2375;

    /// That host, `unix:///PATH` or `tcp://HOST[:PORT]`.
    #[cfg(test)]
    pub(crate) fn new(host: &str) -> Self {
        Self { host: host.to_owned(), tls: false }
    }

    /// What the environment says: `DOCKER_HOST`, with `DOCKER_TLS_VERIFY` and `DOCKER_TLS`.
    #[must_use]
    pub(crate) fn from_env() -> Self {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let host = set("DOCKER_HOST").unwrap_or_else(|| format!("unix://{}", Self::SOCKET));
        Self { host, tls: set("DOCKER_TLS_VERIFY").is_some() || set("DOCKER_TLS").is_some() }
    }

    fn address(&self) -> Address<'_> {
        if let Some(path) = self.host.strip_prefix("unix://") {
            return Address::Socket(if path.is_empty() { Self::SOCKET } else { path });
        }
        match self.host.strip_prefix("tcp://").or_else(|| self.host.strip_prefix("http://")) {
            Some(_) if self.tls => Address::Tls,
            Some(rest) => {
                let host = rest.trim_end_matches('/');
                let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
                match host {
                    _ if host.contains(['/', '@']) => Address::Other,
                    "" => Address::Tcp(format!("localhost:{}", Self::PORT)),
                    host if has_port => Address::Tcp(host.to_owned()),
                    host => Address::Tcp(format!("{host}:{}", Self::PORT)),
                }
            }
            None if self.host.starts_with("https://") => Address::Tls,
            None => Address::Other,
        }
    }
}

impl EngineHost {
    /// Whether it is a socket of this machine.
    #[must_use]
    pub(crate) fn is_local(&self) -> bool {
        matches!(self.address(), Address::Socket(_))
    }

    /// Connects to the engine; each request may take `limit`.
    pub(super) fn connect(&self, limit: Duration) -> Result<Connection, EngineFault> {
        let (version, seconds) = (bollard::API_DEFAULT_VERSION, LONGEST.as_secs());
        let api = match self.address() {
            Address::Socket(path) => {
                // The client would always say "socket not found", whatever the reason is.
                fs_err::symlink_metadata(path).map_err(|error| EngineFault::of_system(&error))?;
                Docker::connect_with_unix(path, seconds, version)
            }
            Address::Tcp(host) => Docker::connect_with_http(&format!("tcp://{host}"), seconds, version),
            Address::Tls => return Err(EngineFault::Host("engines behind TLS are not supported")),
            Address::Other => return Err(EngineFault::Host("only sockets and plain TCP are supported")),
        };
        Ok(Connection { api: api?, limit })
    }
}

/// A connection to an engine.
pub(super) struct Connection {
    pub(super) api: Docker,
    limit: Duration,
}

impl Connection {
    /// The answer to a request.
    pub(super) async fn answer<T>(
        &self,
        question: impl Future<Output = Result<T, bollard::errors::Error>>,
    ) -> Result<T, EngineFault> {
        let answer = timeout(self.limit, question).await;
        Ok(answer
            .map_err(|_| EngineFault::Unreachable(format!("no answer within {} s", self.limit.as_secs_f32())))??)
    }
}

impl fmt::Display for EngineHost {
    /// Without user and password, if there are any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = printable(&self.host);
        match (host.split_once("://"), host.rsplit_once('@')) {
            (Some(("unix", _)), _) | (_, None) => f.write_str(&host),
            (Some((scheme, _)), Some((_, host))) => write!(f, "{scheme}://{host}"),
            (None, Some((_, host))) => f.write_str(host),
        }
    }
}

impl fmt::Debug for EngineHost {
    /// A password in `DOCKER_HOST` is not for logs either.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_read_as_docker_s_client_reads_them() {
        let tcp = |host: &str| Address::Tcp(host.to_owned());
        for (host, address) in [
            ("unix:///run/x.sock", Address::Socket("/run/x.sock")),
            ("unix://", Address::Socket("/var/run/docker.sock")),
            ("tcp://10.0.0.1:1234", tcp("10.0.0.1:1234")),
            ("tcp://10.0.0.1/", tcp("10.0.0.1:2375")),
            ("http://h", tcp("h:2375")),
            ("tcp://[::1]:5", tcp("[::1]:5")),
            ("tcp://[fe80::1]", tcp("[fe80::1]:2375")),
            ("tcp://", tcp("localhost:2375")),
            ("https://h:2376", Address::Tls),
            ("tcp://user:pw@h:2375", Address::Other),
            ("tcp://h/path", Address::Other),
            ("ssh://root@h", Address::Other),
            ("npipe:////./pipe/x", Address::Other),
            ("/var/run/docker.sock", Address::Other),
        ] {
            assert_eq!(EngineHost::new(host).address(), address, "{host}");
        }
        let tls = EngineHost { tls: true, ..EngineHost::new("tcp://h:2376") };
        assert_eq!(tls.address(), Address::Tls);
        let tls = EngineHost { tls: true, ..EngineHost::new("unix:///run/x.sock") };
        assert_eq!(tls.address(), Address::Socket("/run/x.sock"));
        for (host, shown) in [
            ("tcp://user:pw@h:1", "tcp://h:1"),
            ("user:pw@h:1", "h:1"),
            ("unix:///run/a@b.sock", "unix:///run/a@b.sock"),
            ("ssh://h", "ssh://h"),
        ] {
            let said = EngineHost::new(host);
            assert_eq!((said.to_string().as_str(), format!("{said:?}").as_str()), (shown, shown));
        }
    }
}
