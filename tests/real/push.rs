//! Pushes to Debian's docker-registry, seen by skopeo and by a store that pulls.

use std::net::SocketAddr;
use std::path::Path;

use sealer::testing::image::layer::layer_id;
use sealer::testing::image::{Descriptor, MANIFEST_TYPES, Manifest, ManifestKind};
use sealer::testing::sandbox::Registry;
use sealer::testing::transport::{Anonymous, Http, HttpConfig, Pusher, RegistriesConf, RegistryClient};
use sealer::testing::types::{Digest, ImageRef, Silent, Source};
use serde_json::Value;

use crate::support::program::{Run, World};
use crate::support::real::{ask, available, docker_registry, push, skopeo};
use crate::support::shared_file;

/// The base image that a real sealer saved, in a store, and a registry to push it to.
struct Machine {
    world: World,
    registry: crate::support::real::DockerRegistry,
}

impl Machine {
    fn new() -> Option<Self> {
        let golden = shared_file("golden/kubernetes-v1.19.8.save.tar")?;
        let registry = docker_registry()?;
        let world = World::new();
        let conf = format!("[[registry]]\nlocation = \"{}\"\ninsecure = true\n", registry.address());
        world.write("real.conf", conf);
        world.succeed(&["load", "-i", golden.to_str().unwrap()]);
        Some(Self { world, registry })
    }

    fn address(&self) -> SocketAddr {
        self.registry.address()
    }

    fn name(&self, rest: &str) -> String {
        format!("{}/{rest}", self.address())
    }

    fn run(&self, arguments: &[&str]) -> Run {
        let mut command = self.world.command();
        command.env("CONTAINERS_REGISTRIES_CONF", self.world.path("real.conf")).args(arguments);
        let run = self.world.result(&command.output().unwrap());
        assert_eq!(run.code, Some(0), "{arguments:?}: {run}");
        run
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.run(&[arguments, &["-o", "json"]].concat()).stdout).unwrap()
    }

    /// A document of the registry.
    fn document(&self, path: &str) -> Vec<u8> {
        let accept = MANIFEST_TYPES.join(", ");
        let answer = ask(self.address(), "GET", &format!("/v2/{path}"), &[("Accept", &accept)], b"").unwrap();
        assert_eq!(answer.status, 200, "{path}");
        answer.body
    }
}

