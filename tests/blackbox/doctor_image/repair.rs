//! `--repair`: what a registry has comes back, what was there is set aside, and nothing is lost.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use sealer::testing::sandbox::{Fault, When};

use super::app::{App, CNI, OPERATOR, flip, made, write};
use crate::support::program::{Run, tree};

const WHOLE: &str = "app:v1 (linux/amd64): whole: 4 layers, 2 images in its registry\n";

/// A store with `app:v1`, which its registry has, too.
fn pushed() -> App {
    let app = App::new();
    let run = app.run(&["push", "app:v1"]);
    assert_eq!(run.code, Some(0), "{run}");
    app
}

/// With a cache that has nothing of what was pushed.
fn repair_of(app: &App, name: &str) -> Run {
    let cache = tempfile::tempdir().unwrap();
    app.run_with(&["doctor", "image", name, "--repair"], &[("SEALER_CACHE", cache.path().to_str().unwrap())])
}

fn repair(app: &App) -> Run {
    repair_of(app, "app:v1")
}

/// What was set aside: files below `recipe/damaged`.
fn aside(app: &App) -> Vec<PathBuf> {
    tree(&app.root().join("recipe/damaged")).into_keys().collect()
}

/// A way to damage a store.
type Damage = fn(&App);

/// What a registry heals.
const DAMAGES: &[(&str, Damage)] = &[
    ("a blob is missing", |app| fs_err::remove_file(app.blob(app.parts(CNI).3[1])).unwrap()),
    ("a bit is flipped", |app| flip(&app.blob(app.parts(OPERATOR).3[1]))),
    ("a tag is missing", |app| {
        fs_err::remove_dir_all(app.tag_link(CNI).parent().unwrap().parent().unwrap()).unwrap();
    }),
    ("a layer is missing", |app| fs_err::remove_dir_all(app.layer(3)).unwrap()),
    ("a layer is a file", |app| {
        let layer = app.layer(0);
        fs_err::remove_dir_all(&layer).unwrap();
        write(&layer, "x");
    }),
    ("two layers are edited", |app| {
        write(&app.layer(0).join("etc/daemon.json"), "edited");
        write(&app.layer(1).join("manifests/more.yaml"), "edited");
    }),
    ("a layer that nobody has seen whole lacks a blob", |app| {
        fs_err::remove_file(app.root().join("recipe/verified").join(app.layer_id(3).hex())).unwrap();
        fs_err::remove_file(app.blob(app.parts(CNI).3[1])).unwrap();
    }),
    ("a layer cannot be read", |app| {
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        let fifo = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, app.layer(0).join("etc/pipe"), fifo, mode, 0).unwrap();
    }),
    ("the store says odd things of a layer", |app| {
        write(&app.store().layerdb_dir(&app.layer_id(0)).join("id"), "odd");
        fs_err::remove_dir_all(app.store().layerdb_dir(&app.layer_id(1))).unwrap();
    }),
    ("the document is garbled", |app| write(&app.document(), "kind: [")),
    ("the document is missing", |app| fs_err::remove_file(app.document()).unwrap()),
    ("the document is another image's", |app| {
        let text = fs_err::read_to_string(app.document()).unwrap();
        write(&app.document(), text.replace("sealer-io/app:v1", "sealer-io/other:v1"));
    }),
    ("the document and a layer are missing", |app| {
        fs_err::remove_dir_all(app.layer(0)).unwrap();
        fs_err::remove_file(app.document()).unwrap();
    }),
];

#[test]
fn what_a_registry_has_comes_back() {
    let mut all = String::new();
    for (name, damage) in DAMAGES {
        let app = pushed();
        let sane = tree(&app.root().join("data"));
        // Another image of the same layers.
        assert_eq!(app.run(&["tag", "app:v1", "app:v2"]).code, Some(0));
        damage(&app);
        let damaged = tree(&app.root());
        let repaired = repair(&app);
        all = all + "## " + name + "\n" + &repaired.stdout;
        assert_eq!((repaired.code, &*repaired.stderr), (Some(0), ""), "{name}: {repaired}");
        all += "\n";
        // Whatever was there is there, or lies below `recipe/damaged` as it lay below the root.
        let (now, aside) = (tree(&app.root()), tree(&app.root().join("recipe/damaged/1")));
        for (path, file) in damaged.iter().filter(|(path, _)| !path.starts_with("recipe")) {
            assert!(now.get(path) == Some(file) || aside.get(path) == Some(file), "{name}: {}", path.display());
        }
        assert_eq!(tree(&app.root().join("data")), sane, "{name}");
        assert_eq!(app.doctor(&["-v", "--deep"]).stdout, WHOLE, "{name}");
        assert_eq!(app.run(&["doctor", "image", "app:v2"]).code, Some(0), "{name}");
        // The layer is known again: an edit is one.
        write(&app.layer(0).join("etc/daemon.json"), "edited");
        assert_eq!(app.doctor(&[]).code, Some(4), "{name}");
    }
    insta::assert_snapshot!(all);
}

