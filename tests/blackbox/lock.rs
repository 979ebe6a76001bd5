//! The lock beside a recipe: written, kept to, told of; and work without a network.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use sealer::testing::sandbox::{Fault, When};
use sealer::testing::types::Digest;
use serde_json::Value;

use crate::support::program::{Run, World};
use crate::support::real;

/// Two platforms, and an input of each kind: a base image, a URL in a step and one in the Kubefile, a listed image, and one
/// that only the build finds.
const RECIPE: &str = r#"apiVersion: recipe.sealer.io/v1alpha1
kind: Recipe
metadata: {name: small}
values: {typha: v3.19.1}
platforms: [linux/amd64, linux/arm64]
stages:
  - name: first
    image: first:v1
    context:
      - layer: {of: "kubernetes:v1.19.8", containing: etc/tigera-operator.yaml, paths: [etc/tigera-operator.yaml]}
    steps:
      - download:
          url: https://raw.githubusercontent.com/kyverno/kyverno/v1.5.1/definitions/release/install.yaml
          path: files/install.yaml
      - imageList:
          images: ["calico/typha:{{ values.typha }}"]
      - write:
          path: pod.yaml
          content: |
            apiVersion: v1
            kind: Pod
            spec:
              containers: [{image: "registry:2.7.1"}]
    kubefile: |
      FROM scratch
      COPY imageList manifests
      COPY pod.yaml manifests
      COPY files files
  - name: second
    image: second:v1
    steps:
      - write: {path: note, content: note}
    kubefile: |
      FROM first:v1
      COPY note .
"#;
const TYPHA: &str = "docker.io/calico/typha";
const REGISTRY: &str = "docker.io/library/registry";
const INSTALL: &str = "raw.githubusercontent.com/kyverno/kyverno/v1.5.1/definitions/release/install.yaml";

fn world() -> World {
    let world = World::new();
    world.write("small.yaml", RECIPE);
    world
}

fn recipe(world: &World) -> String {
    world.path("small.yaml").to_str().unwrap().to_owned()
}

fn lock_path(world: &World) -> PathBuf {
    world.path("small.lock.yaml")
}

fn lock(world: &World) -> String {
    fs_err::read_to_string(lock_path(world)).unwrap()
}

/// `recipe COMMAND small.yaml …`
fn run(world: &World, command: &str, more: &[&str]) -> Run {
    world.run(&[&["recipe", command, &recipe(world)], more].concat())
}

fn succeed(world: &World, command: &str, more: &[&str]) -> Run {
    let run = run(world, command, more);
    assert_eq!(run.code, Some(0), "{run}");
    run
}

/// The ids of the images that apply made, from an empty store where nothing else is said.
fn apply(world: &World, more: &[&str]) -> (Vec<String>, Value, Run) {
    drop(fs_err::remove_dir_all(world.root()));
    let run = succeed(world, "apply", &[&["-o", "json"], more].concat());
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let ids = report["images"].as_array().unwrap().iter().map(|image| image["id"].as_str().unwrap().to_owned());
    (ids.collect(), report, run)
}

/// Lets the tag of a repository stand for a list with the same images and another digest.
fn move_tag(world: &World, repository: &str, tag: &str) -> (Digest, Digest) {
    world.server().registry(|registry| {
        let document = registry.repository(repository).unwrap().manifest(tag).unwrap().clone();
        let bytes = [&document.bytes[..], b"\n"].concat();
        let new = registry.put_manifest(repository, Some(tag), &document.descriptor.media_type, bytes);
        (document.descriptor.digest, new)
    })
}

/// What is said from the first error on.
fn errors(run: &Run) -> String {
    run.stderr.lines().skip_while(|line| !line.contains("error: ")).collect::<Vec<_>>().join("\n")
}

fn changed_lines(old: &str, new: &str) -> Vec<(String, String)> {
    assert_eq!(old.lines().count(), new.lines().count());
    let both = old.lines().zip(new.lines()).filter(|(old, new)| old != new);
    both.map(|(old, new)| (old.to_owned(), new.to_owned())).collect()
}

