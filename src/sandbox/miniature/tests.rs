//! The miniatures are what they stand for, checked the way a suspicious client would.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use serde_json::Value;

use super::*;
use crate::manifests::{self, Form, Scan};
use crate::types::Digest;

const BASE: &str = "registry.cn-qingdao.aliyuncs.com/sealer-io/kubernetes";
const RAWDOCKER: &str = "registry.cn-qingdao.aliyuncs.com/sealer-io/kubernetes-rawdocker";

fn filled() -> (Registry, Files) {
    let (mut registry, mut files) = (Registry::default(), Files::default());
    fill(&mut registry, &mut files);
    (registry, files)
}

fn digest(value: &Value) -> Digest {
    value["digest"].as_str().unwrap().parse().unwrap()
}

fn unpacked(bytes: &[u8]) -> Vec<u8> {
    let mut tar = Vec::new();
    flate2::read::GzDecoder::new(bytes).read_to_end(&mut tar).unwrap();
    tar
}

fn files_of(tar: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = tar::Archive::new(tar);
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        (entry.path().unwrap().to_str().unwrap().to_owned(), content)
    });
    entries.collect()
}

/// The manifests of a repository for each platform of the list under its only tag.
fn manifests(registry: &Registry, name: &str) -> Vec<Value> {
    let repository = registry.repository(name).unwrap();
    let (_, list) = repository.tags.iter().next().unwrap();
    let list: Value = serde_json::from_slice(&repository.manifests[list].bytes).unwrap();
    let manifest = |entry| serde_json::from_slice(&repository.manifests[&digest(entry)].bytes).unwrap();
    list["manifests"].as_array().unwrap().iter().map(manifest).collect()
}

/// The files of the base image's layers for the first platform, amd64.
fn base_layers(registry: &Registry) -> Vec<BTreeMap<String, Vec<u8>>> {
    layers_of(registry, BASE)
}

fn layers_of(registry: &Registry, name: &str) -> Vec<BTreeMap<String, Vec<u8>>> {
    let manifest = &manifests(registry, name)[0];
    let layers = manifest["layers"].as_array().unwrap().iter();
    layers.map(|layer| files_of(&unpacked(registry.blob(name, digest(layer)).unwrap()))).collect()
}

/// The references of a manifest, as whoever reads YAML finds them.
fn references(manifest: &[u8]) -> Vec<String> {
    let scan = Scan { form: Form::Document, registry: "sea.hub:5000", listed: &BTreeSet::new() };
    manifests::scan(manifest, &scan).mentions.into_iter().map(|mention| mention.reference).collect()
}

