//! Behind a proxy.

use super::network::{Authority, Manners, proxy, tls_front};
use super::{Kind, insecure, pull, pulled, registry};
use crate::support::program::World;

/// A name that only the proxy knows.
const HOST: &str = "registry.invalid";

#[test]
fn https_goes_through_the_proxy_and_its_login_is_never_shown() {
    let authority = Authority::new();
    let pair = authority.issue(&[HOST]);
    for kind in [Kind::Sandbox, Kind::Docker] {
        let world = World::new();
        let Some(registry) = registry(kind, &world, None) else { continue };
        world.write("registries.conf", "");
        world.write(&format!("home/.config/containers/certs.d/{HOST}/ca.crt"), &authority.pem);
        let front = tls_front(registry.address, &pair, None);
        let way = proxy(front.address, Manners::Login);
        let url = format!("http://bob:pr0xy@{}", way.address);
        for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
            let before = way.seen().len();
            if world.cache().exists() {
                fs_err::remove_dir_all(world.cache()).unwrap();
            }
            let run = pulled(&world, HOST, &[(variable, &url)], &["-vvv"]);
            assert!(!run.stderr.contains("pr0xy") && !run.stderr.contains("Ym9iOnByMHh5"), "{run}");
            let seen = way.seen().split_off(before);
            assert!(!seen.is_empty() && seen.iter().all(|line| line == &format!("CONNECT {HOST}:443 HTTP/1.1")));
        }
    }
}

#[test]
fn http_goes_through_the_proxy_for_hosts_named_insecure() {
    for kind in [Kind::Sandbox, Kind::Docker] {
        let world = World::new();
        let Some(registry) = registry(kind, &world, None) else { continue };
        insecure(&world, &[HOST]);
        let way = proxy(registry.address, Manners::Open);
        pulled(&world, HOST, &[("HTTP_PROXY", &way.address.to_string())], &[]);
        let seen = way.seen();
        assert!(
            !seen.is_empty() && seen.iter().all(|line| line.starts_with(&format!("GET http://{HOST}/v2/"))),
            "{seen:?}"
        );
    }
}

#[test]
fn loopback_and_hosts_of_no_proxy_are_asked_without_it() {
    for kind in [Kind::Sandbox, Kind::Docker] {
        let world = World::new();
        let Some(registry) = registry(kind, &world, None) else { continue };
        let host = registry.address.to_string();
        insecure(&world, &[&host, HOST]);
        let way = proxy(registry.address, Manners::Open);
        let url = way.address.to_string();
        pulled(&world, &host, &[("ALL_PROXY", &url)], &[]);
        assert_eq!(way.seen(), Vec::<String>::new());
        if kind == Kind::Docker {
            continue;
        }
        let run = pull(&world, HOST, &[("ALL_PROXY", &url), ("NO_PROXY", "x.example,.invalid")], &["-q"]);
        // The name leads nowhere without the proxy.
        assert_eq!((run.code, way.seen()), (Some(5), Vec::new()), "{run}");
    }
}

#[test]
fn a_proxy_that_refuses_is_named_without_its_login() {
    let world = World::new();
    world.write("registries.conf", "");
    let mut said = Vec::new();
    for (manners, code) in [(Manners::Login, 1), (Manners::Closed, 5)] {
        let way = proxy(world.server().address(), manners);
        let url = format!("http://eve:wr0ng@{}", way.address);
        let run = pull(&world, HOST, &[("HTTPS_PROXY", &url)], &["-vv"]);
        assert_eq!(run.code, Some(code), "{run}");
        assert!(!run.stderr.contains("wr0ng"), "{run}");
        let run = run.stderr.replace(&way.address.to_string(), "[PROXY]");
        said.extend(run.lines().skip_while(|line| !line.starts_with("error")).map(str::to_owned));
    }
    let doubtful =
        pull(&world, &world.server().address().to_string(), &[("HTTPS_PROXY", "ftp://eve:wr0ng@proxy")], &[]);
    said.extend(doubtful.stderr.lines().take(1).map(str::to_owned));
    insta::assert_snapshot!("proxy-refuses", said.join("\n"));
}