#[test]
fn the_first_apply_writes_the_lock_and_the_next_ones_leave_it_alone() {
    let world = world();
    let (first, report, _) = apply(&world, &[]);
    assert_eq!(first.len(), 4);
    assert_eq!(report.get("moved"), None);
    insta::assert_snapshot!("written", lock(&world));
    let meta = fs_err::metadata(lock_path(&world)).unwrap();
    assert_eq!(meta.permissions().mode() & 0o777, 0o644);
    fs_err::set_permissions(lock_path(&world), PermissionsExt::from_mode(0o600)).unwrap();
    let before = fs_err::metadata(lock_path(&world)).unwrap();
    for more in [&[][..], &["--locked"], &["--offline"], &["--frozen"]] {
        assert_eq!(apply(&world, more).0, first, "{more:?}");
    }
    let locked = run(&world, "lock", &[]);
    assert_eq!((locked.code, locked.stdout.as_str()), (Some(0), "[WORLD]/small.lock.yaml: nothing changed\n"));
    let after = fs_err::metadata(lock_path(&world)).unwrap();
    assert_eq!((before.ino(), before.mtime_nsec(), before.mode()), (after.ino(), after.mtime_nsec(), after.mode()));
}

#[test]
fn the_lock_changes_no_id() {
    let world = world();
    let (unlocked, ..) = apply(&world, &[]);
    fs_err::remove_file(lock_path(&world)).unwrap();
    succeed(&world, "lock", &[]);
    assert_eq!(apply(&world, &[]).0, unlocked);
}

#[test]
fn a_tag_that_moved_is_told_and_the_locked_image_is_used() {
    let world = world();
    let (first, ..) = apply(&world, &[]);
    let before = lock(&world);
    let (old, new) = move_tag(&world, TYPHA, "v3.19.1");
    let (registry_old, _) = move_tag(&world, REGISTRY, "2.7.1");

    let (plain, report, run) = apply(&world, &[]);
    assert_eq!(plain, first);
    assert_eq!(lock(&world), before);
    let moved = report["moved"].as_array().unwrap();
    // Two images, each for two platforms.
    assert_eq!(moved.len(), 4, "{run}");
    assert_eq!(moved[0]["name"], "docker.io/calico/typha:v3.19.1");
    assert_eq!(
        (moved[0]["old"].as_str(), moved[0]["new"].as_str()),
        (Some(&*old.to_string()), Some(&*new.to_string()))
    );
    assert_eq!((&moved[0]["taken"], &moved[0]["platform"]), (&Value::Bool(false), &Value::from("linux/amd64")));
    let warning = run.stderr.lines().find(|line| line.contains("typha:v3.19.1` moved")).unwrap();
    insta::assert_snapshot!(warning);

    // Nobody is asked after a tag.
    world.server().forget_requests();
    let (locked, report, _) = apply(&world, &["--locked"]);
    assert_eq!((locked, report.get("moved")), (first.clone(), None));
    let tags = world.server().requests_for("/v2/");
    assert!(!tags.iter().any(|asked| asked.contains("/manifests/v3.19.1")), "{tags:?}");
    // Nor is the tag needed: a fresh cache gets the locked list by its digest.
    fs_err::remove_dir_all(world.cache()).unwrap();
    assert_eq!(apply(&world, &["--locked"]).0, first);

    let updated = succeed(&world, "lock", &["--update", "calico/typha"]);
    insta::assert_snapshot!("updated", updated.stdout);
    let changed = changed_lines(&before, &lock(&world));
    assert_eq!(changed, vec![(format!("  digest: {old}"), format!("  digest: {new}")); 2]);
    let (then, report, _) = apply(&world, &["--platform", "linux/amd64"]);
    assert_ne!(then[0], first[0]);
    assert_eq!(report["moved"].as_array().unwrap().len(), 1, "the other one is still the locked one");
    assert!(lock(&world).contains(&registry_old.to_string()));
}

#[test]
fn registries_that_do_not_answer_do_not_keep_what_is_locked_from_being_made() {
    let world = world();
    let (first, ..) = apply(&world, &[]);
    world.server().fault(When::path("/v2/"), Fault::Status(503, Vec::new()));
    let (again, report, run) = apply(&world, &[]);
    assert_eq!((again, report.get("moved")), (first, None));
    let warnings: Vec<&str> = run.stderr.lines().filter(|line| line.contains("up to date")).collect();
    assert_eq!(warnings.len(), 1, "{run}");
    assert!(warnings[0].contains("`calico/typha:v3.19.1`") && warnings[0].contains("503"), "{}", warnings[0]);
}

