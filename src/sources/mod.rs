//! External inputs: images and files, each requested once in a run.
//!
//! A tag could move between two requests, so a second request in one run gets the first answer again. So the plan's
//! inputs can all be fetched at the start, and steps and builds find them here.
//!
//! [`Pins`] fix inputs: a pinned tag is requested by its digest, and a pinned file must have its sha256. The results
//! are recorded, so that they can be pinned the next time.

mod pins;
mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::runtime::Runtime;
use url::Url;

use crate::cache::Cache;
use crate::fetch::{FetchedFile, Fetcher};
use crate::image::{ContainerImage, Descriptor};
use crate::transport::{Attached, Engine, Login, Puller, PushImage, Pushed, Pusher, redacted_url};
use crate::types::{Digest, Event, Failure, FailureKind, ImageRef, ImageSource, Observer, Platform};

pub(crate) use pins::{Pinning, Pins, Resolved, public_url};
pub(crate) use watch::{MovedTag, TagNews};
use watch::{Watch, lock};

/// An image that was pulled, or why not.
pub(crate) type Pulled = Result<Arc<ContainerImage>, Failure>;
/// The result for a string that may be an image.
#[derive(Debug)]
pub(crate) enum LikelyImage {
    /// It is one.
    Image(Arc<ContainerImage>),
    /// Its registry refuses it, now or when it was locked.
    Refused {
        /// Why.
        why: &'static str,
        /// Whether this run has not reported it yet.
        is_news: bool,
    },
    /// It is not known whether it is one.
    Failed(Failure),
}

/// A file that was fetched, or why not.
pub(crate) type Fetched = Result<FetchedFile, Failure>;

/// Images and files from outside.
pub(crate) struct Sources {
    runtime: Runtime,
    puller: Puller,
    engine: Engine,
    fetcher: Fetcher,
    cache: Arc<Cache>,
    pulled: Mutex<BTreeMap<(ImageSource, Platform), Pulled>>,
    /// Images that were requested with a special login; only a few.
    pulled_as: Mutex<Vec<(ImageRef, Platform, Login, Pulled)>>,
    fetched: Mutex<BTreeMap<(Url, Option<Digest>), Fetched>>,
    counter: Arc<Counter>,
    pinning: Pinning,
    is_strict: bool,
    pins: Mutex<Arc<Pins>>,
    resolved: Mutex<Resolved>,
    /// Images that registries refuse for good.
    refused: Mutex<BTreeMap<(ImageSource, Platform), &'static str>>,
    watch: Watch,
}

/// Passes events on and counts the received bytes.
pub(crate) struct Counter {
    inner: Arc<dyn Observer>,
    bytes: AtomicU64,
}

impl Counter {
    /// Passes everything on to `inner`.
    #[must_use]
    pub(crate) fn new(inner: Arc<dyn Observer>) -> Arc<Self> {
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

/// An input that a run needs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    /// An image for a platform.
    Image(ImageSource, Platform),
    /// A file by its URL, with its sha256 if it is known.
    File(Url, Option<Digest>),
}

impl Sources {
    /// Gets images through `puller` and `engine` and files through `fetcher`; all of them store their results in
    /// `cache` and report to `counter`.
    #[must_use]
    pub(crate) fn new(
        runtime: Runtime,
        puller: Puller,
        engine: Engine,
        fetcher: Fetcher,
        cache: Arc<Cache>,
        counter: Arc<Counter>,
    ) -> Self {
        let (pulled, pulled_as, fetched) = (Mutex::default(), Mutex::default(), Mutex::default());
        let (pins, resolved, refused, watch) = (Mutex::default(), Mutex::default(), Mutex::default(), Watch::default());
        Self {
            runtime,
            puller,
            engine,
            fetcher,
            cache,
            pulled,
            pulled_as,
            fetched,
            counter,
            pinning: Pinning::Open,
            is_strict: false,
            pins,
            resolved,
            refused,
            watch,
        }
    }

    /// The same with another rule for inputs without a pin.
    #[must_use]
    pub(crate) fn with_pinning(self, pinning: Pinning) -> Self {
        Self { pinning, ..self }
    }

