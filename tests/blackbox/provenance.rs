//! What images were made of: written down, kept beside them, and attached where they are pushed.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use sealer::testing::sandbox::{Fault, When};
use sealer::testing::types::Digest;
use serde_json::{Value, json};

use crate::support::program::{Run, World, project};
use crate::support::real;

/// An input of each kind: a base image, a URL, a listed image, a file and a folder beside the recipe.
const RECIPE: &str = r#"apiVersion: recipe.sealer.io/v1alpha1
kind: Recipe
metadata: {name: small}
values: {typha: v3.19.1, note: "a \"word\" & <more>"}
stages:
  - name: first
    image: first:v1
    context:
      - layer: {of: "kubernetes:v1.19.8", containing: etc/tigera-operator.yaml, paths: [etc/tigera-operator.yaml]}
      - directory: {path: more files, to: files}
    steps:
      - download:
          url: https://raw.githubusercontent.com/kyverno/kyverno/v1.5.1/definitions/release/install.yaml
          path: files/install.yaml
      - copy: {from: beside/tool, path: files/tool}
      - copy: {from: beside/none, path: files/none, optional: true}
      - imageList:
          images: ["calico/typha:{{ values.typha }}"]
    kubefile: |
      FROM scratch
      COPY imageList manifests
      COPY files files
  - name: second
    image: second:v1
    steps:
      - write: {path: note, content: "{{ values.note }}"}
    kubefile: |
      FROM first:v1
      COPY note .
"#;
const PLATFORMS: &str = "linux/amd64,linux/arm64";
const FIRST: &str = "registry.cn-qingdao.aliyuncs.com/sealer-io/first";

fn world() -> World {
    let world = World::new();
    prepare(&world, "");
    world
}

/// Puts the recipe with its files into a folder of the world.
fn prepare(world: &World, folder: &str) -> String {
    world.write(&format!("{folder}more files/deep/ä"), "deep");
    symlink("deep/ä", world.path(&format!("{folder}more files/link"))).unwrap();
    let tool = world.write(&format!("{folder}beside/tool"), "#!/bin/sh\n");
    fs_err::set_permissions(tool, PermissionsExt::from_mode(0o755)).unwrap();
    world.write(&format!("{folder}small.yaml"), RECIPE).to_str().unwrap().to_owned()
}

