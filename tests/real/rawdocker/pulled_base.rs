//! A base image that is pulled gives what the same one gives that was loaded.

use sealer::testing::sandbox::Registry;
use sealer::testing::types::Digest;
use serde_json::Value;

use super::job::{BASE, PREFIX, job, succeed};
use crate::support::{real, shared_file};

/// The base image as sealer itself pushed it, its documents byte for byte.
fn pushed_by_sealer(repository: &str) -> Registry {
    let read = |name: &str| fs_err::read(shared_file(&format!("golden/push/{name}")).unwrap()).unwrap();
    let mut registry = Registry::default();
    for blob in fs_err::read_dir(shared_file("golden/push/blobs").unwrap()).unwrap() {
        registry.put_blob(repository, fs_err::read(blob.unwrap().path()).unwrap());
    }
    for (file, tag) in [("manifest.json", None), ("manifest-list.json", Some("v1.19.8"))] {
        let document: Value = serde_json::from_slice(&read(file)).unwrap();
        registry.put_manifest(repository, tag, document["mediaType"].as_str().unwrap(), read(file));
    }
    registry
}

#[test]
fn from_a_real_registry_it_is_the_image_that_was_loaded() {
    let Some(job) = job() else { return };
    let repository = format!("{PREFIX}kubernetes");
    let outside = job.outside();
    real::push(&pushed_by_sealer(&repository), &repository, outside.registry.address(), &repository);
    let report = job.apply(&outside, "pulled", &["--platform", "linux/amd64"]);
    assert_eq!(report["images"], job.report["images"]);

    let documents = succeed(job.sealer("pulled").args(["inspect", "-o", "json", BASE]));
    let documents: Value = serde_json::from_str(&documents).unwrap();
    assert_eq!(documents[0]["metadata"]["name"], format!("{PREFIX}{BASE}"), "not the name that it was pushed under");
    let layers = documents[0]["spec"]["layers"].as_array().unwrap().iter();
    let layers: Vec<Digest> = layers.map(|layer| layer["id"].as_str().unwrap().parse().unwrap()).collect();
    assert_eq!(layers, job.layers(BASE));
    for name in ["pulled", "pulled-cache"] {
        fs_err::remove_dir_all(job.path(name)).unwrap();
    }
}
