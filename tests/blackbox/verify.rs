//! Recipes applied again: the same anywhere, and what differs is named with its whole path.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::program::{Run, World, copy_program, project, tree};
use crate::support::real;

const NAME: &str = "registry.cn-qingdao.aliyuncs.com/sealer-io/kubernetes-rawdocker:v1.19.8";

/// A world whose store has the images of the shipped recipe, with its lock.
fn world() -> World {
    let world = World::new();
    world.write("recipe.yaml", fs_err::read(project().join("recipes/rawdocker.yaml")).unwrap());
    world.succeed(&["recipe", "apply", &recipe(&world), "--platform", "linux/amd64"]);
    world
}

fn recipe(world: &World) -> String {
    world.path("recipe.yaml").to_str().unwrap().to_owned()
}

fn verify(world: &World, more: &[&str]) -> Run {
    world.run(&[&["recipe", "verify", &recipe(world), "--platform", "linux/amd64"], more].concat())
}

/// The command `program` with `arguments`, which runs what `inner` runs, in its surroundings.
fn within(program: &str, arguments: &[&str], inner: &Command) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).arg(inner.get_program()).args(inner.get_args()).env_clear();
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.current_dir(inner.get_current_dir().unwrap_or(project()));
    command
}

/// Runs `recipe verify` with what `change` makes of the command: all is the same.
#[track_caller]
fn check(world: &World, change: impl FnOnce(Command) -> Command) {
    let mut command = world.command();
    command.args(["recipe", "verify", &recipe(world), "--platform", "linux/amd64", "-o", "json"]);
    let run = world.result(&change(command).output().unwrap());
    assert_eq!(run.code, Some(0), "{run}");
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((&report["isSame"], report["images"].as_array().unwrap().len()), (&true.into(), 2));
}

#[test]
fn it_is_the_same_wherever_whenever_and_for_whom() {
    let world = world();
    let before = (tree(&world.root()), tree(&world.cache()));
    insta::assert_snapshot!("same", verify(&world, &["--progress", "none"]));
    assert!(tree(&world.root()) == before.0, "the user's store is only read");
    let left = |path: &PathBuf| path.starts_with("verify") && path.components().count() > 2;
    let after = tree(&world.cache());
    assert!(!after.keys().any(left), "what was made on the way is gone");
    assert!(before.1.keys().all(|path| after.contains_key(path)));
    check(&world, |mut command| {
        command.env("TZ", "Asia/Tokyo").args(["--threads", "1"]);
        command
    });
    check(&world, |mut command| {
        command.env("TZ", "America/St_Johns").args(["--threads", "7"]).current_dir("/");
        command
    });
    check(&world, |command| within("/bin/sh", &["-ec", "umask 077; exec \"$@\"", "sh"], &command));
    // Without a network all comes from the cache as it is.
    world.server().forget_requests();
    check(&world, |mut command| {
        command.arg("--offline");
        command
    });
    assert_eq!(world.server().requests().len(), 0);
    if real::available("faketime") {
        check(&world, |command| within("faketime", &["-f", "@2031-02-03 04:05:06"], &command));
    }
}

#[test]
fn it_is_the_same_for_another_user() {
    if !(real::is_root() && real::available("setpriv")) {
        return;
    }
    let world = world();
    let open = |path: &Path, mode| fs_err::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    open(&world.path(""), 0o777);
    let program = world.path("sealer");
    copy_program(&program);
    // Others may not read all of root's store: what they compare with is what was pushed.
    world.succeed(&["push", NAME]);
    world.succeed(&["push", &format!("{NAME}-alpine")]);
    for uid in ["65534", "54321"] {
        let [cache, root] = ["cache", "root"].map(|what| world.path(&format!("{what}-{uid}")));
        check(&world, |command| {
            let mut inner = Command::new(&program);
            inner
                .args(command.get_args())
                .env_clear()
                .envs(world.environment())
                .env("SEALER_CACHE", cache)
                .env("SEALER_ROOT", root);
            inner.current_dir(world.path(""));
            within("setpriv", &["--reuid", uid, "--regid", uid, "--clear-groups", "--no-new-privs"], &inner)
        });
    }
}

/// The file of that path in the store's layer that has it, of the image that was made: its folder is no other's.
fn stored(world: &World, path: &str) -> PathBuf {
    let report = world.succeed(&["inspect", NAME, "-o", "json"]);
    let report: Value = serde_json::from_str(&report.stdout).unwrap();
    let layers = report[0]["spec"]["layers"].as_array().unwrap().clone();
    let hex = |layer: &Value| Some(layer["id"].as_str()?.strip_prefix("sha256:")?.to_owned());
    let folders = layers.iter().filter_map(hex).map(|hex| world.root().join("data/overlay2").join(hex));
    folders.map(|folder| folder.join(path)).find(|file| file.exists()).unwrap_or_else(|| panic!("{path}"))
}

