//! A real registry on the image's `registry/` has everything that a cluster pulls from sea.hub:5000.

use std::path::{Path, PathBuf};

use sealer::testing::types::Digest;

use super::job::{BASE, CALICO, LISTED, job};
use super::shell::merge;
use crate::support::real;

/// What kubeadm starts; the base image brings it along.
const CONTROL_PLANE: [(&str, &str); 7] = [
    ("coredns", "1.7.0"),
    ("etcd", "3.4.13-0"),
    ("kube-apiserver", "v1.19.8"),
    ("kube-controller-manager", "v1.19.8"),
    ("kube-proxy", "v1.19.8"),
    ("kube-scheduler", "v1.19.8"),
    ("pause", "3.2"),
];

/// The digest that stands for an image: that of the very document behind its tag.
fn digest(image: &str) -> Digest {
    let raw = real::skopeo(&["inspect", "--raw", "--tls-verify=false", image]);
    Digest::of(raw.unwrap_or_else(|error| panic!("{image}: {error}")).as_bytes())
}

/// Copies an image for amd64, every blob of it checked by skopeo, into a folder; gives the copied manifest.
fn copy(image: &str, folder: &Path) -> Vec<u8> {
    let to = format!("dir:{}", folder.display());
    let platform = ["--override-os", "linux", "--override-arch", "amd64"];
    let copied = real::skopeo(&[&platform[..], &["copy", "--src-tls-verify=false", image, &to]].concat());
    copied.unwrap_or_else(|error| panic!("{image}: {error}"));
    fs_err::read(folder.join("manifest.json")).unwrap()
}

fn tag_link(layer: &Path, repository: &str, tag: &str) -> Digest {
    let repositories = "registry/docker/registry/v2/repositories";
    let link = layer.join(format!("{repositories}/{repository}/_manifests/tags/{tag}/current/link"));
    fs_err::read_to_string(link).unwrap().parse().unwrap()
}

#[test]
fn it_serves_calico_s_images_as_they_are_upstream_and_the_base_s_as_they_were() {
    let Some(job) = job() else { return };
    let layers = job.layer_folders(CALICO);
    let merged = merge(layers.iter().map(PathBuf::as_path));
    let cluster = real::docker_registry_on(&merged.path().join("registry")).unwrap();
    let outside = job.outside();
    let (cluster, upstream) = (cluster.address(), outside.registry.address());
    let folder = tempfile::tempdir().unwrap();
    let mut names = Vec::new();

    for (index, listed) in LISTED.iter().enumerate() {
        let complete = if listed.contains("quay.io") { (*listed).to_owned() } else { format!("docker.io/{listed}") };
        let (_, inside) = complete.split_once('/').unwrap();
        let theirs = format!("docker://{upstream}/{complete}");
        let ours = format!("docker://{cluster}/{inside}");
        let expected = digest(&theirs);
        assert_eq!(digest(&ours), expected, "{listed}");
        let cached = &job.report["images"][1]["cachedImages"][index];
        assert_eq!(cached, &serde_json::json!({"reference": complete, "digest": expected}), "{listed}");
        let at = |side: &str| folder.path().join(format!("{side}-{index}"));
        let (theirs, ours) = (copy(&theirs, &at("theirs")), copy(&ours, &at("ours")));
        assert!(theirs == ours, "{listed}: another manifest for amd64");
        let repository = inside.split(':').next().unwrap();
        let pinned = copy(&format!("docker://{cluster}/{repository}@{expected}"), &at("pinned"));
        assert!(pinned == ours, "{listed}: another manifest by the list's digest");
        names.push(repository.to_owned());
    }

    let base = &job.layer_folders(BASE)[0];
    for (repository, tag) in CONTROL_PLANE {
        let image = format!("docker://{cluster}/{repository}:{tag}");
        assert_eq!(digest(&image), tag_link(base, repository, tag), "{image}");
        copy(&image, &folder.path().join(repository));
        names.push(repository.to_owned());
    }

    names.sort();
    let catalog = real::ask(cluster, "GET", "/v2/_catalog", &[], b"").unwrap();
    let catalog: serde_json::Value = serde_json::from_slice(&catalog.body).unwrap();
    assert_eq!(catalog, serde_json::json!({"repositories": names}), "these and no others");
}
