//! `recipe diff`: what it says of sealer's own base image and of what the shipped recipe makes of it; where images come
//! from; exit codes.

use std::path::PathBuf;

use serde_json::Value;

use crate::support::program::{World, tree};
use crate::support::shared_file;

const BASE: &str = "kubernetes:v1.19.8";
const ALPINE: &str = "kubernetes-rawdocker:v1.19.8-alpine";
const CALICO: &str = "kubernetes-rawdocker:v1.19.8";

fn golden() -> Option<PathBuf> {
    shared_file("golden/kubernetes-v1.19.8.save.tar")
}

/// A store with the base image that a real sealer saved, and the two images that the shipped recipe makes of it.
fn rawdocker() -> Option<World> {
    let archive = golden()?;
    let world = World::new();
    world.succeed(&["load", "-i", archive.to_str().unwrap()]);
    world.succeed(&["recipe", "apply", "recipes/rawdocker.yaml", "--platform", "linux/amd64"]);
    Some(world)
}

/// What a diff says; on stderr it has nothing to say.
fn diff(world: &World, arguments: &[&str]) -> String {
    let run = world.succeed(&[&["recipe", "diff"], arguments].concat());
    assert_eq!(run.stderr, "", "{arguments:?}");
    run.stdout
}

fn json(world: &World, arguments: &[&str]) -> Value {
    let run = world.succeed(&[&["recipe", "diff", "-o", "json"], arguments].concat());
    serde_json::from_str(&run.stdout).unwrap()
}

