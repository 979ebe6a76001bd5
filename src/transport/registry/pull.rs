//! Container images, from their registries into the cache.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::client::{DOCUMENT_LIMIT, RegistryClient};
use super::pull_error::PullError;
use crate::cache::{Cache, Expected, Look};
use crate::image::{
    ContainerImage, Descriptor, Document, Manifest, ManifestError, ManifestKind, check_config, choose, config_platform,
};
use crate::transport::http::Patience;
use crate::transport::keyed_locks::KeyedLocks;
use crate::transport::{Endpoint, Login, RegistryError, Tried};
use crate::types::{Digest, Event, ImageRef, Observer, Platform};

/// The most bytes of a config that is read to learn its platform.
const CONFIG_LIMIT: u64 = 8 * 1024 * 1024;

/// Pulls container images into the cache, several in parallel. Cloning is cheap.
#[derive(Clone)]
pub struct Puller {
    inner: Arc<Inner>,
}

struct Inner {
    client: RegistryClient,
    cache: Arc<Cache>,
    observer: Arc<dyn Observer>,
    /// How many requests run in parallel.
    permits: Semaphore,
    /// Blobs in transfer: images share layers.
    blobs: KeyedLocks<Digest>,
}

/// The pull of one image.
#[derive(Clone)]
struct Pull {
    inner: Arc<Inner>,
    /// The client, with the user's logins or a login for this image.
    client: RegistryClient,
    reference: ImageRef,
    endpoints: Arc<Vec<Endpoint>>,
    /// For the last of the endpoints.
    patience: Patience,
    /// Whether some blob had to be fetched.
    has_fetched: Arc<AtomicBool>,
}

impl Puller {
    /// The default number of parallel requests.
    pub const PARALLEL: usize = 6;

    /// Pulls into `cache`, with at most `parallel` requests in parallel.
    pub fn new(client: RegistryClient, cache: Arc<Cache>, observer: Arc<dyn Observer>, parallel: usize) -> Self {
        let permits = Semaphore::new(parallel.clamp(1, Semaphore::MAX_PERMITS));
        Self { inner: Arc::new(Inner { client, cache, observer, permits, blobs: KeyedLocks::default() }) }
    }

    /// Puts the whole image for `platform` into the cache. Existing parts are not fetched again; for a reference with a
    /// digest, a complete image needs no request at all.
    pub async fn pull(&self, reference: &ImageRef, platform: &Platform) -> Result<ContainerImage, PullError> {
        self.pull_with(self.inner.client.clone(), reference, platform).await
    }

    /// The client for requests.
    pub(crate) fn client(&self) -> RegistryClient {
        self.inner.client.clone()
    }

    /// The platforms of an image: those of its list, or the one that its config names.
    pub async fn platforms(&self, reference: &ImageRef) -> Result<Vec<Platform>, PullError> {
        let pull = self.ready(self.inner.client.clone(), reference, Patience::Full)?;
        let config = match pull.root().await?.1 {
            ManifestKind::List(entries) => {
                let mut platforms: Vec<Platform> = entries.into_iter().filter_map(|entry| entry.platform).collect();
                platforms.sort();
                platforms.dedup();
                return Ok(platforms);
            }
            ManifestKind::Image { config, .. } => config,
        };
        let config = pull.config(&config).await?;
        Ok(vec![config_platform(&config).map_err(|source| pull.unusable(source))?])
    }

    /// As [`pull`](Self::pull), with a login for the image's own registry instead of the user's.
    pub(crate) async fn pull_as(
        &self,
        reference: &ImageRef,
        platform: &Platform,
        login: &Login,
    ) -> Result<ContainerImage, PullError> {
        let client = self.inner.client.with_login(reference.registry(), login.clone());
        self.pull_with(client, reference, platform).await
    }

    async fn pull_with(
        &self,
        client: RegistryClient,
        reference: &ImageRef,
        platform: &Platform,
    ) -> Result<ContainerImage, PullError> {
        self.ready(client, reference, Patience::Full)?.run(platform).await
    }

    fn ready(&self, client: RegistryClient, reference: &ImageRef, patience: Patience) -> Result<Pull, PullError> {
        let endpoints = self.inner.client.conf().endpoints(reference);
        let endpoints =
            endpoints.map_err(|source| PullError::Settings { reference: Box::new(reference.clone()), source })?;
        Ok(Pull {
            inner: Arc::clone(&self.inner),
            client,
            reference: reference.clone(),
            endpoints: Arc::new(endpoints),
            patience,
            has_fetched: Arc::default(),
        })
    }

    /// Whether the network is switched off.
    #[must_use]
    pub(crate) fn is_offline(&self) -> bool {
        self.inner.client.http().config().offline
    }

