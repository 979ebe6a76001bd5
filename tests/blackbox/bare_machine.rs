//! The first command of the README works for an ordinary user, without Docker, without a network, and for arm64 too.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::program::{World, copy_program, project};
use crate::support::real;

/// `EM_AARCH64` and `EM_X86_64` of the ELF specification.
const MACHINES: [(&str, u16); 2] = [("arm64", 183), ("amd64", 62)];

/// Each member of a gzipped archive with the machine that its ELF header names.
fn machines(archive: &Path) -> Vec<(String, u16)> {
    let packed = flate2::read::MultiGzDecoder::new(fs_err::File::open(archive).unwrap());
    let mut archive = tar::Archive::new(packed);
    let mut found = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut header = [0; 20];
        entry.read_exact(&mut header).unwrap();
        assert_eq!(&header[..4], b"\x7fELF");
        found.push((entry.path().unwrap().display().to_string(), u16::from_le_bytes([header[18], header[19]])));
    }
    found
}

fn member<'a>(value: &'a Value, pointer: &str) -> &'a Value {
    value.pointer(pointer).unwrap_or_else(|| panic!("no {pointer} in {value:#}"))
}

#[test]
fn each_platform_gets_an_image_of_its_own() {
    let world = World::new();
    let root = world.root();
    for (architecture, machine) in MACHINES {
        let platform = format!("linux/{architecture}");
        let mut command = world.command();
        // The sandbox's folder stays after the run; here it goes with the world.
        command.env("TMPDIR", world.path("")).args(["recipe", "apply", "recipes/rawdocker.yaml", "--sandbox", "-q"]);
        let applied = world.result(&command.args(["--platform", &platform, "--root"]).arg(&root).output().unwrap());
        assert_eq!(applied.code, Some(0), "{applied}");
        let inspected = world.succeed(&["inspect", "kubernetes-rawdocker:v1.19.8", "-o", "json"]);
        let documents: Vec<Value> = serde_json::from_str(&inspected.stdout).unwrap();
        let of_platform = |document: &&Value| *member(document, "/spec/platform/architecture") == architecture;
        let document = documents.iter().find(of_platform).unwrap_or_else(|| panic!("{inspected}"));
        let variant = document.pointer("/spec/platform/variant").and_then(Value::as_str);
        assert_eq!(variant, (architecture == "arm64").then_some("v8"));
        assert_eq!(*member(document, "/spec/platform/os"), "linux");
        let layer = member(document, "/spec/layers/0/id").as_str().unwrap().trim_start_matches("sha256:").to_owned();
        let programs = machines(&root.join("data/overlay2").join(layer).join("cri/docker.tar.gz"));
        let names = ["containerd", "containerd-shim", "containerd-shim-runc-v2", "ctr", "docker", "docker-init"];
        let names = names.into_iter().chain(["docker-proxy", "dockerd", "runc"]);
        assert_eq!(programs, names.map(|name| (name.to_owned(), machine)).collect::<Vec<_>>());
    }
    let listed: Value = serde_json::from_str(&world.succeed(&["images", "-o", "json"]).stdout).unwrap();
    let mut both: Vec<String> = Vec::new();
    for image in listed.as_array().unwrap() {
        let (name, platform) = (image["name"].as_str().unwrap(), image["platform"].as_str().unwrap());
        both.push(format!("{} {platform}", name.rsplit('/').next().unwrap()));
    }
    both.retain(|line| line.starts_with("kubernetes-rawdocker:v1.19.8 "));
    both.sort();
    assert_eq!(both[0], "kubernetes-rawdocker:v1.19.8 linux/amd64");
    assert!(both[1].starts_with("kubernetes-rawdocker:v1.19.8 linux/arm64") && both.len() == 2, "{both:?}");
}

/// The program and a copy of `recipes/` and `schemas/` that nobody but root could write, and a folder for all.
struct Checkout(tempfile::TempDir);

impl Checkout {
    fn new() -> Self {
        let checkout = Self(tempfile::tempdir().unwrap());
        let folders = ["recipes", "schemas"].map(|name| project().join(name));
        let copied = Command::new("cp").arg("-R").args(folders).arg(checkout.path("")).status().unwrap();
        assert!(copied.success());
        copy_program(&checkout.path("sealer"));
        let closed = Command::new("chmod").args(["-R", "a+rX,a-w"]).arg(checkout.path("")).status().unwrap();
        assert!(closed.success());
        checkout
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

/// Runs the README's first command with what `enter` puts before it; all in it is told from an empty environment.
fn first_command(enter: &[&str]) -> Output {
    let checkout = Checkout::new();
    let temporary = tempfile::tempdir().unwrap();
    fs_err::set_permissions(temporary.path(), PermissionsExt::from_mode(0o777)).unwrap();
    let mut command = Command::new(enter[0]);
    command.args(&enter[1..]).args(["env", "--ignore-environment", "PATH=/nonexistent", "HOME=/nonexistent"]);
    command.arg(format!("TMPDIR={}", temporary.path().display())).arg(checkout.path("sealer"));
    command.args(["recipe", "apply", "recipes/rawdocker.yaml", "--sandbox", "-o", "json"]);
    let started = Instant::now();
    let output = command.current_dir(checkout.path("")).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {stderr}");
    // It takes about two seconds; a machine may be busy with other things.
    assert!(started.elapsed() < Duration::from_mins(1), "it took {:?}", started.elapsed());
    assert!(stderr.starts_with("sandbox: ") && stderr.contains("127.0.0.1"), "{stderr}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let names = report["images"].as_array().unwrap().iter().map(|image| image["name"].as_str().unwrap());
    let prefix = "registry.cn-qingdao.aliyuncs.com/sealer-io/kubernetes-rawdocker:v1.19.8";
    assert_eq!(names.collect::<Vec<_>>(), [&format!("{prefix}-alpine"), prefix]);
    // Root can go where the user's files are; whoever is the user made nothing else.
    let made = fs_err::read_dir(temporary.path()).unwrap().count();
    assert_eq!(made, 1, "the sandbox's folder");
    output
}

/// Brings up loopback, makes sure that it is all there is, and goes on.
const ONLY_LOOPBACK: &str = r#"ip link set lo up; [ "$(ip -oneline link | wc -l)" = 1 ]; exec "$@""#;
const ORDINARY: [&str; 6] = ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups", "--no-new-privs", "--"];

fn tools() -> bool {
    real::is_root() && ["unshare", "setpriv", "ip"].iter().all(|program| real::available(program))
}

#[test]
fn an_ordinary_user_without_a_network() {
    if !tools() {
        return;
    }
    let without_network = ["unshare", "--net", "sh", "-e", "-c", ONLY_LOOPBACK, "sh"];
    first_command(&[&without_network[..], &ORDINARY].concat());
}

/// Rootless containers are so: the program is told that it is root, and may do little of what root may.
#[test]
fn the_root_of_an_ordinary_users_namespace_without_a_network() {
    if !tools() {
        return;
    }
    let without_network = ["unshare", "--map-root-user", "--net", "sh", "-e", "-c", ONLY_LOOPBACK, "sh"];
    first_command(&[&ORDINARY[..], &without_network].concat());
}
