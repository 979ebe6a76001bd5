//! Several platforms in one run: one image name, all of them or none.

use sealer::testing::sandbox::{Form, ImageBuilder, ImageList, Tree};
use sealer::testing::types::{ImageRef, Platform};
use serde_json::Value;

use crate::support::program::{World, tree};

const BOTH: [&str; 5] = ["recipe", "apply", "recipes/rawdocker.yaml", "--platform", "linux/amd64,linux/arm64"];
const ONE: [&str; 7] = ["recipe", "apply", "recipes/rawdocker.yaml", "--platform", "linux/amd64", "--stage", "alpine"];
const NAME: &str = "registry.cn-qingdao.aliyuncs.com/sealer-io/kubernetes-rawdocker:v1.19.8";
/// What the sandbox's web servers have for arm64.
const ARM64_ENGINE: &str = "download.docker.com/linux/static/stable/aarch64/docker-19.03.15.tgz";

fn metadata(world: &World) -> Value {
    let file = world.root().join("metadata/images_metadata.json");
    serde_json::from_str(&fs_err::read_to_string(file).unwrap()).unwrap()
}

#[test]
fn the_report_and_the_store_have_both() {
    let world = World::new();
    let run = world.succeed(&[&BOTH[..], &["-o", "json"]].concat());
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let images = report["images"].as_array().unwrap();
    let made: Vec<_> =
        images.iter().map(|image| (image["name"].as_str().unwrap(), image["platform"].as_str().unwrap())).collect();
    let alpine = format!("{NAME}-alpine");
    let expected =
        [(alpine.as_str(), "linux/amd64"), (&alpine, "linux/arm64"), (NAME, "linux/amd64"), (NAME, "linux/arm64")];
    assert_eq!(made, expected);
    let steps = report["steps"].as_array().unwrap();
    let count = |platform: &str| steps.iter().filter(|step| step["platform"] == platform).count();
    assert_eq!((count("linux/amd64"), count("linux/arm64"), steps.len()), (6, 6, 12));

    let metadata = metadata(&world);
    for name in [NAME, &alpine] {
        let manifests = metadata[name]["manifests"].as_array().unwrap();
        let found: Vec<_> = manifests
            .iter()
            .map(|manifest| (manifest["id"].as_str().unwrap(), manifest["platform"]["architecture"].as_str().unwrap()))
            .collect();
        let id = |platform: &str| {
            let made = images.iter().find(|image| image["name"] == name && image["platform"] == platform).unwrap();
            made["id"].as_str().unwrap()
        };
        assert_eq!(found, [(id("linux/amd64"), "amd64"), (id("linux/arm64"), "arm64")], "{name}");
    }
    let inspected = world.succeed(&["inspect", NAME]).stdout;
    for image in &images[2..] {
        assert!(inspected.contains(image["id"].as_str().unwrap()), "{inspected}");
    }
}

#[test]
fn people_see_which_step_was_for_which() {
    let world = World::new();
    let text = world.succeed(&BOTH).stdout;
    let steps: Vec<&str> = text.lines().filter(|line| line.starts_with("alpine patch")).collect();
    insta::assert_snapshot!(steps.join("\n"), @"
    alpine patch etc/daemon.json for linux/amd64: remove /mirror-registries
    alpine patch etc/daemon.json for linux/arm64: remove /mirror-registries
    ");
}

#[test]
fn what_one_platform_lacks_leaves_the_store_as_it_was() {
    let world = World::new();
    world.succeed(&ONE);
    let before = tree(&world.root());

    // At the start: what cannot be had.
    let registry: ImageRef = "docker.io/library/registry:2.7.1".parse().unwrap();
    let amd64: Platform = "linux/amd64".parse().unwrap();
    let only = ImageList::new(Form::Docker, vec![ImageBuilder::new(&amd64).layer(Tree::new().file("a", "a")).build()]);
    let other = World::new();
    other.server().registry(|content| only.push(content, &registry));
    other.succeed(&ONE);
    let held = tree(&other.root());
    let run = other.run(&BOTH);
    assert_eq!((run.code, run.stdout.as_str()), (Some(4), ""), "{run}");
    assert_eq!(tree(&other.root()), held);

    // In the middle: programs for the other platform, when the first platform's images are made already.
    let engine = world.server().files(|files| {
        let engine = files.get(ARM64_ENGINE).unwrap().clone();
        let other = files.get(&ARM64_ENGINE.replace("aarch64", "x86_64")).unwrap().clone();
        files.put(ARM64_ENGINE, other);
        engine
    });
    let run = world.run(&BOTH);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{run}");
    assert_eq!(tree(&world.root()), before);

    // A good one again: the same command goes through.
    world.server().files(|files| files.put(ARM64_ENGINE, engine));
    world.succeed(&BOTH);
    assert_eq!(metadata(&world)[NAME]["manifests"].as_array().unwrap().len(), 2);
}
