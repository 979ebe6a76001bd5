//! `sealer build`: the lite builder, as a black box.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::support::program::{Run, World, tree};

/// Builds `files` with a Kubefile, for linux/amd64.
fn build(world: &World, name: &str, kubefile: &str, files: &[(&str, &str)]) -> Run {
    let folder = format!("context-{}", name.replace([':', '/'], "-"));
    for (file, content) in files {
        world.write(&format!("{folder}/{file}"), content);
    }
    world.write(&format!("{folder}/Kubefile"), kubefile);
    let context = world.path(&folder);
    let context = context.to_str().unwrap();
    let kubefile = format!("{context}/Kubefile");
    world.run(&["build", "-t", name, "--platform", "linux/amd64", "-o", "json", "-f", &kubefile, context])
}

fn layers(run: &Run) -> Vec<(String, String)> {
    assert_eq!(run.code, Some(0), "{run}");
    let built: Value = serde_json::from_str(&run.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    built["layers"].as_array().unwrap().iter().map(|layer| (text(&layer["type"]), text(&layer["id"]))).collect()
}

fn files(folder: &Path) -> BTreeSet<String> {
    tree(folder).keys().map(|path| path.display().to_string()).filter(|path| path.ends_with("/data")).collect()
}

#[test]
fn images_of_lists_and_manifests_are_cached_once_over_all_layers() {
    let world = World::new();
    let pod = "kind: Pod\nspec: {containers: [{image: calico/cni:v3.19.1}]}\n";
    let list = [("imageList", "calico/node:v3.19.1\n")];
    let first = build(&world, "base:v1", "FROM scratch\nCOPY imageList manifests\n", &list);
    let kubefile = "FROM base:v1\nCOPY pod.yaml manifests\nCOPY imageList manifests/more\nCMD second\n";
    let both = [("pod.yaml", pod), ("imageList", "calico/node:v3.19.1\n")];
    let second = build(&world, "more:v1", kubefile, &both);
    let (first, second) = (layers(&first), layers(&second));
    let kinds: Vec<&str> = second.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["COPY", "BASE", "COPY", "COPY", "BASE"]);
    assert_eq!(first[..], second[..2]);
    let layer = |id: &str| world.root().join("data/overlay2").join(id.strip_prefix("sha256:").unwrap());
    let (lower, upper) = (files(&layer(&first[1].1)), files(&layer(&second[4].1)));
    assert!(!lower.is_empty() && !upper.is_empty());
    assert!(lower.is_disjoint(&upper), "blobs that a lower layer has are not stored again");
    assert!(world.succeed(&["inspect", "more:v1"]).stdout.contains("      current:\n        - second\n"));
}

#[test]
fn an_image_that_cannot_be_cached_whole_fails_the_build_and_all_are_named() {
    let world = World::new();
    let list = [("imageList", "calico/cni:v3.19.1\nnowhere/a:1\n# none\nnowhere/b:2 # why\n")];
    let run = build(&world, "broken:v1", "FROM scratch\nCOPY imageList manifests\n", &list);
    assert_eq!(run.code, Some(4));
    assert_eq!(run.stdout, "");
    let messages: Vec<&str> = run.stderr.lines().skip_while(|line| !line.starts_with("error")).collect();
    insta::assert_snapshot!("build-missing", messages.join("\n"));
    assert_eq!(world.succeed(&["images", "-o", "json"]).stdout, "[]\n");
    assert!(tree(&world.root()).keys().all(|path| !path.starts_with("data") && !path.starts_with("metadata")));
}

#[test]
fn what_is_asked_of_the_image_s_own_registry_must_be_in_it() {
    let world = World::new();
    let pod =
        "kind: Pod\nspec:\n  containers:\n  - image: sea.hub:5000/calico/cni:v3.19.1\n  - image: sea.hub:5000/x:1\n";
    let kubefile = "FROM scratch\nCOPY . manifests\n";
    let list = ("imageList", "calico/cni:v3.19.1\n");
    let run = build(&world, "hub:v1", kubefile, &[("pod.yaml", pod), list]);
    assert_eq!(run.code, Some(4));
    let messages: Vec<&str> = run.stderr.lines().skip_while(|line| !line.starts_with("error")).collect();
    insta::assert_snapshot!("build-own-registry", messages.join("\n"));
    let good = pod.replace("  - image: sea.hub:5000/x:1\n", "");
    assert_eq!(build(&world, "hub:v2", kubefile, &[("pod.yaml", &good), list]).code, Some(0));
}

#[test]
fn mistakes_in_a_kubefile_point_at_its_line() {
    let world = World::new();
    let files = [("etc/a.yaml", "a")];
    for (name, kubefile, code) in [
        ("kubefile-missing-source", "FROM scratch\nCOPY ect .\n", 1),
        ("kubefile-missing-base", "FROM nothing-of-that-name:v1\nCOPY etc .\n", 4),
        ("kubefile-unknown", "FROM scratch\nCOPPY etc .\n", 3),
        ("kubefile-twice", "FROM scratch\nCOPY etc .\nCOPY etc opt\nCOPY etc .\n", 1),
    ] {
        let run = build(&world, &format!("{name}:v1"), kubefile, &files);
        assert_eq!(run.code, Some(code), "{run}");
        let messages: Vec<&str> = run.stderr.lines().skip_while(|line| !line.contains(": error: ")).collect();
        insta::assert_snapshot!(name, messages.join("\n"));
    }
    assert_eq!(world.succeed(&["images", "-o", "json"]).stdout, "[]\n");
}

#[test]
fn a_list_with_passwords_is_left_out_with_a_warning() {
    let world = World::new();
    let list = "- registry: x.example\n  username: u\n  password: hunter2\n  images: []\n";
    let files = [("imageListWithAuth.yaml", list), ("a.yaml", "a: 1\n")];
    for (name, kubefile) in [("all:v1", "FROM scratch\nCOPY . .\n"), ("some:v1", "FROM scratch\nCOPY *.yaml etc\n")] {
        let run = build(&world, name, kubefile, &files);
        assert!(run.stderr.contains("imageListWithAuth.yaml has passwords, so it is not in the layer"), "{run}");
        let layer = layers(&run)[0].1.strip_prefix("sha256:").unwrap().to_owned();
        let found = tree(&world.root().join("data/overlay2").join(layer));
        assert!(found.keys().any(|path| path.ends_with("a.yaml")));
        assert!(!found.keys().any(|path| path.ends_with("imageListWithAuth.yaml")));
    }
}

#[test]
fn commands_add_up_from_base_to_image() {
    let world = World::new();
    let files = [("a", "1"), ("b", "2"), ("c", "3")];
    build(&world, "one:v1", "FROM scratch\nCOPY a .\nCMD first, with a comma\nCMD second\n", &files);
    build(&world, "two:v1", "FROM one:v1\nCOPY b .\nCMD third\n", &files);
    build(&world, "three:v1", "FROM two:v1\nCOPY c .\nCMD fourth\n", &files);
    let inspected: Value = serde_json::from_str(&world.succeed(&["inspect", "-o", "json", "three:v1"]).stdout).unwrap();
    let cmd = &inspected[0]["spec"]["image_config"]["cmd"];
    assert_eq!(cmd["current"], serde_json::json!(["fourth"]));
    assert_eq!(cmd["parent"], serde_json::json!(["first, with a comma", "second", "third"]));
}
