//! `doctor trace`: an engine's image, layer by layer, in sealer images. The engine is a stand-in; `tests/real/trace.rs`
//! has a real one.

mod engine;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use engine::{Engine, Image};
use sealer::testing::sandbox::{ImageBuilder, Tree};
use sealer::testing::types::Digest;
use serde_json::{Value, json};

use crate::support::program::{Run, World, copy_program};
use crate::support::real;

const NODE: &str = "calico/node:v3.19.1";

/// Builds a sealer image whose registry has these container images.
fn build(world: &World, name: &str, platform: &str, images: &[&str]) {
    let folder = name.replace(':', "-");
    world.write(&format!("{folder}/Kubefile"), "FROM scratch\nCOPY imageList manifests\n");
    let list = world.write(&format!("{folder}/imageList"), images.join("\n") + "\n");
    // Its time is part of the layer's id.
    assert!(Command::new("touch").args(["-d", "@1600000000"]).arg(list).status().unwrap().success());
    let folder = world.path(&folder);
    world.succeed(&["build", "-t", name, "--platform", platform, folder.to_str().unwrap()]);
}

/// A world with `app:v1`, which has calico/node and calico/cni, and `cni:v1`, which has only the latter: both stand on
/// one layer.
fn world() -> World {
    let world = World::new();
    build(&world, "app:v1", "linux/amd64", &[NODE, "calico/cni:v3.19.1"]);
    build(&world, "cni:v1", "linux/amd64", &["calico/cni:v3.19.1"]);
    // Not for the engine's image's platform.
    build(&world, "app:v1", "linux/arm64", &[NODE]);
    world
}

fn trace(world: &World, host: &str, arguments: &[&str]) -> Run {
    let mut command = world.command();
    command.env("DOCKER_HOST", host).args(["--progress", "plain", "doctor", "trace"]).args(arguments);
    let run = world.result(&command.output().unwrap());
    let clean = |text: String| text.replace(host, "[ENGINE]");
    Run { code: run.code, stdout: clean(run.stdout), stderr: clean(run.stderr) }
}

fn socket(world: &World, engine: Engine) -> String {
    engine.on_socket(&world.path("engine.sock"))
}

/// A file of the registry of `app:v1` for linux/amd64.
fn stored(world: &World, path: &str) -> PathBuf {
    let inspected = world.succeed(&["inspect", "app:v1", "-o", "json"]).stdout;
    let images: Vec<Value> = serde_json::from_str(&inspected).unwrap();
    let image = images.iter().find(|image| image["spec"]["platform"]["architecture"] == "amd64").unwrap();
    let layers = image["spec"]["layers"].as_array().unwrap();
    let cache = layers.iter().find(|layer| layer["type"] == "BASE").unwrap();
    let id: Digest = cache["id"].as_str().unwrap().parse().unwrap();
    world.root().join("data/overlay2").join(id.hex()).join("registry/docker/registry/v2").join(path)
}

/// What is said of the name of the engine's image, after the line of the first sealer image.
fn named(run: &Run) -> String {
    let lines = run.stdout.lines().skip_while(|line| !line.is_empty()).skip(2);
    lines.take_while(|line| !line.starts_with("  layer")).collect::<Vec<_>>().join("\n")
}

fn data(digest: Digest) -> String {
    format!("blobs/sha256/{}/{}/data", &digest.hex()[..2], digest.hex())
}

#[test]
fn what_was_pulled_is_found_by_the_digests_that_the_engine_knows() {
    let world = world();
    let (node, engine) = (Image::of_registry(&world, NODE), Engine::new(&world));
    let [(system, _), (own, _)] = [node.layers[0].clone(), node.layers[1].clone()];
    engine.seen(node.diff_ids[0], &[(system, "docker.io/calico/node"), (system, "docker.io/calico/cni")]);
    // Another registry packed it in another way.
    let other = Digest::of(b"packed by another registry");
    engine.seen(node.diff_ids[1], &[(other, "mirror.example/calico/node"), (own, "docker.io/calico/node")]);
    let host = socket(&world, engine.with(&node));
    insta::assert_snapshot!(trace(&world, &host, &[NODE]));
    // By the name that recipes have for it, in one image, for machines.
    let asked = format!("docker-daemon:{NODE}");
    let run = trace(&world, &host, &[&asked, "--in", "app:v1", "-o", "json"]);
    assert!(!run.to_string().contains("secret-of-a-login"));
    insta::assert_snapshot!("json", run);
    // By the digest that the registry gave it.
    let by_digest = node.repo_digests[0].clone();
    let host =
        Engine::new(&world).with(&Image { name: by_digest.clone(), ..node }).on_socket(&world.path("other.sock"));
    insta::assert_snapshot!("by_digest", trace(&world, &host, &[&by_digest, "--in", "app:v1"]));
}

