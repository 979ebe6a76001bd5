//! Images of older sealers: what their documents and stores lack or have besides, and every command on them.

use std::io::Read as _;
use std::path::Path;

use sealer::testing::sandbox::ImageBuilder;
use serde_json::{Value, json};

use crate::support::program::{Run, World};

const NAME: &str = "registry.cn-qingdao.aliyuncs.com/sealer-io/kubernetes:v1.19.8";
const APPLY: [&str; 5] = ["recipe", "apply", "recipes/rawdocker.yaml", "--platform", "linux/amd64"];

/// A way in which an image's document differs from today's. All of them keep the layers that have content.
struct Case {
    name: &'static str,
    change: fn(&mut Value),
}

const CASES: [Case; 4] = [
    Case {
        name: "CMD layers without id, and no image_config",
        change: |spec| {
            remove(spec, "image_config");
            layers(spec).insert(1, json!({"type": "CMD", "value": "kubectl apply -f etc/old.yaml"}));
            layers(spec).push(json!({"type": "CMD", "value": "echo done"}));
        },
    },
    Case {
        name: "a BASE layer without id, and a CMD layer whose id is empty",
        change: |spec| {
            layers(spec).insert(0, json!({"type": "BASE", "value": "kubernetes:v1.18.0"}));
            layers(spec).push(json!({"id": "", "type": "CMD", "value": "echo done"}));
        },
    },
    Case {
        name: "rootfs cache",
        change: |spec| {
            let cache = layers(spec).iter_mut().find(|layer| layer["value"] == "registry cache").unwrap();
            cache["value"] = "rootfs cache".into();
        },
    },
    Case {
        name: "no platform, no version, nulls",
        change: |spec| {
            remove(spec, "platform");
            remove(spec, "sealer_version");
            spec["image_config"] = json!({"args": {"current": null}, "cmd": {"current": null, "parent": null}});
        },
    },
];

fn remove(spec: &mut Value, key: &str) {
    spec.as_object_mut().unwrap().remove(key).unwrap();
}

fn layers(spec: &mut Value) -> &mut Vec<Value> {
    spec["layers"].as_array_mut().unwrap()
}

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run}"))
}

/// The base image for linux/amd64, saved, with its document changed; and that document.
fn old_archive(world: &World, change: impl Fn(&mut Value)) -> (Vec<u8>, Value) {
    let saved = world.path("base.tar");
    if !saved.exists() {
        let root = world.path("source");
        let root = ["--root", root.to_str().unwrap()];
        world.succeed(&[&root[..], &["pull", "--platform", "linux/amd64", "kubernetes:v1.19.8"]].concat());
        world.succeed(&[&root[..], &["save", "-o", saved.to_str().unwrap(), "kubernetes:v1.19.8"]].concat());
    }
    let id = "ab".repeat(32);
    let mut archive = tar::Builder::new(Vec::new());
    let mut document = Value::Null;
    for entry in tar::Archive::new(fs_err::File::open(saved).unwrap()).entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        let name = entry.path().unwrap().into_owned();
        let mut header = entry.header().clone();
        if name.extension().is_some_and(|is| is == "yaml") && name.components().count() == 1 {
            document = serde_yaml::from_slice(&content).unwrap();
            document["spec"]["id"] = id.clone().into();
            change(&mut document["spec"]);
            // JSON is YAML.
            content = document.to_string().into_bytes();
            header.set_size(content.len() as u64);
            archive.append_data(&mut header, format!("{id}.yaml"), &content[..]).unwrap();
        } else {
            archive.append_data(&mut header, name, &content[..]).unwrap();
        }
    }
    (archive.into_inner().unwrap(), document)
}

/// The layers of a document: ids, types and values, an empty id being none.
fn shown_layers(document: &Value) -> Vec<(Option<String>, String, String)> {
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let layers = document["spec"]["layers"].as_array().unwrap().iter();
    layers.map(|one| (text(&one["id"]), text(&one["type"]).unwrap(), text(&one["value"]).unwrap())).collect()
}

fn with_content(document: &Value) -> Vec<String> {
    shown_layers(document).into_iter().filter_map(|(id, ..)| id).collect()
}