#[test]
fn locked_wants_everything_in_the_lock() {
    let world = world();
    let absent = run(&world, "apply", &["--locked"]);
    assert_eq!(absent.code, Some(4), "{absent}");
    insta::assert_snapshot!("no-lock", errors(&absent));
    assert!(!lock_path(&world).exists());

    world.write("small.lock.yaml", "version: 1\n");
    world.server().forget_requests();
    let missing = run(&world, "apply", &["--locked", "--platform", "linux/amd64"]);
    assert_eq!(missing.code, Some(4), "{missing}");
    insta::assert_snapshot!("locked-missing", errors(&missing));
    assert!(world.server().requests().is_empty(), "nothing is asked for before that is told");
    assert_eq!(lock(&world), "version: 1\n");

    // All that the plan names, but not what only the build finds.
    succeed(&world, "lock", &["--platform", "linux/amd64"]);
    let found = run(&world, "apply", &["--locked", "--platform", "linux/amd64"]);
    assert_eq!(found.code, Some(4), "{found}");
    insta::assert_snapshot!("locked-found", errors(&found));
    succeed(&world, "apply", &["--platform", "linux/amd64"]);
    succeed(&world, "apply", &["--locked", "--platform", "linux/amd64"]);

    // Values of another day change names.
    let other = run(&world, "apply", &["--locked", "--platform", "linux/amd64", "--set", "typha=v3.19.2"]);
    assert_eq!(other.code, Some(4), "{other}");
    assert!(errors(&other).contains("`calico/typha:v3.19.2` for linux/amd64 is not in the lock"), "{other}");
}

#[test]
fn a_file_that_changed_is_an_error_until_the_lock_is_updated() {
    let world = world();
    apply(&world, &[]);
    let before = lock(&world);
    world.server().files(|files| files.put(INSTALL, "kind: Other\n"));
    // Whoever has the old one goes on with it.
    apply(&world, &[]);
    fs_err::remove_dir_all(world.cache()).unwrap();
    for more in [&[][..], &["--locked"]] {
        // The URL itself is asked after its mirror: by a proxy that refuses, so that nobody outside is.
        let mut command = world.command();
        command.args([&["recipe", "apply", &recipe(&world)], more].concat());
        command.env("HTTPS_PROXY", format!("http://{}", world.server().address()));
        let run = world.result(&command.output().unwrap());
        assert_eq!(run.code, Some(4), "{run}");
        let said = errors(&run);
        assert!(
            said.contains("small.yaml:13:") && said.contains("--update https://raw.githubusercontent.com/"),
            "{said}"
        );
        let found = Digest::of(b"kind: Other\n").to_string();
        let locked = before.lines().find(|line| line.starts_with("  digest: ")).unwrap().replace("  digest: ", "");
        assert!(said.contains(&locked) && said.contains(&found), "{said}");
    }
    assert_eq!(lock(&world), before);
    succeed(&world, "lock", &["--update", "release/install.yaml"]);
    let changed = changed_lines(&before, &lock(&world));
    assert_eq!(changed.len(), 2, "digest and size: {changed:?}");
    apply(&world, &[]);
}

/// The program without a network, even without loopback.
fn without_network(world: &World, arguments: &[&str]) -> Option<Run> {
    let works = Command::new("unshare").args(["-rn", "true"]).status().is_ok_and(|status| status.success());
    if !works {
        crate::support::missing("a namespace without a network");
        return None;
    }
    let mut command = Command::new("unshare");
    command.arg("-rn").arg(env!("CARGO_BIN_EXE_sealer")).args(arguments).env_clear().envs(world.environment());
    Some(world.result(&command.current_dir(world.path("checkout")).output().unwrap()))
}

#[test]
fn after_a_fetch_no_network_is_needed() {
    let world = world();
    let fetched = succeed(&world, "fetch", &[]);
    insta::assert_snapshot!("fetched", without_sizes(&fetched.stdout));
    assert!(!world.root().join("metadata/images_metadata.json").exists(), "no image is kept");
    let locked = lock(&world);
    assert!(locked.contains("registry:2.7.1"), "what only the build finds is locked too");
    for flag in ["--offline", "--frozen"] {
        drop(fs_err::remove_dir_all(world.root()));
        let Some(run) = without_network(&world, &["recipe", "apply", &recipe(&world), flag]) else { return };
        assert_eq!(run.code, Some(0), "{run}");
    }
    assert_eq!(lock(&world), locked);
    let again = succeed(&world, "fetch", &["-o", "json", "--frozen"]);
    let again: Value = serde_json::from_str(&again.stdout).unwrap();
    assert_eq!(again, serde_json::json!({"recipe": "small", "downloadedBytes": 0}));
}

fn without_sizes(text: &str) -> String {
    let (_, rest) = text.split_once(" downloaded").unwrap();
    format!("[SIZE] downloaded{rest}")
}

