//! The harness for real programs works: what the sandbox holds is right in their eyes too.

use sealer::testing::sandbox::{Registry, Server, miniature};
use serde_json::Value;

use crate::support::real;

const REGISTRY: &str = "docker.io/library/registry";
const BASE: &str = "registry.cn-qingdao.aliyuncs.com/sealer-io/kubernetes";

fn server() -> Server {
    let server = Server::start().expect("loopback can be listened on");
    server.content(miniature::fill);
    server
}

fn content(server: &Server) -> Registry {
    server.registry(|registry| registry.clone())
}

#[test]
fn a_real_registry_takes_the_miniatures_and_skopeo_reads_them() {
    let Some(registry) = real::docker_registry().filter(|_| real::available("skopeo")) else { return };
    let miniatures = content(&server());
    real::push_all(&miniatures, registry.address());
    for (name, tag, architecture) in [(REGISTRY, "2.7.1", "arm64"), (BASE, "v1.19.8", "amd64")] {
        let image = format!("docker://{}/{name}:{tag}", registry.address());
        let args = ["--override-arch", architecture, "inspect", "--tls-verify=false", &image];
        let about: Value = serde_json::from_str(&real::skopeo(&args).unwrap()).unwrap();
        assert_eq!((&about["Architecture"], &about["Os"]), (&architecture.into(), &"linux".into()));
        let raw = real::skopeo(&["inspect", "--raw", "--tls-verify=false", &image]).unwrap();
        let list = miniatures.repository(name).unwrap().manifest(tag).unwrap();
        assert_eq!(raw.as_bytes(), list.bytes);
    }
}

#[test]
fn skopeo_copies_all_of_an_image_between_sandbox_and_folder() {
    if !real::available("skopeo") {
        return;
    }
    let server = server();
    let folder = tempfile::tempdir().unwrap();
    let image = format!("docker://{}/{REGISTRY}:2.7.1", server.address());
    let layout = format!("dir:{}", folder.path().display());
    real::skopeo(&["copy", "--all", "--src-tls-verify=false", &image, &layout]).unwrap();
    let copy = format!("docker://{}/example.com/copy:1", server.address());
    real::skopeo(&["copy", "--all", "--dest-tls-verify=false", &layout, &copy]).unwrap();
    let content = content(&server);
    let [original, copied] = [(REGISTRY, "2.7.1"), ("example.com/copy", "1")]
        .map(|(name, tag)| content.repository(name).unwrap().manifest(tag).unwrap().descriptor.digest);
    assert_eq!(copied, original);
}

#[test]
fn an_engine_starts_pulls_runs_and_ends() {
    let Some(engine) = real::dockerd() else { return };
    assert!(engine.docker(&["version"]).unwrap().contains("Server:"), "{}", engine.log());
    let server = server();
    let image = format!("{}/{REGISTRY}:2.7.1", server.address());
    engine.docker(&["pull", "-q", &image]).unwrap();
    let config = engine.docker(&["inspect", "--format", "{{json .Config.Entrypoint}}", &image]).unwrap();
    assert_eq!(config.trim(), r#"["/bin/registry"]"#);
    assert!(engine.data_root().join("image").is_dir());
    let said = engine.docker(&["run", "--rm", "--network", "none", &image]).unwrap();
    assert_eq!(said, "registry 2.7.1: a stand-in from sealer's sandbox, which does nothing\n");
}

#[test]
fn upstreams_engine_refuses_the_patched_ones_settings() {
    if !real::available("dockerd") || !real::is_root() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("daemon.json");
    fs_err::write(&settings, r#"{"mirror-registries": [{"domain": "*", "mirrors": ["http://sea.hub:5000"]}]}"#)
        .unwrap();
    let log = real::dockerd_from("/usr/sbin/dockerd".as_ref(), Some(&settings)).unwrap_err();
    assert!(log.contains("the following directives don't match any configuration option"), "{log}");
}

#[test]
fn debians_programs_make_an_archive_in_upstreams_form() {
    let Some(archive) = real::docker_archive() else { return };
    let packed = fs_err::File::open(archive).unwrap();
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(packed));
    let paths = archive.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().display().to_string());
    insta::assert_snapshot!(paths.collect::<Vec<_>>().join("\n"), @"
    docker/
    docker/containerd
    docker/containerd-shim
    docker/containerd-shim-runc-v2
    docker/ctr
    docker/docker
    docker/docker-init
    docker/docker-proxy
    docker/dockerd
    docker/runc
    ");
}

#[test]
fn the_archives_engine_starts_on_settings_without_the_patched_ones() {
    let Some(archive) = real::docker_archive().filter(|_| real::is_root()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let unpack = std::process::Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(folder.path()).status();
    assert!(unpack.unwrap().success());
    let settings = folder.path().join("daemon.json");
    let text =
        r#"{"log-driver": "json-file", "insecure-registries": ["sea.hub:5000"], "data-root": "/var/lib/docker"}"#;
    fs_err::write(&settings, text).unwrap();
    let engine = real::dockerd_from(&folder.path().join("docker/dockerd"), Some(&settings)).unwrap();
    let insecure = engine.docker(&["info", "--format", "{{json .RegistryConfig.InsecureRegistryCIDRs}}"]).unwrap();
    let logging = engine.docker(&["info", "--format", "{{.LoggingDriver}}"]).unwrap();
    assert_eq!((insecure.trim(), logging.trim()), (r#"["127.0.0.0/8"]"#, "json-file"));
}
