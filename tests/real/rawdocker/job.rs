//! The job: load, apply, and what there was before and is after.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use sealer::testing::sandbox::{Registry, Server, miniature};
use sealer::testing::types::Digest;
use serde_json::Value;

use crate::support::program::{copy_recipes, tree};
use crate::support::real::{self, DockerRegistry};
use crate::support::shared_file;

/// The base image.
pub(crate) const BASE: &str = "kubernetes:v1.19.8";
/// The image that the first stage makes.
pub(crate) const ALPINE: &str = "kubernetes-rawdocker:v1.19.8-alpine";
/// The image that the second stage makes.
pub(crate) const CALICO: &str = "kubernetes-rawdocker:v1.19.8";
/// What short names of images begin with in full.
pub(crate) const PREFIX: &str = "registry.cn-qingdao.aliyuncs.com/sealer-io/";
/// What the image list names, as the page writes it.
pub(crate) const LISTED: [&str; 6] = [
    "calico/cni:v3.19.1",
    "calico/kube-controllers:v3.19.1",
    "calico/node:v3.19.1",
    "calico/pod2daemon-flexvol:v3.19.1",
    "calico/typha:v3.19.1",
    "quay.io/tigera/operator:v1.17.4",
];

/// What the job left behind, in a folder below the target folder: too much for a temporary folder in memory, and nobody
/// is there at the end who could remove it. The next run does.
pub(crate) struct Job {
    folder: PathBuf,
    /// Everything below `data/overlay2` after the load and before the apply.
    pub(crate) layers_before: BTreeMap<PathBuf, String>,
    /// What `recipe apply -o json` said.
    pub(crate) report: Value,
    /// Held as long as the process lives: another run of these tests waits for it.
    _lock: fs_err::File,
}

/// Where images and files come from while it lives: a real registry and a web server, with the settings that lead there.
pub(crate) struct Outside {
    pub(crate) registry: DockerRegistry,
    server: Server,
    settings: tempfile::NamedTempFile,
}

/// The job, done; nothing where something that it needs is missing, which was said then.
pub(crate) fn job() -> Option<&'static Job> {
    static JOB: LazyLock<Job> = LazyLock::new(Job::run);
    let tools = ["docker-registry", "skopeo"].iter().all(|program| real::available(program));
    let inputs = shared_file("golden/kubernetes-v1.19.8.save.tar").is_some() && real::docker_archive().is_some();
    if std::env::consts::ARCH != "x86_64" {
        crate::support::missing("an amd64 machine, which the golden base image is for,");
        return None;
    }
    (tools && inputs).then(|| &*JOB)
}

impl Job {
    fn run() -> Self {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let lock = fs_err::File::create(target.join("real-rawdocker.lock")).unwrap();
        lock.file().lock().unwrap();
        let folder = target.join("real-rawdocker");
        if folder.exists() {
            fs_err::remove_dir_all(&folder).unwrap();
        }
        fs_err::create_dir_all(folder.join("registry")).unwrap();
        copy_recipes(&folder);
        let mut job = Self { folder, layers_before: BTreeMap::new(), report: Value::Null, _lock: lock };
        let archive = shared_file("golden/kubernetes-v1.19.8.save.tar").unwrap();
        let loaded = succeed(job.sealer("root").arg("load").arg("-i").arg(archive));
        assert_eq!(loaded, format!("loaded {PREFIX}{BASE} (linux/amd64)\n"));
        job.layers_before = tree(&job.root().join("data/overlay2"));
        let outside = job.outside();
        push(outside.registry.address());
        job.report = job.apply(&outside, "root", &["--threads", "2"]);
        job
    }

    /// The store with the images.
    pub(crate) fn root(&self) -> PathBuf {
        self.path("root")
    }

