//! Debian's docker-registry: the very program that a cluster runs on an image's `registry/`.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::http::ask;
use super::process::Process;

/// A registry on loopback; it ends when it is dropped.
#[derive(Debug)]
pub(crate) struct DockerRegistry {
    address: SocketAddr,
    process: Process,
    _folder: TempDir,
}

impl DockerRegistry {
    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.process.log()
    }
}

/// An empty registry.
pub(crate) fn docker_registry() -> Option<DockerRegistry> {
    super::available("docker-registry").then(|| {
        let folder = TempDir::new().unwrap();
        let storage = folder.path().join("storage");
        fs_err::create_dir(&storage).unwrap();
        start(folder, &storage, &json!({}), &json!({}))
    })
}

/// A registry on a storage that is there: the folder above `docker/registry/v2`, as `registry/` of a base image.
pub(crate) fn docker_registry_on(storage: &Path) -> Option<DockerRegistry> {
    super::available("docker-registry").then(|| start(TempDir::new().unwrap(), storage, &json!({}), &json!({})))
}

/// A registry on a storage, with more settings: of `http` (`tls`) and of `auth`.
pub(crate) fn docker_registry_with(storage: &Path, http: &Value, auth: &Value) -> Option<DockerRegistry> {
    super::available("docker-registry").then(|| start(TempDir::new().unwrap(), storage, http, auth))
}

fn start(folder: TempDir, storage: &Path, http: &Value, auth: &Value) -> DockerRegistry {
    // The port is free when it is chosen, and rarely taken when it is used: then another one.
    for _ in 0..5 {
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr()).unwrap();
        let mut settings = json!({
            "version": "0.1",
            "log": {"level": "warn"},
            "storage": {"filesystem": {"rootdirectory": storage}, "delete": {"enabled": true}},
            "http": http,
        });
        settings["http"]["addr"] = address.to_string().into();
        if auth != &json!({}) {
            settings["auth"] = auth.clone();
        }
        // YAML takes JSON.
        let config = folder.path().join("config.yml");
        fs_err::write(&config, settings.to_string()).unwrap();
        let log = folder.path().join("log");
        let mut process = Process::start(Command::new("docker-registry").arg("serve").arg(&config), &log);
        // 401 where it asks for a login, 400 where it speaks TLS.
        let answers =
            || ask(address, "GET", "/v2/", &[], b"").is_ok_and(|answer| [200, 400, 401].contains(&answer.status));
        match process.wait_until(answers) {
            Ok(()) => return DockerRegistry { address, process, _folder: folder },
            Err(reason) => assert!(reason.contains("address already in use"), "docker-registry: {reason}"),
        }
    }
    panic!("docker-registry found no free port");
}
