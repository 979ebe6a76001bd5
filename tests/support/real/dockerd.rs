//! A Docker engine of its own, which leaves the host's engine, network and firewall alone.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use super::process::Process;

/// A running engine; it ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Dockerd {
    folder: TempDir,
    process: Process,
}

impl Dockerd {
    /// What `DOCKER_HOST` has to be for clients of it.
    pub(crate) fn host(&self) -> String {
        format!("unix://{}", self.folder.path().join("docker.sock").display())
    }

    /// Its data-root.
    pub(crate) fn data_root(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.process.log()
    }

    /// Runs `docker ARGS…` against it: stdout, or stderr where it fails.
    pub(crate) fn docker(&self, args: &[&str]) -> Result<String, String> {
        let output = Command::new("/usr/bin/docker").args(args).env("DOCKER_HOST", self.host()).output();
        let output = output.map_err(|error| error.to_string())?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// Debian's engine.
pub(crate) fn dockerd() -> Option<Dockerd> {
    let there = super::available("dockerd") && super::available("containerd") && super::available("docker");
    let started = (there && super::is_root()).then(|| dockerd_from(Path::new("/usr/sbin/dockerd"), None))?;
    Some(started.unwrap_or_else(|log| panic!("dockerd does not start: {log}")))
}

/// This dockerd, with the programs beside it, on this daemon.json; its log where it does not start.
///
/// Of the daemon.json only `data-root` is changed. The caller asks [`super::is_root`] first.
pub(crate) fn dockerd_from(program: &Path, daemon_json: Option<&Path>) -> Result<Dockerd, String> {
    // A short path: the sockets below it may have 107 bytes in all.
    let folder = tempfile::Builder::new().prefix("d").tempdir_in("/tmp").unwrap();
    let inside = |name: &str| folder.path().join(name);
    let settings = daemon_json.map_or_else(|| b"{}".to_vec(), |path| fs_err::read(path).unwrap());
    let mut settings: Value = serde_json::from_slice(&settings).map_err(|error| error.to_string())?;
    // A key may not stand both here and among the flags: dockerd refuses that.
    settings["data-root"] = inside("data").to_str().expect("made of ASCII").into();
    fs_err::write(inside("daemon.json"), settings.to_string()).unwrap();
    let beside = program.parent().expect("a program lies in a folder").display();
    let mut command = Command::new(program);
    command
        .env("PATH", format!("{beside}:/usr/sbin:/usr/bin:/sbin:/bin"))
        .arg("--config-file")
        .arg(inside("daemon.json"))
        .arg("--exec-root")
        .arg(inside("exec"))
        .arg("--pidfile")
        .arg(inside("pid"))
        .arg(format!("--host=unix://{}", inside("docker.sock").display()))
        // The host's firewall, bridge and forwarding stay as they are; containers have `--network none` or `host`.
        .args(["--iptables=false", "--ip-forward=false", "--bridge=none"]);
    let mut process = Process::start(&mut command, &inside("log"));
    let socket = inside("docker.sock");
    process.wait_until(|| std::os::unix::net::UnixStream::connect(&socket).is_ok_and(pings))?;
    Ok(Dockerd { folder, process })
}

/// Whether the engine is done starting: its socket is there before it can answer.
fn pings(mut stream: std::os::unix::net::UnixStream) -> bool {
    use std::io::{Read, Write};
    let timeout = Some(std::time::Duration::from_secs(5));
    let mut answer = Vec::new();
    stream.set_read_timeout(timeout).is_ok()
        && stream.write_all(b"GET /_ping HTTP/1.0\r\n\r\n").is_ok()
        && stream.read_to_end(&mut answer).is_ok()
        && answer.starts_with(b"HTTP/1.0 200")
}
