//! Runs steps, as plans write them, on a context whose files are hard links into a layer.

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::cache::Cache;
use crate::disk::{Dir, FileTime};
use crate::fetch::{Fetcher, UrlMirror};
use crate::sandbox::Sandbox;
use crate::sources::{Counter, Sources};
use crate::transport::{
    Anonymous, ConfigPlaces, Engine, EngineHost, Http, HttpConfig, Puller, RegistriesConf, RegistryClient,
};
use crate::types::{Epoch, Event, Observer};

/// The time of the layer's files, in seconds; what steps make has the time [`MADE`].
pub(super) const OLD: i64 = 7;
/// The constant time.
pub(super) const MADE: u64 = 1_000;

struct Nobody;

impl Observer for Nobody {
    fn event(&self, _: Event) {}
}

/// A layer, a context with its files, a recipe's folder, and an outside world.
pub(super) struct World {
    folder: tempfile::TempDir,
    sources: Sources,
    sandbox: Option<Sandbox>,
}

impl World {
    /// An empty one, with nothing outside.
    pub(super) fn new() -> Self {
        Self::with(None)
    }

    /// An empty one, with the sandbox's miniatures outside.
    pub(super) fn with_sandbox() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::with(Some(Sandbox::start(folder.path()).unwrap()))
    }

    fn with(sandbox: Option<Sandbox>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["layer", "context", "scratch", "recipe"] {
            fs_err::create_dir(folder.path().join(name)).unwrap();
        }
        let observer: Arc<dyn Observer> = Arc::new(Nobody);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let cache = Arc::new(Cache::open(folder.path().join("cache")).unwrap());
        let conf = folder.path().join("registries.conf");
        let text = sandbox.as_ref().map(|sandbox| sandbox.server().registries_conf()).unwrap_or_default();
        fs_err::write(&conf, text).unwrap();
        let conf = RegistriesConf::load(&ConfigPlaces { named: Some(conf), user: None, system: None }).unwrap();
        let mirrors = sandbox.as_ref().map(Sandbox::url_mirrors).unwrap_or_default();
        let mirrors = mirrors.iter().flat_map(|mirror| UrlMirror::parse_list(mirror).unwrap()).collect();
        let http = Http::new(HttpConfig::default(), Arc::clone(&observer));
        let client = RegistryClient::new(http.clone(), conf, Arc::new(Anonymous));
        let puller = Puller::new(client, Arc::clone(&cache), Arc::clone(&observer), Puller::PARALLEL);
        let fetcher = Fetcher::new(http, Arc::clone(&cache), mirrors, Arc::clone(&observer));
        let engine = Engine::new(EngineHost::from_env(), Arc::clone(&cache), Arc::clone(&observer));
        let sources = Sources::new(runtime, puller, engine, fetcher, cache, Counter::new(observer));
        Self { folder, sources, sandbox }
    }

    /// A URL of the sandbox's server.
    pub(super) fn url(&self, path: &str) -> String {
        self.sandbox.as_ref().unwrap().server().url(path)
    }

    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// A file of the layer that the context has as a hard link; the folders above it have the same time.
    pub(super) fn file(self, path: &str, content: impl AsRef<[u8]>, mode: u32) -> Self {
        let (layer, context) = (self.path("layer").join(path), self.path("context").join(path));
        for file in [&layer, &context] {
            fs_err::create_dir_all(file.parent().unwrap()).unwrap();
        }
        fs_err::write(&layer, content).unwrap();
        fs_err::set_permissions(&layer, PermissionsExt::from_mode(mode)).unwrap();
        let name = layer.file_name().unwrap();
        Dir::open(layer.parent().unwrap()).unwrap().set_time(name, FileTime::of_seconds(OLD)).unwrap();
        fs_err::hard_link(&layer, &context).unwrap();
        self.age(path);
        self
    }

    /// A symlink of the context.
    pub(super) fn link(self, path: &str, target: &str) -> Self {
        let link = self.path("context").join(path);
        fs_err::create_dir_all(link.parent().unwrap()).unwrap();
        symlink(target, link).unwrap();
        self.age(path);
        self
    }

    /// A folder of the context.
    pub(super) fn folder(self, path: &str) -> Self {
        fs_err::create_dir_all(self.path("context").join(path)).unwrap();
        self.age(path);
        self
    }

    /// A file next to the recipe.
    pub(super) fn beside(self, path: &str, content: impl AsRef<[u8]>, mode: u32) -> Self {
        let file = self.path("recipe").join(path);
        fs_err::create_dir_all(file.parent().unwrap()).unwrap();
        fs_err::write(&file, content).unwrap();
        fs_err::set_permissions(&file, PermissionsExt::from_mode(mode)).unwrap();
        self
    }

    fn age(&self, path: &str) {
        let mut path = Path::new(path);
        while let (Some(parent), Some(name)) = (path.parent(), path.file_name()) {
            let folder = Dir::open(&self.path("context").join(parent)).unwrap();
            folder.set_time(name, FileTime::of_seconds(OLD)).unwrap();
            folder.set_own_time(FileTime::of_seconds(OLD)).unwrap();
            path = parent;
        }
    }

    fn layer(&self) -> Vec<String> {
        let mut lines = Vec::new();
        list(&self.path("layer"), Path::new(""), &mut |path, meta| {
            if meta.is_file() {
                let content = fs_err::read(path).unwrap();
                let ids = (meta.ino(), meta.uid(), meta.gid(), meta.mode(), meta.mtime(), meta.mtime_nsec());
                lines.push(format!("{} {ids:?} {}", path.display(), content.escape_ascii()));
            }
        });
        lines
    }

    /// Runs a step, as a plan writes it, and checks that the layer stays as it was.
    pub(super) fn try_run(&self, step: Value) -> Result<Outcome, StepFailure> {
        let layer = self.layer();
        let step: PlannedStep = serde_json::from_value(step).unwrap();
        let open = |name: &str| Dir::open(&self.path(name)).unwrap();
        let context = Context::new(open("context"), open("scratch"), Epoch::parse(&MADE.to_string()).unwrap());
        let beside = Beside::new(self.path("recipe"));
        let tools = Tools {
            sources: &self.sources,
            platform: &"linux/amd64".parse().unwrap(),
            cluster_registry: "sea.hub:5000",
            lists: &PlannedStep::lists(std::slice::from_ref(&step)),
            beside: &beside,
            is_preview: false,
            threads: 1,
            observer: &Nobody,
        };
        let result = step.run(&context, &tools);
        assert_eq!(self.layer(), layer, "{}: the layer is as it was", step.title());
        result
    }

    /// What a step did, or its whole failure.
    pub(super) fn run(&self, step: Value) -> String {
        match self.try_run(step) {
            Ok(outcome) => format!("{outcome:?}"),
            Err(StepFailure { at, failure }) => {
                let text = format!("{at}: {:?}: {}", failure.kind, failure.render(None, false));
                text.trim_end().replace(&self.folder.path().display().to_string(), "[WORLD]")
            }
        }
    }

    /// The context: each path with its mode, its time and its content or target.
    pub(super) fn context(&self) -> Vec<String> {
        let mut lines = Vec::new();
        list(&self.path("context"), Path::new(""), &mut |path, meta| {
            let name = path.strip_prefix(self.path("context")).unwrap().display();
            let (mode, time) = (meta.mode() & 0o7777, meta.mtime());
            lines.push(if meta.is_symlink() {
                format!("{name} {time} -> {}", fs_err::read_link(path).unwrap().display())
            } else if meta.is_dir() {
                format!("{name}/ {mode:04o} {time}")
            } else {
                let content = fs_err::read(path).unwrap();
                let content = if content.len() > 80 {
                    format!("{} bytes", content.len())
                } else {
                    content.escape_ascii().to_string()
                };
                format!("{name} {mode:04o} {time} {content}")
            });
            if crate::disk::is_root() && meta.is_file() {
                assert_eq!((meta.uid(), meta.gid()), (0, 0), "{name}");
            }
        });
        lines
    }
}

