//! The client for the engine's API.

mod inspect;

use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use bollard::models::ImageInspect;
use bollard::query_parameters::ListImagesOptions;
use futures_util::StreamExt as _;
use tokio::time::timeout;

use super::host::{Connection, LONGEST};
use super::{EngineError, EngineFault, EngineHost, convert};
use crate::cache::{Cache, CacheError};
use crate::image::{ContainerImage, DockerArchive, check_config, runs_on};
use crate::types::{Digest, Event, ImageSource, Observer, Platform, nearest, printable};

pub(crate) use inspect::{EngineImage, EngineStorage};

/// How long a request may take.
const ANSWER: Duration = Duration::from_mins(1);
/// How long a started answer may pause.
const STALL: Duration = Duration::from_mins(2);
/// Bytes of an exported image.
const EXPORT_LIMIT: u64 = 256 << 30;

/// The local Docker engine. It is not contacted before an image is requested.
pub(crate) struct Engine {
    host: EngineHost,
    cache: Arc<Cache>,
    observer: Arc<dyn Observer>,
}

/// A request for one image.
struct Asking<'a> {
    engine: &'a Engine,
    image: &'a ImageSource,
    connection: Connection,
}

impl Engine {
    /// Uses the engine at `host`, and stores its images in `cache`.
    pub(crate) fn new(host: EngineHost, cache: Arc<Cache>, observer: Arc<dyn Observer>) -> Self {
        Self { host, cache, observer }
    }

    /// Whether a network lies between the engine and this machine.
    #[must_use]
    pub(crate) fn is_remote(&self) -> bool {
        !self.host.is_local()
    }

    /// Puts the whole image of that name for `platform` from the engine into the cache.
    pub(crate) async fn image(&self, image: &ImageSource, platform: &Platform) -> Result<ContainerImage, EngineError> {
        let asking = self.connect(image)?;
        let id = asking.id(platform).await?;
        let known = convert::known(&self.cache, id, image, platform);
        let is_cached = known.is_some();
        let whole = match known {
            Some(whole) => whole,
            None => asking.export(id, platform).await?,
        };
        let blobs: u64 = whole.blobs().map(|blob| blob.size).fold(0, u64::saturating_add);
        self.observer.event(Event::ImagePulled {
            reference: image.to_string(),
            digest: whole.root().digest,
            size: whole.manifest.descriptor.size.saturating_add(blobs),
            cached: is_cached,
        });
        Ok(whole)
    }

    fn connect<'a>(&'a self, image: &'a ImageSource) -> Result<Asking<'a>, EngineError> {
        let connected = self.host.connect(ANSWER);
        connected
            .map(|connection| Asking { engine: self, image, connection })
            .map_err(|fault| self.failed(image, fault))
    }

    fn failed(&self, image: &ImageSource, fault: impl Into<EngineFault>) -> EngineError {
        let (image, host) = (image.clone(), self.host.clone());
        match fault.into() {
            EngineFault::Answer { status: 404, .. } => EngineError::NoImage { image, host, near: None },
            fault => EngineError::Fault { image, host, fault },
        }
    }
}