    /// A path in the job's folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Starts the registry, on the storage that it had before, and the web server.
    pub(crate) fn outside(&self) -> Outside {
        let registry = real::docker_registry_on(&self.path("registry")).unwrap();
        let server = Server::start().unwrap();
        let archive = fs_err::read(real::docker_archive().unwrap()).unwrap();
        server.files(|files| {
            files.put("download.docker.com/linux/static/stable/x86_64/docker-19.03.15.tgz", archive);
        });
        let settings = tempfile::NamedTempFile::new().unwrap();
        let address = registry.address();
        let lines = ["docker.io", "quay.io", "registry.cn-qingdao.aliyuncs.com"].map(|host| {
            format!("[[registry]]\nprefix = \"{host}\"\nlocation = \"{address}/{host}\"\ninsecure = true\n")
        });
        fs_err::write(settings.path(), lines.concat()).unwrap();
        Outside { registry, server, settings }
    }

    /// The program on a store in the job's folder, with the cache of that store, without settings. Its current folder
    /// is the job's, with the repository's recipes.
    pub(crate) fn sealer(&self, store: &str) -> Command {
        let mut command = Command::new("timeout");
        command.arg("300").arg(env!("CARGO_BIN_EXE_sealer"));
        command.arg("--root").arg(self.path(store)).arg("--cache").arg(self.path(&format!("{store}-cache")));
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", self.path("home"));
        command.env("CONTAINERS_REGISTRIES_CONF", "/dev/null").current_dir(self.path(""));
        command
    }

    /// `recipe apply` of the shipped recipe; gives the report.
    pub(crate) fn apply(&self, outside: &Outside, store: &str, more: &[&str]) -> Value {
        let mut command = self.sealer(store);
        outside.lead(&mut command);
        command.args(["recipe", "apply", "recipes/rawdocker.yaml", "-o", "json"]).args(more);
        serde_json::from_str(&succeed(&mut command)).unwrap()
    }

    /// The document of an image of the store, as `inspect` shows it.
    pub(crate) fn inspect(&self, image: &str) -> Value {
        let documents = succeed(self.sealer("root").args(["inspect", "-o", "json", image]));
        let documents: Vec<Value> = serde_json::from_str(&documents).unwrap();
        assert_eq!(documents.len(), 1, "{image} has one platform");
        documents[0].clone()
    }

    /// The ids of an image's layers, the lowest first.
    pub(crate) fn layers(&self, image: &str) -> Vec<Digest> {
        let document = self.inspect(image);
        let layers = document["spec"]["layers"].as_array().unwrap();
        layers.iter().map(|layer| layer["id"].as_str().unwrap().parse().unwrap()).collect()
    }

    /// The folders of an image's layers, the lowest first.
    pub(crate) fn layer_folders(&self, image: &str) -> Vec<PathBuf> {
        let overlay = self.root().join("data/overlay2");
        self.layers(image).iter().map(|layer| overlay.join(layer.hex())).collect()
    }
}

impl Outside {
    /// Lets a command find it.
    pub(crate) fn lead(&self, command: &mut Command) {
        let mirror = self.server.url("/files/download.docker.com/");
        command.arg("--url-mirror").arg(format!("https://download.docker.com/={mirror}"));
        command.env("CONTAINERS_REGISTRIES_CONF", self.settings.path());
    }
}

/// Puts the container images that the recipe names into a real registry, each under the host it stands for.
fn push(to: std::net::SocketAddr) {
    let server = Server::start().unwrap();
    server.content(miniature::fill);
    let miniatures: Registry = server.registry(|registry| registry.clone());
    let mut pushed = 0;
    for (name, _) in miniatures.repositories() {
        if name.starts_with("docker.io/") || name.starts_with("quay.io/") {
            real::push(&miniatures, name, to, name);
            pushed += 1;
        }
    }
    assert_eq!(pushed, 7, "six of Calico's and the registry itself");
}

/// Runs a command that has to succeed; gives what it said on stdout.
#[track_caller]
pub(crate) fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{stderr}", output.status);
    String::from_utf8(output.stdout).unwrap()
}
