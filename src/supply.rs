//! Floor 6, supply: what comes from outside, each thing asked for once in a run.
//!
//! A tag could move between two questions; whoever asks twice in one run gets the first answer again. So the plan's
//! inputs can all be fetched at once at the start, and steps and builds find them here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Runtime;
use url::Url;

use crate::cache::Cache;
use crate::fetch::{FetchedFile, Fetcher};
use crate::image::{ContainerImage, Descriptor};
use crate::transport::{Attached, Engine, Login, Puller, PushImage, Pushed, Pusher};
use crate::words::{Digest, Event, Failure, ImageRef, ImageSource, Observer, Platform};

/// An image that was pulled, or why not.
pub type Pulled = Result<Arc<ContainerImage>, Failure>;
/// A file that was fetched, or why not.
pub type Fetched = Result<FetchedFile, Failure>;

/// Images and files from outside.
pub struct Supply {
    runtime: Runtime,
    puller: Puller,
    engine: Engine,
    fetcher: Fetcher,
    cache: Arc<Cache>,
    pulled: Mutex<BTreeMap<(ImageSource, Platform), Pulled>>,
    /// What was asked for with a login that somebody gave for it; few.
    pulled_as: Mutex<Vec<(ImageRef, Platform, Login, Pulled)>>,
    fetched: Mutex<BTreeMap<(Url, Option<Digest>), Fetched>>,
    counter: Arc<Counter>,
}

/// Hands events on and counts the bytes that arrived.
pub struct Counter {
    inner: Arc<dyn Observer>,
    bytes: AtomicU64,
}

impl Counter {
    /// Hands everything on to `inner`.
    #[must_use]
    pub fn new(inner: Arc<dyn Observer>) -> Arc<Self> {
        Arc::new(Self { inner, bytes: AtomicU64::new(0) })
    }
}

impl Observer for Counter {
    fn event(&self, event: Event) {
        if let Event::Transferred { size, .. } = &event {
            self.bytes.fetch_add(*size, Ordering::Relaxed);
        }
        self.inner.event(event);
    }
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// An image for a platform.
    Image(ImageSource, Platform),
    /// A file by its URL, with its sha256 where it is known.
    File(Url, Option<Digest>),
}

impl Supply {
    /// Gets images through `puller` and `engine` and files through `fetcher`; all keep what they get in `cache` and report to
    /// `counter`.
    #[must_use]
    pub fn new(
        runtime: Runtime,
        puller: Puller,
        engine: Engine,
        fetcher: Fetcher,
        cache: Arc<Cache>,
        counter: Arc<Counter>,
    ) -> Self {
        let (pulled, pulled_as, fetched) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { runtime, puller, engine, fetcher, cache, pulled, pulled_as, fetched, counter }
    }

    /// How many bytes came over the network so far.
    #[must_use]
    pub fn downloaded_bytes(&self) -> u64 {
        self.counter.bytes.load(Ordering::Relaxed)
    }

    /// Where the verified bytes are.
    #[must_use]
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Gets everything at once. Failures are kept as the answers to the later questions; those of now are returned, in
    /// the order of `needs`.
    pub fn get_all(&self, needs: &[Need]) -> Vec<(Need, Failure)> {
        let unique: BTreeSet<&Need> = needs.iter().filter(|need| !self.knows(need)).collect();
        self.runtime.block_on(async {
            let answers = unique.iter().map(|need| self.get(need));
            futures_util::future::join_all(answers).await
        });
        let failure = |need: &Need| match need {
            Need::Image(image, platform) => self.image(image, platform).err(),
            Need::File(url, digest) => self.file(url, *digest).err(),
        };
        needs.iter().filter_map(|need| failure(need).map(|failure| (need.clone(), failure))).collect()
    }

    /// An image, whole in the cache.
    pub fn image(&self, image: &ImageSource, platform: &Platform) -> Pulled {
        let key = (image.clone(), platform.clone());
        if let Some(known) = lock(&self.pulled).get(&key) {
            return known.clone();
        }
        self.runtime.block_on(self.pull(image, platform))
    }

    /// Images, each with a login for its registry, whole in the cache: all at once, the answers in the order of `asked`.
    ///
    /// The answer to another login, or to none, is no answer here, unless it was the image.
    pub fn images_as(&self, asked: &[(ImageRef, Login)], platform: &Platform) -> Vec<Pulled> {
        self.runtime.block_on(futures_util::future::join_all(
            asked.iter().map(|(image, login)| self.pull_as(image, platform, login)),
        ))
    }

