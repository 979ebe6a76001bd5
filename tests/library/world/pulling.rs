//! Pulls that go well, and those that a registry rightly refuses.

use std::sync::Arc;

use sealer::testing::sandbox::{Fault, TokenRules, When};
use sealer::testing::transport::{Anonymous, Credentials, CredentialsError, HttpConfig, Known, Login, Proof, Secret};
use sealer::testing::types::{Event, FailureKind, Reportable as _};

use super::{World, amd64, image, impatient, parsed};

#[tokio::test]
async fn the_platforms_image_is_whole_in_the_cache_byte_for_byte() {
    let world = World::new();
    let list = world.put_list("registry:2.7.1", "a");
    let reference = parsed("registry:2.7.1");
    let pulled = world.puller().pull(&reference, &amd64()).await.unwrap();
    let built = list.image(&amd64()).unwrap();
    assert_eq!(pulled.list, Some(list.document()));
    assert_eq!(pulled.manifest, built.manifest);
    assert_eq!(pulled.config, built.config.0);
    let layers: Vec<_> = built.layers.iter().map(|(layer, _)| layer.clone()).collect();
    assert_eq!(pulled.layers, layers);
    for (blob, bytes) in std::iter::once(&built.config).chain(&built.layers) {
        assert_eq!(world.cache.document(blob.digest, 1 << 20).unwrap(), *bytes);
    }
    // List, manifest, config, two layers; nothing of the other platform.
    assert_eq!((world.blobs(), world.staged()), (5, 0));
    let events = world.said.events();
    let size = built.manifest.descriptor.size + pulled.blobs().map(|blob| blob.size).sum::<u64>();
    let end = Event::ImagePulled {
        reference: "docker.io/library/registry:2.7.1".to_owned(),
        digest: list.document().descriptor.digest,
        size,
        cached: false,
    };
    assert_eq!(events.last(), Some(&end));
    let what = format!("docker.io/library/registry:2.7.1 {}", &pulled.config.digest.hex()[..12]);
    let total = Some(pulled.config.size);
    assert!(events.contains(&Event::Transfer { what: what.clone(), received: 0, total }));
    assert!(events.contains(&Event::Transferred { what, digest: pulled.config.digest, size: pulled.config.size }));
    assert_eq!(world.said.warnings(), Vec::<String>::new());
}