#[test]
fn every_command_takes_the_images_of_older_sealers() {
    let world = World::new();
    let expected = json(&world.succeed(&[&APPLY[..], &["-o", "json"]].concat()));
    for (number, Case { name, change }) in CASES.iter().enumerate() {
        println!("{name}");
        let (archive, document) = old_archive(&world, change);
        let archive = world.write("old.tar", archive);
        let root = world.path(&format!("root-{number}"));
        let run = |arguments: &[&str]| world.succeed(&[&["--root", root.to_str().unwrap()][..], arguments].concat());

        let loaded = run(&["load", "-i", archive.to_str().unwrap()]);
        assert_eq!((&*loaded.stdout, &*loaded.stderr), (&*format!("loaded {NAME} (linux/amd64)\n"), ""), "{name}");
        // The document stays as it came, and is shown whole.
        let file = root.join("metadata/imagedb").join(format!("{}.yaml", "ab".repeat(32)));
        assert_eq!(serde_json::from_slice::<Value>(&fs_err::read(file).unwrap()).unwrap(), document, "{name}");
        let inspected = json(&run(&["inspect", "-o", "json", "kubernetes:v1.19.8"]));
        assert_eq!(shown_layers(&inspected[0]), shown_layers(&document), "{name}");
        assert_eq!(inspected[0]["spec"]["platform"], json!({"architecture": "amd64", "os": "linux"}), "{name}");
        assert_eq!(run(&["inspect", &"ab".repeat(32)]).stdout, run(&["inspect", "kubernetes:v1.19.8"]).stdout);

        // Saved and loaded elsewhere it is the same; nothing but the document differs from the one of today.
        let (again, elsewhere) = (world.path("again.tar"), world.path(&format!("elsewhere-{number}")));
        run(&["save", "-o", again.to_str().unwrap(), "kubernetes:v1.19.8"]);
        world.succeed(&["--root", elsewhere.to_str().unwrap(), "load", "-i", again.to_str().unwrap()]);
        let other = world.succeed(&["--root", elsewhere.to_str().unwrap(), "inspect", "kubernetes:v1.19.8"]);
        assert_eq!(other, run(&["inspect", "kubernetes:v1.19.8"]), "{name}");
        let base = world.path("base.tar");
        let differences = json(&run(&["recipe", "diff", base.to_str().unwrap(), "kubernetes:v1.19.8", "-o", "json"]));
        assert_eq!(differences["images"][0]["files"], json!([]), "{name}: {differences}");

        // Through a registry under another name.
        run(&["tag", "kubernetes:v1.19.8", "team/old:v1"]);
        run(&["push", "team/old:v1"]);
        world.succeed(&["--root", elsewhere.to_str().unwrap(), "pull", "team/old:v1"]);
        let pulled =
            json(&world.succeed(&["--root", elsewhere.to_str().unwrap(), "inspect", "-o", "json", "team/old:v1"]));
        assert_eq!(shown_layers(&pulled[0]), shown_layers(&document), "{name}");

        // FROM it: its layers stay, those without content too, and what it wants to be run is not run twice.
        world.write("context/new/file", "new");
        world.write("context/Kubefile", "FROM kubernetes:v1.19.8\nCOPY new new\nCMD echo new\n");
        run(&["build", "-t", "built:v1", "--platform", "linux/amd64", world.path("context").to_str().unwrap()]);
        let built = json(&run(&["inspect", "-o", "json", "built:v1"]));
        let mut layers = shown_layers(&document);
        let new = shown_layers(&built[0]).pop().unwrap();
        assert_eq!((&*new.1, &*new.2), ("COPY", "new new"));
        layers.push(new);
        assert_eq!(shown_layers(&built[0]), layers, "{name}");
        assert_eq!(built[0]["spec"]["image_config"]["cmd"]["current"], json!(["echo new"]), "{name}");

        // A recipe makes of it what it makes of today's.
        let applied = json(&run(&[&APPLY[..], &["-o", "json"]].concat()));
        assert_eq!(applied["images"], expected["images"], "{name}");
        run(&["rmi", "built:v1", "team/old:v1", "kubernetes:v1.19.8"]);
        assert_eq!(json(&run(&["prune", "-o", "json"])), json!({"images": [], "layers": []}), "{name}");
    }
}

