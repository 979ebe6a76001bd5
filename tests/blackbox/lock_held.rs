//! What a lock holds a run to: base images by all that they say, moved tags, runs at once, folders that take no lock.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sealer::testing::sandbox::{Fault, When};
use serde_json::Value;

use crate::support::program::{Run, World};
use crate::support::real;

/// A recipe with a base image.
const ON_A_BASE: &str = r"apiVersion: recipe.sealer.io/v1alpha1
kind: Recipe
metadata: {name: r}
platforms: [linux/amd64]
stages:
  - name: only
    image: made:v1
    steps:
      - write: {path: note, content: note}
    kubefile: |
      FROM cb:v1
      COPY note .
";

fn run(world: &World, command: &str, more: &[&str]) -> Run {
    world.run(&[&["recipe", command, world.path("r.yaml").to_str().unwrap()], more].concat())
}

fn succeed(world: &World, command: &str, more: &[&str]) -> Run {
    let run = run(world, command, more);
    assert_eq!(run.code, Some(0), "{run}");
    run
}

fn report(run: &Run) -> Value {
    assert_eq!(run.code, Some(0), "{run}");
    serde_json::from_str(&run.stdout).unwrap()
}

fn lock(world: &World) -> String {
    fs_err::read_to_string(world.path("r.lock.yaml")).unwrap()
}

/// Builds `cb:v1` of one file and one command into a store of the world.
fn base(world: &World, root: &str, content: &str, command: &str) -> Value {
    // Written again it had another time.
    if fs_err::read_to_string(world.path("base/file")).ok().as_deref() != Some(content) {
        world.write("base/file", content);
    }
    let kubefile = world.write("base/Kubefile", format!("FROM scratch\nCOPY file .\nCMD {command}\n"));
    let (root, folder) = (world.path(root), world.path("base"));
    let arguments = ["--root", root.to_str().unwrap(), "build", "-t", "cb:v1", "--platform", "linux/amd64"];
    let more = ["-o", "json", "-f", kubefile.to_str().unwrap(), folder.to_str().unwrap()];
    report(&world.run(&[&arguments[..], &more].concat()))
}