#[test]
fn every_image_is_whole_for_both_platforms() {
    let (registry, _) = filled();
    let mut images = Vec::new();
    for (name, repository) in registry.repositories() {
        images.push(format!("{name}:{}", repository.tags.keys().next().unwrap()));
        let manifests = manifests(&registry, name);
        assert_eq!(manifests.len(), 2, "{name}");
        for manifest in manifests {
            let config = registry.blob(name, digest(&manifest["config"])).unwrap();
            let config: Value = serde_json::from_slice(config).unwrap();
            let ids = config["rootfs"]["diff_ids"].as_array().cloned().unwrap_or_else(|| {
                let layers = config["spec"]["layers"].as_array().unwrap();
                layers.iter().map(|layer| layer["id"].clone()).collect()
            });
            let layers = manifest["layers"].as_array().unwrap();
            assert_eq!(ids.len(), layers.len(), "{name}");
            for (layer, id) in layers.iter().zip(ids) {
                let bytes = registry.blob(name, digest(layer)).unwrap();
                assert_eq!(layer["size"], bytes.len());
                assert_eq!(Digest::of(&unpacked(bytes)).to_string(), id, "{name}");
            }
        }
    }
    insta::assert_snapshot!(images.join("\n"), @"
    docker.io/calico/cni:v3.19.1
    docker.io/calico/kube-controllers:v3.19.1
    docker.io/calico/node:v3.19.1
    docker.io/calico/pod2daemon-flexvol:v3.19.1
    docker.io/calico/typha:v3.19.1
    docker.io/library/registry:2.7.1
    ghcr.io/kyverno/kyverno:v1.5.1
    ghcr.io/kyverno/kyvernopre:v1.5.1
    quay.io/tigera/operator:v1.17.4
    registry.cn-qingdao.aliyuncs.com/sealer-io/kubernetes:v1.19.8
    registry.cn-qingdao.aliyuncs.com/sealer-io/kubernetes-rawdocker:v1.19.8
    ");
}

#[test]
fn the_base_image_has_the_layers_of_a_real_one() {
    let (registry, _) = filled();
    let layers = base_layers(&registry);
    let listing = layers.iter().enumerate().flat_map(|(number, files)| {
        let paths = files.keys().filter(|path| !path.starts_with("registry/"));
        paths.map(move |path| format!("{number} {path}"))
    });
    insta::assert_snapshot!(listing.collect::<Vec<_>>().join("\n"), @"
    0 Kubefile
    0 Metadata
    0 bin
    0 bin/conntrack
    0 bin/crictl
    0 bin/kubeadm
    0 bin/kubectl
    0 bin/kubelet
    0 bin/seautil
    0 certs
    0 cri
    0 cri/docker.tar.gz
    0 etc
    0 etc/daemon.json
    0 etc/kubeadm.yml
    0 images
    0 images/registry.tar
    0 registry
    0 scripts
    0 scripts/clean.sh
    0 scripts/docker.sh
    0 scripts/init-registry.sh
    0 scripts/init.sh
    0 statics
    0 statics/audit-policy.yml
    1 etc
    1 etc/Clusterfile
    2 manifests
    2 manifests/imageList
    3 etc
    3 etc/custom-resources.yaml
    3 etc/tigera-operator.yaml
    4 registry
    ");
}

#[test]
fn what_its_registry_links_to_is_there() {
    let (registry, _) = filled();
    let root = "registry/docker/registry/v2/";
    let mut tags = BTreeSet::new();
    for files in base_layers(&registry) {
        for (path, content) in &files {
            if path.ends_with("/link") {
                let digest: Digest = std::str::from_utf8(content).unwrap().parse().unwrap();
                let hex = digest.hex();
                let data = &files[&format!("{root}blobs/sha256/{}/{hex}/data", &hex[..2])];
                assert_eq!(Digest::of(data), digest);
            }
            let tag = path.strip_prefix(root).and_then(|path| path.strip_prefix("repositories/"));
            if let Some(tag) = tag.and_then(|path| path.strip_suffix("/current/link")) {
                tags.insert(tag.replace("/_manifests/tags/", ":"));
            }
        }
    }
    insta::assert_snapshot!(tags.into_iter().collect::<Vec<_>>().join("\n"), @"
    calico/cni:v3.19.1
    calico/kube-controllers:v3.19.1
    calico/node:v3.19.1
    calico/pod2daemon-flexvol:v3.19.1
    calico/typha:v3.19.1
    coredns:1.7.0
    etcd:3.4.13-0
    kube-apiserver:v1.19.8
    kube-controller-manager:v1.19.8
    kube-proxy:v1.19.8
    kube-scheduler:v1.19.8
    pause:3.2
    tigera/operator:v1.17.4
    ");
}

#[test]
fn upstreams_archive_has_every_program_of_the_base_image() {
    let (registry, files) = filled();
    let cri = files_of(&unpacked(&base_layers(&registry)[0]["cri/docker.tar.gz"]));
    assert_eq!(cri.keys().collect::<Vec<_>>(), engine::PROGRAMS.iter().collect::<Vec<_>>());
    for machine in ["x86_64", "aarch64"] {
        let path = format!("download.docker.com/linux/static/stable/{machine}/docker-19.03.15.tgz");
        let programs = files_of(&unpacked(files.get(&path).unwrap()));
        let names = programs.keys().filter_map(|path| path.strip_prefix("docker/"));
        assert_eq!(names.collect::<Vec<_>>(), engine::PROGRAMS);
        assert_ne!(programs["docker/dockerd"], cri["dockerd"]);
    }
}

#[test]
fn the_saved_registry_names_its_config_by_digest() {
    let (registry, _) = filled();
    let saved = files_of(&base_layers(&registry)[0]["images/registry.tar"]);
    let manifest: Value = serde_json::from_slice(&saved["manifest.json"]).unwrap();
    assert_eq!(manifest[0]["RepoTags"], serde_json::json!(["registry:2.7.1"]));
    let config = manifest[0]["Config"].as_str().unwrap();
    assert_eq!(format!("{}.json", Digest::of(&saved[config]).hex()), config);
    let config: Value = serde_json::from_slice(&saved[config]).unwrap();
    let layers = manifest[0]["Layers"].as_array().unwrap().iter().map(|path| &saved[path.as_str().unwrap()]);
    let ids: Vec<_> = layers.map(|layer| Value::from(Digest::of(layer).to_string())).collect();
    assert_eq!(config["rootfs"]["diff_ids"], Value::from(ids));
}

#[test]
fn rawdocker_is_the_base_image_with_what_upstream_makes() {
    let (registry, files) = filled();
    let (base, raw) = (base_layers(&registry), layers_of(&registry, RAWDOCKER));
    let differ: Vec<_> = base[0].keys().filter(|path| base[0].get(*path) != raw[0].get(*path)).collect();
    assert_eq!(differ, ["cri/docker.tar.gz", "etc/daemon.json", "images/registry.tar"]);
    assert!(base[0].keys().eq(raw[0].keys()));
    assert_eq!([&base[2], &base[4]], [&raw[1], &raw[3]], "the image list and the registry are the same");

    let upstream = files.get("download.docker.com/linux/static/stable/x86_64/docker-19.03.15.tgz").unwrap();
    let (upstream, cri) = (files_of(&unpacked(upstream)), files_of(&unpacked(&raw[0]["cri/docker.tar.gz"])));
    assert!(engine::PROGRAMS.iter().all(|name| upstream[&format!("docker/{name}")] == cri[*name]));
    let [mut patched, daemon] =
        [&base[0], &raw[0]].map(|files| -> Value { serde_json::from_slice(&files["etc/daemon.json"]).unwrap() });
    assert!(patched.as_object_mut().unwrap().remove("mirror-registries").is_some());
    assert_eq!(daemon, patched);

    let operator = &raw[2]["etc/tigera-operator.yaml"];
    assert_eq!(references(operator), ["sea.hub:5000/tigera/operator:v1.17.4"]);
    let resources = String::from_utf8(raw[2]["etc/custom-resources.yaml"].clone()).unwrap();
    let installation: Value = serde_yaml::from_str(resources.split("\n---\n").next().unwrap()).unwrap();
    assert_eq!(installation["kind"], "Installation");
    assert_eq!(installation["spec"]["registry"], "sea.hub:5000");
}

#[test]
fn kyvernos_manifests_name_two_images_and_look_as_if_there_were_more() {
    let (registry, files) = filled();
    let manifest =
        files.get("raw.githubusercontent.com/kyverno/kyverno/v1.5.1/definitions/release/install.yaml").unwrap();
    let found = references(manifest);
    assert_eq!(found, ["ghcr.io/kyverno/kyverno:v1.5.1", "ghcr.io/kyverno/kyvernopre:v1.5.1"]);
    for reference in found {
        let (name, tag) = reference.rsplit_once(':').unwrap();
        assert!(registry.repository(name).unwrap().tags.contains_key(tag));
    }
    let text = std::str::from_utf8(manifest).unwrap();
    assert!(text.matches("image:").count() > 2, "traps for who reads no YAML");
    assert!(text.matches("ghcr.io/").count() > 2, "and for who replaces text");
    let kinds = text.lines().filter_map(|line| line.strip_prefix("kind: "));
    insta::assert_snapshot!(kinds.collect::<Vec<_>>().join(" "), @"Namespace CustomResourceDefinition ServiceAccount ClusterRole ClusterRole ClusterRoleBinding ClusterRoleBinding ConfigMap Service Service Deployment");
}

#[test]
fn the_same_bytes_come_out_each_time() {
    let digests = |registry: &Registry| -> Vec<(String, Digest)> {
        let tags = registry.repositories().flat_map(|(name, repository)| {
            repository.tags.iter().map(move |(tag, digest)| (format!("{name}:{tag}"), *digest))
        });
        tags.collect()
    };
    assert_eq!(digests(&filled().0), digests(&filled().0));
}