/// What is missing, and how it goes missing in a layer's folder of layerdb.
type Lack = (&'static str, fn(&Path));

#[test]
fn what_an_older_store_lacks_is_not_missed() {
    // What is there of a layer besides its files: a real sealer's older versions wrote less, and some things not always.
    let lacks: [Lack; 3] = [
        ("no cacheID and no tar-data", |layerdb| drop(fs_err::remove_file(layerdb.join("cacheID")))),
        ("no size", |layerdb| fs_err::remove_file(layerdb.join("size")).unwrap()),
        ("no folder in layerdb", |layerdb| fs_err::remove_dir_all(layerdb).unwrap()),
    ];
    let world = World::new();
    let expected = json(&world.succeed(&[&APPLY[..], &["-o", "json"]].concat()));
    let (archive, document) = old_archive(&world, |_| {});
    let archive = world.write("old.tar", archive);
    for (number, (name, lack)) in lacks.into_iter().enumerate() {
        let root = world.path(&format!("root-{number}"));
        let run = |arguments: &[&str]| world.succeed(&[&["--root", root.to_str().unwrap()][..], arguments].concat());
        run(&["load", "-i", archive.to_str().unwrap()]);
        for id in with_content(&document) {
            lack(&root.join("metadata/layerdb/sha256").join(id.strip_prefix("sha256:").unwrap()));
        }
        assert_eq!(json(&run(&["images", "-o", "json"]))[0]["id"], "ab".repeat(32), "{name}");
        let saved = run(&["save", "-o", world.path("again.tar").to_str().unwrap(), "kubernetes:v1.19.8"]);
        assert_eq!(saved.stderr, format!("saved {NAME} to [WORLD]/again.tar\n"), "{name}");
        run(&["tag", "kubernetes:v1.19.8", "team/old:v1"]);
        run(&["push", "team/old:v1"]);
        run(&["pull", "team/old:v1"]);
        let applied = json(&run(&[&APPLY[..], &["-o", "json"]].concat()));
        assert_eq!(applied["images"], expected["images"], "{name}");
        run(&["rmi", "team/old:v1", "kubernetes:v1.19.8"]);
        assert_eq!(json(&run(&["prune", "-o", "json"])), json!({"images": [], "layers": []}), "{name}");
    }
}

/// What a sealer up to v0.6.1 made is of another form, which v0.8.5 refuses, too.
#[test]
fn stores_archives_and_pushed_images_up_to_v0_6_1_are_refused_in_clear_words() {
    let world = World::new();
    let (id, layer) = ("12".repeat(32), "cd".repeat(32));
    let document = json!({
        "kind": "Image",
        "metadata": {"name": NAME, "creationTimestamp": null},
        "spec": {
            "id": id,
            "layers": [{"id": format!("sha256:{layer}"), "type": "COPY", "value": ". ."}, {"type": "CMD", "value": "echo"}],
            "platform": {},
            "sealer_version": "v0.6.1",
        },
        "status": {},
    });
    let row = json!({"name": NAME, "id": id, "created": "2022-01-10T08:00:00.5Z", "size": 3});

    let mut archive = tar::Builder::new(Vec::new());
    let entries = [
        (format!("{layer}/file"), "x".to_owned()),
        ("image_metadata.yaml".to_owned(), document.to_string()),
        ("Metadata".to_owned(), row.to_string()),
    ];
    for (name, content) in &entries {
        let mut header = tar::Header::new_ustar();
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        archive.append_data(&mut header, name, content.as_bytes()).unwrap();
    }
    let archive = world.write("old.tar", archive.into_inner().unwrap());
    let run = world.run(&["load", "-i", archive.to_str().unwrap()]);
    insta::assert_snapshot!(run, @"
    exit 1
    --- stdout
    --- stderr
    error: a sealer up to v0.6.1 saved the archive, in a format that later versions cannot read; build the image again with sealer v0.8.5 or this program
    ");

    world.write("old/metadata/images_metadata.json", json!({NAME: row}).to_string());
    world.write(&format!("old/metadata/imagedb/{id}.yaml"), document.to_string());
    world.write(&format!("old/data/overlay2/{layer}/file"), "x");
    let before = crate::support::program::tree(&world.path("old"));
    let old = world.path("old");
    let run = world.run(&["--root", old.to_str().unwrap(), "images"]);
    insta::assert_snapshot!(run, @"
    exit 1
    --- stdout
    --- stderr
    error: `[WORLD]/old/metadata/images_metadata.json` is from a sealer up to v0.6.1, whose store has a format that later versions cannot read; use another folder with `--root`, or move that store away
    ");
    for arguments in [
        &["inspect", "kubernetes:v1.19.8"][..],
        &["tag", "kubernetes:v1.19.8", "a:1"],
        &["rmi", "kubernetes:v1.19.8"],
        &["prune"],
        &["pull", "--platform", "linux/amd64", "kubernetes:v1.19.8"],
    ] {
        let other = world.run(&[&["--root", old.to_str().unwrap()][..], arguments].concat());
        assert_eq!((other.code, &*other.stdout), (Some(1), ""), "{arguments:?}: {other}");
        assert!(other.stderr.ends_with(&run.stderr), "{arguments:?}: {other}");
    }
    let mut after = crate::support::program::tree(&world.path("old"));
    after.retain(|path, _| !path.starts_with("recipe") && !path.starts_with("staging"));
    assert!(before.iter().all(|(path, was)| after.get(path) == Some(was)), "{after:?}");

    // It pushed a manifest without a list, whose config names no platform.
    let image = ImageBuilder::new(&"linux/amd64".parse().unwrap()).config(document).build();
    let reference = "registry.cn-qingdao.aliyuncs.com/team/old:v1".parse().unwrap();
    world.server().registry(|registry| image.push(registry, &reference));
    let run = world.run(&["pull", "--platform", "linux/amd64", "team/old:v1"]);
    insta::assert_snapshot!(run, @"
    exit 4
    --- stdout
    --- stderr
    error: `registry.cn-qingdao.aliyuncs.com/team/old:v1` cannot be used
      caused by: its config names no platform: it is not a container image, or a sealer up to v0.6.1 pushed it, in a format that later versions cannot read
    ");
    let all = world.run(&["pull", "--platform", "all", "team/old:v1"]);
    assert_eq!(all, run);
}
