//! Images that leave the store and come back: push, pull, save, load, tag, rmi, prune, as people and scripts use them.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use sealer::testing::sandbox::{Fault, When};
use serde_json::Value;

use crate::support::program::{Run, World, tree};
use crate::support::shared_file;

const NAME: &str = "registry.cn-qingdao.aliyuncs.com/sealer-io/mine:v1";
const PLATFORMS: [&str; 2] = ["linux/amd64", "linux/arm64"];

/// A world whose store has `mine:v1` for two platforms, with a layer that both share.
fn world() -> World {
    let world = World::new();
    let shared = world.write("context/shared/file", "the same everywhere");
    fs_err::set_permissions(shared, std::fs::Permissions::from_mode(0o4755)).unwrap();
    symlink("../nowhere/at all", world.path("context/shared/link")).unwrap();
    world.write("context/shared/a", "twice");
    fs_err::hard_link(world.path("context/shared/a"), world.path("context/shared/b")).unwrap();
    for architecture in ["amd64", "arm64"] {
        world.write(&format!("context/{architecture}/bin"), architecture);
    }
    world.write("context/Kubefile", "FROM scratch\nCOPY shared shared\nCOPY ${ARCH} bin\nCMD echo a && echo b\n");
    // Whole seconds: a layer's stream has no others.
    let context = world.path("context");
    let touch = ["-exec", "touch", "-h", "-d", "@1600000000", "{}", "+"];
    assert!(Command::new("find").arg(&context).args(touch).status().unwrap().success());
    for platform in PLATFORMS {
        world.succeed(&["build", "-t", "mine:v1", "--platform", platform, world.path("context").to_str().unwrap()]);
    }
    world
}

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap()
}

/// The documents of all platforms.
fn inspected(world: &World, root: &str) -> Vec<Value> {
    let run = world.succeed(&["--root", world.path(root).to_str().unwrap(), "inspect", "mine:v1", "-o", "json"]);
    let mut documents = json(&run).as_array().unwrap().clone();
    documents.sort_by_key(|document| document["spec"]["platform"]["architecture"].to_string());
    documents
}

/// The layers of a store, file by file.
fn layers(root: &Path) -> BTreeMap<std::path::PathBuf, String> {
    tree(&root.join("data/overlay2"))
}

#[test]
fn what_is_pushed_comes_back_as_it_was_on_another_machine() {
    let world = world();
    let pushed = json(&world.succeed(&["push", "mine:v1", "-o", "json"]));
    assert_eq!((&pushed["name"], pushed["manifests"].as_array().unwrap().len()), (&NAME.into(), 2));
    assert!(pushed["uploadedBytes"].as_u64().unwrap() > 0);
    let (root, cache) = (world.path("other"), world.path("other-cache"));
    let other = ["--root", root.to_str().unwrap(), "--cache", cache.to_str().unwrap()];
    let run = |arguments: &[&str]| world.succeed(&[&other[..], arguments].concat());
    let pulled = json(&run(&["pull", "mine:v1", "--platform", "all", "-o", "json"]));
    assert_eq!(pulled.as_array().unwrap().len(), 2);
    assert_eq!(pulled[0]["digest"], pushed["digest"]);
    assert_eq!(inspected(&world, "other"), inspected(&world, "root"));
    assert_eq!(layers(&root), layers(&world.root()));
    assert!(!root.join("recipe/unverified").exists_with_content());

    world.server().forget_requests();
    assert_eq!(json(&run(&["pull", "mine:v1", "--platform", "all", "-o", "json"])), pulled);
    assert!(!world.server().requests().iter().any(|asked| asked.path.contains("/blobs/")));

    // The other machine sends nothing: what it has is what is there.
    world.server().forget_requests();
    let again = json(&run(&["push", "mine:v1", "-o", "json"]));
    assert_eq!((&again["digest"], &again["uploadedBytes"]), (&pushed["digest"], &0.into()));
    let writes = world.server().requests().into_iter().filter(|asked| !matches!(&*asked.method, "GET" | "HEAD"));
    assert_eq!(writes.count(), 0);
    // Under another name in that registry the layers are mounted, and one platform goes alone.
    run(&["tag", "mine:v1", "team/copy:v2"]);
    let copy = json(&run(&["push", "team/copy:v2", "--platform", "linux/arm64", "-o", "json"]));
    assert!(copy["mountedBytes"].as_u64().unwrap() > 0);
    assert_eq!(copy["manifests"].as_array().unwrap().len(), 1);
    let mounts = world.server().requests().into_iter().filter(|asked| asked.query.contains("mount=sha256"));
    assert_eq!(mounts.map(|asked| asked.status).collect::<Vec<_>>(), [201, 201]);
    let wrong = world.run(&["pull", "team/copy:v2", "--platform", "linux/amd64"]);
    assert_eq!(wrong.code, Some(4), "{wrong}");
}

