//! What Debian's docker-registry saw of pushes, by its own log: what is sent, skipped and mounted, and what comes last.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::program::World;
use crate::support::real::{DockerRegistry, docker_registry};

/// One request as the registry's access log has it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Asked {
    method: String,
    path: String,
    status: String,
}

struct Machine {
    world: World,
    registry: DockerRegistry,
}

impl Machine {
    fn new() -> Option<Self> {
        let registry = docker_registry()?;
        let world = World::new();
        world.write("real.conf", format!("[[registry]]\nlocation = \"{}\"\ninsecure = true\n", registry.address()));
        Some(Self { world, registry })
    }

    fn name(&self, rest: &str) -> String {
        format!("{}/{rest}", self.registry.address())
    }

    fn run(&self, arguments: &[&str]) -> String {
        let mut command = self.world.command();
        command.env("CONTAINERS_REGISTRIES_CONF", self.world.path("real.conf")).args(arguments);
        let run = self.world.result(&command.output().unwrap());
        assert_eq!(run.code, Some(0), "{arguments:?}: {run}");
        run.stdout
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.run(&[arguments, &["-o", "json"]].concat())).unwrap()
    }

    /// Builds an image of one file for a platform.
    fn build(&self, name: &str, platform: &str, content: &str) {
        // Once: a later time would make another layer.
        if !self.world.path("context/shared/file").exists() {
            self.world.write("context/shared/file", "the same for all");
        }
        self.world.write("context/own/file", content);
        self.world.write("context/Kubefile", "FROM scratch\nCOPY shared shared\nCOPY own own\n");
        self.run(&["build", "-t", name, "--platform", platform, self.world.path("context").to_str().unwrap()]);
    }

    /// The requests that `work` made, in the order in which they were answered.
    fn watch<T>(&self, work: impl FnOnce() -> T) -> (T, Vec<Asked>) {
        let before = self.requests().len();
        let done = work();
        // The log is written after the answer.
        let until = Instant::now() + Duration::from_secs(2);
        let mut requests = self.requests();
        loop {
            std::thread::sleep(Duration::from_millis(100));
            let later = self.requests();
            if later.len() == requests.len() || Instant::now() > until {
                return (done, later[before..].to_vec());
            }
            requests = later;
        }
    }

    fn requests(&self) -> Vec<Asked> {
        // 127.0.0.1 - - [22/Nov/2026:00:49:28 +0000] "PUT /v2/a/manifests/v1 HTTP/1.1" 201 0 "" "sealer"
        let read = |line: &str| {
            let (request, rest) = line.split_once("] \"")?.1.split_once("\" ")?;
            let (method, path) = request.split_once(' ')?;
            let status = rest.split(' ').next()?.to_owned();
            Some(Asked { method: method.to_owned(), path: path.split(' ').next()?.to_owned(), status })
        };
        self.registry.log().lines().filter_map(read).collect()
    }
}

/// The writes: method, kind and status, digests and upload ids left out.
fn writes(requests: &[Asked]) -> Vec<String> {
    let writes = requests.iter().filter(|asked| !matches!(&*asked.method, "GET" | "HEAD"));
    let shown = writes.map(|asked| {
        let path = asked.path.split('?').next().unwrap();
        let parts: Vec<&str> = path.split('/').collect();
        let what = match parts.iter().position(|part| *part == "manifests") {
            Some(at) if parts[at + 1].starts_with("sha256:") => "a manifest".to_owned(),
            Some(at) => format!("the tag {}", parts[at + 1]),
            None if asked.path.contains("mount=") => "a mount".to_owned(),
            None if asked.path.contains("digest=") => "the end of an upload".to_owned(),
            None => "an upload".to_owned(),
        };
        format!("{} {what}: {}", asked.method, asked.status)
    });
    shown.collect()
}

#[test]
fn what_is_there_is_not_sent_what_another_repository_has_is_mounted_and_the_list_comes_last() {
    let Some(machine) = Machine::new() else { return };
    let name = machine.name("team/base:v1");
    machine.build(&name, "linux/amd64", "amd64");
    machine.build(&name, "linux/arm64", "arm64");
    let (first, requests) = machine.watch(|| machine.json(&["push", &name]));
    let wrote = writes(&requests);
    let count = |what: &str| wrote.iter().filter(|write| write.contains(what)).count();
    // Three layers, for one is shared, and two configs.
    assert_eq!(
        (count("the end of an upload: 201"), count("a mount"), count("a manifest: 201")),
        (5, 0, 2),
        "{wrote:?}"
    );
    let end = wrote.len() - 3;
    assert_eq!(wrote[end..], ["PUT a manifest: 201", "PUT a manifest: 201", "PUT the tag v1: 201"]);

    // Again: it asks, and nothing is written.
    let (again, requests) = machine.watch(|| machine.json(&["push", &name]));
    assert_eq!((&again["digest"], &again["uploadedBytes"]), (&first["digest"], &0.into()));
    assert_eq!(writes(&requests), [""; 0]);
    assert!(!requests.is_empty());

    // Elsewhere in that registry: layers are mounted, only configs are sent, as the name is in them.
    let copy = machine.name("other/copy:v2");
    machine.run(&["tag", &name, &copy]);
    let (mounted, requests) = machine.watch(|| machine.json(&["push", &copy]));
    let wrote = writes(&requests);
    let count = |what: &str| wrote.iter().filter(|write| write.contains(what)).count();
    assert_eq!((count("POST a mount: 201"), count("the end of an upload: 201")), (3, 2), "{wrote:?}");
    assert_eq!(wrote.last().unwrap(), "PUT the tag v2: 201");
    let from = requests.iter().filter(|asked| asked.path.contains("mount=sha256"));
    assert!(from.clone().all(|asked| asked.path.ends_with("from=team%2Fbase")), "{requests:?}");
    assert!(mounted["mountedBytes"].as_u64().unwrap() > 0);
}

