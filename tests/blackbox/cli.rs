//! The commands as people and scripts use them: whole outputs, exit codes, streams.

use serde_json::Value;

use crate::support::program::{Run, World, project, tree};
use crate::support::shared_file;

const AMD64: [&str; 2] = ["--platform", "linux/amd64"];

fn shipped() -> String {
    fs_err::read_to_string(project().join("recipes/rawdocker.yaml")).unwrap()
}

fn apply(world: &World, more: &[&str]) -> Run {
    let mut arguments = vec!["recipe", "apply", "recipes/rawdocker.yaml", "-o", "json"];
    arguments.extend(AMD64);
    arguments.extend(more);
    world.succeed(&arguments)
}

#[test]
fn apply_says_what_it_made_for_machines() {
    let world = World::new();
    let report: Value = serde_json::from_str(&apply(&world, &[]).stdout).unwrap();
    assert_eq!(report["recipe"], "rawdocker");
    let names: Vec<&str> = report["images"].as_array().unwrap().iter().map(|i| i["name"].as_str().unwrap()).collect();
    let prefix = "registry.cn-qingdao.aliyuncs.com/sealer-io/kubernetes-rawdocker:v1.19.8";
    assert_eq!(names, [format!("{prefix}-alpine"), prefix.to_owned()]);
    let second = &report["images"][1];
    let layers: Vec<String> = second["layers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|layer| format!("{} {}", layer["type"].as_str().unwrap(), layer["value"].as_str().unwrap()))
        .collect();
    assert_eq!(layers, ["COPY . .", "COPY imageList manifests", "COPY etc .", "BASE registry cache"]);
    assert_eq!(second["cachedImages"].as_array().unwrap().len(), 6);
    let steps: Vec<String> = report["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| {
            format!("{} {} {}", step["stage"].as_str().unwrap(), step["index"], step["status"].as_str().unwrap())
        })
        .collect();
    let expected = ["alpine 0", "alpine 1", "alpine 2", "calico 0", "calico 1", "calico 2"];
    assert_eq!(steps, expected.map(|step| format!("{step} changed")));
    assert!(report["downloadedBytes"].as_u64().unwrap() > 0);

    // What is listed and inspected is what was made.
    let images: Value = serde_json::from_str(&world.succeed(&["images", "-o", "json"]).stdout).unwrap();
    let listed: Vec<&Value> = images.as_array().unwrap().iter().map(|image| &image["id"]).collect();
    assert!(listed.contains(&&second["id"]));
    let inspected = world.succeed(&["inspect", "kubernetes-rawdocker:v1.19.8"]).stdout;
    assert!(inspected.contains(second["id"].as_str().unwrap()));
}

#[test]
fn applying_again_gives_the_same_and_downloads_nothing_but_questions() {
    let world = World::new();
    let first: Value = serde_json::from_str(&apply(&world, &[]).stdout).unwrap();
    world.server().forget_requests();
    let again: Value = serde_json::from_str(&apply(&world, &[]).stdout).unwrap();
    assert_eq!(first["images"], again["images"]);
    assert_eq!(again["downloadedBytes"], 0);
    let blobs: Vec<String> = world.server().requests().iter().map(|asked| format!("{asked:?}")).collect();
    assert!(!blobs.iter().any(|asked| asked.contains("/blobs/")), "{blobs:?}");
}

#[test]
fn what_a_comment_changes_is_not_what_is_made() {
    let world = World::new();
    let first: Value = serde_json::from_str(&apply(&world, &[]).stdout).unwrap();
    let commented = shipped().replace("stages:", "# One more comment.\n\nstages:");
    let recipe = world.write("recipe.yaml", commented);
    let arguments = ["recipe", "apply", recipe.to_str().unwrap(), "-o", "json", AMD64[0], AMD64[1]];
    let second: Value = serde_json::from_str(&world.succeed(&arguments).stdout).unwrap();
    assert_eq!(first["images"], second["images"]);
}

#[test]
fn values_come_from_defaults_then_files_then_arguments() {
    let world = World::new();
    let file = world.write("values.yaml", "docker: 19.03.14\noperator: v1.0.0\n");
    let file = file.to_str().unwrap();
    let plan = |more: &[&str]| {
        let mut arguments = vec!["recipe", "plan", "recipes/rawdocker.yaml", "-o", "json"];
        arguments.extend(more);
        world.succeed(&arguments).stdout
    };
    assert!(plan(&["-f", file]).contains("docker-19.03.14.tgz"));
    let both = plan(&["-f", file, "--set", "docker=20.10.7"]);
    assert!(both.contains("docker-20.10.7.tgz") && both.contains("tigera/operator:v1.0.0"));
}