trait HasContent {
    fn exists_with_content(&self) -> bool;
}

impl HasContent for std::path::PathBuf {
    fn exists_with_content(&self) -> bool {
        fs_err::read_dir(self).is_ok_and(|mut entries| entries.next().is_some())
    }
}

#[test]
fn a_push_that_is_killed_leaves_the_tag_as_it_was_and_can_be_made_again() {
    let world = world();
    let path = "/v2/registry.cn-qingdao.aliyuncs.com/sealer-io/mine";
    let tag = || {
        let repository = "registry.cn-qingdao.aliyuncs.com/sealer-io/mine";
        world.server().registry(|registry| Some(registry.repository(repository)?.manifest("v1")?.descriptor.digest))
    };
    world.succeed(&["push", "mine:v1", "--platform", "linux/amd64"]);
    let before = tag();
    for stage in ["/blobs/uploads/upload", "/manifests/sha256"] {
        world.server().forget_requests();
        let fault = When::path(path).containing(stage).writes();
        world.server().fault(fault, Fault::Silence);
        let mut child = world.command().args(["push", "mine:v1"]).spawn().unwrap();
        let reached =
            || world.server().requests().iter().any(|asked| asked.method == "PUT" && asked.path.contains(stage));
        let until = Instant::now() + Duration::from_mins(1);
        while !reached() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(10));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!((reached(), tag()), (true, before), "{stage}");
        world.server().clear_faults();
    }
    let pushed = json(&world.succeed(&["push", "mine:v1", "-o", "json"]));
    assert_eq!(tag().unwrap().to_string(), pushed["digest"].as_str().unwrap());
    assert_ne!(tag(), before);
}

#[test]
fn a_damaged_layer_leaves_neither_way_and_is_named() {
    let world = world();
    let file = fs_err::read_dir(world.root().join("data/overlay2")).unwrap();
    let file = file.map(|layer| layer.unwrap().path().join("shared/file")).find(|file| file.exists()).unwrap();
    let layer = file.ancestors().nth(2).unwrap().file_name().unwrap().to_str().unwrap().to_owned();
    fs_err::write(&file, "the same nowhere!!!").unwrap();
    let archive = world.path("mine.tar");
    // It was seen whole; where that is not known, a real sealer may have filled it.
    let mark = world.root().join("recipe/verified").join(&layer);
    for what in ["was changed on disk", "is damaged"] {
        for arguments in [&["push", "mine:v1"][..], &["save", "-o", archive.to_str().unwrap(), "mine:v1"]] {
            let run = world.run(arguments);
            assert_eq!((run.code, &*run.stdout), (Some(4), ""), "{run}");
            let message = format!("error: layer sha256:{layer} of image `{NAME}` {what}: its files hash to sha256:");
            assert!(run.stderr.starts_with(&message), "{run}");
        }
        if mark.exists() {
            fs_err::remove_file(&mark).unwrap();
        }
    }
    assert_eq!(
        world.server().requests_for("/v2/registry.cn-qingdao.aliyuncs.com/sealer-io/mine"),
        Vec::<String>::new()
    );
    let left: Vec<_> = fs_err::read_dir(world.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_str().unwrap().contains("mine.tar")), "{left:?}");
    // Marked as never seen right, it goes as it is, and that is said.
    let marks = world.root().join("recipe/unverified");
    fs_err::create_dir_all(&marks).unwrap();
    fs_err::write(marks.join(&layer), "").unwrap();
    let run = world.succeed(&["push", "mine:v1", "--platform", "linux/amd64"]);
    let warning = format!("warning: layer sha256:{layer} of `{NAME}` was never verified against its id; it is saved");
    assert!(run.stderr.starts_with(&warning), "{run}");

    // A pull puts right what hashes to its id no more.
    let whole = self::world();
    whole.succeed(&["push", "mine:v1"]);
    let file = whole.root().join("data/overlay2").join(&layer).join("shared/file");
    fs_err::write(&file, "the same nowhere!!!").unwrap();
    whole.succeed(&["pull", "mine:v1", "--platform", "all"]);
    assert_ne!(fs_err::read(&file).unwrap(), b"the same nowhere!!!");
    whole.succeed(&["save", "-o", whole.path("mine.tar").to_str().unwrap(), "mine:v1"]);
}

