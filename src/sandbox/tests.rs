//! The server as a client sees it: over a socket, with no HTTP library of its own between.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::*;
use crate::types::{Digest, ImageRef, Platform};

/// An answer as it came: head, body, and whether the connection ended as the head said.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

fn ask(server: &Server, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(4))).unwrap();
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\n").unwrap();
    for (name, value) in headers {
        write!(stream, "{name}: {value}\r\n").unwrap();
    }
    write!(stream, "Content-Length: {}\r\n\r\n", body.len()).unwrap();
    stream.write_all(body).unwrap();
    let mut bytes = Vec::new();
    // A stall ends in the time-out: what came until then counts.
    let _ = stream.read_to_end(&mut bytes);
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").map_or(bytes.len(), |at| at + 4);
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).map_or(0, |status| status.parse().unwrap());
    Answer { status, head, body: bytes[end..].to_vec() }
}

fn get(server: &Server, path: &str, headers: &[(&str, &str)]) -> Answer {
    ask(server, "GET", path, headers, b"")
}

fn reference() -> ImageRef {
    "registry:2.7.1".parse().unwrap()
}

fn amd64() -> Platform {
    "linux/amd64".parse().unwrap()
}

/// A server with `registry:2.7.1` for two platforms and one file.
fn server() -> (Server, ImageList) {
    let server = Server::start().unwrap();
    let image = |platform: &str| {
        let platform: Platform = platform.parse().unwrap();
        let tree = Tree::new().program("bin/registry", platform.to_string());
        ImageBuilder::new(&platform).layer(tree).entrypoint("/bin/registry").build()
    };
    let list = ImageList::new(Form::Docker, vec![image("linux/amd64"), image("linux/arm64")]);
    server.registry(|registry| list.push(registry, &reference()));
    server.files(|files| files.put("example.com/a.txt", "0123456789"));
    (server, list)
}

