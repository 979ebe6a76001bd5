//! Running engines, as /proc shows them: the settings of the one that is checked.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::HostPlaces;

/// The flags of dockerd that say where it listens.
const HOSTS: [&str; 3] = ["--host", "--hosts", "-H"];
/// Where it listens by default: systemd's socket is this one, too.
const USUAL: [&str; 3] = ["fd://", "unix:///var/run/docker.sock", "unix:///run/docker.sock"];

/// The file that the engine of `places` reads its settings from: the one on its command line, else the usual one.
pub(super) fn settings(places: &HostPlaces) -> PathBuf {
    told(places).unwrap_or_else(|| places.daemon_json.clone())
}

fn told(places: &HostPlaces) -> Option<PathBuf> {
    if !places.engine.is_local() {
        return None;
    }
    let asked = places.engine.to_string();
    let asked: Vec<&str> = if USUAL.contains(&asked.as_str()) { USUAL.to_vec() } else { vec![&asked] };
    let processes = fs_err::read_dir(&places.proc).ok()?.flatten().map(|entry| entry.path());
    processes.into_iter().find_map(|process| {
        let arguments = dockerd(&places.proc, &process)?;
        let hosts = values(&arguments, &HOSTS);
        let listens = if hosts.is_empty() {
            asked.contains(&USUAL[1])
        } else {
            hosts.iter().any(|host| asked.iter().any(|asked| host.as_bytes() == asked.as_bytes()))
        };
        let file = values(&arguments, &["--config-file"]).pop().filter(|_| listens)?;
        // A relative path starts in the folder where the engine was started.
        let folder = fs_err::read_link(process.join("cwd")).unwrap_or_else(|_| PathBuf::from("/"));
        Some(folder.join(file))
    })
}

/// The arguments of a process, if it is an engine that sees the same files as we do.
fn dockerd(proc: &Path, process: &Path) -> Option<Vec<Vec<u8>>> {
    process.file_name()?.to_str()?.parse::<u32>().ok()?;
    let line = fs_err::read(process.join("cmdline")).ok()?;
    let arguments: Vec<Vec<u8>> = line.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect();
    let program = Path::new(OsStr::from_bytes(arguments.first()?)).file_name()?;
    // An engine in a container has its own files.
    let mounts = |process: &Path| fs_err::read_link(process.join("ns/mnt")).ok();
    let same = match (mounts(process), mounts(&proc.join("self"))) {
        (Some(theirs), Some(ours)) => theirs == ours,
        _ => true,
    };
    (program == "dockerd" && same).then_some(arguments)
}

/// The values of a flag, as `--flag VALUE`, `--flag=VALUE` and, for a single letter, `-fVALUE`.
fn values<'a>(arguments: &'a [Vec<u8>], flags: &[&str]) -> Vec<&'a OsStr> {
    let mut found = Vec::new();
    for (index, argument) in arguments.iter().enumerate() {
        for flag in flags {
            let Some(rest) = argument.strip_prefix(flag.as_bytes()) else { continue };
            match rest {
                [] => found.extend(arguments.get(index + 1).map(|next| OsStr::from_bytes(next))),
                [b'=', value @ ..] => found.push(OsStr::from_bytes(value)),
                value if flag.len() == 2 => found.push(OsStr::from_bytes(value)),
                _ => {}
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::transport::EngineHost;

    #[test]
    fn the_settings_are_those_of_the_engine_that_is_asked() {
        let folder = tempfile::tempdir().unwrap();
        let process = |number: &str, mounts: &str, arguments: &[&str]| {
            let at = folder.path().join(number);
            fs_err::create_dir_all(at.join("ns")).unwrap();
            fs_err::write(at.join("cmdline"), arguments.join("\0") + "\0").unwrap();
            symlink(mounts, at.join("ns/mnt")).unwrap();
            symlink("/srv", at.join("cwd")).unwrap();
        };
        process("self", "mnt:[1]", &["sealer"]);
        process("12", "mnt:[1]", &["/usr/bin/vi", "dockerd", "--config-file=/no"]);
        process("13", "mnt:[2]", &["/usr/bin/dockerd", "--config-file=/in/a/container"]);
        process("14", "mnt:[1]", &["/usr/bin/dockerd", "-H", "unix:///other.sock", "--config-file", "/other.json"]);
        process("15", "mnt:[1]", &["dockerd", "-Hunix:///short.sock", "--config-file", "short.json"]);
        process("sys", "mnt:[1]", &["dockerd", "--config-file=/no"]);
        let asked = |host: &str| {
            let base = HostPlaces::from_env(folder.path(), folder.path());
            let places = HostPlaces { proc: folder.path().to_owned(), engine: EngineHost::new(host), ..base };
            settings(&places).display().to_string()
        };
        assert_eq!(asked("unix:///other.sock"), "/other.json");
        assert_eq!(asked("unix:///short.sock"), "/srv/short.json");
        assert_eq!(asked("unix:///var/run/docker.sock"), "/etc/docker/daemon.json");
        assert_eq!(asked("tcp://other.sock"), "/etc/docker/daemon.json");
        process("16", "mnt:[1]", &["dockerd", "-H", "fd://", "--config-file=/usual.json"]);
        assert_eq!(asked("unix:///var/run/docker.sock"), "/usual.json");
        assert_eq!(asked("unix:///third.sock"), "/etc/docker/daemon.json");
    }
}