#[test]
fn mistakes_of_values_and_usage_are_told_apart() {
    let world = World::new();
    let plan = |more: &[&str]| {
        let mut arguments = vec!["recipe", "plan", "recipes/rawdocker.yaml"];
        arguments.extend(more);
        world.run(&arguments)
    };
    insta::assert_snapshot!("values-pattern", plan(&["--set", "docker=latest"]));
    insta::assert_snapshot!("values-unknown", plan(&["--set", "dokcer=19.03.15"]));
    insta::assert_snapshot!("stage-unknown", plan(&["--stage", "alpin"]));
    insta::assert_snapshot!("platform-unknown", plan(&["--platform", "windows/amd64"]));
    insta::assert_snapshot!("file-missing", world.run(&["recipe", "apply", "nowhere.yaml"]));
    insta::assert_snapshot!("image-missing", world.run(&["inspect", "kubernetes:v1"]));
    assert_eq!(world.run(&["recipe", "frobnicate"]).code, Some(2));
}

#[test]
fn validate_reports_all_files_and_all_mistakes() {
    let world = World::new();
    let bad = shipped().replace("replaceImage:", "replaceImg:").replace("COPY . .", "CPOY . .");
    let recipe = world.write("bad.yaml", bad);
    let recipe = recipe.to_str().unwrap();
    insta::assert_snapshot!("validate", world.run(&["recipe", "validate", recipe, "recipes/rawdocker.yaml"]));
    let run = world.run(&["recipe", "validate", recipe, "-o", "json"]);
    let messages: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(run.code, Some(3));
    insta::assert_snapshot!("validate-json", run);
    assert_eq!(messages.as_array().unwrap().len(), 2);

    // Warnings are no failure, and with `--strict` errors.
    let doubtful = world.write("doubtful.yaml", shipped().replace("COPY . .", "COPY . .\n      RUN true"));
    let doubtful = doubtful.to_str().unwrap();
    insta::assert_snapshot!("validate-warning", world.run(&["recipe", "validate", doubtful]));
    insta::assert_snapshot!("validate-strict", world.run(&["recipe", "validate", "--strict", doubtful]));

    // Other commands say as much of a recipe that is wrong.
    insta::assert_snapshot!("plan-of-a-bad-recipe", world.run(&["recipe", "plan", recipe]));
    let progress = world.run(&["recipe", "validate", recipe, "--progress", "json"]);
    let events: Vec<Value> = progress.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<_> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["diagnostic", "diagnostic", "ended"], "{progress}");

    // A lock is read where there is one, and one that is wrong is told.
    world.write("doubtful.lock.yaml", "version: 1\nimages: 5\n");
    insta::assert_snapshot!("validate-lock", world.run(&["recipe", "validate", "doubtful.yaml", doubtful]));
}

#[test]
fn the_printed_schema_is_the_shipped_one() {
    let world = World::new();
    let file = fs_err::read_to_string(project().join("schemas/recipe.schema.json")).unwrap();
    assert_eq!(world.succeed(&["recipe", "schema"]).stdout, file);
}

#[test]
fn an_archive_of_a_real_sealer_loads_and_is_inspected_word_for_word() {
    let (Some(archive), Some(inspected)) =
        (shared_file("golden/kubernetes-v1.19.8.save.tar"), shared_file("golden/kubernetes-v1.19.8.inspect.yaml"))
    else {
        return;
    };
    let world = World::new();
    let run = world.succeed(&["load", "-i", archive.to_str().unwrap()]);
    let name = "registry.cn-qingdao.aliyuncs.com/sealer-io/kubernetes:v1.19.8";
    assert_eq!((run.stdout, run.stderr), (format!("loaded {name} (linux/amd64)\n"), String::new()));
    let expected = fs_err::read_to_string(inspected).unwrap();
    assert_eq!(world.succeed(&["inspect", "kubernetes:v1.19.8"]).stdout, expected);
    let id = "a032968b0402fd364f02c7975e396501f57e1d0f525629a95a39bbd86afcad67";
    assert_eq!(world.succeed(&["inspect", id]).stdout, expected);
    let before = tree(&world.root());
    world.succeed(&["images"]);
    assert_eq!(tree(&world.root()), before);
}

