//! The places that are checked.

use std::ffi::OsString;
use std::io;
use std::net::{IpAddr, ToSocketAddrs, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::transport::{AuthPlaces, CertificatePlaces, ConfigPlaces, EngineHost, doubtful_proxies};
use crate::upstream::UpstreamPlaces;

/// What is checked: files, folders, programs, the engine and the resolver.
#[derive(Debug, Clone)]
pub(crate) struct HostPlaces {
    /// The store.
    pub root: PathBuf,
    /// The cache.
    pub cache: PathBuf,
    /// The folder for temporary files.
    pub temporary: PathBuf,
    /// Names of hosts, hosts(5).
    pub hosts: PathBuf,
    /// What the kernel says about itself and of processes, proc(5).
    pub proc: PathBuf,
    /// The kernel's modules, a folder for each release.
    pub modules: PathBuf,
    /// The default file for an engine's settings.
    pub daemon_json: PathBuf,
    /// Where the engine listens.
    pub engine: EngineHost,
    /// Whether the user named that place, so that an engine is expected there.
    pub engine_is_named: bool,
    /// Settings about registries.
    pub registries: ConfigPlaces,
    /// Logins.
    pub logins: AuthPlaces,
    /// Certificates of single registries.
    pub certificates: CertificatePlaces,
    /// What is wrong with the variables that name proxies, one sentence each.
    pub doubtful_proxies: Vec<String>,
    /// Where programs are looked for: `PATH`.
    pub path: Option<OsString>,
    /// Where a real sealer is looked for.
    pub upstream: UpstreamPlaces,
    /// This program's file, if it is known.
    pub program: Option<PathBuf>,
    /// This process is root.
    pub is_root: bool,
    /// The time.
    pub now: SystemTime,
    /// How long a program, the engine or the resolver may take for an answer.
    pub limit: Duration,
    /// The addresses of a host, as the system's resolver has them.
    pub resolve: fn(&str) -> io::Result<Vec<IpAddr>>,
    /// Whether an address is one of this machine's.
    pub is_own: fn(IpAddr) -> bool,
}

impl HostPlaces {
    /// The usual places, and those that the environment of this process names, for a store and a cache.
    #[must_use]
    pub(crate) fn from_env(root: &Path, cache: &Path) -> Self {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        Self {
            root: root.to_owned(),
            cache: cache.to_owned(),
            temporary: std::env::temp_dir(),
            hosts: PathBuf::from("/etc/hosts"),
            proc: PathBuf::from("/proc"),
            modules: PathBuf::from("/lib/modules"),
            daemon_json: PathBuf::from("/etc/docker/daemon.json"),
            engine: EngineHost::from_env(),
            engine_is_named: variable("DOCKER_HOST").is_some(),
            registries: ConfigPlaces::from_env(),
            logins: AuthPlaces::from_env(),
            certificates: CertificatePlaces::from_env(),
            doubtful_proxies: doubtful_proxies(),
            path: variable("PATH"),
            upstream: UpstreamPlaces::from_env(),
            program: std::env::current_exe().ok(),
            is_root: crate::disk::is_root(),
            now: SystemTime::now(),
            limit: Duration::from_secs(10),
            resolve,
            is_own,
        }
    }
}

fn resolve(host: &str) -> io::Result<Vec<IpAddr>> {
    // The port is only there because the standard library needs one.
    Ok((host, 0).to_socket_addrs()?.map(|address| address.ip()).collect())
}

/// The kernel only binds a socket to an address of the machine.
fn is_own(address: IpAddr) -> bool {
    address.is_loopback() || UdpSocket::bind((address, 0)).is_ok()
}

/// The name under which clusters know their own registry, and engines that build.
pub(super) const CLUSTER_HOST: &str = "sea.hub";

/// `a`, `b` and `c`, each in backticks.
pub(super) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        Some((last, _)) => last.clone(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_s_addresses_are_told_from_others() {
        for (address, own) in [("127.0.0.1", true), ("127.9.9.9", true), ("::1", true), ("192.0.2.1", false)] {
            assert_eq!(is_own(address.parse().unwrap()), own, "{address}");
        }
    }

    #[test]
    fn the_resolver_knows_this_machine_and_no_name_that_none_can_have() {
        assert!(resolve("localhost").unwrap().iter().all(IpAddr::is_loopback));
        assert!(resolve("no-such-host.invalid").is_err());
    }
}