#[test]
fn engines_without_files_are_answered_by_the_configs_in_the_image() {
    let world = world();
    let node = Image::of_registry(&world, NODE).loaded_as(NODE);
    let host = socket(&world, Engine::new(&world).with(&node));
    let never_pulled = trace(&world, &host, &[NODE, "--in", "app:v1"]);
    insta::assert_snapshot!("never_pulled", never_pulled);

    // A file for one layer only, then garbage for the other.
    let engine = Engine::new(&world).with(&node);
    engine.seen(node.diff_ids[0], &[(node.layers[0].0, "docker.io/calico/cni")]);
    let garbage = engine.file(node.diff_ids[1]);
    let host = engine.on_socket(&world.path("some.sock"));
    insta::assert_snapshot!("loaded_over_a_pulled_layer", trace(&world, &host, &[NODE, "--in", "app:v1"]));
    fs_err::write(garbage, "\u{1b}[2J[{\"Digest\":").unwrap();
    insta::assert_snapshot!("garbage", trace(&world, &host, &[NODE, "--in", "app:v1"]));

    let engine_line = |run: &Run| run.stdout.lines().nth(2).unwrap().to_owned();
    let rest = |run: &Run| run.stdout.lines().skip(3).map(str::to_owned).collect::<Vec<_>>();
    let about = json!({"DockerRootDir": world.path("docker"), "Driver": "overlayfs",
        "DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]]});
    let containerd = Engine::new(&world).with(&node).answering("/info", 200, about.to_string());
    let containerd = containerd.on_socket(&world.path("containerd.sock"));
    let mute = Engine::new(&world).with(&node).answering("/info", 500, "{}").on_socket(&world.path("mute.sock"));
    let remote = Engine::new(&world).with(&node).on_port();
    let mut lines = Vec::new();
    for host in [containerd, mute, remote] {
        let run = trace(&world, &host, &[NODE, "--in", "app:v1"]);
        assert_eq!(run.code, Some(0), "{run}");
        assert_eq!(rest(&run), rest(&never_pulled));
        lines.push(engine_line(&run));
    }
    insta::assert_snapshot!("why_there_are_no_files", lines.join("\n"));
}

#[test]
fn files_that_only_root_may_read_are_not_needed() {
    if !(real::is_root() && real::available("setpriv")) {
        return;
    }
    let world = world();
    let node = Image::of_registry(&world, NODE);
    let engine = Engine::new(&world).with(&node);
    engine.seen(node.diff_ids[0], &[(node.layers[0].0, "docker.io/calico/node")]);
    let host = socket(&world, engine);
    let program = world.path("sealer");
    copy_program(&program);
    let owner = Command::new("chown").args(["-R", "65534:65534"]).arg(world.path("")).status().unwrap();
    assert!(owner.success());
    let docker = world.path("docker");
    assert!(Command::new("chown").arg("0:0").arg(&docker).status().unwrap().success());
    fs_err::set_permissions(&docker, PermissionsExt::from_mode(0o710)).unwrap();
    let mut command = Command::new("setpriv");
    command.env_clear().envs(world.environment()).env("DOCKER_HOST", &host).current_dir(world.path(""));
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]).arg(program);
    let run = world.result(&command.args(["doctor", "trace", NODE, "--in", "app:v1"]).output().unwrap());
    insta::assert_snapshot!(run);
}

