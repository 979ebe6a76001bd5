//! The engine, asked through its API.

mod inspect;

use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error as ApiError;
use bollard::models::ImageInspect;
use bollard::query_parameters::ListImagesOptions;
use futures_util::StreamExt as _;
use tokio::time::timeout;

use super::place::Address;
use super::{EngineError, EnginePlace, convert};
use crate::cache::Cache;
use crate::image::{ContainerImage, DockerArchive, check_config, runs_on};
use crate::words::{Digest, Event, ImageSource, Observer, Platform, nearest, printable};

pub use inspect::{EngineImage, EngineStorage};

/// How long a question may take.
const ANSWER: Duration = Duration::from_mins(1);
/// How long the engine may pack an image before its first byte comes: it writes all of it to its own disk first.
const PACKING: Duration = Duration::from_mins(30);
/// How long nothing may come once something came.
const STALL: Duration = Duration::from_mins(2);
/// Bytes of an exported image.
const EXPORT_LIMIT: u64 = 256 << 30;

/// The local Docker engine. Nothing is asked of it before an image is.
pub struct Engine {
    place: EnginePlace,
    cache: Arc<Cache>,
    observer: Arc<dyn Observer>,
}

/// One image, asked for.
struct Asking<'a> {
    engine: &'a Engine,
    image: &'a ImageSource,
    docker: Docker,
}

impl Engine {
    /// Asks the engine at `place`, and keeps what it gives in `cache`.
    pub fn new(place: EnginePlace, cache: Arc<Cache>, observer: Arc<dyn Observer>) -> Self {
        Self { place, cache, observer }
    }