/// What becomes of a file's bytes.
type Change = fn(Vec<u8>) -> Vec<u8>;

/// Changes a file, which may share its bytes with others, and gives the file back what it was.
struct Changed {
    path: PathBuf,
    bytes: Vec<u8>,
    mode: u32,
    time: std::time::SystemTime,
}

impl Changed {
    fn new(path: PathBuf, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Self {
        let bytes = fs_err::read(&path).unwrap();
        let meta = fs_err::metadata(&path).unwrap();
        let changed = Self { mode: meta.permissions().mode(), time: meta.modified().unwrap(), path, bytes };
        changed.put(&change(changed.bytes.clone()));
        changed
    }

    fn put(&self, bytes: &[u8]) {
        // In place, as a disk does it: the folder's time stays.
        fs_err::write(&self.path, bytes).unwrap();
        fs_err::set_permissions(&self.path, PermissionsExt::from_mode(self.mode)).unwrap();
        let file = fs_err::OpenOptions::new().append(true).open(&self.path).unwrap();
        file.file().set_modified(self.time).unwrap();
    }
}

impl Drop for Changed {
    fn drop(&mut self) {
        self.put(&self.bytes);
    }
}

fn flip(mut bytes: Vec<u8>, at: usize) -> Vec<u8> {
    bytes[at] ^= 1;
    bytes
}

/// Where a member's content begins in a tar archive.
fn member(archive: &[u8], name: &str) -> usize {
    let mut archive = tar::Archive::new(archive);
    let mut entries = archive.entries().unwrap().map(Result::unwrap);
    let found = entries.find(|entry| entry.path().unwrap().ends_with(name));
    usize::try_from(found.unwrap_or_else(|| panic!("{name}")).raw_file_position()).unwrap()
}

#[test]
fn one_flipped_byte_is_named_with_its_whole_path() {
    let world = world();
    let changes: [(&str, &str, Change); 4] = [
        ("file", "etc/daemon.json", |bytes| flip(bytes, 5)),
        ("archive", "cri/docker.tar.gz", |bytes| {
            let mut archive = Vec::new();
            flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut archive).unwrap();
            let at = member(&archive, "runc");
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packed.write_all(&flip(archive, at)).unwrap();
            packed.finish().unwrap()
        }),
        ("damaged_archive", "cri/docker.tar.gz", |bytes| {
            let middle = bytes.len() / 2;
            flip(bytes, middle)
        }),
        ("image_archive", "images/registry.tar", |bytes| {
            let at = member(&bytes, "manifest.json");
            flip(bytes, at + 12)
        }),
    ];
    for (name, path, change) in changes {
        let _changed = Changed::new(stored(&world, path), change);
        let run = verify(&world, &["--progress", "none"]);
        assert_eq!(run.code, Some(4), "{name}: {run}");
        insta::assert_snapshot!(name, run);
    }
    assert_eq!(verify(&world, &[]).code, Some(0));
}

#[test]
fn a_cached_blob_is_named_with_the_image_that_it_is_of() {
    let world = world();
    let list: Value = world.server().registry(|registry| {
        let repository = registry.repository("docker.io/calico/cni").unwrap();
        let list: Value = serde_json::from_slice(&repository.manifest("v3.19.1").unwrap().bytes).unwrap();
        let amd64 = list["manifests"].as_array().unwrap().iter();
        let amd64 = amd64.clone().find(|entry| entry["platform"]["architecture"] == "amd64").unwrap();
        let digest = amd64["digest"].as_str().unwrap().parse().unwrap();
        serde_json::from_slice(&repository.manifests[&digest].bytes).unwrap()
    });
    let layers = list["layers"].as_array().unwrap();
    for (name, digest) in
        [("cached_layer", &layers[layers.len() - 1]["digest"]), ("cached_config", &list["config"]["digest"])]
    {
        let hex = digest.as_str().unwrap().strip_prefix("sha256:").unwrap();
        let path = format!("registry/docker/registry/v2/blobs/sha256/{}/{hex}/data", &hex[..2]);
        let _changed = Changed::new(stored(&world, &path), |bytes| {
            let middle = bytes.len() / 2;
            flip(bytes, middle)
        });
        let run = verify(&world, &["--progress", "none"]);
        assert_eq!(run.code, Some(4), "{name}: {run}");
        insta::assert_snapshot!(name, run);
    }
}

