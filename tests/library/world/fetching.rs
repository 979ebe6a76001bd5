//! Files by URL.

use std::io::Read as _;

use sealer::testing::fetch::{Fetcher, UrlMirror};
use sealer::testing::sandbox::{Fault, When};
use sealer::testing::transport::HttpConfig;
use sealer::testing::types::{Digest, FailureKind, Reportable};
use url::Url;

use super::pulling::shown;
use super::{World, answer, impatient};

impl World {
    fn fetcher(&self, config: HttpConfig) -> Fetcher {
        let mirrors = self.server.url_mirrors();
        let mirrors = mirrors.iter().map(|mirror| UrlMirror::parse(mirror).unwrap()).collect();
        Fetcher::new(self.http(config), self.cache.clone(), mirrors, self.said.clone())
    }

    fn put_file(&self, content: &str) -> Url {
        self.server.files(|files| files.put("example.invalid/d/f.tgz", content.to_owned()));
        Url::parse("https://example.invalid/d/f.tgz").unwrap()
    }

    fn statuses(&self) -> Vec<u16> {
        self.server.requests().iter().map(|asked| asked.status).collect()
    }
}

fn offline() -> HttpConfig {
    HttpConfig { offline: true, ..impatient() }
}

#[tokio::test]
async fn a_digest_that_is_there_needs_no_network() {
    let world = World::new();
    let url = world.put_file("content");
    let digest = Digest::of(b"content");
    let missing = world.fetcher(offline()).fetch(&url, Some(digest)).await.unwrap_err();
    let file = world.fetcher(impatient()).fetch(&url, Some(digest)).await.unwrap();
    assert_eq!((file.digest, file.size), (digest, 7));
    let mut content = String::new();
    file.open().unwrap().read_to_string(&mut content).unwrap();
    assert_eq!((content.as_str(), fs_err::read_to_string(&file.path).unwrap().as_str()), ("content", "content"));
    for config in [impatient(), offline()] {
        world.fetcher(config).fetch(&url, Some(digest)).await.unwrap();
    }
    assert_eq!(world.statuses(), [200]);
    insta::assert_snapshot!(missing.to_string(), @"`https://example.invalid/d/f.tgz` is not in the cache, and the network is switched off; fetch it with the network on");
    let address = world.server.address();
    let warning = format!(
        "the URL mirror http://{address}/files/example.invalid/ uses http: anyone on the way can change the files"
    );
    assert_eq!(world.said.warnings(), [warning]);
}

#[tokio::test]
async fn without_a_digest_the_server_is_asked_whether_it_changed() {
    let world = World::new();
    let url = world.put_file("one");
    let fetcher = world.fetcher(impatient());
    let first = fetcher.fetch(&url, None).await.unwrap();
    assert_eq!(fetcher.fetch(&url, None).await.unwrap().digest, first.digest);
    assert_eq!(world.fetcher(offline()).fetch(&url, None).await.unwrap().digest, first.digest);
    world.put_file("other");
    let other = fetcher.fetch(&url, None).await.unwrap();
    assert_eq!((other.digest, other.size), (Digest::of(b"other"), 5));
    // What it named before is gone from the cache: it is asked for as if it had never been there.
    world.cache.discard(other.digest).unwrap();
    fetcher.fetch(&url, None).await.unwrap();
    assert_eq!(world.statuses(), [200, 304, 200, 200]);
}

