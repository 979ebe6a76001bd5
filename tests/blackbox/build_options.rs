//! `sealer build`: its options, arguments and files by URL, as a black box.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;

use serde_json::Value;

use crate::support::program::{Run, World, tree};

const DOCKER: &str = "https://download.docker.com/linux/static/stable/x86_64/docker-19.03.15.tgz";

fn build(world: &World, name: &str, kubefile: &str, files: &[(&str, &str)], more: &[&str]) -> Run {
    for (file, content) in files {
        world.write(&format!("context/{file}"), content);
    }
    let file = world.write("context/Kubefile", kubefile);
    let context = world.path("context");
    let (file, context) = (file.to_str().unwrap(), context.to_str().unwrap());
    let fixed = ["build", "-t", name, "--platform", "linux/amd64", "-o", "json", "-f", file, context];
    world.run(&[&fixed, more].concat())
}

fn layers(world: &World, run: &Run) -> Vec<(String, String, PathBuf)> {
    assert_eq!(run.code, Some(0), "{run}");
    let built: Value = serde_json::from_str(&run.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let folder = |id: String| world.root().join("data/overlay2").join(id.strip_prefix("sha256:").unwrap());
    let layers = built["layers"].as_array().unwrap().iter();
    layers.map(|layer| (text(&layer["type"]), text(&layer["value"]), folder(text(&layer["id"])))).collect()
}

fn errors(run: &Run) -> String {
    run.stderr.lines().skip_while(|line| !line.contains("error: ")).collect::<Vec<_>>().join("\n")
}

fn spec(world: &World, name: &str) -> Value {
    let inspected: Value = serde_json::from_str(&world.succeed(&["inspect", "-o", "json", name]).stdout).unwrap();
    inspected[0]["spec"].clone()
}

#[test]
fn arguments_are_stored_with_the_value_that_holds() {
    let world = World::new();
    let kubefile = "ARG A=1,B=2\nFROM scratch\nCOPY a .\nARG C\nCMD run $A\n";
    let plain = build(&world, "args:v1", kubefile, &[("a", "1")], &[]);
    assert_eq!(plain.code, Some(0), "{plain}");
    assert_eq!(
        spec(&world, "args:v1")["image_config"]["args"],
        serde_json::json!({"current": {"A": "1", "B": "2", "C": ""}})
    );
    let more = ["--build-arg", "A=x,B=y=z", "--build-arg", "A=last"];
    let given = build(&world, "args:v2", kubefile, &[], &more);
    assert_eq!(given.code, Some(0), "{given}");
    let config = spec(&world, "args:v2")["image_config"].clone();
    assert_eq!(config["args"], serde_json::json!({"current": {"A": "last", "B": "y=z", "C": ""}}));
    assert_eq!(config["cmd"]["current"], serde_json::json!(["run $A"]));
}

#[test]
fn an_argument_that_the_kubefile_does_not_have_is_an_error() {
    let world = World::new();
    let kubefile = "FROM scratch\nARG VERSION=1\nCOPY a .\n";
    let run = build(&world, "args:v1", kubefile, &[("a", "1")], &["--build-arg", "VERSOIN=hunter2"]);
    assert_eq!(run.code, Some(3), "{run}");
    insta::assert_snapshot!("build-arg-unknown", run.stderr);
    let run = build(&world, "args:v1", "FROM scratch\nCOPY a .\n", &[], &["--build-arg", "A=1"]);
    assert_eq!(run.code, Some(3), "{run}");
    for wrong in ["A", "=1", "1=2"] {
        let run = build(&world, "args:v1", kubefile, &[], &["--build-arg", wrong]);
        assert_eq!(run.code, Some(2), "{run}");
        assert!(run.stderr.contains("--build-arg: `") && run.stderr.contains("write `NAME=VALUE`"), "{run}");
    }
    assert_eq!(world.succeed(&["images", "-o", "json"]).stdout, "[]\n");
}

#[test]
fn an_application_image_has_only_its_own_layers() {
    let world = World::new();
    let list = ("imageList", "calico/node:v3.19.1\n");
    let base = "ARG B=1\nFROM scratch\nCOPY a .\nCOPY imageList manifests\nCMD base\n";
    let base = layers(&world, &build(&world, "base:v1", base, &[("a", "1"), list], &[]));
    assert_eq!(base.len(), 3);
    let kubefile = "ARG A=1\nFROM base:v1\nCOPY b .\nCOPY imageList manifests\nCMD app\n";
    let run = build(&world, "app:v1", kubefile, &[("b", "2"), list], &["--base=false"]);
    let app = layers(&world, &run);
    let kinds: Vec<&str> = app.iter().map(|(kind, _, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["COPY", "COPY", "BASE"]);
    let spec = spec(&world, "app:v1");
    let config = serde_json::json!({
        "args": {"current": {"A": "1"}}, "cmd": {"current": ["app"]}, "image_type": "application"
    });
    assert_eq!(spec["image_config"], config);
    let data = |folder: &PathBuf| tree(folder).keys().filter(|path| path.ends_with("data")).count();
    assert!(data(&app[2].2) > 0, "its registry is whole on any base");
    assert_eq!(data(&app[2].2), data(&base[2].2));
    for more in [&["--base=true"][..], &["--base"], &["--no-cache", "-m", "lite"], &["--mode", "lite"]] {
        let run = build(&world, "whole:v1", "FROM base:v1\nCOPY b .\n", &[], more);
        assert_eq!(layers(&world, &run).len(), 4, "{more:?}");
    }
    let run = build(&world, "cloud:v1", kubefile, &[], &["-m", "cloud"]);
    assert_eq!(run.code, Some(2), "{run}");
    assert!(run.stderr.contains("invalid value 'cloud' for '--mode <MODE>'") && run.stderr.contains("lite"), "{run}");
}

#[test]
fn the_kubefile_is_looked_up_in_the_current_folder_then_in_the_context() {
    let world = World::new();
    world.write("here/a", "1");
    world.write("there/a", "2");
    world.write("there/Kubefile", "FROM scratch\nCOPY a there\n");
    world.write("there/Other", "FROM scratch\nCOPY a other\n");
    let value = |more: &[&str]| {
        let mut command = world.command();
        command.current_dir(world.path("here")).args(["build", "-t", "x:v1", "-o", "json", "../there"]).args(more);
        let run = world.result(&command.output().unwrap());
        layers(&world, &run)[0].1.clone()
    };
    assert_eq!((value(&[]).as_str(), value(&["-f", "Other"]).as_str()), ("a there", "a other"));
    world.write("here/Kubefile", "FROM scratch\nCOPY a here\n");
    assert_eq!(value(&[]), "a here");
}

#[test]
fn a_file_by_url_lands_below_the_destination_with_the_constant_time() {
    let world = World::new();
    let kubefile = format!("FROM scratch\nCOPY {DOCKER}?token=hunter2#x opt/docker-19.03.15.tgz\n");
    let run = build(&world, "url:v1", &kubefile, &[], &[]);
    let found = layers(&world, &run);
    assert_eq!(found[0].1, format!("{DOCKER} opt/docker-19.03.15.tgz"), "without what may be a token");
    let file = found[0].2.join("opt/docker-19.03.15.tgz/docker-19.03.15.tgz");
    let there = fs_err::metadata(&file).unwrap();
    assert_eq!(
        (there.permissions().mode() & 0o7777, there.mtime()),
        (0o644, fs_err::metadata(found[0].2.join("opt")).unwrap().mtime())
    );
    assert_eq!(fs_err::read(&file).unwrap()[..2], [0x1f, 0x8b]);
    assert!(
        !run.stderr.contains("hunter2") && !world.succeed(&["inspect", "url:v1"]).stdout.contains("hunter2"),
        "{run}"
    );
    assert_eq!(
        layers(&world, &build(&world, "url:v2", &kubefile, &[], &[]))[0].2,
        found[0].2,
        "the same bytes, the same id"
    );
}

#[test]
fn all_that_cannot_be_had_is_told_at_once() {
    let world = World::new();
    // A server that speaks no TLS: nobody outside is asked.
    let broken = format!("https://{}/x", world.server().address());
    let kubefile = format!("FROM nowhere:v1\nCOPY {DOCKER} .\nCOPY {broken}/1 .\nCOPY {broken}/2 .\n");
    let run = build(&world, "url:v1", &kubefile, &[], &[]);
    assert_eq!(run.code, Some(4), "{run}");
    for place in ["Kubefile:1:6: error: ", "Kubefile:3:1: error: ", "Kubefile:4:1: error: "] {
        assert!(run.stderr.contains(place), "{run}");
    }
    assert!(!run.stderr.contains("Kubefile:2:1"), "{run}");
    let recipe = format!(
        "apiVersion: recipe.sealer.io/v1alpha1\nkind: Recipe\nmetadata:\n  name: urls\nstages:\n  - name: one\n    image: x:v1\n    kubefile: |\n      FROM nowhere:v1\n      COPY {broken}/1 .\n"
    );
    let file = world.write("recipe.yaml", recipe);
    let run = world.run(&["recipe", "apply", file.to_str().unwrap()]);
    for place in ["recipe.yaml:9:12: error: ", "recipe.yaml:10:7: error: "] {
        assert!(run.stderr.contains(place), "{run}");
    }
}

#[test]
fn urls_that_cannot_be_trusted_or_name_no_file_are_refused_at_their_line() {
    let world = World::new();
    let kubefile = "FROM scratch\nCOPY http://example.com/a.tgz .\nCOPY https://example.com/ .\nCOPY https://example.com/x.git .\n";
    let run = build(&world, "url:v1", kubefile, &[], &[]);
    assert_eq!(run.code, Some(3), "{run}");
    insta::assert_snapshot!("copy-urls", errors(&run));
}
