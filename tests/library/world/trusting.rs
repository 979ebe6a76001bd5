//! Who is asked how: TLS, redirects, secrets.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sealer::testing::fetch::Fetcher;
use sealer::testing::sandbox::{Fault, TokenRules, When};
use sealer::testing::transport::{Anonymous, HttpConfig};
use sealer::testing::types::{Digest, FailureKind, Reportable as _};
use url::Url;

use super::pulling::shown;
use super::{World, amd64, answer, impatient, parsed};

#[tokio::test]
async fn without_a_word_from_the_user_nobody_is_asked_over_http() {
    let world = World::new();
    world.put_list("registry:2.7.1", "a");
    let conf = format!("[[registry]]\nprefix='docker.io'\nlocation='{}/docker.io'\n", world.server.address());
    let error =
        world.puller_with(&conf, Arc::new(Anonymous), impatient()).pull(&parsed("registry:2.7.1"), &amd64()).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Failed);
    assert_eq!(world.server.requests_for("/"), Vec::<String>::new());
    insta::assert_snapshot!(shown(&world, &error), @"`docker.io/library/registry:2.7.1`: its manifest cannot be pulled: https://127.0.0.1:PORT/v2/docker.io/library/registry/manifests/2.7.1: no trusted connection: the server does not speak TLS");
}

#[tokio::test]
async fn blocked_registries_are_not_asked() {
    let world = World::new();
    let conf = "[[registry]]\nlocation='docker.io'\nblocked=true\n";
    let error = world.puller_with(conf, Arc::new(Anonymous), impatient()).pull(&parsed("a/b:1"), &amd64()).await;
    insta::assert_snapshot!(shown(&world, &error.unwrap_err()), @"`docker.io/a/b:1` cannot be pulled: `docker.io` is blocked in registries.conf");
}