#[test]
fn what_is_not_there_is_named_and_a_name_of_another_image_said() {
    let world = world();
    let node = Image::of_registry(&world, NODE);
    // Built on the same layer, under a name that the registry has for another image.
    let own = ImageBuilder::new(&"linux/amd64".parse().unwrap()).layer(Tree::new().file("own", "own\n")).build();
    let config = json!({"os": "linux", "architecture": "amd64",
        "rootfs": {"type": "layers", "diff_ids": [node.diff_ids[0], own.diff_ids[0]]}});
    let mine = Image {
        config: config.to_string().into(),
        diff_ids: vec![node.diff_ids[0], own.diff_ids[0]],
        layers: vec![node.layers[0].clone(), (own.layers[0].0.digest, own.layers[0].1.to_vec())],
        ..node.clone()
    };
    let host = socket(&world, Engine::new(&world).with(&mine.loaded_as(NODE)));
    insta::assert_snapshot!("other_content", trace(&world, &host, &[NODE]));
    insta::assert_snapshot!("other_content_json", trace(&world, &host, &[NODE, "--in", "cni:v1", "-o", "json"]));
    // It was pulled: the digest there is said, too.
    let pulled = Image { repo_digests: vec![format!("calico/node@{}", Digest::of(b"newer"))], ..mine };
    let host = Engine::new(&world).with(&pulled).on_socket(&world.path("pulled.sock"));
    let run = trace(&world, &host, &[NODE, "--in", "app:v1"]);
    assert_eq!(run.code, Some(4), "{run}");
    insta::assert_snapshot!("other_digest", named(&run));
    // Nothing at all of it.
    let alien = Image {
        diff_ids: vec![own.diff_ids[0]],
        config: json!({"os": "linux", "architecture": "amd64",
        "rootfs": {"type": "layers", "diff_ids": own.diff_ids}})
        .to_string()
        .into(),
        layers: pulled.layers[1..].to_vec(),
        ..pulled
    };
    let host = Engine::new(&world).with(&alien.loaded_as("alien:v1")).on_socket(&world.path("alien.sock"));
    insta::assert_snapshot!("nothing", trace(&world, &host, &["alien:v1", "--in", "app:v1", "--deep"]));
    // Another config on the same layers, as of an image that was loaded with other settings.
    let mut config: Value = serde_json::from_slice(&node.config).unwrap();
    config["created"] = "2021-01-01T00:00:00Z".into();
    let again = Image { config: config.to_string().into(), ..node }.loaded_as(NODE);
    let host = Engine::new(&world).with(&again).on_socket(&world.path("again.sock"));
    let run = trace(&world, &host, &[NODE, "--in", "app:v1"]);
    assert_eq!(run.code, Some(0), "{run}");
    insta::assert_snapshot!("other_config", named(&run));
}

#[test]
fn a_deep_look_takes_the_layers_out_and_believes_no_digest() {
    let world = world();
    let node = Image::of_registry(&world, NODE).loaded_as(NODE);
    let host = socket(&world, Engine::new(&world).with(&node));
    let deep = [NODE, "--in", "app:v1", "--deep"];
    insta::assert_snapshot!("deep", trace(&world, &host, &deep));
    assert_eq!(fs_err::read_dir(world.cache().join("staging")).unwrap().count(), 0);

    // Who waits hears of the export and of each blob, once.
    let mut command = world.command();
    command.env("DOCKER_HOST", &host).args(["--progress", "json", "doctor", "trace"]).args(deep);
    let said = world.result(&command.output().unwrap()).stderr;
    let events = said.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let done = events.filter(|event| event["event"] == "transferred").map(|event| event["what"].to_string());
    insta::assert_snapshot!("progress", done.collect::<Vec<_>>().join("\n"));

    // One byte of a layer's data is another one.
    let own = stored(&world, &data(node.layers[1].0));
    let good = fs_err::read(&own).unwrap();
    let mut bad = good.clone();
    *bad.last_mut().unwrap() ^= 1;
    fs_err::write(&own, &bad).unwrap();
    assert_eq!(trace(&world, &host, &[NODE, "--in", "app:v1"]).code, Some(0));
    insta::assert_snapshot!("flipped", trace(&world, &host, &deep));
    fs_err::write(&own, &good[1..]).unwrap();
    insta::assert_snapshot!("cut", trace(&world, &host, &[NODE, "--in", "app:v1"]));
    fs_err::remove_file(&own).unwrap();
    insta::assert_snapshot!("no_data", trace(&world, &host, &[NODE, "--in", "app:v1"]));
    fs_err::write(&own, &good).unwrap();

    // The engine's notes lead to another layer's blob.
    let engine = Engine::new(&world).with(&node);
    engine.seen(node.diff_ids[1], &[(node.layers[0].0, "docker.io/calico/node")]);
    let notes = engine.on_socket(&world.path("notes.sock"));
    fs_err::remove_file(&own).unwrap();
    insta::assert_snapshot!("wrong_notes", trace(&world, &notes, &[NODE, "--in", "app:v1"]));
    insta::assert_snapshot!("wrong_notes_deep", trace(&world, &notes, &deep));
    fs_err::write(&own, &good).unwrap();

    // The engine itself gives other layers than it says.
    let mut lying = node.clone();
    lying.layers.swap(0, 1);
    let host = Engine::new(&world).with(&lying).on_socket(&world.path("lying.sock"));
    insta::assert_snapshot!("lying_engine", trace(&world, &host, &deep));
    let said = Image { diff_ids: vec![node.diff_ids[0]], ..node };
    let host = Engine::new(&world).with(&said).on_socket(&world.path("saying.sock"));
    insta::assert_snapshot!("engine_of_two_minds", trace(&world, &host, &deep));
}

