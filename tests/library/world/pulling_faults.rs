//! Pulls through a network that fails.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sealer::testing::sandbox::{Fault, When};
use sealer::testing::transport::{Anonymous, HttpConfig, RetryPolicy};
use sealer::testing::types::{FailureKind, Reportable as _};

use super::pulling::shown;
use super::{World, amd64, impatient, parsed};

/// A fault at one request of each kind: the pull goes well all the same.
#[tokio::test]
async fn passing_faults_are_survived() {
    let status = |code: u16, headers: Vec<(&'static str, String)>| Fault::Status(code, headers);
    let faults = [
        status(429, vec![("retry-after", "1".to_owned())]),
        status(503, vec![("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT".to_owned())]),
        status(500, vec![]),
        status(408, vec![]),
        Fault::Drop,
        Fault::Silence,
        Fault::Cut(0),
        Fault::Cut(200),
        Fault::Stall(100),
        Fault::Delay(Duration::from_millis(50)),
        Fault::WrongContentLength(100),
        Fault::WrongContentLength(1 << 20),
        Fault::NoContentLength,
    ];
    for place in ["/manifests/2.7.1", "/manifests/sha256:", "/blobs/sha256:"] {
        for fault in &faults {
            let world = World::new();
            world.put_list("registry:2.7.1", "a");
            world.server.fault(When::path("/v2/").containing(place).once(), fault.clone());
            let outcome = world.puller().pull(&parsed("registry:2.7.1"), &amd64()).await;
            let is_untold = place.starts_with("/blobs") && *fault == Fault::WrongContentLength(1 << 20);
            let harmless = is_untold || matches!(fault, Fault::Delay(_) | Fault::NoContentLength);
            // A manifest of a wrong length is another document: no guess is made.
            let is_other = place.starts_with("/manifests") && *fault == Fault::WrongContentLength(100);
            match outcome {
                Ok(_) => assert!(harmless || !world.said.warnings().is_empty(), "{place} {fault:?}"),
                Err(error) => assert!(is_other, "{place} {fault:?}: {}", shown(&world, &error)),
            }
            assert_eq!(world.staged(), 0);
        }
    }
}

/// The layer is cut at many places, by turns with other faults while the rest is asked for.
#[tokio::test]
async fn a_cut_blob_goes_on_where_it_was_cut() {
    let size = {
        let world = World::new();
        world.put_list("registry:2.7.1", "a").image(&amd64()).unwrap().layers[0].0.size
    };
    for point in 0..24 {
        let at = usize::try_from(size * point / 24).unwrap();
        let world = World::new();
        let layer = world.put_list("registry:2.7.1", "a").image(&amd64()).unwrap().layers[0].0.digest;
        let when = || When::path("/v2/").containing(layer.to_string());
        let second = match point % 6 {
            0 => Fault::Cut(7),
            1 => Fault::IgnoreRange,
            2 => Fault::WrongContentRange,
            3 => Fault::Status(416, vec![]),
            4 => Fault::FlipByte(3),
            _ => Fault::Truncate(5),
        };
        world.server.fault(when().once(), Fault::Cut(at));
        world.server.fault(when().once(), second.clone());
        let pulled = world.puller().pull(&parsed("registry:2.7.1"), &amd64()).await;
        // At its start there is no rest yet: what comes second is the whole, and wrong.
        let is_wrong = at == 0 && matches!(second, Fault::FlipByte(_));
        assert_eq!(pulled.is_ok(), !is_wrong, "{at} {second:?}: {:?}", pulled.err());
        let asked: Vec<_> =
            world.server.requests().into_iter().filter(|asked| asked.path.ends_with(&layer.to_string())).collect();
        let range = (at > 0).then(|| format!("bytes={at}-"));
        assert_eq!(asked[1].range, range);
        assert_eq!(asked[1].if_range.is_some(), at > 0);
        assert_eq!(world.staged(), 0);
    }
}

#[tokio::test]
async fn what_is_wrong_stays_wrong_is_named_and_leaves_nothing() {
    let mut messages = Vec::new();
    for fault in [
        Fault::FlipByte(10),
        Fault::ExtraBytes(3),
        Fault::Body(b"short".to_vec()),
        Fault::NotFound,
        Fault::Status(403, vec![]),
        Fault::Status(418, vec![]),
        Fault::Status(302, vec![]),
    ] {
        let world = World::new();
        let layer = world.put_list("registry:2.7.1", "a").image(&amd64()).unwrap().layers[1].0.digest;
        world.server.fault(When::path("/v2/").containing(layer.to_string()), fault.clone());
        let error = world.puller().pull(&parsed("registry:2.7.1"), &amd64()).await.unwrap_err();
        messages.push(format!("{:?}: {}", error.kind(), shown(&world, &error)));
        let asked = world.server.requests().iter().filter(|asked| asked.path.ends_with(&layer.to_string())).count();
        assert!(asked <= 12, "{fault:?} was asked {asked} times");
        // List, manifest, config and the other layer are kept.
        assert_eq!((world.staged(), world.blobs()), (0, 4));
    }
    insta::assert_snapshot!(messages.join("\n"), @"
    Verification: `docker.io/library/registry:2.7.1`: its blob sha256:0653ce3a1d7b6c46dfd64b37e0bda06273cbb095c3f5a0f1ec24f2d0f4a4debd cannot be pulled: http://127.0.0.1:PORT/v2/docker.io/library/registry/blobs/sha256:0653ce3a1d7b6c46dfd64b37e0bda06273cbb095c3f5a0f1ec24f2d0f4a4debd returned something unexpected: expected content of sha256:0653ce3a1d7b6c46dfd64b37e0bda06273cbb095c3f5a0f1ec24f2d0f4a4debd, found sha256:c7974bf83ff7b899e659bf41598cefebc0750323e59d749ce49ee3c6ebb60b29
    Verification: `docker.io/library/registry:2.7.1`: its blob sha256:0653ce3a1d7b6c46dfd64b37e0bda06273cbb095c3f5a0f1ec24f2d0f4a4debd cannot be pulled: http://127.0.0.1:PORT/v2/docker.io/library/registry/blobs/sha256:0653ce3a1d7b6c46dfd64b37e0bda06273cbb095c3f5a0f1ec24f2d0f4a4debd returned something unexpected: expected 165 bytes, found at least 168
    Verification: `docker.io/library/registry:2.7.1`: its blob sha256:0653ce3a1d7b6c46dfd64b37e0bda06273cbb095c3f5a0f1ec24f2d0f4a4debd cannot be pulled: http://127.0.0.1:PORT/v2/docker.io/library/registry/blobs/sha256:0653ce3a1d7b6c46dfd64b37e0bda06273cbb095c3f5a0f1ec24f2d0f4a4debd returned something unexpected: expected 165 bytes, found 5
    Verification: `docker.io/library/registry:2.7.1`: its blob sha256:0653ce3a1d7b6c46dfd64b37e0bda06273cbb095c3f5a0f1ec24f2d0f4a4debd cannot be pulled: the registry does not have it (http://127.0.0.1:PORT/v2/docker.io/library/registry/blobs/sha256:0653ce3a1d7b6c46dfd64b37e0bda06273cbb095c3f5a0f1ec24f2d0f4a4debd: the server answered 404, NAME_UNKNOWN not found, as told)
    Failed: `docker.io/library/registry:2.7.1`: its blob sha256:0653ce3a1d7b6c46dfd64b37e0bda06273cbb095c3f5a0f1ec24f2d0f4a4debd cannot be pulled: the registry asks for a login, or hides that it does not have it (http://127.0.0.1:PORT/v2/docker.io/library/registry/blobs/sha256:0653ce3a1d7b6c46dfd64b37e0bda06273cbb095c3f5a0f1ec24f2d0f4a4debd: the server answered 403)
    Failed: `docker.io/library/registry:2.7.1`: its blob sha256:0653ce3a1d7b6c46dfd64b37e0bda06273cbb095c3f5a0f1ec24f2d0f4a4debd cannot be pulled: http://127.0.0.1:PORT/v2/docker.io/library/registry/blobs/sha256:0653ce3a1d7b6c46dfd64b37e0bda06273cbb095c3f5a0f1ec24f2d0f4a4debd: the server answered 418
    Failed: `docker.io/library/registry:2.7.1`: its blob sha256:0653ce3a1d7b6c46dfd64b37e0bda06273cbb095c3f5a0f1ec24f2d0f4a4debd cannot be pulled: http://127.0.0.1:PORT/v2/docker.io/library/registry/blobs/sha256:0653ce3a1d7b6c46dfd64b37e0bda06273cbb095c3f5a0f1ec24f2d0f4a4debd: a redirect without a target
    ");
}

#[tokio::test]
async fn wrong_documents_are_refused() {
    let mut messages = Vec::new();
    for (place, fault) in [
        ("/manifests/2.7.1", Fault::FlipByte(30)),
        ("/manifests/2.7.1", Fault::Header("content-type", "application/vnd.oci.image.manifest.v1+json".to_owned())),
        ("/manifests/2.7.1", Fault::Header("docker-content-digest", format!("sha256:{}", "0".repeat(64)))),
        ("/manifests/2.7.1", Fault::Body(vec![b' '; 5 << 20])),
        ("/manifests/sha256", Fault::Truncate(100)),
        ("/manifests/sha256", Fault::FlipByte(30)),
    ] {
        let world = World::new();
        world.put_list("registry:2.7.1", "a");
        world.server.fault(When::path("/v2/").containing(place), fault);
        let error = world.puller().pull(&parsed("registry:2.7.1"), &amd64()).await.unwrap_err();
        messages.push(format!("{:?}: {}", error.kind(), shown(&world, &error)));
    }
    insta::assert_snapshot!(messages.join("\n"), @"
    Verification: `docker.io/library/registry:2.7.1`: its manifest cannot be pulled: http://127.0.0.1:PORT/v2/docker.io/library/registry/manifests/2.7.1 returned another document: expected sha256:14fd28748c38fac405c73843d30e9bd3518d4e0597ea490d5a9f355607fa2a9d, found sha256:2373af3dd7e37a74959475036d13b60f2c932698f577dda4baae7a7e4feec642
    Verification: `docker.io/library/registry:2.7.1` cannot be used: the media type is `application/vnd.oci.image.manifest.v1+json`, but the document is a list of manifests
    Verification: `docker.io/library/registry:2.7.1`: its manifest cannot be pulled: http://127.0.0.1:PORT/v2/docker.io/library/registry/manifests/2.7.1 returned another document: expected sha256:0000000000000000000000000000000000000000000000000000000000000000, found sha256:14fd28748c38fac405c73843d30e9bd3518d4e0597ea490d5a9f355607fa2a9d
    Verification: `docker.io/library/registry:2.7.1`: its manifest cannot be pulled: http://127.0.0.1:PORT/v2/docker.io/library/registry/manifests/2.7.1: the answer is longer than 4194304 bytes, the limit for such a document
    Verification: `docker.io/library/registry:2.7.1`: its manifest sha256:2eee98c5341be795b3046d99bedc21dace21bdc2e0e983e383ddb3d1a2220f10 cannot be pulled: http://127.0.0.1:PORT/v2/docker.io/library/registry/manifests/sha256:2eee98c5341be795b3046d99bedc21dace21bdc2e0e983e383ddb3d1a2220f10 returned another document: expected sha256:2eee98c5341be795b3046d99bedc21dace21bdc2e0e983e383ddb3d1a2220f10, found sha256:9e5f9abd3a8bf6480b045ca3573dc77a9ae04ecbfe1ba638872e2dd00699a030
    Verification: `docker.io/library/registry:2.7.1`: its manifest sha256:2eee98c5341be795b3046d99bedc21dace21bdc2e0e983e383ddb3d1a2220f10 cannot be pulled: http://127.0.0.1:PORT/v2/docker.io/library/registry/manifests/sha256:2eee98c5341be795b3046d99bedc21dace21bdc2e0e983e383ddb3d1a2220f10 returned another document: expected sha256:2eee98c5341be795b3046d99bedc21dace21bdc2e0e983e383ddb3d1a2220f10, found sha256:ba97472ec38dc9f90465557bc3a3e6f2d561134e80b915faf353811175c4d1c9
    ");
}

#[tokio::test]
async fn a_registry_that_stays_away_is_worth_a_retry_later() {
    let mut messages = Vec::new();
    for fault in [Fault::Status(503, vec![]), Fault::Status(429, vec![("retry-after", "3600".to_owned())]), Fault::Drop]
    {
        let world = World::new();
        world.put_list("registry:2.7.1", "a");
        world.server.fault(When::path("/v2/"), fault);
        let error = world.puller().pull(&parsed("registry:2.7.1"), &amd64()).await.unwrap_err();
        assert_eq!(error.kind(), FailureKind::Retry);
        assert_eq!(world.said.warnings().len(), 5);
        messages.push(shown(&world, &error));
    }
    insta::assert_snapshot!(messages.join("\n"), @"
    `docker.io/library/registry:2.7.1`: its manifest cannot be pulled: http://127.0.0.1:PORT/v2/docker.io/library/registry/manifests/2.7.1: the server answered 503
    `docker.io/library/registry:2.7.1`: its manifest cannot be pulled: http://127.0.0.1:PORT/v2/docker.io/library/registry/manifests/2.7.1: the server answered 429
    `docker.io/library/registry:2.7.1`: its manifest cannot be pulled: http://127.0.0.1:PORT/v2/docker.io/library/registry/manifests/2.7.1: the connection broke: connection closed before message completed
    ");
}

#[tokio::test]
async fn mirrors_are_asked_first_and_each_is_named() {
    let world = World::new();
    world.put_list("mirror.io/hub/registry:2.7.1", "a");
    let address = world.server.address();
    let conf = |mirror: &str| {
        format!(
            "[[registry]]\nprefix='docker.io/library'\nlocation='{address}/origin.io'\ninsecure=true\n\
             [[registry.mirror]]\nlocation='127.0.0.1:1/dead'\ninsecure=true\n\
             [[registry.mirror]]\nlocation='{address}/{mirror}'\ninsecure=true\n"
        )
    };
    let start = Instant::now();
    let retry = RetryPolicy { first_wait: Duration::from_secs(20), ..RetryPolicy::default() };
    let config = || HttpConfig { retry: retry.clone(), ..impatient() };
    let puller = world.puller_with(&conf("mirror.io/hub"), Arc::new(Anonymous), config());
    puller.pull(&parsed("registry:2.7.1"), &amd64()).await.unwrap();
    // Of several registries one that cannot be reached is not waited for.
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    let puller = world.puller_with(&conf("mirror.io/other"), Arc::new(Anonymous), config());
    let error = puller.pull(&parsed("registry:2.7.1"), &amd64()).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Verification);
    insta::assert_snapshot!(shown(&world, &error), @"`docker.io/library/registry:2.7.1`: its manifest cannot be pulled: http://127.0.0.1:1/v2/dead/registry/manifests/2.7.1: cannot connect: connection refused; the registry does not have it (http://127.0.0.1:PORT/v2/mirror.io/other/registry/manifests/2.7.1: the server answered 404, MANIFEST_UNKNOWN no manifest `2.7.1`); the registry does not have it (http://127.0.0.1:PORT/v2/origin.io/registry/manifests/2.7.1: the server answered 404, MANIFEST_UNKNOWN no manifest `2.7.1`)");
}