    /// Whether a network lies between the engine and this machine.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        !matches!(self.place.address(), Address::Socket(_))
    }

    /// Makes the engine's image of that name for `platform` whole in the cache.
    pub async fn image(&self, image: &ImageSource, platform: &Platform) -> Result<ContainerImage, EngineError> {
        let asking = Asking { engine: self, image, docker: self.connect(image)? };
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

    fn connect(&self, image: &ImageSource) -> Result<Docker, EngineError> {
        let refuse = |why| EngineError::Place { image: image.clone(), place: self.place.clone(), why };
        let (version, seconds) = (bollard::API_DEFAULT_VERSION, PACKING.as_secs());
        let connected = match self.place.address() {
            Address::Socket(path) => {
                // The client would say only that the socket is not found, whatever is in the way.
                if let Err(error) = fs_err::symlink_metadata(Path::new(path)) {
                    return Err(self.unreachable(image, &error));
                }
                Docker::connect_with_unix(path, seconds, version)
            }
            Address::Tcp(host) => Docker::connect_with_http(&format!("tcp://{host}"), seconds, version),
            Address::Tls => return Err(refuse("engines behind TLS are not asked")),
            Address::Other => return Err(refuse("only sockets and plain TCP are understood")),
        };
        connected.map_err(|error| self.failed(image, error))
    }

    fn unreachable(&self, image: &ImageSource, error: &io::Error) -> EngineError {
        let why = match error.kind() {
            io::ErrorKind::NotFound => "there is no such socket".to_owned(),
            io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
            io::ErrorKind::ConnectionRefused => "connection refused: nothing listens there".to_owned(),
            _ => printable(&error.to_string()).into_owned(),
        };
        let kind = Some(error.kind());
        EngineError::Unreachable { image: image.clone(), place: self.place.clone(), why, kind }
    }

    /// What the client says, in our words.
    fn failed(&self, image: &ImageSource, error: ApiError) -> EngineError {
        let (image_, place) = (image.clone(), self.place.clone());
        if let ApiError::DockerResponseServerError { status_code: 404, .. } = error {
            return EngineError::NoImage { image: image_, place, near: None };
        }
        if let ApiError::DockerResponseServerError { status_code: status, message } = error {
            let message = printable(message.trim()).into_owned();
            return EngineError::Answer { image: image_, place, status, message };
        }
        if let ApiError::JsonDataError { message, .. } = error {
            let why = printable(&message).into_owned();
            return EngineError::Strange { image: image_, place, why };
        }
        let mut next: Option<&(dyn std::error::Error + 'static)> = Some(&error);
        let mut last = error.to_string();
        while let Some(error) = next {
            if let Some(error) = error.downcast_ref::<io::Error>() {
                return match error.kind() {
                    io::ErrorKind::UnexpectedEof
                    | io::ErrorKind::ConnectionReset
                    | io::ErrorKind::ConnectionAborted
                    | io::ErrorKind::BrokenPipe => {
                        let why = "the connection ended before the answer did".to_owned();
                        EngineError::Broken { image: image_, place, why }
                    }
                    _ => self.unreachable(image, error),
                };
            }
            last = error.to_string();
            next = error.source();
        }
        EngineError::Broken { image: image_, place, why: printable(&last).into_owned() }
    }
}

impl Asking<'_> {
    fn broken(&self, why: impl Into<String>) -> EngineError {
        EngineError::Broken { image: self.image.clone(), place: self.engine.place.clone(), why: why.into() }
    }

    /// The name as the engine knows it.
    fn name(&self) -> String {
        self.image.reference().familiar()
    }

    /// What the engine says of the image, if it is there.
    async fn found(&self) -> Result<ImageInspect, EngineError> {
        let name = self.name();
        let answer = timeout(ANSWER, self.docker.inspect_image(&name)).await;
        match answer.map_err(|_| self.broken("no answer in a minute"))? {
            Ok(found) => Ok(found),
            Err(error) => Err(self.with_near(self.engine.failed(self.image, error)).await),
        }
    }

    /// The image's id, if it is there and for the platform.
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
        id.ok_or_else(|| self.strange("the image's id is none: expected `sha256:` and 64 hex digits"))
    }

    fn strange(&self, why: impl Into<String>) -> EngineError {
        EngineError::Strange { image: self.image.clone(), place: self.engine.place.clone(), why: why.into() }
    }

    /// Names what the engine has and what may have been meant.
    async fn with_near(&self, error: EngineError) -> EngineError {
        let EngineError::NoImage { image, place, .. } = error else { return error };
        let list = timeout(ANSWER, self.docker.list_images(None::<ListImagesOptions>)).await;
        let tags: Vec<String> = match list {
            Ok(Ok(list)) => list.into_iter().flat_map(|image| image.repo_tags).collect(),
            // The list is only for the advice.
            Ok(Err(_)) | Err(_) => Vec::new(),
        };
        let name = self.name();
        // Another tag of the same repository is nearer than anything that only looks alike.
        let repository = |name: &str| name.rsplit_once(':').map(|(repository, _)| repository.to_owned());
        let same = |tag: &&String| repository(tag) == repository(&name);
        let near =
            nearest(&name, tags.iter().map(String::as_str)).or_else(|| tags.iter().find(same).map(String::as_str));
        EngineError::NoImage { image, place, near: near.map(|near| printable(near).into_owned()) }
    }

    /// Has the engine pack the image, and unpacks it into the cache.
    async fn export(&self, id: Digest, platform: &Platform) -> Result<ContainerImage, EngineError> {
        let file = self.engine.cache.scratch();
        let file = file.map_err(|source| EngineError::Cache { image: self.image.clone(), source })?;
        let file = self.receive(id, file, &|_| ()).await?;
        let (cache, image, place) = (Arc::clone(&self.engine.cache), self.image.clone(), self.engine.place.clone());
        let platform = platform.clone();
        let unpacked = tokio::task::spawn_blocking(move || {
            let archive = DockerArchive::open(file);
            let archive = archive.map_err(|source| EngineError::Archive { image: image.clone(), source })?;
            if !archive.is_called(id) {
                return Err(EngineError::Other { image, place, said: id, found: archive.id() });
            }
            let checked = check_config(archive.config(), &platform);
            checked.map_err(|source| EngineError::Config { image: image.clone(), source })?;
            convert::convert(&archive, &cache, id, &image, &platform)
        });
        unpacked.await.unwrap_or_else(|_| Err(self.broken("the work on it was stopped")))
    }

    /// By id, and not by name: the name may have moved since it was looked at. `tell` hears how many bytes came.
    async fn receive(&self, id: Digest, mut file: File, tell: &dyn Fn(u64)) -> Result<File, EngineError> {
        let on_disk = |source| EngineError::Disk { image: self.image.clone(), source };
        let id = id.to_string();
        let mut stream = std::pin::pin!(self.docker.export_image(&id));
        let (mut received, mut patience) = (0u64, PACKING);
        loop {
            let next = timeout(patience, stream.next()).await;
            let piece =
                match next.map_err(|_| self.broken(format!("nothing came for {} seconds", patience.as_secs())))? {
                    None => break,
                    Some(piece) => piece.map_err(|error| self.engine.failed(self.image, error))?,
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
