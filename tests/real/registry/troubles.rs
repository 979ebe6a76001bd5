//! Busy registries and cut connections.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::network::{Trouble, relay};
use super::{Kind, insecure, pulled, registry};
use crate::support::program::World;

#[test]
fn a_busy_registry_is_asked_again_when_it_says() {
    for kind in [Kind::Sandbox, Kind::Docker] {
        let world = World::new();
        let Some(registry) = registry(kind, &world, None) else { continue };
        let start = Instant::now();
        let date = || (Timestamp::now() + Duration::from_secs(2)).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        // In seconds and as a date, each two seconds from now.
        let way = relay(registry.address, move |path, before| match before {
            0 if path.contains("/manifests/2.7.1") => busy(429, "2"),
            1 if path.contains("/manifests/2.7.1") => busy(429, &date()),
            2 if path.contains("/manifests/2.7.1") => busy(503, &date()),
            _ => Trouble::None,
        });
        let host = way.address.to_string();
        insecure(&world, &[&host]);
        let run = pulled(&world, &host, &[], &[]);
        // A date has no parts of seconds.
        assert!(start.elapsed() >= Duration::from_secs(4), "{:?}", start.elapsed());
        let warnings: Vec<&str> = run.stderr.lines().filter(|line| line.contains("trying again in")).collect();
        assert!(
            warnings.len() == 3 && warnings[0].ends_with("the server answered 429; trying again in 2.0 s"),
            "{run}"
        );
        assert!(warnings[1].contains("the server answered 429; trying again in "), "{run}");
        assert!(warnings[2].contains("the server answered 503; trying again in "), "{run}");
    }
}

fn busy(status: u16, retry_after: &str) -> Trouble {
    Trouble::Instead(format!(
        "HTTP/1.1 {status} Busy\r\nRetry-After: {retry_after}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    ))
}

#[test]
fn every_blob_is_cut_three_times_and_all_ends_well() {
    for kind in [Kind::Sandbox, Kind::Docker] {
        let world = World::new();
        let Some(registry) = registry(kind, &world, None) else { continue };
        let way = relay(registry.address, |path, before| {
            if path.contains("/blobs/") && before < 3 { Trouble::Cut(before * 20) } else { Trouble::None }
        });
        let host = way.address.to_string();
        insecure(&world, &[&host]);
        let run = pulled(&world, &host, &[], &[]);
        let blobs: Vec<String> = way.seen().into_iter().filter(|line| line.contains("/blobs/")).collect();
        let mut unique = blobs.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(blobs.len(), 4 * unique.len(), "{run}");
        assert!(unique.len() >= 2, "a config and a layer");
    }
}