#[test]
fn manifests_and_blobs_are_found_by_tag_and_digest() {
    let (server, list) = server();
    assert_eq!(get(&server, "/v2/", &[]).status, 200);
    let by_tag = get(&server, "/v2/docker.io/library/registry/manifests/2.7.1", &[("Accept", Form::Docker.list())]);
    assert_eq!((by_tag.status, &by_tag.body), (200, &list.document().bytes));
    assert_eq!(by_tag.header("content-type"), Some(Form::Docker.list()));
    let digest = list.document().descriptor.digest.to_string();
    assert_eq!(by_tag.header("docker-content-digest"), Some(digest.as_str()));

    let image = list.image(&amd64()).unwrap();
    let manifest = image.manifest.descriptor.digest;
    let by_digest = get(&server, &format!("/v2/docker.io/library/registry/manifests/{manifest}"), &[]);
    assert_eq!(by_digest.body, image.manifest.bytes);
    let layer = format!("/v2/docker.io/library/registry/blobs/{}", image.layers[0].0.digest);
    assert_eq!(get(&server, &layer, &[]).body, image.layers[0].1);
    let head = ask(&server, "HEAD", &layer, &[], b"");
    let size = image.layers[0].1.len().to_string();
    assert_eq!((head.header("content-length"), head.body.as_slice()), (Some(size.as_str()), &b""[..]));
    let tags = get(&server, "/v2/docker.io/library/registry/tags/list", &[]);
    assert_eq!(tags.body, br#"{"name":"docker.io/library/registry","tags":["2.7.1"]}"#);
}

#[test]
fn what_is_not_there_or_not_accepted_is_404() {
    let (server, list) = server();
    let layer = list.images()[0].layers[0].0.digest;
    for (path, accept) in [
        ("/v2/docker.io/library/registry/manifests/2.8.0".to_owned(), "*/*"),
        ("/v2/quay.io/library/registry/manifests/2.7.1".to_owned(), "*/*"),
        ("/v2/docker.io/library/registry/manifests/2.7.1".to_owned(), Form::Oci.list()),
        (format!("/v2/docker.io/library/other/blobs/{layer}"), "*/*"),
        ("/v2/docker.io/library/registry/blobs/sha256:../../etc/passwd".to_owned(), "*/*"),
        ("/files/example.com/b.txt".to_owned(), "*/*"),
    ] {
        assert_eq!(get(&server, &path, &[("Accept", accept)]).status, 404, "{path}");
    }
}

#[test]
fn files_come_in_parts_and_only_when_they_changed() {
    let (server, _) = server();
    let path = "/files/example.com/a.txt";
    let whole = get(&server, path, &[]);
    let etag = whole.header("etag").unwrap();
    assert_eq!((whole.status, whole.body.as_slice()), (200, &b"0123456789"[..]));
    let part = get(&server, path, &[("Range", "bytes=4-"), ("If-Range", etag)]);
    assert_eq!((part.status, part.body.as_slice()), (206, &b"456789"[..]));
    assert_eq!(part.header("content-range"), Some("bytes 4-9/10"));
    let changed = get(&server, path, &[("Range", "bytes=4-"), ("If-Range", "\"other\"")]);
    assert_eq!((changed.status, changed.body.len()), (200, 10));
    assert_eq!(get(&server, path, &[("Range", "bytes=10-")]).status, 416);
    assert_eq!(get(&server, path, &[("If-None-Match", etag)]).status, 304);
}

#[test]
fn faults_hit_the_requests_they_are_for_and_no_other() {
    let (server, _) = server();
    let path = "/files/example.com/a.txt";
    let outcome = |fault: Fault| {
        server.fault(When::path("/files/").get().once(), fault);
        let answer = get(&server, path, &[("Range", "bytes=2-")]);
        let well = get(&server, path, &[]);
        assert_eq!((well.status, well.body.len()), (200, 10), "the fault was for one request");
        let length = answer.header("content-length").map(str::to_owned);
        (answer.status, length, String::from_utf8(answer.body).unwrap())
    };
    let whole = |status, length: &str, body: &str| (status, Some(length.to_owned()), body.to_owned());
    let after = vec![("retry-after", "1".to_owned())];
    for (fault, expected) in [
        (Fault::Status(429, after), whole(429, "0", "")),
        (Fault::Drop, (0, None, String::new())),
        (Fault::Silence, (0, None, String::new())),
        (Fault::Delay(Duration::from_millis(10)), whole(206, "8", "23456789")),
        (Fault::Cut(3), whole(206, "8", "234")),
        (Fault::Stall(3), whole(206, "8", "234")),
        (Fault::WrongContentLength(9), whole(206, "9", "23456789")),
        (Fault::WrongContentLength(7), whole(206, "7", "2345678")),
        (Fault::FlipByte(0), whole(206, "8", "33456789")),
        (Fault::ExtraBytes(2), whole(206, "10", "23456789xx")),
        (Fault::Truncate(2), whole(206, "2", "23")),
        (Fault::IgnoreRange, whole(200, "10", "0123456789")),
        (Fault::NoContentLength, (206, None, "8\r\n23456789\r\n0\r\n\r\n".to_owned())),
        (Fault::Body(b"<html>".to_vec()), whole(200, "6", "<html>")),
    ] {
        assert_eq!(outcome(fault.clone()), expected, "{fault:?}");
    }
    server.fault(When::path(path).after(1).once(), Fault::WrongContentRange);
    let range = || get(&server, path, &[("Range", "bytes=2-")]).header("content-range").map(str::to_owned);
    assert_eq!([range(), range(), range()].map(Option::unwrap), ["bytes 2-9/10", "bytes 3-9/10", "bytes 2-9/10"]);
}

#[test]
fn tokens_are_asked_for_and_end() {
    let (server, _) = server();
    let path = "/v2/docker.io/library/registry/manifests/2.7.1";
    server.require_tokens(Some(TokenRules { uses: 2, ..TokenRules::default() }));
    let refused = get(&server, path, &[]);
    let challenge = format!(
        "Bearer realm=\"{}\",service=\"sandbox\",scope=\"repository:docker.io/library/registry:pull\"",
        server.url("/token")
    );
    assert_eq!((refused.status, refused.header("www-authenticate")), (401, Some(challenge.as_str())));
    let given = get(&server, "/token?service=sandbox&scope=repository:docker.io/library/registry:pull", &[]);
    let given: serde_json::Value = serde_json::from_slice(&given.body).unwrap();
    let bearer = format!("Bearer {}", given["token"].as_str().unwrap());
    let with = [("Authorization", bearer.as_str())];
    let statuses = [(); 3].map(|()| get(&server, path, &with).status);
    assert_eq!(statuses, [200, 200, 401]);

    let login = Some(("me".to_owned(), "secret".to_owned()));
    server.require_tokens(Some(TokenRules { login, ..TokenRules::default() }));
    assert_eq!(get(&server, "/token", &[]).status, 401);
    assert_eq!(get(&server, "/token", &[("Authorization", "Basic bWU6c2VjcmV0")]).status, 200);
}

#[test]
fn an_image_can_be_pushed_and_wrong_digests_cannot() {
    let server = Server::start().unwrap();
    let image = ImageBuilder::new(&amd64()).form(Form::Oci).layer(Tree::new().file("a", "1")).build();
    let repository = "/v2/example.com/bases/x";
    let put = |path: &str, headers: &[(&str, &str)], body: &[u8]| ask(&server, "PUT", path, headers, body).status;
    let manifest = [("Content-Type", Form::Oci.manifest())];
    let tag = format!("{repository}/manifests/v1");
    assert_eq!(put(&tag, &manifest, &image.manifest.bytes), 400, "its blobs are not there");
    for (descriptor, bytes) in [&image.config, &image.layers[0]] {
        let begun = ask(&server, "POST", &format!("{repository}/blobs/uploads/"), &[], b"");
        let location = begun.header("location").unwrap().to_owned();
        let (first, rest) = bytes.split_at(5);
        assert_eq!(ask(&server, "PATCH", &location, &[], first).status, 202);
        assert_eq!(put(&format!("{location}&digest={}", descriptor.digest), &[], rest), 201);
    }
    let begun = ask(&server, "POST", &format!("{repository}/blobs/uploads/"), &[], b"");
    let location = begun.header("location").unwrap();
    assert_eq!(put(&format!("{location}&digest={}", Digest::of(b"other")), &[], b"this"), 400);
    assert_eq!(put(&tag, &[("Content-Type", Form::Docker.manifest())], &image.manifest.bytes), 400);
    assert_eq!(put(&tag, &manifest, &image.manifest.bytes), 201);
    assert_eq!(get(&server, &tag, &[]).body, image.manifest.bytes);
    let mount = format!("/v2/example.com/bases/y/blobs/uploads/?mount={}&from=bases/x", image.config.0.digest);
    assert_eq!(ask(&server, "POST", &mount, &[], b"").status, 201);
}

#[test]
fn the_log_says_what_was_asked() {
    let (server, _) = server();
    get(&server, "/files/example.com/a.txt?x=1", &[("Range", "bytes=2-"), ("If-Range", "\"e\"")]);
    let log = server.requests();
    assert_eq!(log.len(), 1);
    assert_eq!((log[0].path.as_str(), log[0].query.as_str(), log[0].status), ("/files/example.com/a.txt", "x=1", 200));
    assert_eq!((log[0].range.as_deref(), log[0].if_range.as_deref()), (Some("bytes=2-"), Some("\"e\"")));
    server.forget_requests();
    assert!(server.requests_for("/").is_empty());
}

#[test]
fn its_settings_lead_every_host_to_it() {
    let (server, _) = server();
    server.play("example.com");
    let address = server.address().to_string();
    insta::assert_snapshot!(server.registries_conf().replace(&address, "ADDRESS"), @r#"
    unqualified-search-registries = ["docker.io"]

    [[registry]]
    location = "ADDRESS"
    insecure = true

    [[registry]]
    prefix = "docker.io"
    location = "ADDRESS/docker.io"
    insecure = true

    [[registry]]
    prefix = "example.com"
    location = "ADDRESS/example.com"
    insecure = true
    "#);
    assert_eq!(server.url_mirrors(), [format!("https://example.com/=http://{address}/files/example.com/")]);
}