impl Asking<'_> {
    fn failed(&self, fault: impl Into<EngineFault>) -> EngineError {
        self.engine.failed(self.image, fault)
    }

    fn broken(&self, why: impl Into<String>) -> EngineError {
        self.failed(EngineFault::Broken(why.into()))
    }

    fn strange(&self, why: impl Into<String>) -> EngineError {
        self.failed(EngineFault::Strange(why.into()))
    }

    /// The name as the engine knows it.
    fn name(&self) -> String {
        self.image.reference().familiar()
    }

    /// What the engine says about the image, if it has it.
    async fn found(&self) -> Result<ImageInspect, EngineError> {
        let name = self.name();
        match self.connection.answer(self.connection.api.inspect_image(&name)).await {
            Ok(found) => Ok(found),
            Err(fault) => Err(self.with_near(self.failed(fault)).await),
        }
    }

    /// The image's id, if it exists and for the platform.
    async fn id(&self, platform: &Platform) -> Result<Digest, EngineError> {
        let found = self.found().await?;
        if let (Some(os), Some(architecture)) = (&found.os, &found.architecture) {
            let found = Platform::new(os, architecture, found.variant.as_deref());
            if !runs_on(&found, platform) {
                return Err(EngineError::Platform { image: self.image.clone(), asked: platform.clone(), found });
            }
        }
        self.id_of(&found)
    }

    fn id_of(&self, found: &ImageInspect) -> Result<Digest, EngineError> {
        let id = found.id.as_deref().and_then(|id| id.parse().ok());
        id.ok_or_else(|| self.strange("the image's id is not a digest: expected `sha256:` and 64 hex digits"))
    }

    /// Adds a similar name that the engine has, if there is one.
    async fn with_near(&self, error: EngineError) -> EngineError {
        let EngineError::NoImage { image, host, .. } = error else { return error };
        // The list is only needed for the suggestion.
        let list = self.connection.answer(self.connection.api.list_images(None::<ListImagesOptions>)).await;
        let tags: Vec<String> = list.unwrap_or_default().into_iter().flat_map(|image| image.repo_tags).collect();
        let name = self.name();
        // Another tag of the same repository is nearer than anything that only looks alike.
        let repository = |name: &str| name.rsplit_once(':').map(|(repository, _)| repository.to_owned());
        let same = |tag: &&String| repository(tag) == repository(&name);
        let near =
            nearest(&name, tags.iter().map(String::as_str)).or_else(|| tags.iter().find(same).map(String::as_str));
        EngineError::NoImage { image, host, near: near.map(|near| printable(near).into_owned()) }
    }

    /// Has the engine pack the image, and unpacks it into the cache.
    async fn export(&self, id: Digest, platform: &Platform) -> Result<ContainerImage, EngineError> {
        let file = self.engine.cache.scratch();
        let file = file.map_err(|source| EngineError::Cache { image: self.image.clone(), source })?;
        let file = self.receive(id, file, &|_| ()).await?;
        let (cache, image, host) = (Arc::clone(&self.engine.cache), self.image.clone(), self.engine.host.clone());
        let platform = platform.clone();
        let unpacked = tokio::task::spawn_blocking(move || {
            let archive = DockerArchive::open(file);
            let archive = archive.map_err(|source| EngineError::Archive { image: image.clone(), source })?;
            if !archive.is_called(id) {
                return Err(EngineError::Other { image, host, said: id, found: archive.id() });
            }
            let checked = check_config(archive.config(), &platform);
            checked.map_err(|source| EngineError::Config { image: image.clone(), source })?;
            convert::convert(&archive, &cache, id, &image, &platform)
        });
        unpacked.await.unwrap_or_else(|_| Err(self.broken("the work on it was stopped")))
    }

    /// Exports by id, not by name, because the tag may have moved in the meantime. `tell` gets the number of bytes
    /// received.
    async fn receive(&self, id: Digest, mut file: File, tell: &dyn Fn(u64)) -> Result<File, EngineError> {
        let on_disk = |error| EngineError::Cache { image: self.image.clone(), source: CacheError::Io(error) };
        let id = id.to_string();
        let mut stream = std::pin::pin!(self.connection.api.export_image(&id));
        let (mut received, mut patience) = (0u64, LONGEST);
        loop {
            let next = timeout(patience, stream.next()).await;
            let piece =
                match next.map_err(|_| self.broken(format!("nothing came for {} seconds", patience.as_secs())))? {
                    None => break,
                    Some(piece) => piece.map_err(|error| self.failed(error))?,
                };
            patience = STALL;
            received += piece.len() as u64;
            if received > EXPORT_LIMIT {
                return Err(self.broken(format!("it has more than {EXPORT_LIMIT} bytes")));
            }
            file.write_all(&piece).map_err(on_disk)?;
            tell(received);
        }
        file.rewind().map_err(on_disk)?;
        Ok(file)
    }
}

#[cfg(test)]
mod tests;
