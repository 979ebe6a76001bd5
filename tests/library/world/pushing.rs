//! Pushes to registries that answer well and badly.

use std::sync::Arc;

use sealer::testing::image::Descriptor;
use sealer::testing::image::pushed::LAYER_TYPE;
use sealer::testing::sandbox::{Fault, TokenRules, When};
use sealer::testing::transport::{
    Anonymous, Credentials, CredentialsError, Known, Login, Proof, PushImage, PushLayer, Pusher, RegistriesConf,
    RegistryClient, Secret,
};
use sealer::testing::types::{Digest, Event, FailureKind, ImageRef, Reportable as _, Source};
use serde_json::Value;

use super::{World, impatient, parsed, pulling::shown};

const NAME: &str = "team.example/base/kubernetes:v1";
const REPOSITORY: &str = "team.example/base/kubernetes";

impl World {
    fn pusher(&self) -> Pusher {
        self.server.play("team.example");
        self.pusher_with(&self.server.registries_conf(), Arc::new(Anonymous))
    }

    fn pusher_with(&self, conf: &str, credentials: Arc<dyn Credentials>) -> Pusher {
        let conf = RegistriesConf::from_text(&Source::new("registries.conf", conf)).unwrap();
        let client = RegistryClient::new(self.http(impatient()), conf, credentials);
        Pusher::new(client, self.said.clone(), 3)
    }

    /// A layer whose blob lies in the cache.
    fn layer(&self, content: &[u8], shared_with: &[&str]) -> PushLayer {
        let size = content.len() as u64;
        let digest = self.cache.put(content, sealer::testing::cache::Expected::default()).unwrap();
        let blob = Descriptor { media_type: LAYER_TYPE.to_owned(), digest, size };
        let shared_with: Vec<ImageRef> = shared_with.iter().map(|name| parsed(name)).collect();
        PushLayer { blob, path: self.cache.path(digest), shared_with }
    }

    fn image(&self, platform: &str, layers: &[&[u8]]) -> PushImage {
        let layers = layers.iter().map(|content| self.layer(content, &[])).collect();
        PushImage { platform: platform.parse().unwrap(), config: format!("{{\"for\":\"{platform}\"}}").into(), layers }
    }

    fn tag(&self, tag: &str) -> Option<Value> {
        self.server.registry(|registry| {
            let document = registry.repository(REPOSITORY)?.manifest(tag)?;
            Some(serde_json::from_slice(&document.bytes).unwrap())
        })
    }

    /// The requests that changed something, digests cut.
    fn writes(&self) -> Vec<String> {
        let asked = self.server.requests().into_iter().filter(|asked| !matches!(&*asked.method, "GET" | "HEAD"));
        asked
            .map(|asked| {
                let path = asked.path.split("sha256:").next().unwrap_or_default();
                let path = if path.contains("/uploads/upload-") { "an upload" } else { path };
                format!("{} {} {}", asked.method, path, asked.status)
            })
            .collect()
    }
}