#[test]
fn a_saved_image_is_loaded_as_it_was() {
    let world = world();
    let text = |name: &str| world.path(name).to_str().unwrap().to_owned();
    let run = world.succeed(&["save", "-o", &text("mine.tar"), "mine:v1"]);
    assert_eq!((&*run.stdout, &*run.stderr), ("", &*format!("saved {NAME} to [WORLD]/mine.tar\n")));
    world.succeed(&["--root", &text("other"), "load", "-i", &text("mine.tar")]);
    assert_eq!(inspected(&world, "other"), inspected(&world, "root"));
    assert_eq!(layers(&world.path("other")), layers(&world.root()));
    // The same again, through a link, into a folder and to a pipe.
    let bytes = fs_err::read(world.path("mine.tar")).unwrap();
    fs_err::create_dir(world.path("folder")).unwrap();
    symlink(world.path("real.tar"), world.path("link.tar")).unwrap();
    fs_err::write(world.path("real.tar"), "old").unwrap();
    for (output, file) in [("folder", "folder/mine:v1.tar"), ("link.tar", "real.tar")] {
        world.succeed(&["save", "-o", &text(output), "mine:v1"]);
        assert_eq!(fs_err::read(world.path(file)).unwrap(), bytes, "{output}");
    }
    assert!(world.path("link.tar").is_symlink());
    let piped = world.command().args(["save", "-q", "-o", "/dev/stdout", "mine:v1"]).output().unwrap();
    assert_eq!((piped.stdout == bytes, &*piped.stderr), (true, &b""[..]));
    // One platform has its layers alone.
    world.succeed(&["save", "-o", &text("arm.tar"), "--platform", "linux/arm64", "mine:v1"]);
    let mut entries = tar::Archive::new(fs_err::File::open(world.path("arm.tar")).unwrap());
    let names = entries.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().display().to_string());
    let names: Vec<String> = names.collect();
    assert_eq!(names.iter().filter(|name| name.contains(".yaml")).count(), 1);
    assert!(names.iter().any(|name| name.ends_with("/bin/arm64/bin")), "{names:?}");
    let run = world.run(&["save", "-o", &text("x.tar"), "--platform", "linux/s390x", "mine:v1"]);
    let message = format!(
        "error: the store does not have image `{NAME}` for linux/s390x; it has it for linux/amd64, linux/arm64\n"
    );
    assert_eq!((run.code, run.stderr), (Some(1), message));
    assert!(!world.path("x.tar").exists());
}