/// Answers requests over TLS, each on a connection of its own; how many it was asked is the thread's to say.
fn answer_over_tls(answers: Vec<&'static [u8]>) -> (u16, std::thread::JoinHandle<usize>) {
    let certificate = CertificateDer::from_pem_slice(include_bytes!("tls/server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("tls/server-key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = std::thread::spawn(move || {
        let mut asked = 0;
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut connection = rustls::ServerConnection::new(config.clone()).unwrap();
            let mut tls = rustls::Stream::new(&mut connection, &mut stream);
            // A client that does not trust us ends the handshake.
            if !matches!(tls.read(&mut [0; 8 * 1024]), Ok(1..)) {
                continue;
            }
            asked += 1;
            tls.write_all(answer).unwrap();
            connection.send_close_notify();
            let _ = connection.write_tls(&mut stream);
        }
        asked
    });
    (port, thread)
}

const RIGHT: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nright";

#[tokio::test]
async fn certificates_are_verified_and_a_users_ca_counts() {
    let world = World::new();
    let ca = CertificateDer::from_pem_slice(include_bytes!("tls/ca.pem")).unwrap();
    let trusting = HttpConfig { extra_roots: vec![ca], ..impatient() };
    let down = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let (port, asked) = answer_over_tls(vec![RIGHT, RIGHT, down]);
    let url = Url::parse(&format!("https://127.0.0.1:{port}/x")).unwrap();
    let fetcher = |config| Fetcher::new(world.http(config), world.cache.clone(), Vec::new(), world.said.clone());
    let unknown = fetcher(impatient()).fetch(&url, None).await.unwrap_err();
    assert_eq!(unknown.kind(), FailureKind::Failed);
    assert_eq!(fetcher(trusting.clone()).fetch(&url, None).await.unwrap().digest, Digest::of(b"right"));
    let down = fetcher(trusting).fetch(&url, None).await.unwrap_err();
    assert_eq!(down.kind(), FailureKind::Failed);
    assert_eq!(asked.join().unwrap(), 2);
    let messages = [unknown, down].map(|error| shown(&world, &error).replace(&port.to_string(), "PORT"));
    insta::assert_snapshot!(messages.join("\n"), @"
    cannot fetch `https://127.0.0.1:PORT/x`: https://127.0.0.1:PORT/x: no trusted connection: the certificate is not trusted: its issuer is unknown
    cannot fetch `https://127.0.0.1:PORT/x`: https://127.0.0.1:PORT/x: a redirect from https to http, which is never followed
    ");
}

#[tokio::test]
async fn a_host_named_insecure_is_asked_over_tls_without_a_look_at_its_certificate() {
    let world = World::new();
    let (port, asked) =
        answer_over_tls(vec![b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"]);
    let conf = format!("[[registry]]\nlocation='127.0.0.1:{port}'\ninsecure=true\n");
    let puller = world.puller_with(&conf, Arc::new(Anonymous), impatient());
    let error = puller.pull(&parsed(&format!("127.0.0.1:{port}/x:1")), &amd64()).await.unwrap_err();
    assert_eq!((error.kind(), asked.join().unwrap()), (FailureKind::Verification, 1));
}

#[tokio::test]
async fn a_blob_is_redirected_to_another_host_without_the_token() {
    let world = World::new();
    let list = world.put_list("registry:2.7.1", "a");
    let (layer, _) = list.image(&amd64()).unwrap().layers[1].clone();
    world.server.require_tokens(Some(TokenRules::default()));
    let (port, asked) = answer(vec!["HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbad"]);
    let location = format!("http://127.0.0.1:{port}/blob?signature=s3cret");
    let when = When::path("/v2/").containing(layer.digest.to_string()).after(0).once();
    world.server.fault(when, Fault::Status(307, vec![("location", location)]));
    // The other host's answer is wrong, the rest is asked for at the registry again.
    world.puller().pull(&parsed("registry:2.7.1"), &amd64()).await.unwrap();
    let asked = asked.join().unwrap().concat();
    assert!(asked.starts_with("GET /blob?signature=s3cret HTTP/1.1\r\n"), "{asked}");
    assert!(!asked.to_lowercase().contains("authorization"), "{asked}");
    assert!(!format!("{:?}", world.said.events()).contains("s3cret"));
}

#[tokio::test]
async fn a_registry_cannot_send_a_login_to_a_host_that_the_user_did_not_name_insecure() {
    let world = World::new();
    world.put_list("registry:2.7.1", "a");
    let conf = world.server.registries_conf();
    let (port, asked) = answer(vec![RIGHT_TOKEN]);
    let mut messages = Vec::new();
    for realm in [format!("http://127.0.0.1:{port}/token"), "ftp://x/token".to_owned(), "token".to_owned()] {
        world.server.clear_faults();
        let challenge = format!("Bearer realm=\"{realm}\",service=\"x\"");
        world.server.fault(When::path("/v2/"), Fault::Status(401, vec![("www-authenticate", challenge)]));
        let puller = world.puller_with(&conf, Arc::new(super::pulling::Bob("s3cret")), impatient());
        let error = puller.pull(&parsed("registry:2.7.1"), &amd64()).await.unwrap_err();
        messages.push(format!("{:?}: {}", error.kind(), shown(&world, &error).replace(&port.to_string(), "OTHER")));
    }
    insta::assert_snapshot!(messages.join("\n"), @"
    Failed: `docker.io/library/registry:2.7.1`: its manifest cannot be pulled: http://127.0.0.1:PORT/v2/docker.io/library/registry/manifests/2.7.1: its URL for tokens is neither https nor on a host that is marked insecure: `http://127.0.0.1:OTHER/token`
    Failed: `docker.io/library/registry:2.7.1`: its manifest cannot be pulled: http://127.0.0.1:PORT/v2/docker.io/library/registry/manifests/2.7.1: its URL for tokens is neither https nor on a host that is marked insecure: `ftp://x/token`
    Failed: `docker.io/library/registry:2.7.1`: its manifest cannot be pulled: http://127.0.0.1:PORT/v2/docker.io/library/registry/manifests/2.7.1: its URL for tokens is not valid: `token`
    ");
    // Nobody was asked there: the one answer is still to be had.
    std::io::Write::write_all(&mut std::net::TcpStream::connect(("127.0.0.1", port)).unwrap(), b"x").unwrap();
    assert_eq!(asked.join().unwrap(), ["x"]);
}

const RIGHT_TOKEN: &str = "HTTP/1.1 200 OK\r\nContent-Length: 13\r\nConnection: close\r\n\r\n{\"token\":\"x\"}";

#[tokio::test]
async fn redirects_end_and_never_leave_http() {
    let world = World::new();
    world.server.files(|files| files.put("a.b/x", "right"));
    let fetcher = Fetcher::new(world.http(impatient()), world.cache.clone(), Vec::new(), world.said.clone());
    let url = Url::parse(&world.server.url("/files/a.b/x?token=s3cret")).unwrap();
    let right = Digest::of(b"right");
    let mut messages = Vec::new();
    for location in [Some(url.to_string()), Some("ftp://a/b".to_owned()), Some("http://[".to_owned()), None] {
        world.server.clear_faults();
        let headers = location.map(|location| ("location", location)).into_iter().collect();
        world.server.fault(When::path("/files/"), Fault::Status(302, headers));
        let error = fetcher.fetch(&url, Some(right)).await.unwrap_err();
        messages.push(format!("{:?}: {}", error.kind(), shown(&world, &error)));
    }
    insta::assert_snapshot!(messages.join("\n"), @"
    Failed: cannot fetch `http://127.0.0.1:PORT/files/a.b/x`: http://127.0.0.1:PORT/files/a.b/x: more than 5 redirects
    Failed: cannot fetch `http://127.0.0.1:PORT/files/a.b/x`: http://127.0.0.1:PORT/files/a.b/x: a redirect to neither http nor https
    Failed: cannot fetch `http://127.0.0.1:PORT/files/a.b/x`: http://127.0.0.1:PORT/files/a.b/x: a redirect to something that is not a URL
    Failed: cannot fetch `http://127.0.0.1:PORT/files/a.b/x`: http://127.0.0.1:PORT/files/a.b/x: a redirect without a target
    ");
    for (redirects, is_ok) in [(5, true), (6, false)] {
        world.cache.discard(right).unwrap();
        world.server.clear_faults();
        let location = vec![("location", "/files/a.b/x".to_owned())];
        world.server.fault(When::path("/files/").times(redirects), Fault::Status(308, location));
        assert_eq!(fetcher.fetch(&url, Some(right)).await.is_ok(), is_ok);
    }
}