    /// The same, but a refused string that looks like an image is a failure.
    #[must_use]
    pub(crate) fn strict(self, is_strict: bool) -> Self {
        Self { is_strict, ..self }
    }

    /// The rule for inputs without a pin.
    #[must_use]
    pub(crate) fn pinning(&self) -> Pinning {
        self.pinning
    }

    /// Sets the pins. Inputs that were already returned do not change.
    pub(crate) fn pin(&self, pins: Pins) {
        *lock(&self.pins) = Arc::new(pins);
    }

    /// All inputs that were returned so far.
    #[must_use]
    pub(crate) fn resolved(&self) -> Resolved {
        lock(&self.resolved).clone()
    }

    /// Why the pins forbid a request; `None` if they allow it.
    #[must_use]
    pub(crate) fn refusal(&self, need: &Need) -> Option<Failure> {
        match (self.pinning, need) {
            (Pinning::Open, _) => None,
            (Pinning::Required, Need::Image(image, platform)) => self.pins().refuse_image(image, platform),
            (Pinning::Required, Need::File(url, digest)) => self.pins().refuse_file(url, &redacted_url(url), *digest),
        }
    }

    /// Checks in the background whether a pinned tag moved, if the network is on.
    pub(crate) fn watch(&self, image: &ImageRef, platform: &Platform, pinned: Digest) {
        self.watch_as(image, platform, pinned, None);
    }

    fn watch_as(&self, image: &ImageRef, platform: &Platform, pinned: Digest, login: Option<&Login>) {
        if self.pinning == Pinning::Open && image.digest().is_none() && !self.puller.is_offline() {
            self.watch.tag(&self.runtime, &self.puller, login, (image, platform, pinned));
        }
    }

    /// Which of the pinned tags that were used moved. Waits a few seconds for answers that are still missing.
    pub(crate) fn tag_news(&self) -> TagNews {
        self.watch.news(&self.runtime)
    }

    fn pins(&self) -> Arc<Pins> {
        Arc::clone(&lock(&self.pins))
    }

    /// How many bytes came over the network so far.
    #[must_use]
    pub(crate) fn downloaded_bytes(&self) -> u64 {
        self.counter.bytes.load(Ordering::Relaxed)
    }