/// A document with the parts cut out that are rightly other ones: digests and sizes.
fn shape(bytes: &[u8]) -> String {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let lines = text.lines().map(|line| match line.split_once("\": ") {
        Some((key, _)) if key.ends_with("size") || key.ends_with("digest") => key.to_owned(),
        _ => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_documents_are_those_of_a_real_sealer_with_true_sizes_and_skopeo_takes_them() {
    let Some(machine) = Machine::new() else { return };
    let name = machine.name("bases/kubernetes:v1.19.8");
    machine.run(&["tag", "kubernetes:v1.19.8", &name]);
    let pushed = machine.json(&["push", &name]);
    let golden = |file: &str| fs_err::read(shared_file(&format!("golden/push/{file}")).unwrap()).unwrap();
    let list = machine.document("bases/kubernetes/manifests/v1.19.8");
    assert_eq!(Digest::of(&list).to_string(), pushed["digest"].as_str().unwrap());
    assert_eq!(shape(&list), shape(&golden("manifest-list.json")));
    let ManifestKind::List(entries) = Manifest::parse(&list, None).unwrap().kind else { panic!() };
    let manifest = machine.document(&format!("bases/kubernetes/manifests/{}", entries[0].descriptor.digest));
    assert_eq!(entries[0].descriptor.size, manifest.len() as u64);
    assert_eq!(shape(&manifest), shape(&golden("manifest.json")));
    let ManifestKind::Image { config, layers } = Manifest::parse(&manifest, None).unwrap().kind else { panic!() };
    for blob in layers.iter().chain([&config]) {
        let bytes = machine.document(&format!("bases/kubernetes/blobs/{}", blob.digest));
        assert_eq!((bytes.len() as u64, Digest::of(&bytes)), (blob.size, blob.digest));
    }
    let config: Value =
        serde_json::from_slice(&machine.document(&format!("bases/kubernetes/blobs/{}", config.digest))).unwrap();
    assert_eq!(config["metadata"]["name"], name);
    let golden_config = golden("blobs/fcf27d2a899717b45f413148e5b4abf156102cb85304a3f02a10fd3b80152261");
    let golden_config: Value = serde_json::from_slice(&golden_config).unwrap();
    for key in ["architecture", "os", "history"] {
        assert_eq!(config[key], golden_config[key]);
    }
    assert_eq!(config["spec"]["layers"], golden_config["spec"]["layers"]);

    // Again, and under another name: nothing is sent, layers are mounted.
    let again = machine.json(&["push", &name]);
    assert_eq!((&again["digest"], &again["uploadedBytes"]), (&pushed["digest"], &0.into()));
    let copy = machine.name("mine/copy:v2");
    machine.run(&["tag", &name, &copy]);
    let mounted = machine.json(&["push", &copy]);
    let sum: u64 = layers.iter().map(|layer| layer.size).sum();
    assert_eq!(mounted["mountedBytes"], sum);

    if !available("skopeo") {
        return;
    }
    let inspected = skopeo(&["inspect", "--raw", "--tls-verify=false", &format!("docker://{name}")]).unwrap();
    assert_eq!(inspected.as_bytes(), list);
    let to = format!("dir:{}", machine.world.path("copied").display());
    let from = format!("docker://{name}");
    skopeo(&["copy", "--all", "--src-tls-verify=false", &from, &to]).unwrap_or_else(|error| panic!("{error}"));
    let copied = fs_err::read(machine.world.path("copied").join(layers[0].digest.hex())).unwrap();
    assert_eq!(copied.len() as u64, layers[0].size);
}

#[test]
fn what_was_pushed_is_pulled_on_another_machine_as_it_was() {
    let Some(machine) = Machine::new() else { return };
    let name = machine.name("bases/kubernetes:v1.19.8");
    machine.run(&["tag", "kubernetes:v1.19.8", &name]);
    machine.run(&["push", &name]);
    // Another platform joins what is there.
    machine.world.write("context/etc/file", "for arm64");
    machine.world.write("context/Kubefile", "FROM scratch\nCOPY etc etc\n");
    let context = machine.world.path("context");
    machine.run(&["build", "-t", &name, "--platform", "linux/arm64", context.to_str().unwrap()]);
    machine.run(&["push", &name, "--platform", "linux/arm64"]);
    if available("skopeo") {
        let arguments = ["--override-arch", "arm64", "inspect", "--tls-verify=false", &format!("docker://{name}")];
        let inspected: Value = serde_json::from_str(&skopeo(&arguments).unwrap()).unwrap();
        assert_eq!((&inspected["Architecture"], inspected["Layers"].as_array().unwrap().len()), (&"arm64".into(), 1));
    }
    let root = machine.world.path("other");
    let cache = machine.world.path("other-cache");
    let other = ["--root", root.to_str().unwrap(), "--cache", cache.to_str().unwrap()];
    machine.run(&[&other[..], &["pull", "--platform", "all", &name]].concat());
    let shown = machine.run(&["inspect", &name]).stdout;
    assert_eq!(machine.run(&[&other[..], &["inspect", &name]].concat()).stdout, shown);
    let layers = machine.json(&["inspect", &name]);
    for layer in layers[0]["spec"]["layers"].as_array().unwrap() {
        let id: Digest = layer["id"].as_str().unwrap().parse().unwrap();
        assert_eq!(hash(&root, id), id);
    }
}

#[test]
fn what_a_real_sealer_pushed_is_pulled() {
    let Some(machine) = Machine::new() else { return };
    let read = |name: &str| fs_err::read(shared_file(&format!("golden/push/{name}")).unwrap()).unwrap();
    let mut registry = Registry::default();
    for blob in fs_err::read_dir(shared_file("golden/push/blobs").unwrap()).unwrap() {
        registry.put_blob("bases/kubernetes", fs_err::read(blob.unwrap().path()).unwrap());
    }
    for (file, tag) in [("manifest.json", None), ("manifest-list.json", Some("v1.19.8"))] {
        let document: Value = serde_json::from_slice(&read(file)).unwrap();
        registry.put_manifest("bases/kubernetes", tag, document["mediaType"].as_str().unwrap(), read(file));
    }
    push(&registry, "bases/kubernetes", machine.address(), "bases/kubernetes");
    let name = machine.name("bases/kubernetes:v1.19.8");
    let pulled = machine.json(&["pull", "--platform", "linux/amd64", &name]);
    assert_eq!(pulled[0]["digest"], Digest::of(&read("manifest-list.json")).to_string());
    // Besides the name it is the image that the archive has, under the name that was asked for.
    let there = machine.run(&["inspect", &name]).stdout;
    let of_archive = machine.run(&["inspect", "kubernetes:v1.19.8"]).stdout;
    let without = |text: &str| {
        let lines = text.lines().filter(|line| !line.contains("name: ") && !line.contains("image: "));
        lines.filter(|line| !line.trim_start().starts_with("id:")).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(without(&there), without(&of_archive));
    assert!(there.contains(&format!("name: {name}")) && there.contains(&format!("image: {name}")), "{there}");
}

fn hash(root: &Path, layer: Digest) -> Digest {
    layer_id(&root.join("data/overlay2").join(layer.hex())).unwrap().unwrap().digest
}

#[test]
fn what_refers_to_an_image_stands_under_a_tag_where_there_is_no_index() {
    let Some(machine) = Machine::new() else { return };
    let name = machine.name("bases/kubernetes:v1.19.8");
    machine.run(&["tag", "kubernetes:v1.19.8", &name]);
    machine.run(&["push", &name]);
    let list = machine.document("bases/kubernetes/manifests/v1.19.8");
    let media_type = MANIFEST_TYPES[0].to_owned();
    let subject = Descriptor { media_type, digest: Digest::of(&list), size: list.len() as u64 };
    let conf = fs_err::read_to_string(machine.world.path("real.conf")).unwrap();
    let conf = RegistriesConf::from_text(&Source::new("real.conf", &conf)).unwrap();
    let http = Http::new(HttpConfig::default(), std::sync::Arc::new(Silent));
    let client = RegistryClient::new(http, conf, std::sync::Arc::new(Anonymous));
    let pusher = Pusher::new(client, std::sync::Arc::new(Silent), 2);
    let reference: ImageRef = name.parse().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for (count, content) in [(1, "{\"n\":1}"), (2, "{\"n\":2}"), (2, "{\"n\":2}")] {
        let json = "application/json";
        let attached = pusher.attach(&reference, &subject, "application/vnd.in-toto+json", json, content.as_bytes());
        let attached = runtime.block_on(attached).unwrap();
        let tag = format!("sha256-{}", subject.digest.hex());
        assert_eq!(attached.tag.as_ref(), Some(&tag));
        let index: Value =
            serde_json::from_slice(&machine.document(&format!("bases/kubernetes/manifests/{tag}"))).unwrap();
        let entries = index["manifests"].as_array().unwrap();
        assert_eq!(entries.len(), count);
        assert_eq!(entries[count - 1]["digest"], attached.manifest.digest.to_string());
        assert_eq!(entries[count - 1]["artifactType"], "application/vnd.in-toto+json");
    }
    assert_eq!(machine.document("bases/kubernetes/manifests/v1.19.8"), list);
}