    /// Resolves a reference without its layers: afterwards its documents and config are in the cache. It is an error if
    /// the image is not for `platform`.
    pub(crate) async fn describe(
        &self,
        reference: &ImageRef,
        platform: &Platform,
    ) -> Result<ContainerImage, PullError> {
        let pull = self.ready(self.inner.client.clone(), reference, Patience::Full)?;
        let image = pull.describe(platform).await?;
        pull.blob(&image.config).await?;
        Ok(image)
    }

    /// Puts some blobs of an image into the cache. Existing ones are not fetched again.
    pub async fn blobs(&self, reference: &ImageRef, blobs: &[Descriptor]) -> Result<(), PullError> {
        let pull = self.ready(self.inner.client.clone(), reference, Patience::Full)?;
        for blob in blobs {
            pull.blob(blob).await?;
        }
        Ok(())
    }

    /// What a tag stands for right now, optionally with a login for the image's own registry. It does not wait long for
    /// a server that does not answer.
    pub async fn current(&self, reference: &ImageRef, login: Option<&Login>) -> Result<Digest, PullError> {
        let client = match login {
            Some(login) => self.inner.client.with_login(reference.registry(), login.clone()),
            None => self.inner.client.clone(),
        };
        let pull = self.ready(client, reference, Patience::Brief)?;
        let (document, _) = pull.root().await?;
        Ok(document.descriptor.digest)
    }

    /// Pulls several images in parallel, each with its own outcome, in the order in which they were asked for.
    pub async fn pull_all(
        &self,
        references: &[ImageRef],
        platform: &Platform,
    ) -> Vec<(ImageRef, Result<ContainerImage, PullError>)> {
        let mut tasks = JoinSet::new();
        for (place, reference) in references.iter().enumerate() {
            let (puller, reference, platform) = (self.clone(), reference.clone(), platform.clone());
            tasks.spawn(async move { (place, puller.pull(&reference, &platform).await) });
        }
        let mut outcomes: Vec<_> = references
            .iter()
            .map(|reference| (reference.clone(), Err(PullError::Stopped { reference: Box::new(reference.clone()) })))
            .collect();
        while let Some(ended) = tasks.join_next().await {
            if let Ok((place, outcome)) = ended {
                outcomes[place].1 = outcome;
            }
        }
        outcomes
    }
}

impl Pull {
    async fn run(&self, platform: &Platform) -> Result<ContainerImage, PullError> {
        let image = self.describe(platform).await?;
        self.blobs(&image).await?;
        let blobs: u64 = image.blobs().map(|blob| blob.size).fold(0, u64::saturating_add);
        self.inner.observer.event(Event::ImagePulled {
            reference: self.reference.to_string(),
            digest: image.root().digest,
            size: image.manifest.descriptor.size.saturating_add(blobs),
            cached: !self.has_fetched.load(Ordering::Relaxed),
        });
        Ok(image)
    }

    /// The image's documents.
    async fn describe(&self, platform: &Platform) -> Result<ContainerImage, PullError> {
        let (root, kind) = self.root().await?;
        let (list, manifest, kind) = match kind {
            ManifestKind::Image { .. } => (None, root, kind),
            ManifestKind::List(entries) => {
                let chosen = &choose(&entries, platform).map_err(|source| self.unusable(source))?.descriptor;
                let (manifest, kind) = self.manifest(chosen).await?;
                (Some(root), manifest, kind)
            }
        };
        let ManifestKind::Image { config, layers } = kind else {
            let nested = ManifestError::Nested(platform.clone());
            return Err(self.unusable(nested));
        };
        if list.is_none() {
            // Before its layers, which may be large and useless on another platform.
            self.check_platform(&config, platform).await?;
        }
        let reference = self.reference.clone();
        Ok(ContainerImage { reference, platform: platform.clone(), list, manifest, config, layers })
    }

    /// The document that the reference stands for.
    async fn root(&self) -> Result<(Document, ManifestKind), PullError> {
        match (self.reference.digest(), self.reference.tag()) {
            (Some(digest), _) => self.document(Err(digest), None).await,
            (None, tag) => self.document(Ok(tag.unwrap_or("latest")), None).await,
        }
    }

    /// The manifest that a list names. Its digest is compared, the size that the list says is not: a real sealer writes
    /// the image's there.
    async fn manifest(&self, named: &Descriptor) -> Result<(Document, ManifestKind), PullError> {
        self.document(Err(named.digest), Some(&named.media_type)).await
    }