/// An archive's entries: header fields that count, and content.
fn entries(archive: &Path) -> Vec<(String, String)> {
    let mut archive = tar::Archive::new(fs_err::File::open(archive).unwrap());
    let mut found = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let header = entry.header().clone();
        let name = entry.path().unwrap().display().to_string();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        let is_layer = name.contains('/');
        let mtime = if is_layer { header.mtime().unwrap() } else { 0 };
        let content = match &*name {
            // When it came into the store is not when it came into the other one.
            "Metadata" => {
                let mut metadata: Value = serde_json::from_slice(&content).unwrap();
                for manifest in metadata.as_object_mut().unwrap().values_mut() {
                    manifest["manifests"][0]["created"] = Value::Null;
                }
                metadata.to_string()
            }
            _ => sealer::testing::types::Digest::of(&content).to_string(),
        };
        let kind = header.entry_type();
        let owner = (header.uid().unwrap(), header.gid().unwrap());
        found.push((name, format!("{kind:?} {:o} {owner:?} {mtime} {content}", header.mode().unwrap())));
    }
    found
}

#[test]
fn a_real_sealers_archive_is_saved_as_it_was_loaded() {
    let Some(golden) = shared_file("golden/kubernetes-v1.19.8.save.tar") else { return };
    let world = World::new();
    world.succeed(&["load", "-i", golden.to_str().unwrap()]);
    let saved = world.path("saved.tar");
    world.succeed(&["save", "-o", saved.to_str().unwrap(), "kubernetes:v1.19.8"]);
    assert_eq!(entries(&saved), entries(&golden));
    assert_eq!(fs_err::metadata(&saved).unwrap().mode() & 0o133, 0);
}

#[test]
fn all_platforms_are_inspected_by_name_and_one_by_its_whole_id() {
    let world = world();
    let text = world.succeed(&["inspect", "mine:v1"]).stdout;
    let documents = json(&world.succeed(&["inspect", "-o", "json", "mine:v1"]));
    let platforms = ["amd64", "arm64"].map(|architecture| format!("      architecture: {architecture}\n"));
    let items: Vec<&str> = text.split_inclusive("\n  status: {}\n").collect();
    assert_eq!((items.len(), items[2]), (3, "\n"), "{text}");
    for (at, platform) in platforms.iter().enumerate() {
        assert!(items[at].starts_with("- kind: Image\n  metadata:\n    annotations:\n"), "{text}");
        assert!(items[at].contains(platform), "{text}");
        let id = documents[at]["spec"]["id"].as_str().unwrap();
        assert!(items[at].contains(&format!("    id: {id}\n")), "{text}");
        // By its id it stands alone, in both forms.
        assert_eq!(world.succeed(&["inspect", id]).stdout, format!("{}\n", items[at]));
        assert_eq!(json(&world.succeed(&["inspect", "-o", "json", id])), serde_json::json!([documents[at]]));
        // Part of an id is a name like any other, and so is one with capital letters, which no name has.
        let part = world.run(&["inspect", &id[..63]]);
        let message = format!("error: image `{}:latest` is not in the store [WORLD]/root\n", &id[..63]);
        assert_eq!((part.code, part.stdout, part.stderr), (Some(1), String::new(), message));
        assert_eq!(world.run(&["inspect", &format!("A{}", &id[1..])]).code, Some(2));
    }
    assert_eq!(world.run(&["inspect", &"0".repeat(64)]).code, Some(1));
}

