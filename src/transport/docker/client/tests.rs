use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader};
use std::os::unix::net::UnixListener;

use serde_json::json;

use super::*;
use crate::image::Blobs as _;
use crate::tar::TarWriter;
use crate::types::{Epoch, Reportable as _, Silent};

/// What a path of the API gives: a status, a body, and whether the connection is cut before its end.
type Answers = BTreeMap<String, (u16, Vec<u8>, bool)>;

/// An engine that gives what it is told, on a socket of its own.
struct Fake {
    folder: tempfile::TempDir,
}

impl Fake {
    fn new(answers: Answers) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("s")).unwrap();
        // It ends with the process: a test that is over asks nothing more.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut head = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
                let path = head.next().unwrap_or_default().split(' ').nth(1).unwrap_or_default().to_owned();
                for line in head {
                    if line.is_empty() {
                        break;
                    }
                }
                let missing = (404, br#"{"message":"No such image"}"#.to_vec(), false);
                let (status, body, is_cut) = answers.get(&path).unwrap_or(&missing);
                let length = body.len() + usize::from(*is_cut);
                let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
                stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
            }
        });
        Self { folder }
    }

    fn engine(&self) -> (Engine, Arc<Cache>) {
        let cache = Arc::new(Cache::open(self.folder.path().join("cache")).unwrap());
        let host = EngineHost::new(&format!("unix://{}", self.folder.path().join("s").display()));
        (Engine::new(host, Arc::clone(&cache), Arc::new(Silent)), cache)
    }

    fn ask(&self) -> Result<ContainerImage, String> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (engine, _) = self.engine();
        let asked = runtime.block_on(engine.image(&image(), &platform()));
        asked.map_err(|error| self.said(&error))
    }

    /// Kind, message with its causes, and advice.
    fn said(&self, error: &EngineError) -> String {
        let mut text = format!("{:?}: {error}", error.kind());
        let mut next = std::error::Error::source(error);
        while let Some(error) = next {
            text = format!("{text}: {error}");
            next = error.source();
        }
        let text = format!("{text}\n    {}", error.help().unwrap_or_default());
        text.replace(self.folder.path().to_str().unwrap(), "[ENGINE]")
    }
}

fn image() -> ImageSource {
    "docker-daemon:foo:v1".parse().unwrap()
}

fn platform() -> Platform {
    "linux/amd64".parse().unwrap()
}

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = TarWriter::new(Vec::new(), Epoch::DEFAULT);
    for (name, content) in files {
        tar.file(name.as_bytes(), 0o644, content.len() as u64, *content).unwrap();
    }
    tar.finish().unwrap()
}

/// An image of one layer: its id and its archive.
fn saved(architecture: &str, layer: &[u8]) -> (Digest, Vec<u8>) {
    let config = json!({
        "architecture": architecture, "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [Digest::of(layer)]},
    });
    let (config, name) = (config.to_string(), format!("{}/layer.tar", "1".repeat(64)));
    let id = Digest::of(config.as_bytes());
    let config_name = format!("{}.json", id.hex());
    let manifest = json!([{"Config": config_name, "RepoTags": ["foo:v1"], "Layers": [name]}]).to_string();
    (id, tar(&[(&config_name, config.as_bytes()), (&name, layer), ("manifest.json", manifest.as_bytes())]))
}

fn inspected(id: &dyn std::fmt::Display, architecture: &str) -> (String, (u16, Vec<u8>, bool)) {
    let body = json!({"Id": id.to_string(), "Os": "linux", "Architecture": architecture});
    ("/images/foo:v1/json".to_owned(), (200, body.to_string().into_bytes(), false))
}

fn exported(id: Digest, status: u16, body: &[u8], is_cut: bool) -> (String, (u16, Vec<u8>, bool)) {
    (format!("/images/{id}/get"), (status, body.to_vec(), is_cut))
}