    /// A document, from the cache if its digest is known and the cache has it.
    async fn document(
        &self,
        tag: Result<&str, Digest>,
        media_type: Option<&str>,
    ) -> Result<(Document, ManifestKind), PullError> {
        let cache = &self.inner.cache;
        let cached = tag.err().and_then(|digest| Some((digest, cache.document(digest, DOCUMENT_LIMIT)?)));
        let (digest, bytes, said) = if let Some((digest, bytes)) = cached {
            (digest, bytes, None)
        } else {
            let what = tag.map_or_else(|digest| format!("its manifest {digest}"), |_| "its manifest".to_owned());
            let client = &self.client;
            let ask = |endpoint, patience| async move { client.manifest(endpoint, tag, patience).await };
            let answered = self.ask(&what, ask).await?;
            let expected = Expected::exactly(answered.digest, answered.bytes.len() as u64);
            cache.put(&answered.bytes, expected).map_err(|source| self.cache_error(source))?;
            (answered.digest, answered.bytes, answered.media_type)
        };
        // Both the registry's and the list's description must match the document.
        let parse = |said| Manifest::parse(&bytes, said).map_err(|source| self.unusable(source));
        let mut manifest = parse(said.as_deref())?;
        if let Some(named) = media_type {
            manifest = parse(Some(named))?;
        }
        let descriptor = Descriptor { media_type: manifest.media_type, digest, size: bytes.len() as u64 };
        Ok((Document { descriptor, bytes }, manifest.kind))
    }

    async fn check_platform(&self, config: &Descriptor, platform: &Platform) -> Result<(), PullError> {
        let bytes = self.config(config).await?;
        check_config(&bytes, platform).map_err(|source| self.unusable(source))
    }

    /// A config's bytes.
    async fn config(&self, config: &Descriptor) -> Result<Vec<u8>, PullError> {
        self.blob(config).await?;
        self.inner.cache.document(config.digest, CONFIG_LIMIT).ok_or_else(|| {
            let message = format!("the config {} is damaged or longer than {CONFIG_LIMIT} bytes", config.digest);
            self.cache_error(std::io::Error::other(message).into())
        })
    }

    /// Fetches the missing config and layers in parallel. A failure does not stop the others.
    async fn blobs(&self, image: &ContainerImage) -> Result<(), PullError> {
        let mut tasks = JoinSet::new();
        for (place, blob) in image.blobs().cloned().enumerate() {
            let pull = self.clone();
            tasks.spawn(async move { (place, pull.blob(&blob).await) });
        }
        let mut errors = Vec::new();
        while let Some(ended) = tasks.join_next().await {
            match ended {
                Ok((_, Ok(()))) => {}
                Ok((place, Err(error))) => errors.push((place, error)),
                Err(_) => errors.push((usize::MAX, PullError::Stopped { reference: Box::new(self.reference.clone()) })),
            }
        }
        // The lowest one, so that the same faults give the same message.
        errors.into_iter().min_by_key(|(place, _)| *place).map_or(Ok(()), |(_, error)| Err(error))
    }

    /// Makes sure that a blob is in the cache.
    async fn blob(&self, blob: &Descriptor) -> Result<(), PullError> {
        let _held = self.inner.blobs.hold(blob.digest).await;
        match self.inner.cache.look(blob.digest, Some(blob.size)) {
            Look::Present(_) => return Ok(()),
            Look::Absent => {}
            Look::Damaged(found) => self.inner.observer.event(Event::Warning {
                message: format!(
                    "{} has {found} bytes in the cache, expected {}; it is fetched again",
                    blob.digest, blob.size
                ),
            }),
        }
        let label = format!("{} {}", self.reference, &blob.digest.hex()[..12]);
        let fetched = self
            .ask(&format!("its blob {}", blob.digest), |endpoint, patience| {
                let (client, cache, label) = (&self.client, &self.inner.cache, &label);
                async move { client.blob(endpoint, blob, cache, label, patience).await }
            })
            .await;
        self.has_fetched.store(true, Ordering::Relaxed);
        fetched
    }

    /// Tries the endpoints in order until one succeeds.
    async fn ask<'a, T, F>(&'a self, what: &str, request: impl Fn(&'a Endpoint, Patience) -> F) -> Result<T, PullError>
    where
        F: Future<Output = Result<T, RegistryError>>,
    {
        if self.client.http().config().offline {
            return Err(PullError::Offline { reference: Box::new(self.reference.clone()), what: what.to_owned() });
        }
        let mut tried = Vec::new();
        for (place, endpoint) in self.endpoints.iter().enumerate() {
            let is_last = place + 1 == self.endpoints.len();
            let patience = if is_last { self.patience } else { Patience::Brief };
            let permit = self.inner.permits.acquire().await.expect("the semaphore is never closed");
            let answer = request(endpoint, patience).await;
            drop(permit);
            match answer {
                Ok(answer) => return Ok(answer),
                Err(error) => tried.push(error),
            }
        }
        Err(PullError::Tried {
            reference: Box::new(self.reference.clone()),
            what: what.to_owned(),
            tried: Tried(tried),
        })
    }

    fn unusable(&self, source: ManifestError) -> PullError {
        PullError::Manifest { reference: Box::new(self.reference.clone()), source }
    }

    fn cache_error(&self, source: crate::cache::CacheError) -> PullError {
        PullError::Cache { reference: Box::new(self.reference.clone()), source }
    }
}