#[test]
fn documents_modes_and_other_recipes_are_told_too() {
    let world = world();
    let file = stored(&world, "etc/daemon.json");
    fs_err::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    insta::assert_snapshot!("mode", verify(&world, &["-q", "--progress", "none"]));
    fs_err::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    let inspected = world.succeed(&["inspect", NAME, "-o", "json"]);
    let id = serde_json::from_str::<Value>(&inspected.stdout).unwrap()[0]["spec"]["id"].as_str().unwrap().to_owned();
    let document = world.root().join(format!("metadata/imagedb/{id}.yaml"));
    {
        let _changed = Changed::new(document.clone(), |bytes| {
            String::from_utf8(bytes).unwrap().replace("kubectl apply", "kubectl bpply").into_bytes()
        });
        let run = verify(&world, &["-q", "--progress", "none"]);
        assert_eq!(run.code, Some(4), "{run}");
        insta::assert_snapshot!("document", run);
    }
    {
        let _changed = Changed::new(document, |bytes| [bytes, b"# a comment\n".to_vec()].concat());
        insta::assert_snapshot!("document_form", verify(&world, &["-q", "--progress", "none"]));
    }
    let text = fs_err::read_to_string(recipe(&world)).unwrap();
    world.write("recipe.yaml", text.replace("CMD kubectl", "CMD  true && kubectl"));
    let run = verify(&world, &["-o", "json"]);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((run.code, &report["images"][1]["isOfOtherRecipe"]), (Some(4), &true.into()), "{run}");
    assert_eq!((&report["images"][0].get("difference"), &report["isSame"]), (&None, &false.into()));
}

#[test]
fn images_are_looked_for_in_their_registries_and_have_to_be_somewhere() {
    let world = world();
    let root = world.path("empty");
    let other = ["--root", root.to_str().unwrap(), "-q", "--progress", "none"];
    let run = verify(&world, &other);
    assert_eq!(run.code, Some(1), "{run}");
    insta::assert_snapshot!("nowhere", run);
    assert_eq!(verify(&world, &[&other[..], &["--offline"]].concat()).code, Some(1));
    world.succeed(&["push", NAME]);
    world.succeed(&["push", &format!("{NAME}-alpine")]);
    let run = verify(&world, &[&other[..], &["-o", "json"]].concat());
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((run.code, &report["images"][1]["from"]), (Some(0), &"registry".into()), "{run}");
    assert!(!root.join("data").exists());
    // Only what is locked can be made again.
    fs_err::remove_file(world.path("recipe.lock.yaml")).unwrap();
    assert_eq!(verify(&world, &[]).code, Some(4));
}

#[test]
fn a_base_image_that_only_the_store_has_is_taken_from_there() {
    let world = World::new();
    world.write("context/etc/file", "of the base");
    world.write("context/Kubefile", "FROM scratch\nCOPY etc etc\n");
    world.succeed(&[
        "build",
        "-t",
        "local/base:v1",
        "--platform",
        "linux/amd64",
        world.path("context").to_str().unwrap(),
    ]);
    let text = "apiVersion: recipe.sealer.io/v1alpha1\nkind: Recipe\nmetadata: {name: small}\nstages:\n  - name: only\n    \
                image: only:v1\n    steps:\n      - write: {path: note, content: note}\n    kubefile: |\n      \
                FROM local/base:v1\n      COPY note .\n";
    world.write("recipe.yaml", text);
    world.succeed(&["recipe", "apply", &recipe(&world), "--platform", "linux/amd64"]);
    let run = verify(&world, &[]);
    assert_eq!(run.code, Some(0), "{run}");
    assert!(run.stderr.contains("the lock has no registry for it"), "{run}");
}

#[test]
fn in_the_sandbox_the_store_has_to_be_named_wherever_the_option_stands() {
    let world = World::new();
    let (recipe, root) = (project().join("recipes/rawdocker.yaml"), world.path("own"));
    let (recipe, root) = (recipe.to_str().unwrap(), root.to_str().unwrap());
    let of = ["--platform", "linux/amd64", "--sandbox"];
    world.succeed(&[&["--root", root, "recipe", "apply", recipe], &of[..]].concat());
    world.succeed(&[&["--root", root, "recipe", "verify", recipe], &of[..]].concat());
    world.succeed(&[&["recipe", "verify", "--root", root, recipe], &of[..]].concat());
    let unnamed = world.run(&[&["recipe", "verify", recipe], &of[..]].concat());
    insta::assert_snapshot!(unnamed, @"
    exit 2
    --- stdout
    --- stderr
    error: `--sandbox` compares with the images of a store: name that store with `--root DIR`
    ");
}