#[test]
fn offline_says_what_is_missing_and_how_to_get_it() {
    let world = world();
    let one = ["--offline", "--platform", "linux/amd64"];
    let unlocked = run(&world, "apply", &one);
    assert_eq!(unlocked.code, Some(1), "{unlocked}");
    insta::assert_snapshot!("offline-unlocked", errors(&unlocked));
    succeed(&world, "lock", &["--platform", "linux/amd64"]);
    fs_err::remove_dir_all(world.cache()).unwrap();
    let uncached = run(&world, "apply", &one);
    assert_eq!(uncached.code, Some(1), "{uncached}");
    insta::assert_snapshot!("offline-uncached", errors(&uncached));
}

#[test]
fn a_lock_that_is_broken_is_told_with_its_lines() {
    let world = world();
    world.write("small.lock.yaml", "version: 1\nfiles:\n- url: nonsense\n  size: x\n");
    for command in ["apply", "lock", "fetch"] {
        let run = run(&world, command, &[]);
        assert_eq!(run.code, Some(3), "{run}");
        assert!(run.stderr.contains("small.lock.yaml:4:9: error: "), "{run}");
    }
}

#[test]
fn lock_adds_drops_and_says_so() {
    let world = world();
    let first = succeed(&world, "lock", &["--platform", "linux/amd64"]);
    insta::assert_snapshot!("lock-added", first.stdout);
    let layers = world.server().requests_for("/v2/docker.io/calico/typha/blobs/");
    assert_eq!(layers.len(), 1, "its config alone: {layers:?}");
    // The other platform, and the images that a build found.
    apply(&world, &[]);
    let whole = lock(&world);
    assert_eq!(succeed(&world, "lock", &[]).stdout, "[WORLD]/small.lock.yaml: nothing changed\n");
    // Values of a run say nothing of what the recipe needs.
    succeed(&world, "lock", &["--stage", "second"]);
    assert_eq!(lock(&world), whole);
    // Another file, and one platform less.
    world.write(
        "small.yaml",
        RECIPE
            .replace(
                "raw.githubusercontent.com/kyverno/kyverno/v1.5.1/definitions/release/install.yaml",
                "download.docker.com/linux/static/stable/x86_64/docker-19.03.15.tgz",
            )
            .replace("[linux/amd64, linux/arm64]", "[linux/arm64]"),
    );
    let changed = succeed(&world, "lock", &["-o", "json"]);
    let changed: Value = serde_json::from_str(&changed.stdout).unwrap();
    let names = |field: &str| -> Vec<String> {
        let changes = changed["changes"].as_array().unwrap().iter();
        let has = changes.filter(|change| change.get("old").is_some() == (field == "old"));
        has.map(|change| format!("{} {}", change["name"].as_str().unwrap(), change["platform"].as_str().unwrap_or("-")))
            .collect()
    };
    assert_eq!(names("new"), ["https://download.docker.com/linux/static/stable/x86_64/docker-19.03.15.tgz -"]);
    assert_eq!(names("old")[0], format!("https://{INSTALL} -"));
    assert!(!lock(&world).contains("calico/typha:v3.19.1\n  platform: linux/amd64"), "{}", lock(&world));
    assert!(lock(&world).contains("calico/typha:v3.19.1\n  platform: linux/arm64"));
}

#[test]
fn names_of_entries_are_found_or_the_nearest_is_told() {
    let world = world();
    apply(&world, &[]);
    let before = lock(&world);
    for name in
        ["registry:2.7.1", "docker.io/library/registry:2.7.1", "registry", "typha:v3.19.1", "kubernetes:v1.19.8"]
    {
        let run = succeed(&world, "lock", &["--update", name]);
        // An image that only the build finds is locked by the next build.
        let is_found = name.contains("registry");
        assert_eq!(run.stdout.contains("removed"), is_found, "{name}: {run}");
        assert_eq!(lock(&world) == before, !is_found, "{name}");
        fs_err::write(lock_path(&world), &before).unwrap();
    }
    for name in ["calico/tihpa", "v1.5.1", "nothing"] {
        let run = run(&world, "lock", &["--update", name]);
        assert_eq!(run.code, Some(2), "{run}");
        insta::assert_snapshot!(format!("unknown-{}", name.replace('/', "-")), run.stderr);
    }
    // Everything again, also what nothing changed of.
    world.server().forget_requests();
    succeed(&world, "lock", &["--update"]);
    let asked = world.server().requests_for("/v2/docker.io/calico/typha/manifests/v3.19.1");
    assert_eq!(asked.len(), 2, "once for each platform: {asked:?}");
}