#[test]
fn an_image_is_whole_in_the_cache_and_converted_once() {
    let layer = tar(&[("x", b"x")]);
    let (id, archive) = saved("amd64", &layer);
    let fake = Fake::new(Answers::from([inspected(&id, "amd64"), exported(id, 200, &archive, false)]));
    let first = fake.ask().unwrap();
    assert_eq!((first.config.digest, first.layers.len()), (id, 1));
    assert_eq!(first.reference.to_string(), "docker.io/library/foo:v1");
    assert_eq!(first.manifest.descriptor.digest, Digest::of(&first.manifest.bytes));
    // Decides the digests in images that are made of an engine's.
    insta::assert_snapshot!(String::from_utf8(first.manifest.bytes.clone()).unwrap(), @r#"{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":{"mediaType":"application/vnd.docker.container.image.v1+json","size":151,"digest":"sha256:ac597e2347693443b3f66c60ce37592ae5da4061dba2c6bec32c8097485effd5"},"layers":[{"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip","size":88,"digest":"sha256:cc47655cda8a3bac30c6f9b19a9da4f8c4a746e83b1de9510b9bb3a276198030"}]}"#);
    let (_, cache) = fake.engine();
    let blob = cache.open(first.layers[0].digest).unwrap();
    let mut content = Vec::new();
    io::Read::read_to_end(&mut flate2::read::MultiGzDecoder::new(blob), &mut content).unwrap();
    assert!(content == layer);

    // An engine that cannot pack it any more: what is in the cache is enough, as long as all of it is there.
    let second = Fake::new(Answers::from([inspected(&id, "amd64"), exported(id, 500, b"{}", false)]));
    let mut copy = std::process::Command::new("cp");
    copy.arg("-a").arg(fake.folder.path().join("cache")).arg(second.folder.path());
    assert!(copy.status().unwrap().success());
    assert_eq!(second.ask().unwrap(), first);
    let (_, cache) = second.engine();
    cache.discard(first.layers[0].digest).unwrap();
    assert!(second.ask().is_err());
}

#[test]
fn what_an_engine_says_is_not_believed_and_its_failures_are_told() {
    let layer = tar(&[("x", b"x")]);
    let (id, good) = saved("amd64", &layer);
    let (arm_id, arm) = saved("arm64", &layer);
    let whole = |body: &[u8]| Answers::from([inspected(&id, "amd64"), exported(id, 200, body, false)]);
    let inspect =
        |status, body: &[u8]| Answers::from([("/images/foo:v1/json".to_owned(), (status, body.to_vec(), false))]);
    let list = json!([{"Id": "", "ParentId": "", "RepoTags": ["bar:v1", "foo:v2"], "RepoDigests": [], "Created": 0,
        "Size": 0, "SharedSize": 0, "Labels": null, "Containers": 0}, {"Id": "", "ParentId": "", "RepoTags": null,
        "RepoDigests": null, "Created": 0, "Size": 0, "SharedSize": 0, "Labels": null, "Containers": 0}]);
    let listed = ("/images/json".to_owned(), (200, list.to_string().into_bytes(), false));
    let cases = [
        ("nothing there", Answers::new()),
        ("another tag there", Answers::from([listed])),
        ("another platform", Answers::from([inspected(&arm_id, "arm64")])),
        ("another platform inside", Answers::from([inspected(&arm_id, "amd64"), exported(arm_id, 200, &arm, false)])),
        ("an engine in trouble", inspect(500, br#"{"message":"disk on fire\u001b[2J"}"#)),
        ("a refusal", inspect(403, b"go away")),
        ("an id that is none", Answers::from([inspected(&"sha256:12", "amd64")])),
        ("no JSON", inspect(200, b"<html>")),
        ("another image", whole(&arm)),
        ("no archive", whole(b"<html>")),
        ("a cut archive", whole(&good[..1000])),
        ("a cut connection", Answers::from([inspected(&id, "amd64"), exported(id, 200, &good[..1000], true)])),
        ("gone meanwhile", Answers::from([inspected(&id, "amd64")])),
        (
            "no room for packing",
            Answers::from([inspected(&id, "amd64"), exported(id, 500, br#"{"message":"no space"}"#, false)]),
        ),
    ];
    let mut messages = Vec::new();
    for (case, answers) in cases {
        let fake = Fake::new(answers);
        let said = fake.ask().expect_err(case);
        messages.push(format!("{case}: {said}"));
        let (_, cache) = fake.engine();
        assert_eq!(fs_err::read_dir(cache.root().join("staging")).unwrap().count(), 0, "{case}");
    }
    insta::assert_snapshot!(messages.join("\n"));
}

#[test]
fn who_may_not_use_the_socket_hears_what_to_do() {
    let fake = Fake::new(Answers::new());
    let (engine, _) = fake.engine();
    let said =
        |kind: io::ErrorKind| fake.said(&engine.failed(&image(), EngineFault::of_system(&io::Error::from(kind))));
    insta::assert_snapshot!(said(io::ErrorKind::PermissionDenied), @"
    Failed: cannot ask the Docker engine at `unix://[ENGINE]/s` for `docker-daemon:foo:v1`: permission denied
        run this as root, or as a user of the group that owns the socket, usually `docker`
    ");
    insta::assert_snapshot!(said(io::ErrorKind::TimedOut), @"
    Retry: cannot ask the Docker engine at `unix://[ENGINE]/s` for `docker-daemon:foo:v1`: timed out
        start the engine, or set DOCKER_HOST to where it listens; an image from a registry needs no engine
    ");
}