#[tokio::test]
async fn what_is_there_is_not_asked_for_again() {
    let world = World::new();
    let list = world.put_list("registry:2.7.1", "a");
    let puller = world.puller();
    let first = puller.pull(&parsed("registry:2.7.1"), &amd64()).await.unwrap();
    world.server.forget_requests();
    assert_eq!(puller.pull(&parsed("registry:2.7.1"), &amd64()).await.unwrap(), first);
    assert_eq!(world.server.requests_for("/"), ["GET /v2/docker.io/library/registry/manifests/2.7.1"]);
    assert!(matches!(world.said.events().last(), Some(Event::ImagePulled { cached: true, .. })));
    world.server.forget_requests();
    let by_digest = parsed("registry:2.7.1").by_digest(list.document().descriptor.digest);
    let again = puller.pull(&by_digest, &amd64()).await.unwrap();
    assert_eq!((again.list, again.layers), (first.list, first.layers));
    let offline = HttpConfig { offline: true, ..impatient() };
    let offline = world.puller_with("", Arc::new(Anonymous), offline);
    offline.pull(&by_digest, &amd64()).await.unwrap();
    assert_eq!(world.server.requests_for("/"), Vec::<String>::new());
    let messages = [
        offline.pull(&parsed("registry:2.7.1"), &amd64()).await.unwrap_err(),
        offline.pull(&by_digest, &"linux/arm64".parse().unwrap()).await.unwrap_err(),
    ];
    assert!(messages.iter().all(|error| error.kind() == FailureKind::Failed));
    insta::assert_snapshot!(messages.map(|error| error.to_string()).join("\n"), @"
    `docker.io/library/registry:2.7.1`: its manifest is not in the cache, and the network is switched off; fetch it with the network on
    `docker.io/library/registry@sha256:14fd28748c38fac405c73843d30e9bd3518d4e0597ea490d5a9f355607fa2a9d`: its manifest sha256:f1c6bdb332c01865f5be8309acb254d9925f8a56098562443ab0da6b634c0669 is not in the cache, and the network is switched off; fetch it with the network on
    ");
}

#[tokio::test]
async fn a_damaged_blob_is_fetched_again() {
    let world = World::new();
    world.put_list("registry:2.7.1", "a");
    let puller = world.puller();
    let first = puller.pull(&parsed("registry:2.7.1"), &amd64()).await.unwrap();
    let (layer, manifest) = (&first.layers[0], &first.manifest.descriptor);
    fs_err::write(world.cache.path(layer.digest), "short").unwrap();
    let mut bytes = first.manifest.bytes.clone();
    bytes[0] ^= 1;
    fs_err::write(world.cache.path(manifest.digest), bytes).unwrap();
    assert_eq!(puller.pull(&parsed("registry:2.7.1"), &amd64()).await.unwrap(), first);
    assert_eq!(world.cache.look(layer.digest, Some(layer.size)).size(), Some(layer.size));
    assert_eq!(world.cache.document(manifest.digest, 1 << 20), Some(first.manifest.bytes));
    let size = layer.size;
    let expected = format!("{} has 5 bytes in the cache, expected {size}; it is fetched again", layer.digest);
    assert_eq!(world.said.warnings(), [expected]);
}

#[tokio::test]
async fn blobs_that_images_share_are_fetched_once_and_failures_stop_nobody() {
    let world = World::new();
    for name in ["a", "b", "c"] {
        world.put_list(&format!("quay.io/x/{name}:1"), name);
    }
    let references =
        ["quay.io/x/a:1", "quay.io/x/gone:1", "quay.io/x/b:1", "quay.io/x/c:2", "quay.io/x/c:1"].map(parsed);
    let outcomes = world.puller().pull_all(&references, &amd64()).await;
    assert_eq!(outcomes.iter().map(|(reference, _)| reference.clone()).collect::<Vec<_>>(), references);
    let whole: Vec<bool> = outcomes.iter().map(|(_, outcome)| outcome.is_ok()).collect();
    assert_eq!(whole, [true, false, true, false, true]);
    let shared = outcomes[0].1.as_ref().unwrap().layers[0].digest;
    let asked = world.server.requests().iter().filter(|asked| asked.path.ends_with(&shared.to_string())).count();
    assert_eq!(asked, 1);
    let errors: Vec<_> = outcomes.iter().filter_map(|(_, outcome)| outcome.as_ref().err()).collect();
    assert!(errors.iter().all(|error| error.kind() == FailureKind::Verification));
    let messages: Vec<_> = errors.iter().map(|error| shown(&world, *error)).collect();
    insta::assert_snapshot!(messages.join("\n"), @"
    `quay.io/x/gone:1`: its manifest cannot be pulled: the registry does not have it (http://127.0.0.1:PORT/v2/quay.io/x/gone/manifests/1: the server answered 404, MANIFEST_UNKNOWN no manifest `1`)
    `quay.io/x/c:2`: its manifest cannot be pulled: the registry does not have it (http://127.0.0.1:PORT/v2/quay.io/x/c/manifests/2: the server answered 404, MANIFEST_UNKNOWN no manifest `2`)
    ");
}

/// A message without the port, which is another one each time.
pub(crate) fn shown(world: &World, error: &(dyn std::error::Error + 'static)) -> String {
    let mut message = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        message = format!("{message}: {error}");
        next = error.source();
    }
    message.replace(&world.server.address().port().to_string(), "PORT")
}

#[tokio::test]
async fn the_platform_must_be_there() {
    let world = World::new();
    world.put_list("registry:2.7.1", "a");
    let single = image("linux/arm64", "single");
    world.server.registry(|registry| single.push(registry, &parsed("single:1")));
    let puller = world.puller();
    puller.pull(&parsed("single:1"), &"linux/arm64".parse().unwrap()).await.unwrap();
    world.server.forget_requests();
    let errors = [
        puller.pull(&parsed("registry:2.7.1"), &"linux/s390x".parse().unwrap()).await.unwrap_err(),
        puller.pull(&parsed("single:1"), &amd64()).await.unwrap_err(),
    ];
    assert!(errors.iter().all(|error| error.kind() == FailureKind::Verification));
    insta::assert_snapshot!(errors.map(|error| shown(&world, &error)).join("\n"), @"
    `docker.io/library/registry:2.7.1` cannot be used: there is no manifest for linux/s390x; there are some for linux/amd64, linux/arm64
    `docker.io/library/single:1` cannot be used: the image is for linux/arm64 only, not for linux/amd64
    ");
}

pub(crate) struct Bob(pub(crate) &'static str);

impl Credentials for Bob {
    fn login(&self, _: &str, _: &str) -> Result<Option<Known>, CredentialsError> {
        let login = Login { username: "bob".to_owned(), password: Secret::new(self.0) };
        Ok(Some(Known { proof: Proof::Login(login), origin: "`the test`".to_owned() }))
    }
}

#[tokio::test]
async fn a_token_is_fetched_once_and_renewed_when_it_expires() {
    let world = World::new();
    world.put_list("registry:2.7.1", "a");
    world.server.require_tokens(Some(TokenRules::default()));
    let puller = world.puller();
    puller.pull(&parsed("registry:2.7.1"), &amd64()).await.unwrap();
    assert_eq!(world.server.requests_for("/token").len(), 1);
    world.server.expire_tokens();
    puller.pull(&parsed("registry:2.7.1"), &amd64()).await.unwrap();
    assert_eq!(world.server.requests_for("/token").len(), 2);
    let query = &world.server.requests().iter().find(|asked| asked.path == "/token").unwrap().query.clone();
    assert_eq!(query, "service=sandbox&scope=repository%3Adocker.io%2Flibrary%2Fregistry%3Apull");
}

#[tokio::test]
async fn a_token_that_expires_within_a_blob_is_renewed_and_the_blob_goes_on() {
    let world = World::new();
    let list = world.put_list("registry:2.7.1", "a");
    let layer = list.image(&amd64()).unwrap().layers[0].0.clone();
    world.server.require_tokens(Some(TokenRules { uses: 1, ..TokenRules::default() }));
    world.server.fault(When::path("/v2/").containing(layer.digest.to_string()).after(1).once(), Fault::Cut(100));
    let conf = world.server.registries_conf();
    // One at a time: others would use up the token.
    world
        .puller_of(&conf, Arc::new(Anonymous), impatient(), 1)
        .pull(&parsed("registry:2.7.1"), &amd64())
        .await
        .unwrap();
    let ranges: Vec<_> = world.server.requests().into_iter().filter_map(|asked| asked.range).collect();
    assert_eq!(ranges.last().map(String::as_str), Some("bytes=100-"));
}

#[tokio::test]
async fn credentials_open_what_is_closed_and_are_never_shown() {
    let world = World::new();
    world.put_list("registry:2.7.1", "a");
    let login = Some(("bob".to_owned(), "s3cret".to_owned()));
    world.server.require_tokens(Some(TokenRules { login, ..TokenRules::default() }));
    let anonymous = world.puller().pull(&parsed("registry:2.7.1"), &amd64()).await.unwrap_err();
    let conf = world.server.registries_conf();
    let wrong = world.puller_with(&conf, Arc::new(Bob("wr0ng")), impatient());
    let wrong = wrong.pull(&parsed("registry:2.7.1"), &amd64()).await.unwrap_err();
    assert_eq!([anonymous.kind(), wrong.kind()], [FailureKind::Failed; 2]);
    assert!(!format!("{wrong:?}{wrong}").contains("wr0ng"));
    insta::assert_snapshot!([anonymous, wrong].map(|error| shown(&world, &error)).join("\n"), @"
    `docker.io/library/registry:2.7.1`: its manifest cannot be pulled: the registry asks for a login, or hides that it does not have it (http://127.0.0.1:PORT/token: the server answered 401, UNAUTHORIZED wrong user or password)
    `docker.io/library/registry:2.7.1`: its manifest cannot be pulled: the registry does not accept the login of `bob` for `127.0.0.1:PORT`, which comes from `the test` (http://127.0.0.1:PORT/token: the server answered 401, UNAUTHORIZED wrong user or password)
    ");
    let right = world.puller_with(&conf, Arc::new(Bob("s3cret")), impatient());
    right.pull(&parsed("registry:2.7.1"), &amd64()).await.unwrap();
}