fn apply(world: &World, recipe: &str, more: &[&str]) -> Run {
    world.succeed(&[&["recipe", "apply", recipe, "--platform", PLATFORMS, "-o", "json"], more].concat())
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn text(path: impl AsRef<Path>) -> String {
    fs_err::read_to_string(path.as_ref()).unwrap()
}

/// Holds a statement to the fields of the specifications.
#[track_caller]
fn check(statement: &Value) {
    let schema = json(&text(project().join("tests/data/slsa-provenance-v1.schema.json")));
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(statement).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    // The check can fail.
    for path in ["/_type", "/subject/0/digest/sha256", "/predicate/runDetails/builder/id"] {
        let mut wrong = statement.clone();
        *wrong.pointer_mut(path).unwrap() = json!("wrong");
        assert!(!validator.is_valid(&wrong), "{path}");
    }
}

#[test]
fn a_statement_has_recipe_lock_values_and_every_input_by_its_digest() {
    let world = world();
    let recipe = world.path("small.yaml").to_str().unwrap().to_owned();
    let file = world.path("small.json");
    let run = apply(&world, &recipe, &["--provenance", file.to_str().unwrap()]);
    let statement = text(&file);
    check(&json(&statement));
    insta::assert_snapshot!(statement.replace(concat!("\"", env!("CARGO_PKG_VERSION"), "\""), "\"[VERSION]\""));
    let statement = json(&statement);
    // What it says of what it can be held to.
    let report = json(&run.stdout);
    let images = report["images"].as_array().unwrap();
    let subjects = statement["subject"].as_array().unwrap();
    assert_eq!(images.len(), 4);
    for (image, subject) in images.iter().zip(subjects) {
        let wanted = (&image["name"], &image["id"], &image["platform"]);
        assert_eq!((&subject["name"], &subject["digest"]["sha256"], &subject["annotations"]["platform"]), wanted);
    }
    let dependencies = statement["predicate"]["buildDefinition"]["resolvedDependencies"].as_array().unwrap();
    for name in ["small.yaml", "small.lock.yaml", "beside/tool", "more files/deep/ä"] {
        let found = dependencies.iter().find(|found| found["name"] == name).unwrap_or_else(|| panic!("{name}"));
        let digest = Digest::of(&fs_err::read(world.path(name)).unwrap());
        assert_eq!(found["digest"]["sha256"], digest.hex(), "{name}");
    }
}

#[test]
fn the_same_run_has_the_same_bytes_wherever_it_ran() {
    let statements = ["", "other place/"].map(|folder| {
        let world = World::new();
        let recipe = prepare(&world, folder);
        apply(&world, &recipe, &["--provenance", world.path("first.json").to_str().unwrap()]);
        apply(&world, &recipe, &["--provenance", world.path("second.json").to_str().unwrap(), "--threads", "1"]);
        assert_eq!(text(world.path("first.json")), text(world.path("second.json")));
        // Another value, another one.
        let more =
            ["--set", "note=other", "--provenance", world.path("third.json").to_str().unwrap().to_owned().leak()];
        apply(&world, &recipe, &more);
        assert_ne!(text(world.path("first.json")), text(world.path("third.json")));
        text(world.path("first.json"))
    });
    assert_eq!(statements[0], statements[1]);
}

#[test]
fn queries_of_urls_are_not_told() {
    let world = world();
    let secret = RECIPE.replace("install.yaml\n", "install.yaml?token=hunter2\n");
    let recipe = world.write("small.yaml", secret);
    let file = world.path("small.json");
    apply(&world, recipe.to_str().unwrap(), &["--provenance", file.to_str().unwrap()]);
    assert!(!text(&file).contains("hunter2"));
    assert!(text(&file).contains("release/install.yaml\""));
}

#[test]
fn the_store_keeps_it_for_as_long_as_it_has_the_image() {
    let world = world();
    let recipe = world.path("small.yaml").to_str().unwrap().to_owned();
    let file = world.path("small.json");
    apply(&world, &recipe, &["--provenance", file.to_str().unwrap()]);
    let folder = world.root().join("recipe/provenance");
    let names = || {
        let mut names: Vec<String> =
            fs_err::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    let mut expected: Vec<String> = json(&text(&file))["subject"]
        .as_array()
        .unwrap()
        .iter()
        .map(|subject| format!("{}.json", subject["digest"]["sha256"].as_str().unwrap()))
        .collect();
    expected.sort();
    assert_eq!(names(), expected);
    for name in &expected {
        assert_eq!(text(folder.join(name)), text(&file));
    }
    world.succeed(&["rmi", "second:v1"]);
    assert_eq!(names().len(), 2);
    // What is somebody else's stays.
    world.write("root/recipe/provenance/note.txt", "mine");
    world.write(&format!("root/recipe/provenance/{}.json", "0".repeat(64)), "{}");
    world.succeed(&["prune"]);
    assert_eq!(names().len(), 3);
}

#[test]
fn where_it_cannot_be_written_is_said_before_the_work() {
    let world = world();
    let recipe = world.path("small.yaml").to_str().unwrap().to_owned();
    // Neither the recipe nor its lock is replaced, by whatever name.
    symlink("small.yaml", world.path("link.yaml")).unwrap();
    world.write("small.lock.yaml", "version: 1\n");
    for (file, code) in
        [("nowhere/x.json", 1), (".", 2), ("small.yaml", 2), ("link.yaml", 2), ("small.lock.yaml", 2), ("-", 2)]
    {
        let file = if file == "-" { file.into() } else { world.path(file) };
        let run = world.run(&["recipe", "apply", &recipe, "--provenance", file.to_str().unwrap()]);
        assert_eq!(run.code, Some(code), "{run}");
        assert!(!world.root().exists() && world.server().requests().is_empty());
    }
    assert_eq!(text(&recipe), RECIPE);
    // No file can be made there, whatever a folder's permissions say.
    let run = world.run(&["recipe", "apply", &recipe, "--provenance", "/proc/sealer.json"]);
    assert_eq!(run.code, Some(1), "{run}");
    assert!(!world.root().exists() && world.server().requests().is_empty(), "{run}");
    // One that could be made is gone again after a failure.
    let folder = world.path("statements");
    fs_err::create_dir(&folder).unwrap();
    let run = world.run(&["recipe", "apply", &recipe, "--offline", "--provenance", folder.join("x").to_str().unwrap()]);
    assert_eq!(run.code, Some(1), "{run}");
    assert_eq!(fs_err::read_dir(&folder).unwrap().count(), 0);
    let run = world.run(&["recipe", "apply", &recipe, "--push", "--sandbox"]);
    assert_eq!(run.code, Some(2), "{run}");
}

/// The statements that refer to a manifest in the sandbox's registry, by its API.
fn referrers(world: &World, repository: &str, subject: &str) -> Vec<Value> {
    let path = format!("/v2/{repository}/referrers/{subject}");
    let answer = real::ask(world.server().address(), "GET", &path, &[], b"").unwrap();
    assert_eq!(answer.status, 200);
    let index: Value = serde_json::from_slice(&answer.body).unwrap();
    let digests = index["manifests"].as_array().unwrap().iter();
    digests
        .map(|entry| {
            assert_eq!(entry["artifactType"], "application/vnd.in-toto+json");
            let digest = entry["digest"].as_str().unwrap();
            let path = format!("/v2/{repository}/manifests/{digest}");
            let manifest = real::ask(world.server().address(), "GET", &path, &[], b"").unwrap();
            let manifest: Value = serde_json::from_slice(&manifest.body).unwrap();
            let layer = &manifest["layers"][0];
            assert_eq!(layer["mediaType"], "application/vnd.in-toto+json");
            let path = format!("/v2/{repository}/blobs/{}", layer["digest"].as_str().unwrap());
            let blob = real::ask(world.server().address(), "GET", &path, &[], b"").unwrap();
            serde_json::from_slice(&blob.body).unwrap()
        })
        .collect()
}

#[test]
fn apply_pushes_every_image_and_registries_know_what_refers_to_it() {
    let world = world();
    world.server().registry(|registry| registry.set_knows_referrers(true));
    let recipe = world.path("small.yaml").to_str().unwrap().to_owned();
    let report = json(&apply(&world, &recipe, &["--push"]).stdout);
    let pushed = report["pushed"].as_array().unwrap();
    assert_eq!(pushed.len(), 2);
    let first = &pushed[0];
    assert_eq!(first["name"], format!("{FIRST}:v1"));
    let mut subjects = vec![first["digest"].as_str().unwrap()];
    subjects.extend(first["manifests"].as_array().unwrap().iter().map(|row| row["digest"].as_str().unwrap()));
    assert_eq!(subjects.len(), 3);
    for subject in &subjects {
        let found = referrers(&world, FIRST, subject);
        assert_eq!(found.len(), 1);
        check(&found[0]);
        // A statement is about what it refers to, or nobody who checks it believes it.
        let about: Vec<String> = found[0]["subject"]
            .as_array()
            .unwrap()
            .iter()
            .map(|subject| format!("sha256:{}", subject["digest"]["sha256"].as_str().unwrap()))
            .collect();
        assert!(subjects.iter().all(|subject| about.iter().any(|about| about == subject)), "{about:?}");
    }
    let tags = first["provenance"].as_array().unwrap().iter().map(|row| row.get("tag")).collect::<Vec<_>>();
    assert_eq!(tags, [None; 3]);
    // Under a further name it is the same image, made in the same way.
    world.succeed(&["tag", "first:v1", "other/name:v9"]);
    let renamed = FIRST.replace("sealer-io/first", "other/name");
    let pushed = json(&world.succeed(&["push", "other/name:v9", "-o", "json"]).stdout);
    let found = referrers(&world, &renamed, pushed["digest"].as_str().unwrap());
    let about =
        found[0]["subject"].as_array().unwrap().iter().filter(|subject| subject["name"] == format!("{renamed}:v9"));
    assert_eq!(about.count(), 5, "two ids, two manifests and the list: {found:#?}");
    check(&found[0]);
    // Pushed again, nothing is added; text says what was pushed.
    world.succeed(&["push", "first:v1"]);
    assert_eq!(referrers(&world, FIRST, subjects[0]).len(), 1);
    let run = world.succeed(&["recipe", "apply", &recipe, "--platform", PLATFORMS, "--push"]);
    let line = format!("pushed {FIRST}:v1@{}, with its provenance\n", subjects[0]);
    assert!(run.stdout.contains(&line), "{run}");
}

#[test]
fn a_link_is_followed_and_what_is_no_file_is_written_as_it_is() {
    let world = world();
    let recipe = world.path("small.yaml").to_str().unwrap().to_owned();
    world.write("there/old.json", "old");
    symlink("there/old.json", world.path("link.json")).unwrap();
    apply(&world, &recipe, &["--provenance", world.path("link.json").to_str().unwrap()]);
    assert!(world.path("link.json").is_symlink());
    check(&json(&text(world.path("there/old.json"))));
    let pipe = world.path("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || text(pipe)
    });
    apply(&world, &recipe, &["--provenance", pipe.to_str().unwrap()]);
    assert_eq!(reader.join().unwrap(), text(world.path("there/old.json")));
    // A lock that is a link stays one.
    let lock = world.path("small.lock.yaml");
    fs_err::rename(&lock, world.path("there/real.lock.yaml")).unwrap();
    symlink("there/real.lock.yaml", &lock).unwrap();
    world.write("there/real.lock.yaml", "version: 1\n");
    apply(&world, &recipe, &[]);
    assert!(lock.is_symlink() && text(world.path("there/real.lock.yaml")).contains("docker.io/calico/typha:v3.19.1"));
    assert_eq!(fs_err::metadata(&lock).unwrap().permissions().mode() & 0o777, 0o644);
    fs_err::remove_file(&lock).unwrap();
    fs_err::rename(&pipe, &lock).unwrap();
    let run = world.run(&["recipe", "apply", &recipe]);
    assert_eq!(run.code, Some(1), "{run}");
    assert!(run.stderr.contains("small.lock.yaml` is not a file"), "{run}");
}

#[test]
fn what_was_pushed_is_told_although_a_later_image_could_not_be() {
    let world = world();
    let recipe = world.path("small.yaml").to_str().unwrap().to_owned();
    let second = format!("/v2/{}/", FIRST.replace("/first", "/second"));
    world.server().fault(When::path(second).writes(), Fault::Status(403, Vec::new()));
    let run = world.run(&["recipe", "apply", &recipe, "--platform", PLATFORMS, "--push", "-o", "json"]);
    assert_eq!(run.code, Some(1), "{run}");
    let report = json(&run.stdout);
    let pushed = report["pushed"].as_array().unwrap();
    assert_eq!((pushed.len(), &pushed[0]["name"]), (1, &json!(format!("{FIRST}:v1"))));
    assert!(run.stderr.contains("sealer-io/second"), "{run}");
    // The images are made all the same.
    assert_eq!(report["images"].as_array().unwrap().len(), 4);
    world.succeed(&["inspect", "second:v1"]);
}

#[test]
fn a_real_registry_has_it_under_the_tag_that_stands_for_referrers() {
    let Some(registry) = real::docker_registry().filter(|_| real::available("skopeo")) else { return };
    let world = world();
    let conf =
        text(world.environment().iter().find(|(name, _)| *name == "CONTAINERS_REGISTRIES_CONF").unwrap().1.clone());
    let address = registry.address();
    let conf = world.write("both.conf", format!("{conf}\n[[registry]]\nlocation = \"{address}\"\ninsecure = true\n"));
    let recipe = text(world.path("small.yaml")).replace("first:v1", &format!("{address}/team/first:v1"));
    let recipe =
        world.write("small.yaml", recipe.replace("image: second:v1", &format!("image: {address}/team/second:v1")));
    let mut command = world.command();
    command.env("CONTAINERS_REGISTRIES_CONF", conf).args(["recipe", "apply", recipe.to_str().unwrap(), "--push"]);
    let run = world.result(&command.args(["-o", "json"]).output().unwrap());
    assert_eq!(run.code, Some(0), "{run}");
    let first = json(&run.stdout)["pushed"][0].clone();
    let digest = first["digest"].as_str().unwrap();
    let tag = format!("sha256-{}", digest.strip_prefix("sha256:").unwrap());
    assert_eq!(first["provenance"][0]["tag"], tag);
    let image = |tag: &str| format!("docker://{address}/team/first:{tag}");
    let index = real::skopeo(&["inspect", "--raw", "--tls-verify=false", &image(&tag)]).unwrap();
    let index = json(&index);
    assert_eq!(index["manifests"][0]["digest"], first["provenance"][0]["digest"]);
    assert_eq!(index["manifests"][0]["artifactType"], "application/vnd.in-toto+json");
    let name = format!("docker://{address}/team/first@{}", index["manifests"][0]["digest"].as_str().unwrap());
    let manifest = json(&real::skopeo(&["inspect", "--raw", "--tls-verify=false", &name]).unwrap());
    assert_eq!((&manifest["subject"]["digest"], manifest["layers"].as_array().unwrap().len()), (&digest.into(), 1));
}

#[test]
fn files_beside_the_recipe_are_told_as_they_were_read() {
    let world = World::new();
    let pod = "kind: Pod\nspec:\n  containers: [{image: \"registry:2.7.1\"}]\n";
    world.write("beside/pod.yaml", pod);
    world.write("folder/file", "v1");
    let recipe = world.write(
        "small.yaml",
        r"apiVersion: recipe.sealer.io/v1alpha1
kind: Recipe
metadata: {name: small}
stages:
  - name: only
    image: only:v1
    context:
      - directory: {path: folder}
    steps:
      - copy: {from: beside/pod.yaml, path: pod.yaml}
      - copy: {from: beside/none, path: none, optional: true}
    kubefile: |
      FROM scratch
      COPY pod.yaml manifests
      COPY file .
",
    );
    // Only the build asks for it, when everything was read.
    let path = "/v2/docker.io/library/registry/";
    world.server().fault(When::path(path).once(), Fault::Delay(Duration::from_secs(3)));
    let file = world.path("small.json");
    let mut command = world.command();
    command.args(["recipe", "apply", recipe.to_str().unwrap(), "--provenance", file.to_str().unwrap()]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let until = Instant::now() + Duration::from_mins(1);
    while world.server().requests_for(path).is_empty() {
        assert!(Instant::now() < until, "it never asked");
        std::thread::sleep(Duration::from_millis(10));
    }
    world.write("beside/pod.yaml", "edited");
    world.write("folder/file", "v2");
    world.write("folder/more", "more");
    world.write("beside/none", "late");
    let run = world.result(&child.wait_with_output().unwrap());
    assert_eq!(run.code, Some(0), "{run}");
    let statement = json(&text(&file));
    let dependencies = statement["predicate"]["buildDefinition"]["resolvedDependencies"].as_array().unwrap();
    let found =
        |name: &str| dependencies.iter().find(|found| found["name"] == name).map(|found| &found["digest"]["sha256"]);
    assert_eq!(found("beside/pod.yaml").unwrap(), &Digest::of(pod.as_bytes()).hex());
    assert_eq!(found("folder/file").unwrap(), &Digest::of(b"v1").hex());
    assert_eq!((found("folder/more"), found("beside/none")), (None, None));
}

#[test]
fn values_that_get_into_what_is_secret_of_a_url_are_told_by_their_sha256() {
    let world = world();
    let secret = RECIPE
        .replace("values: {", "values: {tok: none, user: {name: none, unused: none}, ")
        .replace("install.yaml\n", "install.yaml?token={{ values.tok }}&of={{ values.user.name | upper }}\n");
    let recipe = world.write("small.yaml", secret);
    let (recipe, file) = (recipe.to_str().unwrap(), world.path("small.json"));
    let sets = ["--set", "tok=SECRETQ", "--set", "user.name=secretn", "--set", "user.unused=SECRETU"];
    apply(&world, recipe, &[&sets[..], &["--provenance", file.to_str().unwrap()]].concat());
    let lock = text(world.path("small.lock.yaml"));
    let kept = fs_err::read_dir(world.root().join("recipe/provenance")).unwrap();
    let mut told = vec![text(&file), lock.clone()];
    told.extend(kept.map(|entry| text(entry.unwrap().path())));
    for told in &told {
        for secret in ["SECRETQ", "secretn", "SECRETN", "SECRETU"] {
            assert!(!told.contains(secret), "{secret} is in {told}");
        }
    }
    let statement = json(&told[0]);
    let external = &statement["predicate"]["buildDefinition"]["externalParameters"];
    assert_eq!(external["values"], json!({"typha": "v3.19.1", "note": "a \"word\" & <more>"}));
    let digest = |value: &str| json!({"sha256": Digest::of(value.as_bytes()).hex()});
    let hidden = json!({
        "tok": digest("SECRETQ"), "user": {"name": digest("secretn"), "unused": digest("SECRETU")}
    });
    assert_eq!(external["hiddenValues"], hidden);
    // What the lock has of it still holds a run to it, and another query is another file.
    apply(&world, recipe, &[&sets[..], &["--locked"]].concat());
    let other = [&["recipe", "apply", recipe, "--platform", PLATFORMS, "--locked"][..], &sets[2..]].concat();
    assert_eq!(world.run(&other).code, Some(4));
    // One of the old form is read, and written anew.
    let url = "https://raw.githubusercontent.com/kyverno/kyverno/v1.5.1/definitions/release/install.yaml";
    let line = lock.lines().find(|line| line.contains("install.yaml")).unwrap();
    world.write("small.lock.yaml", lock.replace(line, &format!("- url: {url}?token=SECRETQ&of=SECRETN")));
    apply(&world, recipe, &[&sets[..], &["--locked"]].concat());
    apply(&world, recipe, &sets);
    assert_eq!(text(world.path("small.lock.yaml")), lock);
}

/// A stand-in for helm of this version, for which every chart asks for one image; gives its folder.
fn helm(world: &World, version: &str, image: &str) -> String {
    let script = format!(
        "#!/bin/sh\ncase $1 in\n  version) echo {version};;\n  template) printf -- '---\\nkind: Pod\\nspec: {{containers: [{{image: \"{image}\"}}]}}\\n';;\nesac\n"
    );
    let program = world.script(&format!("{version}/helm"), &script);
    program.parent().unwrap().to_str().unwrap().to_owned()
}

#[test]
fn the_helm_that_rendered_charts_is_told_and_the_lock_holds_it_to_its_images() {
    let world = World::new();
    let recipe = "apiVersion: recipe.sealer.io/v1alpha1
kind: Recipe
metadata: {name: small}
stages:
  - name: only
    image: only:v1
    steps:
      - write: {path: app/Chart.yaml, content: \"apiVersion: v2\\nname: web\\nversion: 1.0.0\\n\"}
      - write: {path: app/values.yaml, content: \"{}\"}
      - write: {path: app/templates/pod.yaml, content: \"kind: Pod\"}
    kubefile: |
      FROM scratch
      COPY app charts\n";
    let recipe = world.write("small.yaml", recipe);
    let file = world.path("small.json");
    let run = |helm: &str, more: &[&str]| {
        let mut command = world.command();
        command.env("PATH", format!("{helm}:/usr/bin:/bin")).args(["recipe", "apply", recipe.to_str().unwrap()]);
        world.result(&command.args(["--provenance", file.to_str().unwrap()]).args(more).output().unwrap())
    };
    let (old, new) = (helm(&world, "v3.15.2+g1", "calico/cni:v3.19.1"), helm(&world, "v3.16.0", "calico/node:v3.19.1"));
    let first = run(&old, &[]);
    assert_eq!(first.code, Some(0), "{first}");
    assert!(first.stderr.contains("warning: the images of charts"), "{first}");
    let statement = json(&text(&file));
    check(&statement);
    let dependencies = statement["predicate"]["buildDefinition"]["resolvedDependencies"].as_array().unwrap();
    let told = dependencies.iter().find(|found| found["name"] == "helm").unwrap();
    let digest = Digest::of(&fs_err::read(format!("{old}/helm")).unwrap());
    assert_eq!(
        *told,
        json!({"name": "helm", "uri": "pkg:generic/helm@v3.15.2%2Bg1", "digest": {"sha256": digest.hex()}})
    );
    assert_eq!(run(&old, &["--locked"]).code, Some(0));
    let refused = run(&new, &["--locked"]);
    assert_eq!(refused.code, Some(4), "{refused}");
    assert!(refused.stderr.contains("`calico/node:v3.19.1` for linux/amd64 is not in the lock"), "{refused}");
}