#[test]
fn it_says_what_the_recipe_changed_and_nothing_else() {
    let Some(world) = rawdocker() else { return };
    let before = tree(&world.root());
    insta::assert_snapshot!("diff_text", diff(&world, &[BASE, CALICO]));
    insta::assert_snapshot!("diff_markdown", diff(&world, &[BASE, CALICO, "-o", "markdown"]));
    insta::assert_snapshot!("diff_json", diff(&world, &[BASE, CALICO, "-o", "json"]));
    // Without Calico's stage only what belongs to Docker differs, and what only the base image has is gone.
    insta::assert_snapshot!("diff_alpine", diff(&world, &[BASE, ALPINE]));
    assert!(tree(&world.root()) == before, "a diff changes nothing");
    let left = tree(&world.cache().join("diff"));
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn the_same_images_differ_in_nothing() {
    let Some(world) = rawdocker() else { return };
    for image in [BASE, ALPINE, CALICO] {
        let said = diff(&world, &[image, image, "--exit-code"]);
        assert!(said.ends_with("\nno difference\n") && said.lines().count() == 3, "{said}");
        assert_eq!(diff(&world, &[image, image, "--exit-code", "-q"]), "");
        assert_eq!(json(&world, &[image, image, "--times"])["isSame"], true);
    }
    assert!(diff(&world, &[BASE, BASE, "-o", "markdown"]).ends_with("\nNo difference.\n"));
}

#[test]
fn an_archive_is_what_was_loaded_from_it() {
    let Some(world) = rawdocker() else { return };
    let archive = golden().unwrap();
    let archive = archive.to_str().unwrap();
    let id = "a032968b0402fd364f02c7975e396501f57e1d0f525629a95a39bbd86afcad67";
    for (old, new) in [(archive, BASE), (BASE, archive), (archive, archive), (id, archive)] {
        let report = json(&world, &[old, new, "--exit-code", "--times"]);
        let from = |image: &str| if image == archive { "archive" } else { "store" };
        assert_eq!((&report["old"]["from"], &report["new"]["from"]), (&from(old).into(), &from(new).into()));
        assert_eq!(report["isSame"], true);
    }
    let through_archive = json(&world, &[archive, CALICO]);
    assert_eq!(through_archive["images"], json(&world, &[BASE, CALICO])["images"]);
}

#[test]
fn an_archive_leaves_the_users_store_as_it_was() {
    let Some(archive) = golden() else { return };
    let world = World::new();
    let archive = archive.to_str().unwrap();
    assert_eq!(json(&world, &[archive, archive])["isSame"], true);
    assert!(!world.root().exists());
}

#[test]
fn what_the_store_does_not_have_is_pulled_and_not_kept() {
    let Some(archive) = golden() else { return };
    let world = World::new();
    // The sandbox's registry has a base image of its own, for two platforms: the archive's one is pulled.
    for (old, new, from) in [
        (BASE, archive.to_str().unwrap(), ["registry", "archive"]),
        (archive.to_str().unwrap(), BASE, ["archive", "registry"]),
    ] {
        let report = json(&world, &[old, new]);
        assert_eq!([&report["old"]["from"], &report["new"]["from"]], from);
        assert_eq!(platforms(&report), ["linux/amd64"]);
        let files = report["images"][0]["files"].as_array().unwrap();
        assert!(files.iter().any(|file| file["path"] == "cri/docker.tar.gz"), "{files:?}");
    }
    let both = json(&world, &[BASE, CALICO, "--platform", "linux/amd64,linux/arm64"]);
    assert_eq!(platforms(&both), ["linux/amd64", "linux/arm64"]);
    assert!(!world.root().exists());

    let run = world.run(&["recipe", "diff", BASE, "kubernetes-rawdokcer:v1", "--platform", "linux/amd64"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(4), ""), "{run}");
    let help = "`kubernetes-rawdokcer:v1` is not in the store [WORLD]/root, so it was looked up in its registry";
    assert!(run.stderr.contains(help), "{run}");
}

/// The platforms that were compared.
fn platforms(report: &Value) -> Vec<String> {
    let images = report["images"].as_array().unwrap();
    images.iter().map(|image| image["old"]["platform"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn platforms_are_compared_in_pairs() {
    let Some(archive) = golden() else { return };
    let world = World::new();
    let both = "linux/amd64,linux/arm64";
    world.succeed(&["recipe", "apply", "recipes/rawdocker.yaml", "--platform", both]);
    let report = json(&world, &[ALPINE, CALICO]);
    assert_eq!(platforms(&report), ["linux/amd64", "linux/arm64"]);
    assert_eq!(platforms(&json(&world, &[ALPINE, CALICO, "--platform", "linux/arm64"])), ["linux/arm64"]);

    let archive = archive.to_str().unwrap();
    let report = json(&world, &[ALPINE, archive]);
    assert_eq!((platforms(&report), &report["onlyOld"]), (vec!["linux/amd64".to_owned()], &vec!["linux/arm64"].into()));
    // The only two that there are, for two platforms.
    let report = json(&world, &[archive, ALPINE, "--platform", "linux/amd64"]);
    assert_eq!((platforms(&report).len(), &report["onlyNew"]), (1, &Value::Array(Vec::new())));
    let run = world.run(&["recipe", "diff", archive, ALPINE, "--platform", "linux/arm64"]);
    assert_eq!(run.code, Some(1), "{run}");
    let said = run.stderr.replace(archive, "[GOLDEN]");
    insta::assert_snapshot!(said, @"error: `[GOLDEN]` is not for the requested platform; it is for linux/amd64");
}

#[test]
fn the_exit_code_says_whether_they_differ_where_it_is_asked_to() {
    let Some(world) = rawdocker() else { return };
    for (arguments, code) in
        [(&[BASE, CALICO][..], 0), (&[BASE, CALICO, "--exit-code"], 1), (&[BASE, CALICO, "--exit-code", "-q"], 1)]
    {
        let run = world.run(&[&["recipe", "diff"], arguments].concat());
        assert_eq!((run.code, run.stderr.as_str()), (Some(code), ""), "{run}");
        assert!(run.stdout.contains("etc/daemon.json"), "{run}");
    }
}

#[test]
fn colours_are_for_those_who_want_them() {
    let Some(world) = rawdocker() else { return };
    let colored = diff(&world, &[BASE, CALICO, "--color", "always"]);
    assert!(colored.contains("\u{1b}[31m  - etc/Clusterfile (105 B, layer 2)\u{1b}[0m\n"), "{colored}");
    let plain = diff(&world, &[BASE, CALICO]);
    assert!(!plain.contains('\u{1b}'));
    let mut without = colored;
    for code in ["0", "1", "2", "31", "32", "33"] {
        without = without.replace(&format!("\u{1b}[{code}m"), "");
    }
    assert_eq!(without, plain);
}

#[test]
fn what_cannot_be_compared_is_said() {
    let world = World::new();
    let text = world.write("no.tar", "this is no archive");
    let mut said = String::new();
    let none = "0".repeat(64);
    for (image, code) in
        [("./there/is/none", 1), ("gone.tar", 1), (text.to_str().unwrap(), 1), (&none, 1), ("Not A Name", 2)]
    {
        let run = world.run(&["recipe", "diff", image, image]);
        assert_eq!((run.code, run.stdout.as_str()), (Some(code), ""), "{run}");
        said += &run.stderr;
    }
    insta::assert_snapshot!(said, @"
    error: failed to open file `./there/is/none`: No such file or directory (os error 2)
    error: failed to open file `gone.tar`: No such file or directory (os error 2)
    error: cannot compare `[WORLD]/no.tar`: the archive cannot be read
      caused by: this is not a tar archive; is it compressed?
    error: image `0000000000000000000000000000000000000000000000000000000000000000` is not in the store; `sealer images` lists the images
    error: `Not A Name` is not an image reference: it contains white space; name an image as in the store or its registry, or a saved archive by its path
    ");
}
