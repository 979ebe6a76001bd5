//! A stand-in for a Docker engine: on a socket or a port of its own it gives what it is told, and on the disk it has
//! files as an engine that pulled.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use sealer::testing::tar::TarWriter;
use sealer::testing::types::{Digest, Epoch};
use serde_json::{Value, json};

use crate::support::program::World;

/// Status and body of each path of the API.
type Answers = BTreeMap<String, (u16, Vec<u8>)>;

/// An engine's image: a registry's, or one of the engine's own.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    pub(crate) name: String,
    pub(crate) repo_digests: Vec<String>,
    pub(crate) config: Vec<u8>,
    pub(crate) diff_ids: Vec<Digest>,
    /// The layers as a registry has them: compressed.
    pub(crate) layers: Vec<(Digest, Vec<u8>)>,
}

impl Image {
    /// What the sandbox's registry has under that name for linux/amd64, as an engine knows it that pulled it.
    pub(crate) fn of_registry(world: &World, name: &str) -> Self {
        let registry = world.server().registry(|registry| registry.clone());
        let (repository, tag) = name.rsplit_once(':').unwrap();
        let full = if repository.contains('.') { repository.to_owned() } else { format!("docker.io/{repository}") };
        let held = registry.repository(&full).unwrap();
        let read = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap();
        let list = held.manifest(tag).unwrap();
        let digest = |value: &Value| value["digest"].as_str().unwrap().parse::<Digest>().unwrap();
        let entries = read(&list.bytes)["manifests"].as_array().unwrap().clone();
        let entry = entries.iter().find(|entry| entry["platform"]["architecture"] == "amd64").unwrap();
        let manifest = read(&held.manifest(&digest(entry).to_string()).unwrap().bytes);
        let blob = |digest: Digest| registry.blob(&full, digest).unwrap().to_vec();
        let config = blob(digest(&manifest["config"]));
        let diff_ids = serde_json::from_value(read(&config)["rootfs"]["diff_ids"].clone()).unwrap();
        let layers = manifest["layers"].as_array().unwrap().iter().map(|layer| (digest(layer), blob(digest(layer))));
        let repo_digests = vec![format!("{repository}@{}", list.descriptor.digest)];
        Self { name: name.to_owned(), repo_digests, config, diff_ids, layers: layers.collect() }
    }

    /// The same image under a name that no registry gave it.
    pub(crate) fn loaded_as(&self, name: &str) -> Self {
        Self { name: name.to_owned(), repo_digests: Vec::new(), ..self.clone() }
    }

    pub(crate) fn id(&self) -> Digest {
        Digest::of(&self.config)
    }

    fn inspected(&self) -> Value {
        let config: Value = serde_json::from_slice(&self.config).unwrap();
        json!({
            "Id": self.id(), "RepoTags": [self.name], "RepoDigests": self.repo_digests, "Size": 4321,
            "Os": config["os"], "Architecture": config["architecture"],
            "RootFS": {"Type": "layers", "Layers": self.diff_ids},
        })
    }

    /// As `docker save` packs it.
    fn saved(&self) -> Vec<u8> {
        let mut tar = TarWriter::new(Vec::new(), Epoch::DEFAULT);
        let mut file = |name: &str, bytes: &[u8]| tar.file(name.as_bytes(), 0o644, bytes.len() as u64, bytes).unwrap();
        let mut names = Vec::new();
        for (index, (_, blob)) in self.layers.iter().enumerate() {
            let mut layer = Vec::new();
            flate2::read::MultiGzDecoder::new(&blob[..]).read_to_end(&mut layer).unwrap();
            names.push(format!("{}/layer.tar", Digest::of(&[u8::try_from(index).unwrap()]).hex()));
            file(&names[index], &layer);
        }
        let config = format!("{}.json", self.id().hex());
        file(&config, &self.config);
        let manifest = json!([{"Config": config, "RepoTags": [self.name], "Layers": names}]);
        file("manifest.json", manifest.to_string().as_bytes());
        tar.finish().unwrap()
    }
}

/// An engine that is there until the process ends: a test that is over asks nothing more.
pub(crate) struct Engine {
    answers: Answers,
    root: PathBuf,
}

impl Engine {
    /// One that keeps its files in the world's `docker`.
    pub(crate) fn new(world: &World) -> Self {
        let root = world.path("docker");
        let engine = Self { answers: Answers::new(), root };
        let about = json!({"DockerRootDir": engine.root, "Driver": "overlay2", "DriverStatus": [["Backing Filesystem", "extfs"]]});
        engine.answering("/info", 200, about.to_string())
    }

    pub(crate) fn answering(mut self, path: &str, status: u16, body: impl Into<Vec<u8>>) -> Self {
        self.answers.insert(path.to_owned(), (status, body.into()));
        self
    }

    /// With an image, which it can pack too.
    pub(crate) fn with(self, image: &Image) -> Self {
        let packed = format!("/images/{}/get", image.id());
        self.answering(&format!("/images/{}/json", image.name), 200, image.inspected().to_string()).answering(
            &packed,
            200,
            image.saved(),
        )
    }

    /// Where the file on a layer is.
    pub(crate) fn file(&self, diff_id: Digest) -> PathBuf {
        self.root.join("image/overlay2/distribution/v2metadata-by-diffid/sha256").join(diff_id.hex())
    }

    /// Notes that it saw a layer in these repositories.
    pub(crate) fn seen(&self, diff_id: Digest, digests: &[(Digest, &str)]) {
        let entries = digests.iter().map(|(digest, repository)| {
            json!({"Digest": digest, "SourceRepository": repository, "HMAC": "secret-of-a-login"})
        });
        let path = self.file(diff_id);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, Value::from(entries.collect::<Vec<_>>()).to_string()).unwrap();
    }

    /// Listens on the world's `engine.sock`, and gives what `DOCKER_HOST` must be.
    pub(crate) fn on_socket(self, socket: &Path) -> String {
        let listener = UnixListener::bind(socket).unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                self.answer(stream.try_clone().unwrap(), stream);
            }
        });
        format!("unix://{}", socket.display())
    }

    /// As if it were on another machine.
    pub(crate) fn on_port(self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = format!("tcp://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                self.answer(stream.try_clone().unwrap(), stream);
            }
        });
        host
    }

    fn answer(&self, from: impl Read, mut to: impl Write) {
        let mut head = BufReader::new(from).lines().map_while(Result::ok);
        let path = head.next().unwrap_or_default().split(' ').nth(1).unwrap_or_default().to_owned();
        for line in head {
            if line.is_empty() {
                break;
            }
        }
        let missing = (404, br#"{"message":"No such image"}"#.to_vec());
        let (status, body) = self.answers.get(&path).unwrap_or(&missing);
        let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        // Whoever asked may be gone already.
        let _ = to.write_all(&[head.as_bytes(), body].concat());
    }
}