#[tokio::test]
async fn the_list_comes_last_and_a_second_push_sends_nothing() {
    let world = World::new();
    let pusher = world.pusher();
    let noise = vec![7; 3 << 20];
    let image = world.image("linux/amd64", &[&noise, b"two"]);
    let pushed = pusher.push(&parsed(NAME), std::slice::from_ref(&image)).await.unwrap();
    let size = (noise.len() + 3 + image.config.len()) as u64;
    assert_eq!((pushed.present, pushed.mounted, pushed.uploaded), (0, 0, size));
    let writes = world.writes();
    let manifests = format!("PUT /v2/{REPOSITORY}/manifests/");
    assert_eq!(writes[writes.len() - 2..], [format!("{manifests} 201"), format!("{manifests}v1 201")]);
    assert_eq!(writes.iter().filter(|write| write.starts_with("PUT an upload")).count(), 3);
    let list = world.tag("v1").unwrap();
    assert_eq!(list["manifests"][0]["digest"], pushed.manifests[0].1.digest.to_string());
    assert_eq!(list["manifests"][0]["size"], pushed.manifests[0].1.size);
    let what = format!("{NAME} {}", &image.layers[0].blob.digest.hex()[..12]);
    let (digest, total) = (image.layers[0].blob.digest, Some(noise.len() as u64));
    let events = world.said.events();
    assert!(events.contains(&Event::Transfer { what: what.clone(), received: noise.len() as u64, total }));
    assert!(events.contains(&Event::Transferred { what, digest, size: noise.len() as u64 }));
    let reference = NAME.to_owned();
    let end = Event::ImagePushed { reference, digest: pushed.list.digest, size, uploaded: size };
    assert_eq!(events.last(), Some(&end));

    world.server.forget_requests();
    let again = pusher.push(&parsed(NAME), &[image]).await.unwrap();
    assert_eq!((again.list, again.manifests), (pushed.list, pushed.manifests));
    assert_eq!((again.present, again.mounted, again.uploaded), (size, 0, 0));
    assert_eq!(world.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn other_platforms_that_are_there_stay() {
    let world = World::new();
    let pusher = world.pusher();
    let (amd, arm) = (world.image("linux/amd64", &[b"amd"]), world.image("linux/arm64", &[b"arm"]));
    pusher.push(&parsed(NAME), std::slice::from_ref(&arm)).await.unwrap();
    let one_by_one = pusher.push(&parsed(NAME), std::slice::from_ref(&amd)).await.unwrap();
    let both = pusher.push(&parsed("team.example/base/kubernetes:both"), &[amd, arm]).await.unwrap();
    assert_eq!(one_by_one.list, both.list);
    assert_eq!(world.tag("v1").unwrap()["manifests"].as_array().unwrap().len(), 2);
    assert_eq!(world.said.warnings(), Vec::<String>::new());
    // What is no list gives way, and that is said.
    let digest = both.manifests[0].1.digest;
    let single = world.server.registry(|registry| {
        let bytes = registry.repository(REPOSITORY).unwrap().manifests[&digest].bytes.clone();
        registry.put_manifest(REPOSITORY, Some("v1"), "application/vnd.docker.distribution.manifest.v2+json", bytes)
    });
    pusher.push(&parsed(NAME), &[world.image("linux/arm64", &[b"arm"])]).await.unwrap();
    let host = world.server.address();
    let expected = format!(
        "`v1` of `{host}/{REPOSITORY}` is the manifest of one image; the list of this push replaces it, and {single} \
         can still be pulled by its digest"
    );
    assert_eq!(world.said.warnings(), [expected]);
}

#[tokio::test]
async fn a_blob_of_another_repository_is_mounted_and_not_sent() {
    let world = World::new();
    let pusher = world.pusher();
    pusher.push(&parsed(NAME), &[world.image("linux/amd64", &[b"shared"])]).await.unwrap();
    world.server.forget_requests();
    let mut image = world.image("linux/amd64", &[]);
    // The first has it not, the second is at another registry, the third has it.
    let others = ["team.example/none:1", "other.example/base/kubernetes:v1", NAME];
    image.layers = vec![world.layer(b"shared", &others), world.layer(b"own", &others)];
    let pushed = pusher.push(&parsed("team.example/mine:1"), &[image.clone()]).await.unwrap();
    assert_eq!((pushed.mounted, pushed.uploaded), (6, 3 + image.config.len() as u64));
    let mounts: Vec<_> = world.server.requests().into_iter().filter(|asked| asked.query.contains("mount=")).collect();
    assert_eq!(mounts.len(), 1);
    assert_eq!((&*mounts[0].method, mounts[0].status), ("POST", 201));
    let from = "from=team.example%2Fbase%2Fkubernetes";
    assert!(mounts[0].query.ends_with(from), "{}", mounts[0].query);
    // A registry that does not mount is sent the bytes; the rest is there.
    world.server.registry(|registry| {
        registry.put_blob("team.example/next", image.config.clone());
        registry.put_blob("team.example/next", &b"own"[..]);
    });
    world.server.fault(When::path("/v2/team.example/next/blobs/uploads").once().writes(), Fault::Status(405, vec![]));
    let pushed = pusher.push(&parsed("team.example/next:1"), &[image.clone()]).await.unwrap();
    assert_eq!((pushed.present, pushed.mounted, pushed.uploaded), (3 + image.config.len() as u64, 0, 6));
}

#[tokio::test]
async fn what_fails_for_a_while_is_tried_again() {
    let upload = || When::path(format!("/v2/{REPOSITORY}/blobs/uploads/")).writes();
    for (place, fault) in [
        ("begin", (upload().once(), Fault::Status(503, vec![]))),
        ("begin", (upload().once(), Fault::Drop)),
        ("send", (upload().after(1).once(), Fault::Status(500, vec![]))),
        // The registry has it, and its answer is lost.
        ("send", (upload().after(1).once(), Fault::Drop)),
        ("send", (upload().after(1).once(), Fault::Status(404, vec![]))),
        ("manifest", (When::path(format!("/v2/{REPOSITORY}/manifests/")).writes().once(), Fault::Drop)),
        ("list", (When::path(format!("/v2/{REPOSITORY}/manifests/v1")).writes().once(), Fault::Status(429, vec![]))),
    ] {
        let world = World::new();
        let pusher = world.pusher();
        let shown = format!("{place} {fault:?}");
        let is_gone = matches!(&fault.1, Fault::Status(404, _));
        world.server.fault(fault.0, fault.1);
        let pushed = pusher.push(&parsed(NAME), &[world.image("linux/amd64", &[&vec![1; 300_000]])]).await;
        if is_gone {
            // Without a word that the upload is meant, it is the repository that is not there.
            assert_eq!(pushed.unwrap_err().kind(), FailureKind::Failed, "{shown}");
            continue;
        }
        pushed.unwrap_or_else(|error| panic!("{shown}: {error}"));
        assert_eq!(world.said.warnings().len(), 1, "{shown}");
        assert!(world.tag("v1").is_some());
    }
}

#[tokio::test]
async fn a_push_that_fails_leaves_the_tag_as_it_was() {
    let world = World::new();
    let pusher = world.pusher();
    pusher.push(&parsed(NAME), &[world.image("linux/amd64", &[b"old"])]).await.unwrap();
    let before = world.tag("v1");
    let mut messages = Vec::new();
    let uploads = || When::path(format!("/v2/{REPOSITORY}/blobs/uploads/")).writes();
    let manifests = || When::path(format!("/v2/{REPOSITORY}/manifests/")).writes();
    let elsewhere = Fault::Header("location", "https://elsewhere.example/upload?_state=secret".to_owned());
    for (when, fault) in [
        (uploads(), Fault::Status(500, vec![])),
        (uploads(), Fault::Status(403, vec![])),
        (uploads(), Fault::Status(413, vec![])),
        (uploads(), Fault::NotFound),
        (uploads().once(), elsewhere),
        (uploads().once(), Fault::WithoutHeader("location")),
        (uploads(), Fault::Status(307, vec![("location", "https://elsewhere.example/".to_owned())])),
        (uploads().after(1).once(), Fault::Header("docker-content-digest", Digest::of(b"other").to_string())),
        (manifests(), Fault::Status(400, vec![])),
    ] {
        world.server.fault(when, fault);
        let mut image = world.image("linux/amd64", &[]);
        image.layers = vec![world.layer(format!("new {}", messages.len()).as_bytes(), &[])];
        // The config is there already, so that there is one upload and one story.
        image.config = world.image("linux/amd64", &[]).config;
        let pushed = pusher.push(&parsed(NAME), &[image]).await;
        let error = pushed.expect_err(&format!("fault {}", messages.len()));
        let help = error.help().map_or_else(String::new, |help| format!("\n    {help}"));
        let help = help.replace(&world.server.address().to_string(), "127.0.0.1:PORT");
        messages.push(format!("{:?} {}{help}", error.kind(), shown(&world, &error)));
        world.server.clear_faults();
        assert_eq!(world.tag("v1"), before, "{messages:?}");
    }
    insta::assert_snapshot!(messages.join("\n"));
}

#[tokio::test]
async fn a_blob_that_changed_on_disk_does_not_leave() {
    let world = World::new();
    let pusher = world.pusher();
    let image = world.image("linux/amd64", &[&vec![5; 600_000]]);
    let mut bytes = vec![5; 600_000];
    bytes[300_000] ^= 1;
    fs_err::write(&image.layers[0].path, bytes).unwrap();
    let error = pusher.push(&parsed(NAME), std::slice::from_ref(&image)).await.unwrap_err();
    assert!(shown(&world, &error).contains(&format!("expected content of {}", image.layers[0].blob.digest)), "{error}");
    fs_err::remove_file(&image.layers[0].path).unwrap();
    let error = pusher.push(&parsed(NAME), std::slice::from_ref(&image)).await.unwrap_err();
    assert!(shown(&world, &error).contains("failed to open file"), "{}", shown(&world, &error));
    let there = world.server.registry(|registry| registry.blob(REPOSITORY, image.layers[0].blob.digest).cloned());
    assert_eq!((there, world.tag("v1")), (None, None));
}

struct Bob;

impl Credentials for Bob {
    fn login(&self, _: &str, _: &str) -> Result<Option<Known>, CredentialsError> {
        let login = Login { username: "bob".to_owned(), password: Secret::new("hunter2") };
        Ok(Some(Known { proof: Proof::Login(login), origin: "a test".to_owned() }))
    }
}

#[tokio::test]
async fn one_token_to_push_with_is_asked_for_and_renewed_when_it_expires() {
    let world = World::new();
    world.server.play("team.example");
    let login = Some(("bob".to_owned(), "hunter2".to_owned()));
    world.server.require_tokens(Some(TokenRules { login: login.clone(), ..TokenRules::default() }));
    let conf = world.server.registries_conf();
    let image = world.image("linux/amd64", &[b"one", b"two"]);
    world.pusher_with(&conf, Arc::new(Bob)).push(&parsed(NAME), std::slice::from_ref(&image)).await.unwrap();
    let tokens: Vec<_> = world.server.requests().into_iter().filter(|asked| asked.path == "/token").collect();
    assert_eq!(tokens.len(), 1);
    let scope = "scope=repository%3Ateam.example%2Fbase%2Fkubernetes%3Apull%2Cpush";
    assert!(tokens[0].query.ends_with(scope), "{}", tokens[0].query);

    // More uses than there are uploads at once, or those would use up each other's.
    world.server.require_tokens(Some(TokenRules { login, uses: 4, ..TokenRules::default() }));
    let other = world.image("linux/arm64", &[b"three", b"four"]);
    world.pusher_with(&conf, Arc::new(Bob)).push(&parsed(NAME), &[other]).await.unwrap();
    assert_eq!(world.said.warnings(), Vec::<String>::new());

    let error = world.pusher().push(&parsed("team.example/x:1"), &[image]).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Failed);
    assert!(!format!("{error:?}").contains("hunter2"));
    insta::assert_snapshot!(shown(&world, &error));
}

#[tokio::test]
async fn mirrors_and_plain_http_are_never_pushed_to() {
    let world = World::new();
    let address = world.server.address();
    let image = world.image("linux/amd64", &[b"one"]);
    // The mirror would take it; the registry itself cannot be reached.
    let conf = format!(
        "[[registry]]\nprefix = \"team.example\"\nlocation = \"127.0.0.1:1\"\n\
         [[registry.mirror]]\nlocation = \"{address}/team.example\"\ninsecure = true\n"
    );
    let error = world.pusher_with(&conf, Arc::new(Anonymous)).push(&parsed(NAME), std::slice::from_ref(&image)).await;
    assert_eq!(error.unwrap_err().kind(), FailureKind::Retry);
    // It speaks http only, and nobody said that this is well.
    let conf = format!("[[registry]]\nprefix = \"team.example\"\nlocation = \"{address}/team.example\"\n");
    let error = world.pusher_with(&conf, Arc::new(Anonymous)).push(&parsed(NAME), std::slice::from_ref(&image)).await;
    assert_eq!(error.unwrap_err().kind(), FailureKind::Failed);
    let conf = "[[registry]]\nprefix = \"team.example\"\nblocked = true\n";
    let error = world.pusher_with(conf, Arc::new(Anonymous)).push(&parsed(NAME), &[image]).await.unwrap_err();
    let blocked = "`team.example/base/kubernetes:v1` cannot be pushed: `team.example` is blocked in registries.conf";
    assert_eq!(shown(&world, &error), blocked);
    assert_eq!(world.server.requests().len(), 0);
}

#[tokio::test]
async fn what_refers_to_an_image_is_found_by_index_or_by_tag() {
    for knows in [true, false] {
        let world = World::new();
        world.server.registry(|registry| registry.set_knows_referrers(knows));
        let pusher = world.pusher();
        let list = pusher.push(&parsed(NAME), &[world.image("linux/amd64", &[b"one"])]).await.unwrap().list;
        let name = parsed(NAME);
        let attach = async |artifact_type, bytes: &[u8]| {
            pusher.attach(&name, &list, artifact_type, "application/json", bytes).await.unwrap()
        };
        let first = attach("application/vnd.in-toto+json", b"{\"a\":1}").await;
        let second = attach("application/vnd.example", b"{\"a\":2}").await;
        assert_eq!(attach("application/vnd.in-toto+json", b"{\"a\":1}").await, first);
        let tag = format!("sha256-{}", list.digest.hex());
        assert_eq!(first.tag, (!knows).then(|| tag.clone()));
        let path = if knows { format!("referrers/{}", list.digest) } else { format!("manifests/{tag}") };
        let index = get(&world, &format!("/v2/{REPOSITORY}/{path}")).await;
        let mut found: Vec<String> = index["manifests"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| format!("{} {}", entry["artifactType"].as_str().unwrap(), entry["digest"].as_str().unwrap()))
            .collect();
        found.sort();
        let (first, second) = (first.manifest.digest, second.manifest.digest);
        assert_eq!(
            found,
            [format!("application/vnd.example {second}"), format!("application/vnd.in-toto+json {first}")]
        );
        assert_eq!(world.tag(&tag).is_some(), !knows);
        // What refers to it names it, and says what it says.
        let manifest = world.tag(&first.to_string()).unwrap();
        assert_eq!(manifest["subject"]["digest"], list.digest.to_string());
        let blob: Digest = manifest["layers"][0]["digest"].as_str().unwrap().parse().unwrap();
        let said = world.server.registry(|registry| registry.blob(REPOSITORY, blob).cloned());
        assert_eq!(said.as_deref(), Some(&b"{\"a\":1}"[..]));
    }
}

/// The JSON at a path of the server, asked for as bluntly as can be.
async fn get(world: &World, path: &str) -> Value {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let mut stream = tokio::net::TcpStream::connect(world.server.address()).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
    serde_json::from_str(body).unwrap()
}
