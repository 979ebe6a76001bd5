//! Pulling and fetching, against registries and web servers on loopback that answer well and badly.

mod fetching;
mod pulling;
mod pulling_faults;
mod pushing;
mod trusting;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use sealer::testing::cache::Cache;
use sealer::testing::sandbox::{Form, ImageBuilder, ImageList, Server, Tree};
use sealer::testing::transport::{
    Anonymous, Credentials, Http, HttpConfig, Puller, RegistriesConf, RegistryClient, RetryPolicy,
};
use sealer::testing::types::{Event, ImageRef, Observer, Platform, Source};

/// Remembers all that was said.
#[derive(Default)]
struct Said(Mutex<Vec<Event>>);

impl Observer for Said {
    fn event(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

impl Said {
    fn events(&self) -> Vec<Event> {
        self.0.lock().unwrap().clone()
    }

    fn warnings(&self) -> Vec<String> {
        let warning = |event| if let Event::Warning { message } = event { Some(message) } else { None };
        self.events().into_iter().filter_map(warning).collect()
    }
}

/// A server, an empty cache, and a client of the one that fills the other.
struct World {
    server: Server,
    cache: Arc<Cache>,
    said: Arc<Said>,
    _folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cache = Arc::new(Cache::open(folder.path().join("cache")).unwrap());
        Self { server: Server::start().unwrap(), cache, said: Arc::default(), _folder: folder }
    }

    fn http(&self, config: HttpConfig) -> Http {
        Http::new(config, self.said.clone())
    }

    fn puller(&self) -> Puller {
        self.puller_with(&self.server.registries_conf(), Arc::new(Anonymous), impatient())
    }

    fn puller_with(&self, conf: &str, credentials: Arc<dyn Credentials>, config: HttpConfig) -> Puller {
        self.puller_of(conf, credentials, config, Puller::PARALLEL)
    }

    fn puller_of(&self, conf: &str, credentials: Arc<dyn Credentials>, config: HttpConfig, parallel: usize) -> Puller {
        let conf = RegistriesConf::from_text(&Source::new("registries.conf", conf)).unwrap();
        let client = RegistryClient::new(self.http(config), conf, credentials);
        Puller::new(client, self.cache.clone(), self.said.clone(), parallel)
    }

    /// Puts a list for two platforms there, of layers that say `content`.
    fn put_list(&self, reference: &str, content: &str) -> ImageList {
        let list = ImageList::new(Form::Docker, vec![image("linux/amd64", content), image("linux/arm64", content)]);
        self.server.registry(|registry| list.push(registry, &parsed(reference)));
        list
    }

    /// What is being written in the cache.
    fn staged(&self) -> usize {
        fs_err::read_dir(self.cache.root().join("staging")).unwrap().count()
    }

    /// How many blobs the cache has.
    fn blobs(&self) -> usize {
        fs_err::read_dir(self.cache.root().join("blobs/sha256")).unwrap().count()
    }
}

/// Gives up soon.
fn impatient() -> HttpConfig {
    let retry = RetryPolicy {
        first_wait: Duration::from_millis(1),
        longest_wait: Duration::from_millis(5),
        longest_retry_after: Duration::from_millis(20),
        ..RetryPolicy::default()
    };
    HttpConfig { retry, stall: Duration::from_millis(400), ..HttpConfig::default() }
}

fn image(platform: &str, content: &str) -> sealer::testing::sandbox::BuiltImage {
    let noise: Vec<u8> = (0..3000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    ImageBuilder::new(&platform.parse().unwrap())
        .layer(Tree::new().file("etc/shared", noise))
        .layer(Tree::new().file("etc/own", format!("{content} {platform}")))
        .build()
}

fn parsed(reference: &str) -> ImageRef {
    reference.parse().unwrap()
}

fn amd64() -> Platform {
    "linux/amd64".parse().unwrap()
}

/// Answers requests with these texts, each on a connection of its own, and hands back what was asked.
fn answer(answers: Vec<&'static str>) -> (u16, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = std::thread::spawn(move || {
        let asked = answers.into_iter().map(|answer| {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = vec![0; 64 * 1024];
            let count = stream.read(&mut request).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8_lossy(&request[..count]).into_owned()
        });
        asked.collect()
    });
    (port, thread)
}
