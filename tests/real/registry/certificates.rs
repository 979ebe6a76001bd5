//! Registries with certificates of a company's own, and those without any.

use serde_json::json;
use tempfile::TempDir;

use super::network::{Authority, Pair, tls_front};
use super::{Kind, filled, insecure, pull, pulled, registry};
use crate::support::program::World;
use crate::support::real::docker_registry_with;

/// Runs a case with the address of a registry that has such a certificate and, with `clients`, wants to see one.
fn with_tls(world: &World, kind: Kind, pair: &Pair, clients: Option<&Authority>, case: impl FnOnce(&str)) {
    if kind == Kind::Sandbox {
        let front = tls_front(world.server().address(), pair, clients);
        return case(&front.address.to_string());
    }
    let folder = TempDir::new().unwrap();
    let Some(storage) = filled(&folder) else { return };
    pair.write(folder.path(), "server.pem", "server-key.pem");
    let mut tls = json!({"certificate": folder.path().join("server.pem"), "key": folder.path().join("server-key.pem")});
    if let Some(authority) = clients {
        let file = folder.path().join("clients.pem");
        fs_err::write(&file, &authority.pem).unwrap();
        tls["clientcas"] = json!([file]);
    }
    let Some(docker) = docker_registry_with(&storage, &json!({"tls": tls}), &json!({})) else { return };
    case(&docker.address().to_string());
}

#[test]
fn a_private_ca_counts_where_it_lies_in_the_host_s_folder_and_only_there() {
    let authority = Authority::new();
    let pair = authority.issue(&["127.0.0.1"]);
    for kind in [Kind::Sandbox, Kind::Docker] {
        let world = World::new();
        world.write("registries.conf", "");
        with_tls(&world, kind, &pair, None, |host| {
            world.write("home/.config/containers/certs.d/other.example/ca.crt", &authority.pem);
            let unknown = pull(&world, host, &[], &[]);
            assert_eq!(unknown.code, Some(1), "{unknown}");
            insta::allow_duplicates! { insta::assert_snapshot!("ca-unknown", unknown.stderr); }
            world.write(&format!("home/.config/containers/certs.d/{host}/ca.crt"), "-----BEGIN");
            let broken = pull(&world, host, &[], &[]);
            assert_eq!(broken.code, Some(1), "{broken}");
            insta::allow_duplicates! { insta::assert_snapshot!("ca-broken", broken.stderr); }
            world.write(&format!("home/.config/containers/certs.d/{host}/ca.crt"), &authority.pem);
            pulled(&world, host, &[], &[]);
            // Wherever the user's settings lie.
            fs_err::rename(world.path("home/.config"), world.path("settings")).unwrap();
            fs_err::remove_dir_all(world.cache()).unwrap();
            assert_eq!(pull(&world, host, &[], &[]).code, Some(1));
            pulled(&world, host, &[("XDG_CONFIG_HOME", world.path("settings").to_str().unwrap())], &[]);
        });
    }
}

#[test]
fn a_host_named_insecure_needs_no_certificate_that_is_known() {
    let pair = Authority::new().issue(&["elsewhere.example"]);
    for kind in [Kind::Sandbox, Kind::Docker] {
        let world = World::new();
        with_tls(&world, kind, &pair, None, |host| {
            insecure(&world, &[host]);
            pulled(&world, host, &[], &[]);
        });
    }
}

#[test]
fn a_client_certificate_is_shown_to_its_host() {
    let authority = Authority::new();
    let (server, client) = (authority.issue(&["127.0.0.1"]), authority.issue(&["sealer"]));
    for kind in [Kind::Sandbox, Kind::Docker] {
        let world = World::new();
        world.write("registries.conf", "");
        with_tls(&world, kind, &server, Some(&authority), |host| {
            let folder = format!("home/.config/containers/certs.d/{host}");
            world.write(&format!("{folder}/ca.crt"), &authority.pem);
            // What a server says over HTTP/2 in the middle of a handshake is lost on the way: only that it fails is sure.
            if kind == Kind::Sandbox {
                let none = pull(&world, host, &[], &[]);
                Authority::new().issue(&["sealer"]).write(&world.path(&folder), "client.cert", "client.key");
                let wrong = pull(&world, host, &[], &[]);
                assert_eq!((none.code, wrong.code), (Some(1), Some(1)), "{none}{wrong}");
                // It may hang up before it says why, and is then asked again.
                let said = (none.stderr + &wrong.stderr)
                    .lines()
                    .filter(|line| !line.contains("trying again"))
                    .fold(String::new(), |said, line| said + line + "\n");
                insta::assert_snapshot!("client-none", said);
            }
            client.write(&world.path(&folder), "client.cert", "client.key");
            pulled(&world, host, &[], &[]);
            fs_err::remove_file(world.path(&folder).join("client.key")).unwrap();
            fs_err::remove_dir_all(world.cache()).unwrap();
            let half = pull(&world, host, &[], &[]);
            assert_eq!(half.code, Some(1), "{half}");
            insta::allow_duplicates! { insta::assert_snapshot!("client-half", half.stderr); }
        });
    }
}

#[test]
fn a_registry_that_speaks_http_is_not_asked_so_unless_the_user_says_it() {
    for kind in [Kind::Sandbox, Kind::Docker] {
        let world = World::new();
        let Some(registry) = registry(kind, &world, None) else { continue };
        let host = registry.address.to_string();
        world.write("registries.conf", "");
        let run = pull(&world, &host, &[], &[]);
        assert_eq!(run.code, Some(1), "{run}");
        insta::allow_duplicates! { insta::assert_snapshot!("plain-http", run.stderr); }
        insecure(&world, &[&host]);
        pulled(&world, &host, &[], &[]);
    }
}