    async fn pull_as(&self, image: &ImageRef, platform: &Platform, login: &Login) -> Pulled {
        let as_user = lock(&self.pulled).get(&(image.clone().into(), platform.clone())).cloned();
        if let Some(Ok(whole)) = as_user {
            return Ok(whole);
        }
        let is_it =
            |known: &&(ImageRef, Platform, Login, Pulled)| (&known.0, &known.1, &known.2) == (image, platform, login);
        let known = lock(&self.pulled_as).iter().find(is_it).map(|known| known.3.clone());
        if let Some(pulled) = known {
            return pulled;
        }
        let pulled = self.puller.pull_as(image, platform, login).await.map(Arc::new);
        let pulled = pulled.map_err(|error| advised(Failure::from_error(error.kind(), &error), error.help()));
        lock(&self.pulled_as).push((image.clone(), platform.clone(), login.clone(), pulled.clone()));
        pulled
    }

    /// The platforms that a registry has of an image. Asked anew each time.
    pub fn platforms(&self, image: &ImageRef) -> Result<Vec<Platform>, Failure> {
        let asked = self.runtime.block_on(self.puller.platforms(image));
        asked.map_err(|error| advised(Failure::from_error(error.kind(), &error), error.help()))
    }

    /// Pushes platforms of an image to its registry. Its bytes are no downloaded ones.
    pub fn push(&self, image: &ImageRef, platforms: &[PushImage]) -> Result<Pushed, Failure> {
        let pushed = self.runtime.block_on(self.pusher().push(image, platforms));
        pushed.map_err(|error| advised(Failure::from_error(error.kind(), &error), error.help()))
    }

    /// Pushes a document that refers to a manifest or list in an image's repository; see [`Pusher::attach`].
    pub fn attach(
        &self,
        image: &ImageRef,
        subject: &Descriptor,
        artifact_type: &str,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<Attached, Failure> {
        let pusher = self.pusher();
        let attached = self.runtime.block_on(pusher.attach(image, subject, artifact_type, media_type, bytes));
        attached.map_err(|error| advised(Failure::from_error(error.kind(), &error), error.help()))
    }

    fn pusher(&self) -> Pusher {
        Pusher::new(self.puller.client(), Arc::clone(&self.counter.inner), Puller::PARALLEL)
    }

    /// A file, verified where `digest` says what it is.
    pub fn file(&self, url: &Url, digest: Option<Digest>) -> Fetched {
        if let Some(known) = lock(&self.fetched).get(&(url.clone(), digest)) {
            return known.clone();
        }
        self.runtime.block_on(self.fetch(url, digest))
    }

    fn knows(&self, need: &Need) -> bool {
        match need {
            Need::Image(image, platform) => lock(&self.pulled).contains_key(&(image.clone(), platform.clone())),
            Need::File(url, digest) => lock(&self.fetched).contains_key(&(url.clone(), *digest)),
        }
    }

    async fn get(&self, need: &Need) {
        match need {
            Need::Image(image, platform) => drop(self.pull(image, platform).await),
            Need::File(url, digest) => drop(self.fetch(url, *digest).await),
        }
    }

    async fn pull(&self, image: &ImageSource, platform: &Platform) -> Pulled {
        let pulled = match image {
            ImageSource::Registry(reference) => {
                let pulled = self.puller.pull(reference, platform).await.map(Arc::new);
                pulled.map_err(|error| advised(Failure::from_error(error.kind(), &error), error.help()))
            }
            ImageSource::Engine(_) => {
                let given = self.engine.image(image, platform).await.map(Arc::new);
                given.map_err(|error| advised(Failure::from_error(error.kind(), &error), error.help()))
            }
        };
        lock(&self.pulled).insert((image.clone(), platform.clone()), pulled.clone());
        pulled
    }

    async fn fetch(&self, url: &Url, digest: Option<Digest>) -> Fetched {
        let fetched = self.fetcher.fetch(url, digest).await;
        let fetched = fetched.map_err(|error| advised(Failure::from_error(error.kind(), &error), error.help()));
        lock(&self.fetched).insert((url.clone(), digest), fetched.clone());
        fetched
    }
}

fn advised(failure: Failure, help: Option<String>) -> Failure {
    match help {
        Some(help) => failure.with_help(help),
        None => failure,
    }
}

/// A map stays good when a thread that held it panicked: entries are inserted whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