/// Damages that no registry heals here, and what is said.
fn unhealed(app: &App, name: &str, code: i32) -> Run {
    let before = tree(&app.root().join("data"));
    let run = repair_of(app, name);
    assert_eq!(run.code, Some(code), "{run}");
    assert_eq!(tree(&app.root().join("data")), before, "nothing is taken away");
    assert!(aside(app).is_empty());
    run
}

#[test]
fn without_a_replacement_all_stays() {
    let app = App::new();
    assert_eq!(app.run(&["tag", "app:v1", "never-pushed:v1"]).code, Some(0));
    write(&app.layer(0).join("etc/daemon.json"), "edited");
    insta::assert_snapshot!("not-pushed", unhealed(&app, "never-pushed:v1", 4).stdout);
    // Under that name the registry has another image.
    let other = App::new();
    other.add_layer(|top| write(&top.join("file"), "x"));
    assert_eq!(other.run(&["tag", "app:v1", "moved:v1"]).code, Some(0));
    assert_eq!(app.run(&["tag", "app:v1", "moved:v1"]).code, Some(0));
    assert_eq!(other.run(&["push", "moved:v1"]).code, Some(0));
    app.add_layer(|top| write(&top.join("own"), "mine"));
    assert_eq!(app.run(&["tag", "app:v1", "moved:v1"]).code, Some(0));
    let app_of_five = App::new();
    app_of_five.add_layer(|top| write(&top.join("own"), "mine"));
    assert_eq!(app_of_five.run(&["tag", "app:v1", "moved:v1"]).code, Some(0));
    write(&app_of_five.layer(4).join("own"), "edited");
    let said = unhealed(&app_of_five, "moved:v1", 4).stdout;
    let digest = said.find("registry, sha256:").map(|at| said[at..].split(',').nth(1).unwrap().to_owned());
    insta::assert_snapshot!("moved", said.replace(&digest.unwrap(), " [LIST]"));
}

#[test]
fn a_blob_that_is_not_what_it_should_be_replaces_nothing() {
    let app = App::new();
    assert_eq!(app.run(&["tag", "app:v1", "corrupt:v1"]).code, Some(0));
    assert_eq!(app.run(&["push", "corrupt:v1"]).code, Some(0));
    write(&app.layer(0).join("etc/daemon.json"), "edited");
    // The config is as it should be.
    let blobs = When::path("/v2/registry.cn-qingdao.aliyuncs.com/sealer-io/corrupt/blobs/").get().after(1);
    made().world.server().fault(blobs, Fault::FlipByte(20));
    let run = unhealed(&app, "corrupt:v1", 4);
    assert!(run.stdout.contains("not repaired: layer 1 (COPY etc .) of `corrupt:v1` cannot be pulled again"), "{run}");
    // And where nobody answers, nothing is taken away either.
    let away = When::path("/v2/registry.cn-qingdao.aliyuncs.com/sealer-io/corrupt/manifests/");
    made().world.server().fault(away, Fault::NotFound);
    let run = unhealed(&app, "corrupt:v1", 4);
    assert!(run.stdout.contains("not repaired: `corrupt:v1` cannot be repaired from its registry"), "{run}");
}

