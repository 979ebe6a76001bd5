//! A store that a real sealer works in, too: layers that it filled, and what it leaves behind.
//!
//! What it does to a layer is done here as it was seen to do it (v0.8.5): its load and pull leave symlinks and setuid bits
//! out, and every layer that it fills has a `tar-data.json.gz` in layerdb.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use serde_json::Value;

use crate::support::program::World;

const NAME: &str = "registry.cn-qingdao.aliyuncs.com/sealer-io/mine:v1";

/// A world whose store has `mine:v1`, saved as `mine.tar`, and then loaded by a real sealer.
struct Shared {
    world: World,
    /// Its only layer, as hex.
    layer: String,
}

impl Shared {
    fn new() -> Self {
        let world = World::new();
        let program = world.write("context/etc/program", "x");
        fs_err::set_permissions(program, std::fs::Permissions::from_mode(0o4755)).unwrap();
        symlink("program", world.path("context/etc/link")).unwrap();
        world.write("context/Kubefile", "FROM scratch\nCOPY etc etc\nCMD echo\n");
        let context = world.path("context");
        world.succeed(&["build", "-t", "mine:v1", "--platform", "linux/amd64", context.to_str().unwrap()]);
        let archive = world.path("mine.tar");
        world.succeed(&["save", "-o", archive.to_str().unwrap(), "mine:v1"]);
        let inspected: Value =
            serde_json::from_str(&world.succeed(&["inspect", "-o", "json", "mine:v1"]).stdout).unwrap();
        let layer =
            inspected[0]["spec"]["layers"][0]["id"].as_str().unwrap().strip_prefix("sha256:").unwrap().to_owned();
        let shared = Self { world, layer };
        // As every rmi of a real sealer's, then its load.
        fs_err::remove_dir_all(shared.layerdb()).unwrap();
        let stays = shared.files().join("etc/program");
        fs_err::remove_file(shared.files().join("etc/link")).unwrap();
        fs_err::set_permissions(&stays, std::fs::Permissions::from_mode(0o755)).unwrap();
        shared.world.write(&format!("{}/id", shared.in_world()), format!("sha256:{}", shared.layer));
        shared.world.write(&format!("{}/size", shared.in_world()), "4096");
        shared.world.write(&format!("{}/distribution_layer_digest", shared.in_world()), "[]");
        shared.world.write(&format!("{}/tar-data.json.gz", shared.in_world()), "what only a real sealer reads");
        shared
    }

    fn files(&self) -> PathBuf {
        self.world.root().join("data/overlay2").join(&self.layer)
    }

    fn layerdb(&self) -> PathBuf {
        self.world.root().join("metadata/layerdb/sha256").join(&self.layer)
    }

    fn in_world(&self) -> String {
        let layerdb = self.layerdb();
        layerdb.strip_prefix(self.world.path("")).unwrap().to_str().unwrap().to_owned()
    }

    fn text(&self, name: &str) -> String {
        self.world.path(name).to_str().unwrap().to_owned()
    }

    /// The layer's id stands as `LAYER` in what is said.
    fn stderr(&self, arguments: &[&str]) -> String {
        self.world.succeed(arguments).stderr.replace(&self.layer, "LAYER")
    }

    /// Saves the image and says whether all of it is there, and in silence.
    fn is_whole(&self) -> bool {
        let whole = self.files().join("etc/link").is_symlink();
        let said = self.stderr(&["save", "-q", "-o", "/dev/null", "mine:v1"]);
        assert_eq!(said.is_empty(), whole, "{said}");
        whole
    }
}