#[test]
fn names_come_and_go_and_layers_with_the_last_that_needs_them() {
    let world = world();
    let count = || fs_err::read_dir(world.root().join("data/overlay2")).unwrap().count();
    let id = json(&world.succeed(&["images", "-o", "json"]))[0]["id"].as_str().unwrap().to_owned();
    let run = world.succeed(&["tag", "mine:v1", "x.com/a:1"]);
    assert_eq!(run.stdout, format!("{NAME} is x.com/a:1 too\n"));
    assert_eq!(world.succeed(&["rmi", "x.com/a:1"]).stdout, "removed x.com/a:1, 0 layers deleted\n");
    assert_eq!(count(), 3);
    let run = world.succeed(&["rmi", "mine:v1", "--platform", "linux/arm64", "-o", "json"]);
    let layers = json(&run)[0]["layers"].as_array().unwrap().len();
    assert_eq!((layers, count()), (1, 2));
    let run = world.run(&["rmi", "mine:v1", "--platform", "linux/arm64", "gone:v1"]);
    assert_eq!(run.code, Some(1));
    insta::assert_snapshot!(run, @r"
    exit 1
    --- stdout
    --- stderr
    error: the store does not have image `registry.cn-qingdao.aliyuncs.com/sealer-io/mine:v1` for linux/arm64; it has it for linux/amd64

    error: image `registry.cn-qingdao.aliyuncs.com/sealer-io/gone:v1` is not in the store; `sealer images` lists the images
    ");
    // A slip of the hand in a later name, and nothing goes.
    let run = world.run(&["rmi", "mine:v1", "NO NAME"]);
    assert_eq!((run.code, &*run.stdout, count()), (Some(2), "", 2), "{run}");
    assert_eq!(world.succeed(&["rmi", &id]).stdout, format!("removed {NAME}, 2 layers deleted\n"));
    assert_eq!(count(), 0);
    world.write("root/tmp/left/by a real sealer", "x");
    assert_eq!(world.succeed(&["prune"]).stdout, "0 images without a name and 0 layers deleted\n");
    assert_eq!(fs_err::read_dir(world.root().join("tmp")).unwrap().count(), 0);
    assert_eq!(json(&world.succeed(&["prune", "-o", "json"])), serde_json::json!({"images": [], "layers": []}));
}

#[test]
fn digests_are_no_names_to_give() {
    let world = World::new();
    let digest = format!("mine@sha256:{}", "0".repeat(64));
    for arguments in [&["push", &digest][..], &["pull", &digest], &["tag", "mine:v1", &digest]] {
        let run = world.run(arguments);
        assert_eq!((run.code, &*run.stdout), (Some(2), ""), "{run}");
    }
    assert_eq!(world.run(&["push", "mine:v1"]).code, Some(1));
    assert_eq!(world.server().requests().len(), 0);
}

#[test]
fn the_program_says_what_it_is_and_completes_itself() {
    let world = World::new();
    let version = json(&world.succeed(&["version", "-o", "json"]));
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(world.succeed(&["version", "--short"]).stdout, concat!(env!("CARGO_PKG_VERSION"), "\n"));
    assert!(world.succeed(&["version"]).stdout.contains("sealer v0.8.5"));
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = world.succeed(&["completion", shell]).stdout;
        assert!(script.contains("rmi") && script.contains("completion"), "{shell}");
    }
    assert_eq!(world.run(&["completion", "tcsh"]).code, Some(2));
}

#[test]
fn a_layer_that_is_damaged_in_the_cache_is_told_and_fetched_again() {
    let world = world();
    world.succeed(&["push", "mine:v1"]);
    world.succeed(&["rmi", "mine:v1"]);
    fs_err::remove_dir_all(world.cache()).unwrap();
    world.succeed(&["pull", "mine:v1", "--platform", "linux/amd64"]);
    world.succeed(&["rmi", "mine:v1"]);
    let blobs = fs_err::read_dir(world.cache().join("blobs/sha256")).unwrap().map(|blob| blob.unwrap().path());
    let layer = blobs.filter(|blob| fs_err::read(blob).unwrap().starts_with(&[0x1f, 0x8b])).min().unwrap();
    let mut bytes = fs_err::read(&layer).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs_err::remove_file(&layer).unwrap();
    fs_err::write(&layer, bytes).unwrap();
    let pull = || world.run(&["pull", "mine:v1", "--platform", "linux/amd64"]);
    let run = pull();
    assert_eq!(run.code, Some(4), "{run}");
    assert!(run.stderr.contains("help: the damaged copy was removed from the cache"), "{run}");
    assert_eq!(pull().code, Some(0));
}
