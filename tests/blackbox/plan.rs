//! `recipe plan`: what apply would do is told, and nothing is done.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use regex::Regex;
use sealer::testing::plan::{Lock, Locked, LockedFile, Plan, lock_file_of};
use sealer::testing::types::Platform;
use serde_json::Value;

use crate::support::program::{Run, World, project};

const RECIPE: &str = "recipes/rawdocker.yaml";

/// A run's output without what every machine has of its own.
fn shown(run: &Run) -> String {
    let free = Regex::new(r#"(?m), [0-9.]+ .?B are free$|,\n *"free": [0-9]+"#).unwrap();
    free.replace_all(&run.to_string(), "").into_owned()
}

fn plan(world: &World, arguments: &[&str]) -> Run {
    world.run(&[&["recipe", "plan", "--platform", "linux/amd64"], arguments].concat())
}

/// Everything below a folder: its kind, its content, all that can be seen of it from outside.
fn all(folder: &Path) -> BTreeMap<PathBuf, String> {
    fn walk(folder: &Path, found: &mut BTreeMap<PathBuf, String>) {
        for entry in fs_err::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let meta = fs_err::symlink_metadata(&path).unwrap();
            let times = (meta.mtime(), meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec());
            let facts = (meta.ino(), meta.nlink(), meta.mode(), meta.uid(), meta.gid(), meta.size(), times);
            found.insert(path.clone(), format!("{facts:?}"));
            if meta.is_dir() {
                walk(&path, found);
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(folder, &mut found);
    found
}

/// A recipe with one stage that takes all of the base's Docker layer.
fn recipe_of(steps: &str, kubefile: &str) -> String {
    format!(
        "apiVersion: recipe.sealer.io/v1alpha1
kind: Recipe
metadata: {{name: r}}
platforms: [linux/amd64]
stages:
- name: one
  image: one:v1
  context:
  - layer: {{of: \"kubernetes:v1.19.8\", containing: etc/tigera-operator.yaml}}
  steps:
{steps}  kubefile: \"{kubefile}\"
"
    )
}

#[test]
fn with_nothing_at_hand() {
    let world = World::new();
    insta::assert_snapshot!("empty_text", shown(&plan(&world, &[RECIPE])));
    assert!(world.server().requests().is_empty(), "nobody is asked");
    assert!(!world.root().exists() && !world.cache().exists(), "neither store nor cache is made");
}

#[test]
fn with_everything_at_hand() {
    let world = World::new();
    world.succeed(&["recipe", "apply", RECIPE, "--platform", "linux/amd64"]);
    let before = all(&world.path("."));
    world.server().forget_requests();
    insta::assert_snapshot!("full_text", shown(&plan(&world, &[RECIPE])));
    insta::assert_snapshot!("full_markdown", shown(&plan(&world, &[RECIPE, "-o", "markdown"])));
    let mut json: Value = serde_json::from_str(&plan(&world, &[RECIPE, "-o", "json"]).stdout).unwrap();
    for space in ["store", "cache"] {
        json["preview"]["totals"][space].as_object_mut().unwrap().remove("free").unwrap();
    }
    insta::assert_snapshot!("full_json", serde_json::to_string_pretty(&json["preview"]).unwrap());
    assert_eq!(all(&world.path(".")), before, "nothing is written");
    assert!(world.server().requests().is_empty(), "nobody is asked");
}

/// Writes a lock of what an apply in this world got.
fn lock(world: &World, recipe: &Path) {
    let run = world.succeed(&["recipe", "apply", RECIPE, "--platform", "linux/amd64", "-o", "json"]);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let amd64: Platform = "linux/amd64".parse().unwrap();
    let mut lock = Lock::default();
    let mut image = |name: &str, digest: &str| {
        lock.insert(Locked::Image(name.parse().unwrap(), amd64.clone(), Some(digest.parse().unwrap())));
    };
    for made in report["images"].as_array().unwrap() {
        for cached in made["cachedImages"].as_array().unwrap() {
            image(cached["reference"].as_str().unwrap(), cached["digest"].as_str().unwrap());
        }
    }
    let detail = report["steps"][1]["detail"].as_str().unwrap();
    image("registry:2.7.1", detail.strip_prefix("registry:2.7.1 is ").unwrap());
    let url = "https://download.docker.com/linux/static/stable/x86_64/docker-19.03.15.tgz";
    let record = fs_err::read_dir(world.cache().join("urls")).unwrap().next().unwrap().unwrap();
    let record: Value = serde_json::from_slice(&fs_err::read(record.path()).unwrap()).unwrap();
    let (digest, size) = (record["digest"].as_str().unwrap().parse().unwrap(), record["size"].as_u64().unwrap());
    lock.insert(Locked::File(url.parse().unwrap(), LockedFile { digest, size }));
    fs_err::write(lock_file_of(recipe), lock.to_text()).unwrap();
}

#[test]
fn a_lock_says_what_is_to_be_fetched() {
    let world = World::new();
    let recipe = world.write("recipe/r.yaml", fs_err::read(project().join(RECIPE)).unwrap());
    lock(&world, &recipe);
    let recipe = recipe.to_str().unwrap();
    insta::assert_snapshot!("locked", shown(&plan(&world, &[recipe])));
    // Of one image a layer is gone, of another the manifest; the archive is gone, too.
    let blobs = fs_err::read_dir(world.cache().join("blobs/sha256")).unwrap();
    let mut blobs: Vec<_> = blobs.map(|entry| entry.unwrap().path()).collect();
    blobs.sort();
    let has = |path: &PathBuf, text: &[u8]| fs_err::read(path).unwrap().windows(text.len()).any(|part| part == text);
    let gzip = |path: &&PathBuf| fs_err::read(path).unwrap().starts_with(&[0x1f, 0x8b]);
    for blob in blobs.iter().filter(gzip) {
        fs_err::remove_file(blob).unwrap();
    }
    let lists: Vec<_> = blobs.iter().filter(|blob| blob.exists() && has(blob, b"\"manifests\"")).collect();
    fs_err::remove_file(lists[0]).unwrap();
    let partly = plan(&world, &[recipe]).stdout;
    let input =
        Regex::new("(to be fetched|cached)( of)?( \\([0-9a-z .]+\\)| [0-9.]+ k?B)?, (locked|not locked)").unwrap();
    let mut states: Vec<&str> = input.find_iter(&partly).map(|found| found.as_str()).collect();
    states.sort_unstable();
    states.dedup();
    let last: Vec<&str> = partly.lines().filter(|line| line.starts_with("to fetch")).collect();
    insta::assert_snapshot!("partly", format!("{}\n{}", states.join("\n"), last.join("\n")));
    fs_err::write(lock_file_of(Path::new(recipe)), "version: 1\nimages: 5\n").unwrap();
    let broken = plan(&world, &[recipe]);
    insta::assert_snapshot!("broken_lock", broken);
}

/// Steps of every kind, with one that takes what a download gives.
#[test]
fn every_kind_of_change_is_shown() {
    let world = World::new();
    world.succeed(&["recipe", "apply", RECIPE, "--platform", "linux/amd64"]);
    world.write("recipe/note.txt", "a\nb\n");
    let steps = "  - remove: {paths: [etc/custom-resources.yaml]}
  - move: {from: etc/tigera-operator.yaml, to: manifests/deep/operator.yaml}
  - chmod: {paths: [manifests/deep/operator.yaml], mode: '0600'}
  - write: {path: etc/new.conf, content: \"one\\ntwo\\e[31m\"}
  - copy: {from: note.txt, path: etc/new.conf}
  - replaceText: {path: etc/new.conf, find: b, replace: c}
  - symlink: {path: bin/sh, target: /bin/bash}
  - patch: {path: none.yaml, ops: [{op: remove, path: /x}], optional: true}
  - download: {url: 'https://example.com/tool?token=secret', path: bin/tool}
  - chmod: {paths: ['bin/*'], mode: '0755'}
  - write: {path: bin/tool, content: text}
  - replaceArchive: {path: none.tar, url: 'https://example.com/a.tar', optional: true}
  - imageList: {images: ['docker-daemon:mine:1', nginx:1, 'calico/cni:v3.19.1']}
  - rewriteImages: {paths: ['manifests/**'], to: 'sea.hub:5000'}
";
    let kubefile = "FROM kubernetes-rawdocker:v1.19.8\\nCOPY imageList manifests\\nCOPY bin bin\\nCOPY https://example.com/x etc\\nCMD run";
    let recipe = world.write("recipe/r.yaml", recipe_of(steps, kubefile));
    let run = plan(&world, &[recipe.to_str().unwrap()]);
    assert!(!run.stdout.contains("secret") && !run.stdout.contains('\x1b'), "{run}");
    insta::assert_snapshot!("kinds", shown(&run));
    let markdown = plan(&world, &[recipe.to_str().unwrap(), "-o", "markdown"]);
    insta::assert_snapshot!("kinds_markdown", shown(&markdown));
    let color = world.run(&["recipe", "plan", recipe.to_str().unwrap(), "--color", "always"]).stdout;
    assert!(
        color.contains("\x1b[31m-b\x1b[0m") && color.contains("\x1b[32m+c\x1b[0m") && color.contains("\\u{1b}"),
        "{color}"
    );
}

#[test]
fn what_depends_on_what_is_not_there_yet_is_known_later() {
    let world = World::new();
    world.write("recipe/files/etc/a.yaml", "image: nginx:1\n");
    let recipe = "apiVersion: recipe.sealer.io/v1alpha1
kind: Recipe
metadata: {name: r}
platforms: [linux/amd64, linux/arm64]
stages:
- name: one
  image: one:v1
  context:
  - directory: {path: files}
  - directory: {path: files, to: manifests}
  steps:
  - download: {url: 'https://example.com/list', path: manifests/imageList}
  - move: {from: etc/a.yaml, to: etc/b.yaml}
  kubefile: |
    FROM scratch
    COPY . .
- name: two
  image: two:v1
  context:
  - rootfs: {of: one:v1}
  - rootfs: {of: 'docker-daemon:mine:1'}
  steps:
  - move: {from: etc/b.yaml, to: etc/c.yaml}
  - write: {path: etc/c.yaml, content: x}
  - remove: {paths: [etc/c.yaml]}
  kubefile: |
    FROM one:v1
    COPY etc etc
";
    let recipe = world.write("recipe/r.yaml", recipe);
    let run = world.run(&["recipe", "plan", recipe.to_str().unwrap(), "--platform", "linux/arm64"]);
    insta::assert_snapshot!("later", shown(&run));
    let both = world.run(&["recipe", "plan", recipe.to_str().unwrap(), "-o", "json"]);
    let json: Value = serde_json::from_str(&both.stdout).unwrap();
    let stages = json["preview"]["stages"].as_array().unwrap();
    let platforms: Vec<_> = stages.iter().map(|stage| stage["platform"].as_str().unwrap()).collect();
    assert_eq!(platforms, ["linux/amd64", "linux/arm64", "linux/amd64", "linux/arm64"]);
    // Other platforms have the same problems: each is told once.
    let recipe =
        world.write("recipe/s.yaml", fs_err::read_to_string(&recipe).unwrap().replace("path: files", "path: file"));
    insta::assert_snapshot!("both_platforms", world.run(&["recipe", "plan", recipe.to_str().unwrap()]).stderr);
}

#[test]
fn what_would_fail_is_told_with_its_place_and_apply_s_exit_code() {
    let world = World::new();
    world.succeed(&["recipe", "apply", RECIPE, "--platform", "linux/amd64"]);
    let all = "FROM scratch\\nCOPY . .";
    let zeros = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
    let mut log = String::new();
    for (steps, kubefile) in [
        (
            "  - patch: {path: etc/custom-resources.yml, ops: [{op: remove, path: /x}]}\n  - remove: {paths: [etc]}\n",
            all,
        ),
        ("  - copy: {from: none.txt, path: x}\n", all),
        ("  - rewriteImages: {paths: [etc/*.yaml], to: 'sea.hub:5000', expect: 7}\n", all),
        ("  - replaceArchive: {path: none.tar, url: 'https://example.com/a.tar'}\n", all),
        (&format!("  - replaceArchive: {{path: etc/tigera-operator.yaml, file: r.yaml, sha256: '{zeros}'}}\n"), all),
        ("  - chmod: {paths: [etc/custom-resources.yaml], mode: '0600'}\n", "FROM scratch\\nCOPY ect ."),
    ] {
        let recipe = world.write("recipe/r.yaml", recipe_of(steps, kubefile));
        let run = plan(&world, &[recipe.to_str().unwrap()]);
        let verdicts: Vec<&str> =
            run.stdout.lines().filter(|line| line.contains("fails:") || line.contains("not reached")).collect();
        let code = run.code.unwrap();
        let applied = world.run(&["recipe", "apply", recipe.to_str().unwrap(), "--progress", "none"]);
        // Those that need nothing from outside fail in apply with the same words.
        if !steps.contains("example.com") {
            assert_eq!((run.code, &run.stderr), (applied.code, &applied.stderr));
        }
        log.extend([format!("exit {code}\n"), verdicts.join("\n"), format!("\n{}\n", run.stderr)]);
    }
    insta::assert_snapshot!("problems", log);
}

#[test]
fn the_json_that_is_printed_is_the_whole_plan() {
    let world = World::new();
    let printed = plan(&world, &[RECIPE, "-o", "json"]).stdout;
    let json: Value = serde_json::from_str(&printed).unwrap();
    assert!(json["preview"]["stages"].is_array(), "{printed}");
    let plan: Plan = serde_json::from_str(&printed).unwrap();
    assert_eq!(serde_json::to_value(&plan).unwrap(), {
        let mut bare = json.clone();
        bare.as_object_mut().unwrap().remove("preview");
        bare
    });
    assert!(
        serde_json::from_str::<Plan>(&printed.replacen("preview", "review", 1)).is_err(),
        "only that is passed over"
    );
    assert_eq!(serde_json::from_value::<Plan>(serde_json::to_value(&plan).unwrap()).unwrap(), plan);
}