#[test]
fn a_layer_that_a_real_sealer_filled_leaves_as_it_is_with_a_warning() {
    let shared = Shared::new();
    insta::assert_snapshot!(shared.stderr(&["save", "-o", &shared.text("out.tar"), "mine:v1"]), @"
    warning: layer sha256:LAYER of `registry.cn-qingdao.aliyuncs.com/sealer-io/mine:v1` does not hash to its id, because a real sealer unpacked it; it is saved as it is
    saved registry.cn-qingdao.aliyuncs.com/sealer-io/mine:v1 to [WORLD]/out.tar
    ");
    let pushed = shared.stderr(&["push", "--platform", "linux/amd64", "mine:v1"]);
    insta::assert_snapshot!(pushed.lines().next().unwrap(), @"warning: layer sha256:LAYER of `registry.cn-qingdao.aliyuncs.com/sealer-io/mine:v1` does not hash to its id, because a real sealer unpacked it; it is saved as it is");
    // Once taken elsewhere it is known there as never verified.
    let loaded = shared.stderr(&["--root", &shared.text("other"), "load", "-i", &shared.text("out.tar")]);
    insta::assert_snapshot!(loaded, @"warning: the content of layer sha256:LAYER does not hash to its id; it is marked unverified");
    let (root, cache) = (shared.text("third"), shared.text("third-cache"));
    let pull = ["--root", &root, "--cache", &cache, "pull", "--platform", "linux/amd64", "mine:v1"];
    assert!(shared.stderr(&pull).contains("layer sha256:LAYER does not hash to its id"));
    for root in ["other", "third"] {
        assert!(shared.world.path(root).join("recipe/unverified").join(&shared.layer).exists(), "{root}");
    }
}

#[test]
fn what_it_lost_is_seen_by_diff_and_told_when_built_on() {
    let shared = Shared::new();
    let run = shared.world.succeed(&["recipe", "diff", &shared.text("mine.tar"), "mine:v1"]);
    let files: Vec<&str> = run.stdout.lines().skip_while(|line| *line != "files").collect();
    insta::assert_snapshot!(files.join("\n"), @"
    files
      - etc/link (symlink to program, layer 1)
      ~ etc/program (1 B, layer 1)
          ~ mode 4755 → 0755

    1 file changed, 1 removed; 8 B → 1 B (−7 B)
    ");
    shared.world.write("on/file", "x");
    shared.world.write("on/Kubefile", "FROM mine:v1\nCOPY file .\n");
    shared.world.succeed(&["build", "-t", "on:v1", "--platform", "linux/amd64", &shared.text("on")]);
    let said = shared.stderr(&["save", "-q", "-o", "/dev/null", "on:v1"]);
    assert_eq!(said.lines().count(), 1, "{said}");
    shared.world.succeed(&["rmi", "on:v1", "mine:v1"]);
    assert!(!shared.files().exists() && !shared.layerdb().exists());
}

#[test]
fn a_layer_that_hashes_to_its_id_heals_it_by_load_and_by_pull() {
    let load = Shared::new();
    assert!(!load.is_whole());
    load.world.succeed(&["load", "-i", &load.text("mine.tar")]);
    assert!(load.is_whole());
    // A real sealer that pushes it goes by what is there now.
    assert!(!load.layerdb().join("tar-data.json.gz").exists());

    let pull = Shared::new();
    let (root, cache) = (pull.text("other"), pull.text("other-cache"));
    let other = ["--root", &root, "--cache", &cache];
    pull.world.succeed(&[&other[..], &["load", "-i", &pull.text("mine.tar")]].concat());
    pull.world.succeed(&[&other[..], &["push", "mine:v1"]].concat());
    assert!(!pull.is_whole());
    pull.world.succeed(&["pull", "--platform", "linux/amd64", "mine:v1"]);
    assert!(pull.is_whole());
    assert!(!pull.layerdb().join("tar-data.json.gz").exists());
}

#[test]
fn a_layer_that_a_real_sealer_built_and_that_is_right_needs_no_words() {
    let shared = Shared::new();
    shared.world.succeed(&["load", "-i", &shared.text("mine.tar")]);
    shared.world.write(&format!("{}/tar-data.json.gz", shared.in_world()), "what only a real sealer reads");
    assert!(shared.is_whole());
    assert_eq!(shared.stderr(&["push", "-q", "mine:v1"]), "");
    // Nor is it damaged by an archive that brings less.
    let mut archive = tar::Builder::new(Vec::new());
    for entry in tar::Archive::new(fs_err::File::open(shared.text("mine.tar")).unwrap()).entries().unwrap() {
        let mut entry = entry.unwrap();
        if !entry.header().entry_type().is_symlink() {
            let (mut header, path) = (entry.header().clone(), entry.path().unwrap().into_owned());
            archive.append_data(&mut header, path, &mut entry).unwrap();
        }
    }
    let less = shared.world.write("less.tar", archive.into_inner().unwrap());
    assert!(shared.stderr(&["load", "-i", less.to_str().unwrap()]).contains("does not hash to its id"));
    assert!(shared.is_whole());
}

#[test]
fn what_lies_about_in_its_store_stays_or_goes_as_with_itself() {
    let shared = Shared::new();
    let id = "7".repeat(64);
    shared.world.write("root/log/2026-11-21.log", "its own");
    shared.world.write("root/tmp/.DTmp-123/file", "left by a build");
    shared.world.write(&format!("root/data/overlay2/{id}/file"), "named by no image");
    shared.world.write(&format!("root/metadata/layerdb/sha256/{id}/tar-data.json.gz"), "");
    let root = shared.world.root();
    assert_eq!(root, shared.world.path("root"));
    let run = shared.world.succeed(&["prune"]);
    assert_eq!(run.stdout, "0 images without a name and 1 layer deleted\n");
    for (path, stays) in [
        ("log/2026-11-21.log", true),
        ("tmp", true),
        ("tmp/.DTmp-123", false),
        (&*format!("data/overlay2/{id}"), false),
        (&*format!("metadata/layerdb/sha256/{id}"), false),
        (&*format!("data/overlay2/{}", shared.layer), true),
    ] {
        assert_eq!(root.join(path).exists(), stays, "{path}");
    }
    let run = shared.world.succeed(&["images"]);
    assert!(run.stdout.contains(NAME) && run.stderr.is_empty(), "{run}");
}