    /// Where the verified bytes are.
    #[must_use]
    pub(crate) fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Gets everything in parallel. Failures are kept as answers for later requests; they are also returned, in the
    /// order of `needs`.
    pub(crate) fn get_all(&self, needs: &[Need]) -> Vec<(Need, Failure)> {
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

    /// Requests something that may be an image, and that may be left out if it is not one.
    pub(crate) fn likely_image(&self, image: &ImageSource, platform: &Platform) -> LikelyImage {
        const HELP: &str = "if it is not an image, add it to `ignore` of the step, or use `--ignore-image` of a build";
        let key = (image.clone(), platform.clone());
        let why = if self.pins().refused.contains(&key) {
            "the lock says that its registry refuses it"
        } else {
            match self.image(image, platform) {
                Ok(whole) => return LikelyImage::Image(whole),
                Err(failure) => match lock(&self.refused).get(&key).copied() {
                    Some(why) => why,
                    None => return LikelyImage::Failed(failure.with_help(HELP)),
                },
            }
        };
        if self.is_strict {
            let failure = Failure::new(FailureKind::Verification, format!("`{image}` looks like an image, but {why}"));
            return LikelyImage::Failed(failure.with_help(HELP));
        }
        let is_news = lock(&self.resolved).refused.insert(key);
        LikelyImage::Refused { why, is_news }
    }

    /// Whether something that looks like an image is known to be refused by its registry.
    pub(crate) fn is_refused(&self, image: &ImageSource, platform: &Platform) -> bool {
        let key = (image.clone(), platform.clone());
        self.pins().refused.contains(&key) || lock(&self.resolved).refused.contains(&key)
    }

    /// The same for several, in parallel; the answers are in the order of `images`.
    pub(crate) fn likely_images(&self, images: &[ImageSource], platform: &Platform) -> Vec<LikelyImage> {
        let pins = self.pins();
        let need = |image: &ImageSource| {
            let key = (image.clone(), platform.clone());
            (!pins.refused.contains(&key)).then_some(Need::Image(key.0, key.1))
        };
        self.get_all(&images.iter().filter_map(need).collect::<Vec<_>>());
        images.iter().map(|image| self.likely_image(image, platform)).collect()
    }

    /// Puts a whole image into the cache.
    pub(crate) fn image(&self, image: &ImageSource, platform: &Platform) -> Pulled {
        let key = (image.clone(), platform.clone());
        if let Some(known) = lock(&self.pulled).get(&key) {
            return known.clone();
        }
        self.runtime.block_on(self.pull(image, platform))
    }

    /// Puts some blobs of an image into the cache.
    pub(crate) fn blobs(&self, image: &ImageRef, blobs: &[Descriptor]) -> Result<(), Failure> {
        Ok(self.runtime.block_on(self.puller.blobs(image, blobs))?)
    }

    /// Puts images into the cache in parallel, each with a login for its registry; the answers are in the order of
    /// `asked`.
    ///
    /// An earlier answer for another login, or without one, is only used if it was the image.
    pub(crate) fn images_as(&self, asked: &[(ImageRef, Login)], platform: &Platform) -> Vec<Pulled> {
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
        let pulled = self.obtain(&image.clone().into(), platform, Some(login)).await;
        lock(&self.pulled_as).push((image.clone(), platform.clone(), login.clone(), pulled.clone()));
        pulled
    }

    /// The platforms that a registry has of an image. Asked again each time.
    pub(crate) fn platforms(&self, image: &ImageRef) -> Result<Vec<Platform>, Failure> {
        Ok(self.runtime.block_on(self.puller.platforms(image))?)
    }

    /// Pushes platforms of an image to its registry. These bytes do not count as downloads.
    pub(crate) fn push(&self, image: &ImageRef, platforms: &[PushImage]) -> Result<Pushed, Failure> {
        Ok(self.runtime.block_on(self.pusher().push(image, platforms))?)
    }

    /// Pushes a document that refers to a manifest or list in an image's repository; see [`Pusher::attach`].
    pub(crate) fn attach(
        &self,
        image: &ImageRef,
        subject: &Descriptor,
        artifact_type: &str,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<Attached, Failure> {
        let pusher = self.pusher();
        Ok(self.runtime.block_on(pusher.attach(image, subject, artifact_type, media_type, bytes))?)
    }

    fn pusher(&self) -> Pusher {
        Pusher::new(self.puller.client(), Arc::clone(&self.counter.inner), Puller::PARALLEL)
    }

    /// A file, verified where `digest` says what it is.
    pub(crate) fn file(&self, url: &Url, digest: Option<Digest>) -> Fetched {
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
        let pulled = self.obtain(image, platform, None).await;
        lock(&self.pulled).insert((image.clone(), platform.clone()), pulled.clone());
        pulled
    }

    /// Gets an image as its pin says, and remembers what it was.
    async fn obtain(&self, image: &ImageSource, platform: &Platform, login: Option<&Login>) -> Pulled {
        if let Some(failure) = self.refusal(&Need::Image(image.clone(), platform.clone())) {
            return Err(failure);
        }
        let pins = self.pins();
        let pin = pins.image(image, platform);
        let whole = match image {
            ImageSource::Registry(reference) => {
                let named = self.named(&pins, reference, pin)?;
                let pulled = match login {
                    None => self.puller.pull(&named, platform).await,
                    Some(login) => self.puller.pull_as(&named, platform, login).await,
                };
                let pulled = pulled.map_err(|error| {
                    // An entry in the lock is an image, whatever its registry says today.
                    if let (Some(why), None) = (error.refusal(), pin) {
                        lock(&self.refused).insert((image.clone(), platform.clone()), why);
                    }
                    self.of_pin(&pins, error.into(), pin.filter(|_| reference.digest().is_none()), &image.familiar())
                })?;
                if let Some(pin) = pin {
                    self.watch_as(reference, platform, pin, login);
                }
                ContainerImage { reference: reference.clone(), ..pulled }
            }
            ImageSource::Engine(_) if self.puller.is_offline() && self.engine.is_remote() => {
                let message =
                    format!("`{image}`: the Docker engine is not on this machine, and the network is switched off");
                return Err(Failure::new(FailureKind::Failed, message));
            }
            ImageSource::Engine(_) => {
                let given = self.engine.image(image, platform).await?;
                self.compare_engine(&pins, image, pin, given.root().digest)?;
                given
            }
        };
        lock(&self.resolved).images.insert((image.clone(), platform.clone()), whole.root().digest);
        Ok(Arc::new(whole))
    }

    /// The reference to ask for: with the pin's digest if there is one. A tag without digest needs the network.
    fn named(&self, pins: &Pins, reference: &ImageRef, pin: Option<Digest>) -> Result<ImageRef, Failure> {
        match pin {
            Some(digest) => Ok(reference.pinned(digest)),
            None if self.puller.is_offline() => Err(pins.unknown_offline(reference)),
            None => Ok(reference.clone()),
        }
    }

    /// An engine returns what its tag stands for now; it cannot be asked for a digest.
    fn compare_engine(
        &self,
        pins: &Pins,
        image: &ImageSource,
        pin: Option<Digest>,
        found: Digest,
    ) -> Result<(), Failure> {
        match (self.pinning, pin) {
            (Pinning::Required, Some(pin)) if pin != found => {
                let message = format!("the lock has {pin} for `{image}`, but the Docker engine has {found}");
                let failure = Failure::new(FailureKind::Verification, message);
                Err(failure.with_help(pins.update(&image.to_string())))
            }
            (Pinning::Required | Pinning::Open, _) => Ok(()),
        }
    }

    /// The failure of a pinned input, with help about the pin.
    fn of_pin(&self, pins: &Pins, failure: Failure, pin: Option<Digest>, name: &str) -> Failure {
        if self.puller.is_offline() {
            return failure.with_help(pins.fetch());
        }
        match (pin, failure.kind) {
            (Some(pin), FailureKind::Verification) => {
                failure.with_help(format!("the lock has {pin}; {}", pins.update(name)))
            }
            (Some(_) | None, _) => failure,
        }
    }

    /// Resolves references of images in parallel, without their layers; the answers are in the order of `asked`. An
    /// image of the local Docker engine is converted for that.
    pub(crate) fn describe(&self, asked: &[(ImageSource, Platform)]) -> Vec<Pulled> {
        let answers = asked.iter().map(|(image, platform)| self.describe_one(image, platform));
        self.runtime.block_on(futures_util::future::join_all(answers))
    }

    async fn describe_one(&self, image: &ImageSource, platform: &Platform) -> Pulled {
        let reference = match image {
            ImageSource::Registry(reference) => reference,
            ImageSource::Engine(_) => return self.pull(image, platform).await,
        };
        let pins = self.pins();
        let named = self.named(&pins, reference, pins.image(image, platform))?;
        let found = self.puller.describe(&named, platform).await?;
        Ok(Arc::new(ContainerImage { reference: reference.clone(), ..found }))
    }

    async fn fetch(&self, url: &Url, digest: Option<Digest>) -> Fetched {
        let fetched = self.obtain_file(url, digest).await;
        lock(&self.fetched).insert((url.clone(), digest), fetched.clone());
        fetched
    }

    async fn obtain_file(&self, url: &Url, digest: Option<Digest>) -> Fetched {
        if let Some(failure) = self.refusal(&Need::File(url.clone(), digest)) {
            return Err(failure);
        }
        let pins = self.pins();
        // The recipe's own digest overrides any pin.
        let pin = pins.file(url).filter(|_| digest.is_none());
        let file = self
            .fetcher
            .fetch(url, digest.or(pin))
            .await
            .map_err(|error| self.of_pin(&pins, error.into(), pin, &redacted_url(url)))?;
        lock(&self.resolved).files.insert(url.clone(), (file.digest, file.size));
        Ok(file)
    }
}