/// What is said from the first error on.
fn errors(run: &Run) -> String {
    run.stderr.lines().skip_while(|line| !line.contains("error: ")).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_base_with_the_locked_layers_and_another_command_is_another_image() {
    let world = World::new();
    world.write("r.yaml", ON_A_BASE);
    let one = base(&world, "root", "file", "echo one");
    succeed(&world, "apply", &[]);
    let before = lock(&world);
    let evil = base(&world, "root", "file", "echo EVIL");
    assert_eq!(one["layers"], evil["layers"]);
    let refused = run(&world, "apply", &["--locked"]);
    assert_eq!(refused.code, Some(4), "{refused}");
    let said = errors(&refused).replace(one["id"].as_str().unwrap(), "[ONE]");
    insta::assert_snapshot!("other-command", said.replace(evil["id"].as_str().unwrap(), "[EVIL]"));
    assert_eq!(lock(&world), before);
    // Without `--locked` it is taken, told, and what is written down is what was used.
    let provenance = world.path("r.json");
    let taken = report(&run(&world, "apply", &["-o", "json", "--provenance", provenance.to_str().unwrap()]));
    assert_eq!((&taken["moved"][0]["old"], &taken["moved"][0]["new"]), (&one["id"], &evil["id"]));
    let written = fs_err::read_to_string(provenance).unwrap();
    assert!(written.contains(evil["id"].as_str().unwrap()) && !written.contains(one["id"].as_str().unwrap()));
    assert!(lock(&world).contains(evil["id"].as_str().unwrap()));
}

/// Pushes `cb:v1` with this content from a store of its own.
fn push(world: &World, content: &str) -> Value {
    let built = base(world, "elsewhere", content, "echo");
    let root = world.path("elsewhere");
    world.succeed(&["--root", root.to_str().unwrap(), "push", "cb:v1"]);
    built
}

#[test]
fn a_moved_base_is_taken_as_the_warning_says() {
    let world = World::new();
    world.write("r.yaml", ON_A_BASE);
    let old = push(&world, "old");
    let first = report(&run(&world, "apply", &["-o", "json"]));
    let before = lock(&world);
    assert!(before.contains(old["id"].as_str().unwrap()));
    let new = push(&world, "new");
    let warned = succeed(&world, "apply", &[]);
    assert!(warned.stderr.contains("cb:v1` locks the new one"), "{warned}");
    assert_eq!(lock(&world), before);
    for update in [&["--update", "cb:v1"][..], &["--update"]] {
        fs_err::write(world.path("r.lock.yaml"), &before).unwrap();
        let updated = succeed(&world, "lock", update);
        assert!(updated.stdout.starts_with("moved "), "{updated}");
        assert!(lock(&world).contains(new["id"].as_str().unwrap()), "{}", lock(&world));
    }
    // The store still has the old one under the name.
    let updated = lock(&world);
    let plan = succeed(&world, "plan", &[]);
    assert!(!plan.stdout.contains(old["id"].as_str().unwrap()), "{plan}");
    let locked = report(&run(&world, "apply", &["--locked", "-o", "json"]));
    assert_ne!(locked["images"][0]["id"], first["images"][0]["id"]);
    let quiet = succeed(&world, "apply", &["-o", "json"]);
    assert_eq!(report(&quiet)["images"], locked["images"]);
    assert!(!quiet.stderr.contains("moved") && !quiet.stderr.contains("no longer"), "{quiet}");
    assert_eq!(lock(&world), updated);
}

#[test]
fn the_locked_image_is_built_on_although_the_store_has_another_of_the_name() {
    let world = World::new();
    world.write("r.yaml", ON_A_BASE);
    push(&world, "old");
    let first = report(&run(&world, "apply", &["-o", "json"]));
    base(&world, "root", "of my own", "echo");
    let mine = world.succeed(&["inspect", "cb:v1"]).stdout;
    let again = succeed(&world, "apply", &["-o", "json"]);
    assert_eq!(world.succeed(&["inspect", "cb:v1"]).stdout, mine, "the store keeps its own");
    assert_eq!(report(&again)["images"], first["images"]);
    let warning = again.stderr.lines().find(|line| line.contains("the store has")).unwrap_or_default();
    assert!(warning.contains("`cb:v1` for linux/amd64") && warning.contains("pulls"), "{again}");
}

/// For both platforms; only the build finds an image.
const FINDING: &str = r#"apiVersion: recipe.sealer.io/v1alpha1
kind: Recipe
metadata: {name: r}
platforms: [linux/amd64, linux/arm64]
stages:
  - name: only
    image: made:v1
    steps:
      - write:
          path: pod.yaml
          content: |
            kind: Pod
            spec:
              containers: [{image: "registry:2.7.1"}]
    kubefile: |
      FROM scratch
      COPY pod.yaml manifests
"#;

/// Starts an apply for a platform and waits until it asks for the image that only the build finds, which takes a while.
fn halted(world: &World, platform: &str) -> Child {
    let path = "/v2/docker.io/library/registry/";
    world.server().forget_requests();
    world.server().fault(When::path(path).once(), Fault::Delay(Duration::from_secs(8)));
    let mut command = world.command();
    command.args(["recipe", "apply", world.path("r.yaml").to_str().unwrap(), "--platform", platform]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let until = Instant::now() + Duration::from_mins(1);
    while world.server().requests_for(path).is_empty() {
        assert!(Instant::now() < until, "it never asked");
        std::thread::sleep(Duration::from_millis(10));
    }
    child
}

#[test]
fn runs_at_once_keep_each_other_s_entries() {
    let world = World::new();
    world.write("r.yaml", FINDING);
    let mut slow = halted(&world, "linux/arm64");
    succeed(&world, "apply", &["--platform", "linux/amd64"]);
    assert!(lock(&world).contains("platform: linux/amd64"));
    assert!(slow.try_wait().unwrap().is_none(), "the other one is at work all the time");
    let slow = world.result(&slow.wait_with_output().unwrap());
    assert_eq!(slow.code, Some(0), "{slow}");
    let both = lock(&world);
    assert!(both.contains("platform: linux/amd64") && both.contains("platform: linux/arm64"), "{both}");
    succeed(&world, "apply", &["--locked"]);
    let litter = fs_err::read_dir(world.path("")).unwrap().map(|entry| entry.unwrap().file_name());
    let litter: Vec<_> = litter.filter(|name| name.to_string_lossy().starts_with('.')).collect();
    assert!(litter.is_empty(), "{litter:?}");
}

#[test]
fn a_fetch_whose_lock_cannot_be_kept_promises_nothing() {
    if !real::available("unshare") {
        return;
    }
    let world = World::new();
    let recipe = world.write("closed/r.yaml", FINDING);
    let closed = world.path("closed");
    let fetch = || {
        let script = format!(
            "mount --bind {0} {0} && mount -o remount,bind,ro {0} && exec {1} recipe fetch {0}/r.yaml",
            closed.display(),
            env!("CARGO_BIN_EXE_sealer"),
        );
        let mut command = Command::new("unshare");
        command.args(["-rm", "sh", "-c", &script]).env_clear().envs(world.environment());
        world.result(&command.current_dir(world.path("checkout")).output().unwrap())
    };
    let run = fetch();
    assert_eq!(run.code, Some(1), "{run}");
    assert!(!run.stdout.contains("needs no network"), "{run}");
    insta::assert_snapshot!(
        run.stderr.lines().skip_while(|line| !line.starts_with("error")).collect::<Vec<_>>().join("\n")
    );
    // Where nothing is new, the lock need not be written.
    world.succeed(&["recipe", "fetch", recipe.to_str().unwrap()]);
    let run = fetch();
    assert_eq!(run.code, Some(0), "{run}");
    assert!(run.stdout.contains("needs no network"), "{run}");
}