fn list(top: &Path, below: &Path, visit: &mut dyn FnMut(&Path, &std::fs::Metadata)) {
    let mut names: Vec<_> =
        fs_err::read_dir(top.join(below)).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    for name in names {
        let path = top.join(below).join(&name);
        let meta = fs_err::symlink_metadata(&path).unwrap();
        visit(&path, &meta);
        if meta.is_dir() {
            list(top, &below.join(&name), visit);
        }
    }
}

#[test]
fn every_step_that_writes_leaves_links_into_layers_and_the_times_of_folders_alone() {
    let world = || World::new().file("etc/a.conf", "old\n", 0o640).file("etc/b.json", "{\"a\": 1}\n", 0o600);
    for (step, changed) in [
        (json!({"patch": {"path": "etc/b.json", "merge": {"a": 2}}}), "etc/b.json 0600 1000 {\\\"a\\\": 2}\\n"),
        (
            json!({"replaceText": {"path": "etc/a.conf", "find": "old", "replace": "new"}}),
            "etc/a.conf 0640 1000 new\\n",
        ),
        (json!({"write": {"path": "etc/a.conf", "content": "new"}}), "etc/a.conf 0640 1000 new"),
        (json!({"write": {"path": "etc/a.conf", "content": "old\n", "mode": "0644"}}), "etc/a.conf 0644 1000 old\\n"),
        (json!({"chmod": {"paths": ["etc/a.conf"], "mode": "4755"}}), "etc/a.conf 4755 1000 old\\n"),
        (json!({"move": {"from": "etc/a.conf", "to": "etc/c.conf"}}), "etc/c.conf 0640 7 old\\n"),
        (json!({"symlink": {"path": "etc/l", "target": "/a.conf"}}), "etc/l 1000 -> /a.conf"),
    ] {
        let world = world();
        let outcome = world.try_run(step.clone()).unwrap();
        assert!(matches!(outcome, Outcome::Changed(_)), "{step}: {outcome:?}");
        let context = world.context();
        assert!(context.contains(&changed.to_owned()), "{step}: {context:#?}");
        assert_eq!(context[0], "etc/ 0755 7", "{step}");
        let scratch: Vec<_> = fs_err::read_dir(world.path("scratch")).unwrap().collect();
        assert!(scratch.is_empty(), "{step}: {scratch:?}");
    }
}