#[test]
fn a_platform_that_is_pushed_alone_joins_those_that_are_there() {
    let Some(machine) = Machine::new() else { return };
    let name = machine.name("team/base:v1");
    machine.build(&name, "linux/amd64", "amd64");
    let amd = machine.json(&["push", &name]);
    machine.build(&name, "linux/arm64", "arm64");
    let (arm, requests) = machine.watch(|| machine.json(&["push", &name, "--platform", "linux/arm64"]));
    assert_eq!(arm["manifests"].as_array().unwrap().len(), 1);
    let wrote = writes(&requests);
    let end = wrote.len() - 2;
    assert_eq!(wrote[end..], ["PUT a manifest: 201", "PUT the tag v1: 201"]);
    // The shared layer is there, one layer and the config are new.
    assert_eq!(wrote.iter().filter(|write| write.contains("the end of an upload")).count(), 2, "{wrote:?}");

    let (root, cache) = (machine.world.path("other"), machine.world.path("other-cache"));
    let other = ["--root", root.to_str().unwrap(), "--cache", cache.to_str().unwrap()];
    let pulled = machine.json(&[&other[..], &["pull", "--platform", "all", &name]].concat());
    let platforms: Vec<&str> = pulled.as_array().unwrap().iter().map(|one| one["platform"].as_str().unwrap()).collect();
    assert_eq!(platforms, ["linux/amd64", "linux/arm64"]);
    assert_eq!(pulled[0]["digest"], arm["digest"]);
    assert_ne!(pulled[0]["digest"], amd["digest"]);
    assert_eq!(machine.run(&[&other[..], &["inspect", &name]].concat()), machine.run(&["inspect", &name]));
    // A new image for a platform takes the old one's place, and no other's.
    machine.build(&name, "linux/arm64", "a later arm64");
    let later = machine.json(&["push", &name, "--platform", "linux/arm64"]);
    let pulled = machine.json(&[&other[..], &["pull", "--platform", "all", &name]].concat());
    assert_eq!((pulled.as_array().unwrap().len(), &pulled[0]["digest"]), (2, &later["digest"]));
    assert_eq!(machine.run(&[&other[..], &["inspect", &name]].concat()), machine.run(&["inspect", &name]));
}

#[test]
fn a_base_image_for_two_platforms_goes_the_whole_way_round() {
    let Some(machine) = Machine::new() else { return };
    // Applied in the sandbox, which has what the recipe names.
    let both = ["--platform", "linux/amd64,linux/arm64"];
    machine.world.succeed(&[&["recipe", "apply", "recipes/rawdocker.yaml"][..], &both].concat());
    let name = machine.name("bases/kubernetes:v1");
    machine.run(&["tag", "kubernetes-rawdocker:v1.19.8", &name]);
    let shown = machine.run(&["inspect", &name]);
    assert_eq!(shown.matches("- kind: Image").count(), 2);

    machine.run(&["push", &name]);
    let text = |path: &str| machine.world.path(path).to_str().unwrap().to_owned();
    let (pulled, cache, loaded, archive) = (text("pulled"), text("cache-of-pulled"), text("loaded"), text("base.tar"));
    machine.run(&["--root", &pulled, "--cache", &cache, "pull", "--platform", "all", &name]);
    assert_eq!(machine.run(&["--root", &pulled, "inspect", &name]), shown);
    machine.run(&["--root", &pulled, "save", "-o", &archive, &name]);
    machine.run(&["--root", &loaded, "load", "-i", &archive]);
    assert_eq!(machine.run(&["--root", &loaded, "inspect", &name]), shown);
    let layers = |root: &str| crate::support::program::tree(&machine.world.path(root).join("data/overlay2"));
    assert_eq!(layers("loaded"), layers("pulled"));
    let own = layers("root");
    assert!(layers("loaded").iter().all(|(path, what)| own.get(path) == Some(what)));
    for root in [&pulled, &loaded] {
        let marks = fs_err::read_dir(format!("{root}/recipe/unverified")).unwrap();
        assert_eq!(marks.count(), 0, "{root}");
    }
    // And what was pushed again from there is the very same.
    let list = machine.json(&["push", &name]);
    let again = machine.json(&["--root", &loaded, "push", &name]);
    assert_eq!((&again["digest"], &again["uploadedBytes"]), (&list["digest"], &0.into()));
}
