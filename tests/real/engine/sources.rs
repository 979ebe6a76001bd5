//! An engine's image goes everywhere where an image can be named, and stays what it was.

use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use sealer::testing::types::Digest;
use serde_json::Value;

use super::archive::{loadable, tar};
use crate::support::program::{Run, World};
use crate::support::real::{self, Dockerd};

const RECIPE: &str = "\
apiVersion: recipe.sealer.io/v1alpha1
kind: Recipe
metadata: {name: local}
platforms: [linux/amd64]
stages:
  - name: made
    image: made:v1
    context:
      - layer: {of: docker-daemon:team/app:v1, containing: images/app.tar}
    steps:
      - replaceImage: {path: images/app.tar, image: docker-daemon:team/app:v1}
      - imageList: {images: [docker-daemon:team/app:v1], from: [images/pod.yaml]}
    kubefile: |
      FROM docker-daemon:team/app:v1
      COPY imageList manifests
      COPY images .
";

const DOCKERFILE: &str = "\
FROM scratch
COPY etc /etc/
COPY images/ /images/
COPY more/app.conf /etc/app.conf
ENV COLOR=red
CMD [\"/app\"]
";

/// An engine with `team/app:v1`, which is nowhere else; the image's id.
fn engine(world: &World) -> Option<(Dockerd, String)> {
    let there = real::available("docker-registry") && real::available("skopeo");
    let engine = there.then(real::dockerd).flatten()?;
    world.write("app/Dockerfile", DOCKERFILE);
    world.write("app/etc/app.conf", "old\n");
    world.write("app/etc/kept.conf", "kept\n");
    // It means the same image by its plain name, and gets the engine's.
    world.write("app/images/pod.yaml", "kind: Pod\nspec: {containers: [{image: 'team/app:v1'}]}\n");
    world.write("app/images/app.tar", "to be replaced\n");
    world.write("app/more/app.conf", "new\n");
    let folder = world.path("app");
    engine.docker(&["build", "--network", "none", "-t", "team/app:v1", folder.to_str().unwrap()]).unwrap();
    let id = engine.docker(&["inspect", "--format", "{{.Id}}", "team/app:v1"]).unwrap();
    Some((engine, id.trim().to_owned()))
}

fn apply(world: &World, engine: &Dockerd, extra: &[&str]) -> Run {
    let recipe = world.write("recipe.yaml", RECIPE);
    let mut command = world.command();
    command.env("DOCKER_HOST", engine.host()).args(["recipe", "apply", "-o", "json", "--progress", "plain"]);
    world.result(&command.args(extra).arg(recipe).output().unwrap())
}

fn image(run: &Run) -> Value {
    assert_eq!(run.code, Some(0), "{run}");
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    report["images"][0].clone()
}

fn layers(world: &World, image: &Value) -> Vec<(String, PathBuf)> {
    let layers = image["layers"].as_array().unwrap().iter().map(|layer| {
        let hex = layer["id"].as_str().unwrap().strip_prefix("sha256:").unwrap();
        let about = format!("{} {}", layer["type"].as_str().unwrap(), layer["value"].as_str().unwrap());
        (about, world.root().join("data/overlay2").join(hex))
    });
    layers.collect()
}

fn text(path: PathBuf) -> String {
    fs_err::read_to_string(path).unwrap()
}

/// A registry tree of several layers as one, as a cluster mounts it.
fn merged(layers: &[(String, PathBuf)], into: &Path) {
    for (_, folder) in layers {
        let from = format!("{}/.", folder.display());
        assert!(Command::new("cp").arg("-a").arg(from).arg(into).status().unwrap().success());
    }
}

#[test]
fn a_base_an_archive_and_a_cached_image_are_made_of_it() {
    let world = World::new();
    let Some((engine, id)) = engine(&world) else { return };
    let run = apply(&world, &engine, &[]);
    let made = image(&run);
    let layers = layers(&world, &made);
    let abouts: Vec<String> = layers
        .iter()
        // What the engine hashes of the files differs with their times.
        .map(|(about, _)| about.split(' ').filter(|word| !word.contains(':')).collect::<Vec<_>>().join(" "))
        .collect();
    insta::assert_debug_snapshot!(abouts);

    // FROM: the files are there, upper layers over lower ones.
    assert_eq!(text(layers[0].1.join("etc/app.conf")), "old\n");
    assert_eq!(text(layers[0].1.join("etc/kept.conf")), "kept\n");
    assert_eq!(text(layers[2].1.join("etc/app.conf")), "new\n");
    assert_eq!(text(layers[3].1.join("manifests/imageList")), "docker-daemon:team/app:v1\n");

    // The image's registry serves it under its name, and it is the engine's image still.
    let cached = &made["cachedImages"][0];
    assert_eq!(cached["reference"], "docker-daemon:team/app:v1");
    let tree = tempfile::tempdir().unwrap();
    merged(&layers, tree.path());
    let registry = real::docker_registry_on(&tree.path().join("registry")).unwrap();
    let address = format!("docker://{}/team/app:v1", registry.address());
    let inspect =
        |what: &[&str]| real::skopeo(&[&["inspect", "--tls-verify=false"], what, &[&address]].concat()).unwrap();
    assert_eq!(Digest::of(inspect(&["--config", "--raw"]).as_bytes()).to_string(), id);
    assert_eq!(Digest::of(inspect(&["--raw"]).as_bytes()).to_string(), cached["digest"].as_str().unwrap());
    let copy = format!("dir:{}", world.path("copy").display());
    let platform = ["--override-os", "linux", "--override-arch", "amd64"];
    real::skopeo(&[&platform[..], &["copy", "--src-tls-verify=false", &address, &copy]].concat()).unwrap();

    // The archive is the same image to the engine that has lost it.
    engine.docker(&["rmi", "team/app:v1"]).unwrap();
    let archive = layers[4].1.join("images/app.tar");
    assert_eq!(engine.docker(&["load", "-i", archive.to_str().unwrap()]).unwrap(), "Loaded image: team/app:v1\n");
    assert_eq!(engine.docker(&["inspect", "--format", "{{.Id}}", "team/app:v1"]).unwrap().trim(), id);

    // The same from the cache, and the same from nothing, out of the image that was loaded.
    assert!(!run.stderr.contains("from the cache"), "{run}");
    let (root, cache) = (world.path("other"), world.path("empty"));
    let again = apply(&world, &engine, &["--root", root.to_str().unwrap()]);
    assert!(again.stderr.contains("from the cache"), "{again}");
    assert_eq!(image(&again), made);
    let root = world.path("third");
    let anew = apply(&world, &engine, &["--root", root.to_str().unwrap(), "--cache", cache.to_str().unwrap()]);
    assert!(!anew.stderr.contains("from the cache"), "{anew}");
    assert_eq!(image(&anew), made);

    // The name is asked every time: an image that is there no more is not taken from the cache.
    engine.docker(&["rmi", "team/app:v1"]).unwrap();
    let gone = apply(&world, &engine, &[]);
    assert_eq!(gone.code, Some(4), "{gone}");
}

#[test]
fn a_name_that_moved_is_another_image() {
    let world = World::new();
    let Some((engine, _)) = engine(&world) else { return };
    let first = image(&apply(&world, &engine, &[]));
    world.write("app/more/app.conf", "newer\n");
    let folder = world.path("app");
    engine.docker(&["build", "--network", "none", "-t", "team/app:v1", folder.to_str().unwrap()]).unwrap();
    let second = image(&apply(&world, &engine, &[]));
    assert_ne!(first["cachedImages"][0]["digest"], second["cachedImages"][0]["digest"]);
    assert_eq!(text(layers(&world, &second)[2].1.join("etc/app.conf")), "newer\n");
}

#[test]
fn of_its_layers_those_that_count_become_layers() {
    let world = World::new();
    let Some(engine) = real::dockerd() else { return };
    let (files, nothing) = (tar(&[("etc/a", b"a"), ("etc/b", b"b")]), tar(&[]));
    let without_a = tar(&[("etc/.wh.a", b""), ("etc/c", b"c")]);
    let stacked = [nothing.clone(), files.clone(), nothing, without_a.clone(), files];
    let loaded = world.write("loaded.tar", loadable("amd64", "odd:v1", &stacked));
    engine.docker(&["load", "-i", loaded.to_str().unwrap()]).unwrap();
    world.write("context/Kubefile", "FROM docker-daemon:odd:v1\nCOPY more .\n");
    world.write("context/more", "more\n");
    let mut command = world.command();
    command.env("DOCKER_HOST", engine.host()).current_dir(world.path("context"));
    command.args(["build", "-t", "odd:v1", "--platform", "linux/amd64", "-o", "json", "."]);
    let run = world.result(&command.output().unwrap());
    assert_eq!(run.code, Some(0), "{run}");
    let layers = layers(&world, &serde_json::from_str(&run.stdout).unwrap());
    // The lower of the two that are the same and the empty ones are left out; the whiteout hides what is below it.
    let abouts: Vec<&str> = layers.iter().map(|(about, _)| about.as_str()).collect();
    let whiteout = format!("COPY layer {}", Digest::of(&without_a));
    assert_eq!((abouts.len(), abouts[0], abouts[2]), (3, whiteout.as_str(), "COPY more ."));
    let whited = fs_err::symlink_metadata(layers[0].1.join("etc/a")).unwrap();
    assert!(whited.file_type().is_char_device() && text(layers[0].1.join("etc/c")) == "c");
    assert_eq!((text(layers[1].1.join("etc/a")), text(layers[1].1.join("etc/b"))), ("a".to_owned(), "b".to_owned()));
}

#[test]
fn a_build_by_hand_takes_it_too() {
    let world = World::new();
    let Some((engine, _)) = engine(&world) else { return };
    world.write(
        "context/Kubefile",
        "FROM docker-daemon:team/app:v1\nCOPY pod.yaml manifests\nCOPY imageList manifests\n",
    );
    // A manifest that means the same image by its plain name gets the engine's.
    world.write("context/pod.yaml", "kind: Pod\nspec: {containers: [{image: 'team/app:v1'}]}\n");
    world.write("context/imageList", "docker-daemon:team/app:v1\n");
    let context = world.path("context");
    let mut command = world.command();
    command.env("DOCKER_HOST", engine.host()).current_dir(&context);
    command.args(["build", "-t", "by-hand:v1", "--platform", "linux/amd64", "-o", "json", "."]);
    let run = world.result(&command.output().unwrap());
    assert_eq!(run.code, Some(0), "{run}");
    let built: Value = serde_json::from_str(&run.stdout).unwrap();
    let kinds: Vec<&str> = built["layers"].as_array().unwrap().iter().map(|l| l["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["COPY", "COPY", "COPY", "COPY", "COPY", "BASE"]);
    assert_eq!(built["cachedImages"][0]["reference"], "docker-daemon:team/app:v1");
}