#[test]
fn what_is_of_no_use_is_set_aside_so_that_the_archive_can_be_loaded() {
    let app = App::new();
    assert_eq!(app.run(&["tag", "app:v1", "lost:v1"]).code, Some(0));
    let archive = app.path("lost.tar");
    assert_eq!(app.run(&["save", "-o", archive.to_str().unwrap(), "lost:v1"]).code, Some(0));
    let load = |app: &App| app.run(&["load", "-i", archive.to_str().unwrap()]);
    let id = app.store().records(&"lost:v1".parse().unwrap()).unwrap()[0].entry.id.clone();
    let path = app.root().join("metadata/imagedb").join(format!("{id}.yaml"));
    write(&path, "kind: [");
    assert_eq!(load(&app).code, Some(4), "the garbled document is in the way");
    let run = app.run(&["doctor", "image", "lost:v1", "--repair"]);
    assert_eq!(run.code, Some(4));
    insta::assert_snapshot!("useless-document", run.stdout);
    assert_eq!(load(&app).code, Some(0));
    assert_eq!(app.run(&["doctor", "image", "lost:v1"]).code, Some(0));
    // The same of a file in the place of a layer.
    let layer = app.layer(0);
    fs_err::remove_dir_all(&layer).unwrap();
    write(&layer, "no folder");
    let run = app.run(&["doctor", "image", "lost:v1", "--repair"]);
    assert_eq!(run.code, Some(4));
    assert!(run.stdout.contains("moved away: [STORE]/root/recipe/damaged/2/data/overlay2/[LAYER 1]"), "{run}");
    assert_eq!(
        fs_err::read_to_string(app.root().join("recipe/damaged/2/data/overlay2").join(app_hex(&layer))).unwrap(),
        "no folder"
    );
    assert_eq!(load(&app).code, Some(0));
    assert_eq!(app.run(&["doctor", "image", "lost:v1"]).code, Some(0));
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &fs_err::metadata(app.root().join("recipe/damaged/1")).unwrap().permissions(),
    );
    assert_eq!(mode & 0o777, 0o700);
    assert_eq!(app.run(&["prune"]).code, Some(0));
    assert!(app.root().join("recipe/damaged/2").exists(), "nobody deletes it");
}

fn app_hex(layer: &Path) -> String {
    layer.file_name().unwrap().to_str().unwrap().to_owned()
}

#[test]
fn a_document_that_another_name_needs_stays() {
    let app = App::new();
    assert_eq!(app.run(&["tag", "app:v1", "other:v1"]).code, Some(0));
    let raw = |name: &str| {
        let found = app.store().records(&name.parse().unwrap()).unwrap();
        found[0].entry.id.clone()
    };
    // The list says that two names are one image; the document is `other:v1`'s.
    let list = app.store().list_path();
    let text = fs_err::read_to_string(&list).unwrap();
    write(&list, text.replace(&raw("app:v1"), &raw("other:v1")));
    let run = app.run(&["doctor", "image", "app:v1", "--repair"]);
    assert_eq!(run.code, Some(4), "{run}");
    assert_eq!(app.run(&["doctor", "image", "other:v1"]).code, Some(0));
}

#[test]
fn what_the_store_says_of_a_layer_is_written_again_without_a_network() {
    let app = App::new();
    assert_eq!(app.run(&["tag", "app:v1", "alone:v1"]).code, Some(0));
    write(&app.store().layerdb_dir(&app.layer_id(0)).join("size"), "many");
    let run =
        app.run_with(&["doctor", "image", "alone:v1", "--repair"], &[("CONTAINERS_REGISTRIES_CONF", "/dev/null")]);
    assert_eq!(run.code, Some(0), "{run}");
    assert_eq!(fs_err::read_to_string(app.store().layerdb_dir(&app.layer_id(0)).join("size")).unwrap(), "2560");
    assert_eq!(aside(&app).len(), 8, "{:?}", aside(&app));
}

#[test]
fn a_repair_that_is_killed_leaves_all_that_was_there_and_the_next_one_ends_it() {
    let app = pushed();
    let kept = |app: &App| {
        let files = tree(&app.root());
        let edited = sealer::testing::types::Digest::of(b"edited").to_string();
        files.values().filter(|file| file.ends_with(&edited)).count()
    };
    let mut killed = 0;
    for delay in (0..400).step_by(20) {
        let before = app.doctor(&[]).code;
        if before == Some(0) {
            write(&app.layer(0).join("etc/daemon.json"), "edited");
        }
        let there = kept(&app);
        let mut command = made().world.command();
        command.env("SEALER_ROOT", app.root()).env("SEALER_CACHE", app.path("cache"));
        command.args(["doctor", "image", "app:v1", "--repair"]).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        std::thread::sleep(Duration::from_millis(delay));
        child.kill().unwrap();
        killed += usize::from(child.wait().unwrap().code().is_none());
        assert_eq!(kept(&app), there, "what was edited is in its place, or set aside");
        let states = app.doctor(&[]);
        assert!(!states.stdout.contains("missing"), "{states}");
    }
    assert!(killed > 0, "none was killed in time");
    assert_eq!(repair(&app).code, Some(0));
    assert_eq!(app.doctor(&[]).stdout, WHOLE);
}

#[test]
fn two_repairs_at_once_both_end_well() {
    let app = pushed();
    write(&app.layer(0).join("etc/daemon.json"), "edited");
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..3).map(|_| scope.spawn(|| repair(&app))).collect();
        for run in runs {
            let run = run.join().unwrap();
            assert_eq!(run.code, Some(0), "{run}");
        }
    });
    assert_eq!(app.doctor(&[]).stdout, WHOLE);
}
