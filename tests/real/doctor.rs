//! A repair from Debian's docker-registry: the base image that a real sealer saved, damaged and mended.

use std::path::PathBuf;

use crate::support::program::{Run, World};
use crate::support::real::{docker_registry, docker_registry_on};
use crate::support::shared_file;

#[test]
fn a_base_image_is_mended_and_its_registry_serves_it() {
    let Some(golden) = shared_file("golden/kubernetes-v1.19.8.save.tar") else { return };
    let Some(registry) = docker_registry() else { return };
    let world = World::new();
    world.write("real.conf", format!("[[registry]]\nlocation = \"{}\"\ninsecure = true\n", registry.address()));
    let name = format!("{}/bases/kubernetes:v1.19.8", registry.address());
    let run = |arguments: &[&str], cache: &str| -> Run {
        let mut command = world.command();
        command.env("CONTAINERS_REGISTRIES_CONF", world.path("real.conf")).env("SEALER_CACHE", world.path(cache));
        world.result(&command.args(arguments).output().unwrap())
    };
    for arguments in
        [&["load", "-i", golden.to_str().unwrap()][..], &["tag", "kubernetes:v1.19.8", &name], &["push", &name]]
    {
        let run = run(arguments, "cache");
        assert_eq!(run.code, Some(0), "{run}");
    }
    let layer = world.root().join("data/overlay2/d13c0a14223ed8bebf14883c6e5ab2355c7874452db5ff3f2aa14baadfa3d5ca");
    let blobs = layer.join("registry/docker/registry/v2/blobs/sha256");
    let folder = fs_err::read_dir(&blobs).unwrap().next().unwrap().unwrap().path();
    let blob: PathBuf = fs_err::read_dir(folder).unwrap().next().unwrap().unwrap().path().join("data");
    let sane = fs_err::read(&blob).unwrap();
    fs_err::remove_file(&blob).unwrap();
    let damaged = run(&["doctor", "image", &name], "cache");
    assert_eq!(damaged.code, Some(4), "{damaged}");
    assert!(damaged.stdout.ends_with("(linux/amd64): damaged: 2 errors, 1 note (`-v` shows it)\n"), "{damaged}");

    let mended = run(&["doctor", "image", &name, "--repair"], "another cache");
    assert_eq!(mended.code, Some(0), "{mended}");
    assert!(
        mended
            .stdout
            .starts_with("repaired: layer 5 (BASE rootfs cache)\nmoved away: [WORLD]/root/recipe/damaged/1/data"),
        "{mended}"
    );
    assert_eq!(fs_err::read(&blob).unwrap(), sane);
    for name in [&name, "kubernetes:v1.19.8"] {
        let whole = run(&["doctor", "image", name, "--deep"], "cache");
        assert_eq!(whole.code, Some(0), "{whole}");
        assert!(
            whole
                .stdout
                .ends_with("(linux/amd64): whole: 5 layers, 13 images in its registry, 1 note (`-v` shows it)\n"),
            "{whole}"
        );
    }
    // The program that a cluster runs on it takes it.
    let Some(cluster) = docker_registry_on(&layer.join("registry")) else { return };
    let tag = "/v2/calico/cni/manifests/v3.19.1";
    let accept = sealer::testing::image::MANIFEST_TYPES.join(", ");
    let answer = crate::support::real::ask(cluster.address(), "GET", tag, &[("Accept", &accept)], b"").unwrap();
    assert_eq!(answer.status, 200);
}
