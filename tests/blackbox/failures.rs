//! What cannot work ends non-zero, names the recipe's line and leaves the store as it was.

use std::path::PathBuf;

use sealer::testing::sandbox::{Fault, When};
use serde_json::Value;

use crate::support::program::{World, project, tree};

/// The shipped recipe with one change, applied to a store that holds something; the whole message is a snapshot.
fn check(name: &str, world: &World, change: impl Fn(&str) -> String, code: i32) {
    let shipped = fs_err::read_to_string(project().join("recipes/rawdocker.yaml")).unwrap();
    let changed = change(&shipped);
    let recipe = world.write("recipe.yaml", &changed);
    let before = tree(&world.root());
    let run = world.run(&["recipe", "apply", recipe.to_str().unwrap(), "--platform", "linux/amd64"]);
    assert_eq!(run.code, Some(code), "{run}");
    assert_eq!(tree(&world.root()), before, "the store is as it was");
    assert_eq!(run.stdout, "");
    let message: Vec<&str> = run.stderr.lines().skip_while(|line| !line.contains(": error: ")).collect();
    assert!(message[0].starts_with("[WORLD]/recipe.yaml:"), "{run}");
    insta::assert_snapshot!(name, message.join("\n"));
}

/// A world whose store has the base image already.
fn loaded() -> World {
    let world = World::new();
    world.succeed(&["recipe", "apply", "recipes/rawdocker.yaml", "--platform", "linux/amd64", "--stage", "alpine"]);
    world
}

fn replaced(from: &'static str, to: &'static str) -> impl Fn(&str) -> String {
    move |recipe| {
        assert!(recipe.contains(from), "{from}");
        recipe.replace(from, to)
    }
}

#[test]
fn an_image_with_the_page_s_typo() {
    check("typo", &loaded(), replaced("quay.io/tigera/operator", "quay.io/tigrea/operator"), 4);
}

#[test]
fn a_wrong_sha256() {
    let world = loaded();
    // Straight from the server, so that nobody else is asked after it.
    let url = format!("http://{}/files/download.docker.com/", world.server().address());
    let zeros = format!("          sha256: \"{}\"\n          root: docker", "0".repeat(64));
    let change =
        |recipe: &str| recipe.replace("https://download.docker.com/", &url).replace("          root: docker", &zeros);
    check("sha256", &world, change, 4);
}

#[test]
fn an_archive_without_the_root() {
    check("root", &loaded(), replaced("root: docker", "root: dokcer"), 1);
}

#[test]
fn programs_for_another_platform() {
    check("platform", &loaded(), replaced("{{ platform.machine }}", "aarch64"), 1);
}

#[test]
fn a_base_image_without_such_a_layer() {
    check("layer", &loaded(), replaced("containing: cri/docker.tar.gz", "containing: cri/dokcer.tar.gz"), 1);
}

#[test]
fn a_patch_on_a_key_that_is_not_there() {
    check("key", &loaded(), replaced("/mirror-registries", "/mirror-registry"), 1);
}

/// The cached blobs of the base image: its config and the first of its layers.
fn base_blobs(world: &World) -> [PathBuf; 2] {
    let blobs: Vec<PathBuf> =
        fs_err::read_dir(world.cache().join("blobs/sha256")).unwrap().map(|entry| entry.unwrap().path()).collect();
    let documents = blobs.iter().filter_map(|path| {
        let document: Value = serde_json::from_slice(&fs_err::read(path).unwrap()).ok()?;
        Some((path.clone(), document))
    });
    let documents: Vec<(PathBuf, Value)> = documents.collect();
    let (config, _) = documents.iter().find(|(_, document)| document["kind"] == "Image").unwrap();
    let digest = format!("sha256:{}", config.file_name().unwrap().to_str().unwrap());
    let (_, manifest) = documents.iter().find(|(_, document)| document["config"]["digest"] == digest.as_str()).unwrap();
    let layer = manifest["layers"][0]["digest"].as_str().unwrap().strip_prefix("sha256:").unwrap();
    [config.clone(), config.with_file_name(layer)]
}

#[test]
fn a_blob_of_the_base_image_that_was_damaged_in_the_cache_is_told_and_then_fetched_again() {
    let world = loaded();
    let arguments = ["recipe", "apply", "recipes/rawdocker.yaml", "--platform", "linux/amd64", "--stage", "alpine"];
    for blob in base_blobs(&world) {
        let mut bytes = fs_err::read(&blob).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs_err::write(&blob, bytes).unwrap();
        // An empty store, so that the base image is taken from the cache again.
        fs_err::remove_dir_all(world.root()).unwrap();
        let run = world.run(&arguments);
        assert_eq!(run.code, Some(4), "{run}");
        assert!(!world.root().join("metadata/images_metadata.json").exists());
        world.succeed(&arguments);
    }
}

#[test]
fn one_of_two_globs_that_matches_nothing() {
    let both = "paths: [etc/tigera-operator.yaml, etc/*.yml]\n          to";
    check("glob", &loaded(), replaced("paths: [etc/tigera-operator.yaml]\n          to", both), 1);
}

#[test]
fn a_registry_that_is_down() {
    let world = loaded();
    let conf = fs_err::read_to_string(world.path("registries.conf")).unwrap();
    // Port 1 of loopback: nobody listens there.
    let down = conf.replace(&format!("{}/quay.io", world.server().address()), "127.0.0.1:1/quay.io");
    assert_ne!(conf, down);
    fs_err::write(world.path("registries.conf"), down).unwrap();
    check("down", &world, str::to_owned, 5);
}

#[test]
fn all_images_that_fail_are_named() {
    let world = loaded();
    let change = |recipe: &str| {
        recipe.replace("calico/node:", "calico/mode:").replace("quay.io/tigera/operator", "quay.io/tigrea/operator")
    };
    check("several", &world, change, 4);
}

#[test]
fn a_blob_that_arrives_changed() {
    let world = World::new();
    world.server().fault(When::path("/v2/quay.io/tigera/operator/blobs/"), Fault::FlipByte(20));
    check("flipped", &world, str::to_owned, 4);
}
