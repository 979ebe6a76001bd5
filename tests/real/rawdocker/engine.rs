//! The new Docker: real tar unpacks it, it starts on the image's own settings, and loads the image's own registry.

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use super::job::{ALPINE, job};
use super::shell::run;
use crate::support::real::{self, PROGRAMS};

#[test]
fn the_archive_unpacks_to_programs_that_serve_on_the_image_s_settings() {
    let Some(job) = job().filter(|_| real::is_root()) else { return };
    let layer = &job.layer_folders(ALPINE)[0];
    let folder = tempfile::tempdir_in(job.path("")).unwrap();
    // As docker.sh of the base image does it, with another folder than `/usr/bin`.
    let archive = layer.join("cri/docker.tar.gz");
    run("tar", &["-zxf".as_ref(), archive.as_ref(), "-C".as_ref(), folder.path().as_ref()]);
    let mut names = Vec::new();
    for entry in fs_err::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let (about, name) = (entry.metadata().unwrap(), entry.file_name().into_string().unwrap());
        assert!(about.is_file() && about.permissions().mode() & 0o7777 == 0o755, "{name}: {about:?}");
        names.push(name);
    }
    names.sort();
    assert_eq!(names, PROGRAMS);
    for name in ["dockerd", "runc"] {
        let packaged = fs_err::read(std::path::Path::new("/usr/sbin").join(name)).unwrap();
        assert!(fs_err::read(folder.path().join(name)).unwrap() == packaged, "{name} is the one that was fetched");
    }

    let settings = layer.join("etc/daemon.json");
    let engine = real::dockerd_from(&folder.path().join("dockerd"), Some(&settings));
    let engine = engine.unwrap_or_else(|log| panic!("dockerd does not start on etc/daemon.json: {log}"));
    let about: Value = serde_json::from_str(&engine.docker(&["info", "--format", "{{json .}}"]).unwrap()).unwrap();
    assert_eq!((&about["LoggingDriver"], &about["Debug"]), (&"json-file".into(), &true.into()));
    let insecure = &about["RegistryConfig"]["IndexConfigs"];
    assert_eq!(insecure["sea.hub:5000"]["Secure"], false, "{insecure:#}");

    let list = ["images", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}}"];
    assert_eq!(engine.docker(&list).unwrap(), "");
    let registry = layer.join("images/registry.tar");
    let loaded = engine.docker(&["load", "-i", registry.to_str().unwrap()]).unwrap();
    assert_eq!(loaded, "Loaded image: registry:2.7.1\n");
    assert_eq!(engine.docker(&list).unwrap(), "registry:2.7.1\n");

    // It is the image of the registry that it came from: the engine's id of it is the digest of its config there.
    let outside = job.outside();
    let source = format!("docker://{}/docker.io/library/registry:2.7.1", outside.registry.address());
    let arguments = ["--override-os", "linux", "--override-arch", "amd64", "inspect", "--config", "--raw"];
    let config = real::skopeo(&[&arguments[..], &["--tls-verify=false", &source]].concat()).unwrap();
    let id = engine.docker(&["inspect", "--format", "{{.Id}}", "registry:2.7.1"]).unwrap();
    assert_eq!(id.trim(), sealer::testing::types::Digest::of(config.as_bytes()).to_string());
}