#[test]
fn a_layer_that_never_hashed_to_its_id_does_not_stand_for_the_one_that_does() {
    let clean = World::new();
    let expected: Value = serde_json::from_str(&apply(&clean, &[]).stdout).unwrap();
    let inspected: Value =
        serde_json::from_str(&clean.succeed(&["inspect", "-o", "json", "kubernetes:v1.19.8"]).stdout).unwrap();
    let layer = inspected[0]["spec"]["layers"][0]["id"].as_str().unwrap();
    // A stranger's archive brings another tree under that id.
    let world = World::new();
    let hex = layer.strip_prefix("sha256:").unwrap();
    let id = "1".repeat(64);
    let document = format!(
        "kind: Image\nmetadata:\n  name: example.com/e:v1\nspec:\n  id: {id}\n  image_config:\n    args: {{}}\n    cmd: {{}}\n  \
         layers:\n  - id: {layer}\n    type: COPY\n    value: . .\n  platform:\n    architecture: amd64\n    os: linux\n  \
         sealer_version: latest\nstatus: {{}}\n"
    );
    let mut archive = tar::Builder::new(Vec::new());
    let mut add = |name: String, content: &str| {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, content.as_bytes()).unwrap();
    };
    add(format!("{hex}/cri/docker.tar.gz"), "not the one");
    add(format!("{id}.yaml"), &document);
    add("Metadata".to_owned(), "{}");
    let archive = world.write("squat.tar", archive.into_inner().unwrap());
    let run = world.succeed(&["load", "-i", archive.to_str().unwrap()]);
    assert!(run.stderr.contains("does not hash to its id"), "{run}");
    let found: Value = serde_json::from_str(&apply(&world, &[]).stdout).unwrap();
    assert_eq!(found["images"], expected["images"]);
}

#[test]
fn a_layer_that_was_changed_on_disk_is_refused_until_it_is_mended() {
    let world = World::new();
    apply(&world, &["--sharing", "copy"]);
    let inspected: Value =
        serde_json::from_str(&world.succeed(&["inspect", "-o", "json", "kubernetes:v1.19.8"]).stdout).unwrap();
    let layer = inspected[0]["spec"]["layers"][0]["id"].as_str().unwrap().strip_prefix("sha256:").unwrap().to_owned();
    fs_err::write(world.root().join("data/overlay2").join(layer).join("scripts/init.sh"), "changed").unwrap();
    let arguments = [&["recipe", "apply", "recipes/rawdocker.yaml", "-o", "json"], &AMD64[..]].concat();
    let run = world.run(&arguments);
    assert_eq!((run.code, &*run.stdout), (Some(4), ""), "{run}");
    assert!(run.stderr.contains("was changed on disk: its files hash to sha256:"), "{run}");
    // What it says helps.
    world.succeed(&["doctor", "image", "kubernetes:v1.19.8", "--repair"]);
    world.succeed(&arguments);
}

#[test]
fn progress_is_json_when_asked_and_stdout_holds_only_data() {
    let world = World::new();
    let run = apply(&world, &["--progress", "json"]);
    serde_json::from_str::<Value>(&run.stdout).unwrap();
    let events = events(&run);
    assert_eq!(events.last().unwrap()["exitCode"], 0);
    for event in ["stageStarted", "step", "transferred", "imagePulled"] {
        assert!(events.iter().any(|found| found["event"] == event), "{event}");
    }
    assert_eq!(apply(&World::new(), &["--progress", "none", "-q"]).stderr.lines().count(), 1, "the warning of http");
}

/// The lines of stderr, each held to the schema that is shipped.
fn events(run: &Run) -> Vec<Value> {
    let schema = fs_err::read_to_string(project().join("schemas/progress.schema.json")).unwrap();
    let schema = jsonschema::draft202012::new(&serde_json::from_str(&schema).unwrap()).unwrap();
    let read = |line: &str| {
        let event = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        schema.validate(&event).unwrap_or_else(|error| panic!("{error}: {line}"));
        event
    };
    run.stderr.lines().map(read).collect()
}

#[test]
fn every_line_of_stderr_is_json_when_asked_however_it_ends() {
    let world = World::new();
    let recipe = world.write("recipe.yaml", "apiVersion: [\n");
    let recipe = recipe.to_str().unwrap();
    for (arguments, code, kind) in [
        (&["recipe", "apply", "--sandbox", "-vv", "recipes/rawdocker.yaml"][..], 0, Value::Null),
        (&["recipe", "apply", recipe], 3, Value::Null),
        (&["inspect", "nothing:v1"], 1, "failed".into()),
        (&["recipe", "apply", "--nonsense"], 2, "usage".into()),
        (
            &["build", "-t", "x@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "."],
            2,
            "usage".into(),
        ),
    ] {
        let run = world.run(&[arguments, &["--progress", "json"]].concat());
        assert_eq!(run.code, Some(code), "{arguments:?}: {run}");
        let events = events(&run);
        let [.., last] = &events[..] else { panic!("{run}") };
        assert_eq!((&last["event"], &last["exitCode"]), (&"ended".into(), &code.into()), "{run}");
        let failed = events.iter().find(|event| event["event"] == "failed");
        assert_eq!(failed.map_or(&Value::Null, |failed| &failed["kind"]), &kind, "{run}");
        if code == 3 {
            assert!(events.iter().any(|event| event["event"] == "diagnostic" && event["severity"] == "error"), "{run}");
        }
    }
}