#[test]
fn a_base_image_that_the_store_has_otherwise_is_taken_and_told_or_refused() {
    let world = world();
    let (first, ..) = apply(&world, &["--platform", "linux/amd64"]);
    let before = lock(&world);
    // Somebody locked another image of that name.
    let line = before.lines().find(|line| line.starts_with("  id: ")).unwrap();
    let other = format!("  id: \"{}\"", "1".repeat(64));
    let layer = before.lines().find(|line| line.starts_with("  - sha256:")).unwrap();
    let moved = before.replace(line, &other).replace(layer, &format!("  - sha256:{}", "2".repeat(64)));
    world.write("small.lock.yaml", &moved);
    let refused = run(&world, "apply", &["--locked", "--platform", "linux/amd64"]);
    assert_eq!(refused.code, Some(4), "{refused}");
    insta::assert_snapshot!("base-differs", errors(&refused));
    assert_eq!(lock(&world), moved);
    let run = succeed(&world, "apply", &["--platform", "linux/amd64", "-o", "json"]);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["images"][0]["id"], first[0].as_str());
    assert_eq!((&report["moved"][0]["taken"], report["moved"].as_array().unwrap().len()), (&Value::Bool(true), 1));
    assert!(run.stderr.contains("changed: the lock has "), "{run}");
    assert!(lock(&world).contains(line) && lock(&world).contains(layer), "{}", lock(&world));
    // The layers alone do not make it the locked one.
    let renamed = lock(&world).replace(line, &other);
    world.write("small.lock.yaml", &renamed);
    assert_eq!(self::run(&world, "apply", &["--locked", "--platform", "linux/amd64"]).code, Some(4));
    let taken = succeed(&world, "apply", &["--platform", "linux/amd64"]);
    assert!(taken.stderr.contains("changed: the lock has "), "{taken}");
    assert!(lock(&world).contains(line), "{}", lock(&world));
}

#[test]
fn a_folder_that_cannot_be_written_is_told_at_the_start() {
    if !real::available("unshare") {
        return;
    }
    let world = world();
    fs_err::create_dir(world.path("closed")).unwrap();
    fs_err::write(world.path("closed/small.yaml"), RECIPE).unwrap();
    let closed = world.path("closed");
    let apply = |more: &str| {
        let script = format!(
            "mount --bind {0} {0} && mount -o remount,bind,ro {0} && exec {1} recipe apply {0}/small.yaml {more}",
            closed.display(),
            env!("CARGO_BIN_EXE_sealer"),
        );
        let mut command = Command::new("unshare");
        command.args(["-rm", "sh", "-c", &script]).env_clear().envs(world.environment());
        world.result(&command.current_dir(world.path("checkout")).output().unwrap())
    };
    let run = apply("--platform linux/amd64");
    assert_eq!(run.code, Some(0), "{run}");
    let first = run.stderr.lines().next().unwrap();
    insta::assert_snapshot!(first);
    assert!(!Path::new(&closed).join("small.lock.yaml").exists());
    assert_eq!(apply("--locked").code, Some(4));
}

#[test]
fn the_sandbox_has_no_lock() {
    let world = world();
    world.write("small.lock.yaml", "version: 1\nnonsense\n");
    let temporary = world.path("temporary");
    fs_err::create_dir(&temporary).unwrap();
    let mut command = world.command();
    command.args(["recipe", "apply", &recipe(&world), "--sandbox"]).env("TMPDIR", temporary);
    let run = world.result(&command.output().unwrap());
    assert_eq!(run.code, Some(0), "{run}");
    assert_eq!(lock(&world), "version: 1\nnonsense\n");
    for flag in ["--locked", "--offline", "--frozen"] {
        let usage = world.run(&["recipe", "apply", &recipe(&world), "--sandbox", flag]);
        assert_eq!(usage.code, Some(2), "{usage}");
    }
}

#[test]
fn a_lock_among_recipes_is_checked_as_a_lock() {
    let world = world();
    succeed(&world, "lock", &[]);
    let (recipe, lock) = (recipe(&world), lock_path(&world));
    let validate = || world.run(&["recipe", "validate", &recipe, lock.to_str().unwrap()]);
    let run = validate();
    assert_eq!(run.code, Some(0), "{run}");
    assert_eq!(run.stdout, "[WORLD]/small.yaml: valid\n[WORLD]/small.lock.yaml: valid\n");
    let text = fs_err::read_to_string(&lock).unwrap();
    fs_err::write(&lock, text.replacen("version: 1", "version: 9", 1)).unwrap();
    let run = validate();
    assert_eq!(
        (run.code, run.stderr.contains("small.lock.yaml:2:10: error: the lock's version is 9")),
        (Some(3), true),
        "{run}"
    );
}
