//! The difference between base image and derived image, as `recipe diff` tells it, is what the page says to change.

use serde_json::Value;

use super::job::{ALPINE, BASE, CALICO, Job, job, succeed};

fn diff(job: &Job, old: &str, new: &str) -> Value {
    let report = succeed(job.sealer("root").args(["recipe", "diff", "-o", "json", old, new]));
    let report: Value = serde_json::from_str(&report).unwrap();
    report["images"][0].clone()
}

/// Each difference of files as its path and what it is.
fn differences(image: &Value) -> Vec<String> {
    let files = image["files"].as_array().unwrap().iter();
    let all = files.flat_map(|file| file["differences"].as_array().unwrap());
    all.map(|one| format!("{}: {}", one["path"].as_str().unwrap(), one["change"].as_str().unwrap())).collect()
}

#[test]
fn it_is_what_the_page_changes_and_nothing_else() {
    let Some(job) = job() else { return };
    let image = diff(job, BASE, CALICO);
    let told = differences(&image);
    let is_registry = |one: &&String| one.starts_with("images/registry.tar");
    let others: Vec<&String> = told.iter().filter(|one| !is_registry(one)).collect();
    insta::assert_debug_snapshot!(others, @r#"
    [
        "cri/docker.tar.gz!/containerd: content",
        "cri/docker.tar.gz!/containerd-shim: content",
        "cri/docker.tar.gz!/containerd-shim-runc-v2: content",
        "cri/docker.tar.gz!/ctr: content",
        "cri/docker.tar.gz!/docker: content",
        "cri/docker.tar.gz!/docker-init: content",
        "cri/docker.tar.gz!/docker-proxy: content",
        "cri/docker.tar.gz!/dockerd: content",
        "cri/docker.tar.gz!/runc: content",
        "etc/Clusterfile: removed",
        "etc/custom-resources.yaml#{Installation default}/spec/registry: keyAdded",
        "etc/daemon.json#/mirror-registries: keyRemoved",
        "etc/tigera-operator.yaml#{Deployment tigera-operator/tigera-operator}/spec/template/spec/containers/0/image: reference",
        "manifests/imageList: lines",
    ]
    "#);
    assert!(told.contains(&"images/registry.tar: containerImage".to_owned()), "{told:?}");
    let cached: Vec<_> = image["cachedImages"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    assert_eq!(
        cached,
        [
            "calico/cni:v3.19.1",
            "calico/kube-controllers:v3.19.1",
            "calico/node:v3.19.1",
            "calico/pod2daemon-flexvol:v3.19.1",
            "calico/typha:v3.19.1",
            "tigera/operator:v1.17.4"
        ]
    );
    // Each of them is there before and after, under another digest.
    for one in image["cachedImages"].as_array().unwrap() {
        assert!(one["old"]["digest"].is_string() && one["new"]["digest"].is_string(), "{one}");
        assert!(one["old"]["missing"].is_null() && one["new"]["missing"].is_null(), "{one}");
    }
    let stages = diff(job, ALPINE, CALICO);
    let paths: Vec<_> = stages["files"].as_array().unwrap().iter().map(|file| file["path"].clone()).collect();
    assert_eq!(paths, ["etc/custom-resources.yaml", "etc/tigera-operator.yaml", "manifests", "manifests/imageList"]);
}