#[test]
fn a_layer_whose_config_is_gone_is_found_by_its_content() {
    let world = world();
    let node = Image::of_registry(&world, NODE).loaded_as(NODE);
    let host = socket(&world, Engine::new(&world).with(&node));
    fs_err::remove_file(stored(&world, &data(node.id()))).unwrap();
    insta::assert_snapshot!("no_config", trace(&world, &host, &[NODE, "--in", "app:v1"]));
    insta::assert_snapshot!("no_config_deep", trace(&world, &host, &[NODE, "--in", "app:v1", "--deep"]));
    // Links that lead elsewhere, and none at all.
    let link = |repository: &str, digest: Digest| {
        stored(&world, &format!("repositories/calico/{repository}/_layers/sha256/{}/link", digest.hex()))
    };
    fs_err::remove_file(link("node", node.layers[0].0)).unwrap();
    fs_err::write(link("node", node.layers[1].0), "sha256:1234").unwrap();
    insta::assert_snapshot!("bad_links", trace(&world, &host, &[NODE, "--in", "app:v1", "--deep"]));
    // The name leads nowhere any more.
    fs_err::write(stored(&world, "repositories/calico/node/_manifests/tags/v3.19.1/current/link"), "nowhere").unwrap();
    let run = trace(&world, &host, &[NODE, "--in", "app:v1"]);
    insta::assert_snapshot!("bad_tag", named(&run));
}

/// The tree of a registry as a real sealer writes it, with its folders and links.
#[test]
fn images_of_a_real_sealer_are_looked_into() {
    let Some(golden) = crate::support::shared_file("golden/kubernetes-v1.19.8.save.tar") else { return };
    let world = World::new();
    world.succeed(&["load", "-i", golden.to_str().unwrap()]);
    let folders = fs_err::read_dir(world.root().join("data/overlay2")).unwrap();
    let trees: Vec<PathBuf> =
        folders.map(|folder| folder.unwrap().path().join("registry/docker/registry/v2")).collect();
    let read = |path: &str| {
        fs_err::read(trees.iter().map(|tree| tree.join(path)).find(|file| file.exists()).unwrap()).unwrap()
    };
    let document = |digest: &str| read(&data(digest.trim().parse().unwrap()));
    let json = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap();
    let tag = read("repositories/calico/node/_manifests/tags/v3.19.1/current/link");
    let mut manifest = json(&document(std::str::from_utf8(&tag).unwrap()));
    if let Some(entries) = manifest["manifests"].as_array() {
        let entry = entries.iter().find(|entry| entry["platform"]["architecture"] == "amd64").unwrap();
        manifest = json(&document(entry["digest"].as_str().unwrap()));
    }
    let config = document(manifest["config"]["digest"].as_str().unwrap());
    let diff_ids = serde_json::from_value(json(&config)["rootfs"]["diff_ids"].clone()).unwrap();
    let name = NODE.to_owned();
    let image = Image { name: name.clone(), repo_digests: Vec::new(), config, diff_ids, layers: Vec::new() };
    let host = socket(&world, Engine::new(&world).with(&image));
    insta::assert_snapshot!(trace(&world, &host, &[&name]));
}

#[test]
fn what_cannot_be_asked_is_said() {
    let world = world();
    let node = Image::of_registry(&world, NODE);
    let mut config: Value = serde_json::from_slice(&node.config).unwrap();
    config["architecture"] = "s390x".into();
    let other = Image { config: config.to_string().into(), ..node.clone() }.loaded_as("other:v1");
    let scratch = Image { diff_ids: Vec::new(), layers: Vec::new(), ..node.clone() }.loaded_as("empty:v1");
    let strange =
        json!({"Id": node.id(), "Os": "linux", "Architecture": "amd64", "RootFS": {"Type": "layers", "Layers": ["x"]}});
    let engine = Engine::new(&world).with(&node).with(&other).with(&scratch);
    let engine = engine.answering("/images/strange:v1/json", 200, strange.to_string());
    let host = socket(&world, engine);
    let said = |host: &str, arguments: &[&str]| trace(&world, host, arguments).to_string();
    insta::assert_snapshot!("unknown_image", said(&host, &["calico/nod:v3.19.1"]));
    insta::assert_snapshot!("no_name", said(&host, &["Calico"]));
    insta::assert_snapshot!("no_engine", said("unix:///nowhere/docker.sock", &[NODE]));
    insta::assert_snapshot!("other_platform", said(&host, &["other:v1"]));
    insta::assert_snapshot!("other_platform_named", said(&host, &["other:v1", "--in", "app:v1"]));
    insta::assert_snapshot!("unknown_sealer_image", said(&host, &[NODE, "--in", "ap:v1"]));
    insta::assert_snapshot!("strange_diff_id", said(&host, &["strange:v1"]));
    insta::assert_snapshot!("no_layers", said(&host, &["empty:v1", "--in", "cni:v1"]));
    let empty = world.path("empty-root");
    insta::assert_snapshot!("empty_store", said(&host, &["--root", empty.to_str().unwrap(), NODE]));
}