#[tokio::test]
async fn wrong_content_is_named_and_gone() {
    let world = World::new();
    let url = Url::parse(&format!("{}?sig=s3cret", world.server.url("/files/a.b/f"))).unwrap();
    world.server.files(|files| files.put("a.b/f", "wrong"));
    let fetcher = Fetcher::new(world.http(impatient()), world.cache.clone(), Vec::new(), world.said.clone());
    let errors = [
        fetcher.fetch(&url, Some(Digest::of(b"right"))).await.unwrap_err(),
        fetcher.fetch(&url.join("gone").unwrap(), Some(Digest::of(b"right"))).await.unwrap_err(),
        fetcher.fetch(&url, None).await.unwrap_err(),
        fetcher.fetch(&Url::parse("ftp://a.b/c").unwrap(), None).await.unwrap_err(),
    ];
    let kinds = errors.each_ref().map(Reportable::kind);
    assert_eq!(kinds, [FailureKind::Verification, FailureKind::Failed, FailureKind::Invalid, FailureKind::Invalid]);
    insta::assert_snapshot!(errors.map(|error| shown(&world, &error)).join("\n"), @"
    cannot fetch `http://127.0.0.1:PORT/files/a.b/f`: http://127.0.0.1:PORT/files/a.b/f returned something unexpected: expected content of sha256:27042f4e6eca7d0b2a7ee4026df2ecfa51d3339e6d122aa099118ecd8563bad9, found sha256:8810ad581e59f2bc3928b261707a71308f7e139eb04820366dc4d5c18d980225
    cannot fetch `http://127.0.0.1:PORT/files/a.b/gone`: http://127.0.0.1:PORT/files/a.b/gone: the server answered 404
    `http://127.0.0.1:PORT/files/a.b/f` is an http URL, and anyone on the way can change the file: give its sha256, or use https
    `ftp://a.b/c` is neither an https nor an http URL
    ");
    assert_eq!((world.staged(), world.blobs()), (0, 0));
}

#[tokio::test]
async fn cut_files_go_on_only_where_it_is_the_same_file() {
    let content = (0..5000).map(|n| n.to_string()).collect::<Vec<_>>().join(" ");
    let digest = Digest::of(content.as_bytes());
    for (expected, second) in [
        (Some(digest), None),
        (None, None),
        (None, Some(Fault::IgnoreRange)),
        (None, Some(Fault::WrongContentRange)),
        (Some(digest), Some(Fault::Stall(10))),
    ] {
        let world = World::new();
        let url = world.put_file(&content);
        world.server.fault(When::path("/files/").once(), Fault::Cut(1000));
        if let Some(second) = second {
            world.server.fault(When::path("/files/").once(), second);
        }
        assert_eq!(world.fetcher(impatient()).fetch(&url, expected).await.unwrap().digest, digest);
        let asked = world.server.requests();
        assert_eq!(asked[1].range.as_deref(), Some("bytes=1000-"));
        assert!(asked[1].if_range.is_some());
    }
}

#[tokio::test]
async fn without_a_name_for_the_version_and_a_digest_two_halves_are_never_joined() {
    let world = World::new();
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\nConnection: close\r\nETag: W/\"weak\"\r\n\r\n";
    let texts = [format!("{head}old"), format!("{head}new text")];
    let (port, asked) = answer(texts.iter().map(|text| &*text.clone().leak()).collect());
    let mirror = UrlMirror::parse(&format!("https://example.invalid=http://127.0.0.1:{port}")).unwrap();
    let fetcher = Fetcher::new(world.http(impatient()), world.cache.clone(), vec![mirror], world.said.clone());
    let url = Url::parse("https://example.invalid/f").unwrap();
    assert_eq!(fetcher.fetch(&url, None).await.unwrap().digest, Digest::of(b"new text"));
    assert!(asked.join().unwrap().iter().all(|asked| !asked.to_lowercase().contains("range:")));
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_fetched_is_fetched_anew() {
    let world = World::new();
    let url = world.put_file(&"old ".repeat(1000));
    world.server.fault(When::path("/files/").once(), Fault::Stall(1000));
    let fetcher = world.fetcher(impatient());
    let fetching = tokio::spawn(async move { fetcher.fetch(&url, None).await });
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    let new = "new ".repeat(900);
    world.put_file(&new);
    assert_eq!(fetching.await.unwrap().unwrap().digest, Digest::of(new.as_bytes()));
    assert_eq!(world.statuses(), [200, 200]);
}

#[tokio::test]
async fn a_mirror_that_fails_leads_to_the_next_place() {
    let world = World::new();
    world.server.files(|files| files.put("second.b/f", "right"));
    let address = world.server.address();
    let mirrors =
        format!("http://a.invalid/=http://{address}/files/first.b/,http://a.invalid=http://{address}/files/second.b");
    let fetcher = |mirrors: &str| {
        let mirrors = UrlMirror::parse_list(mirrors).unwrap();
        Fetcher::new(world.http(impatient()), world.cache.clone(), mirrors, world.said.clone())
    };
    let url = Url::parse("http://a.invalid/f").unwrap();
    fetcher(&mirrors).fetch(&url, Some(Digest::of(b"right"))).await.unwrap();
    assert_eq!(world.statuses(), [404, 200]);
}