#[test]
fn no_step_goes_through_a_symlink() {
    for step in [
        json!({"patch": {"path": "out/x.json", "merge": {"a": 2}}}),
        json!({"replaceText": {"path": "out/a.conf", "find": "old", "replace": "new"}}),
        json!({"write": {"path": "out/x", "content": "new"}}),
        json!({"copy": {"from": "f", "path": "out/x"}}),
        json!({"chmod": {"paths": ["out/x"], "mode": "0755"}}),
        json!({"move": {"from": "out/x", "to": "y"}}),
        json!({"move": {"from": "f", "to": "out/x/y"}}),
        json!({"symlink": {"path": "out/x", "target": "y"}}),
        json!({"imageList": {"path": "out/x", "images": [{"image": "docker.io/library/a:1"}]}}),
    ] {
        let world = World::new().file("f", "f", 0o644).beside("f", "f", 0o644);
        let outside = tempfile::tempdir().unwrap();
        fs_err::write(outside.path().join("x"), "old").unwrap();
        let world = world.link("out", outside.path().to_str().unwrap());
        let failure = world.try_run(step.clone()).unwrap_err().failure;
        assert!(
            failure.message.contains("leads through `out`, which is a symlink in the context, expected a folder"),
            "{step}: {failure:?}"
        );
        let there: Vec<_> = fs_err::read_dir(outside.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(there, ["x"], "{step}");
    }
    // Globs do not see what is behind it, and the symlink itself can be removed.
    let outside = tempfile::tempdir().unwrap();
    fs_err::write(outside.path().join("x"), "old").unwrap();
    let world = World::new().link("out", outside.path().to_str().unwrap());
    insta::assert_snapshot!(world.run(json!({"remove": {"paths": ["out/*"]}})), @"paths/0: Failed: error: nothing of the context matches `out/*`");
    insta::assert_snapshot!(world.run(json!({"remove": {"paths": ["out"]}})), @r#"Changed("out")"#);
    assert!(outside.path().join("x").exists());
}
