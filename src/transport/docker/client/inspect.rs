//! Queries about an image and about the engine itself, and a check of its layers. Nothing is stored.

use std::io;
use std::path::PathBuf;

use super::Engine;
use crate::image::{DockerArchive, diff_ids};
use crate::transport::docker::{EngineError, EngineFault, EngineHost};
use crate::types::{Digest, Event, ImageRef, ImageSource, Platform};

/// The kind of storage driver that keeps images in containerd: `docker info`, "driver-type".
const CONTAINERD: &str = "io.containerd.snapshotter.v1";

/// An image as the engine knows it. Source: Docker Engine API, `GET /images/{name}/json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EngineImage {
    /// Its id: the digest of its config or, of an engine that keeps images in containerd, that of its manifest or list.
    pub id: Digest,
    /// The platform of the image.
    pub platform: Platform,
    /// The digests of its layers' tar streams, from the lowest.
    pub diff_ids: Vec<Digest>,
    /// Its names in registries, each with the digest of a manifest or list; empty for an image that was only built or
    /// loaded.
    pub repo_digests: Vec<ImageRef>,
    /// Bytes of all its layers, if the engine says so.
    pub size: Option<u64>,
}

/// What the engine says about itself. Source: Docker Engine API, `GET /info`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct EngineStorage {
    /// Its data folder, on the machine where it runs.
    pub root: Option<PathBuf>,
    /// Its storage driver: `overlay2`.
    pub driver: Option<String>,
    /// Whether it keeps images in containerd, and not in its own files.
    pub is_containerd: bool,
}

impl Engine {
    /// Where it listens.
    #[must_use]
    pub(crate) fn host(&self) -> &EngineHost {
        &self.host
    }

    /// What the engine knows of its image of that name, whatever its platform.
    pub(crate) async fn describe(&self, image: &ImageSource) -> Result<EngineImage, EngineError> {
        let asking = self.connect(image)?;
        let found = asking.found().await?;
        let (Some(os), Some(architecture)) = (&found.os, &found.architecture) else {
            return Err(asking.strange("it does not say what platform the image is for"));
        };
        let layers = found.root_fs.as_ref().and_then(|root| root.layers.as_deref()).unwrap_or_default();
        let diff_ids = layers.iter().map(|id| id.parse()).collect::<Result<_, _>>();
        let names = found.repo_digests.iter().flatten();
        Ok(EngineImage {
            id: asking.id_of(&found)?,
            platform: Platform::new(os, architecture, found.variant.as_deref()),
            diff_ids: diff_ids.map_err(|error| asking.strange(format!("in its diff ids, {error}")))?,
            // Entries that are not references are ignored.
            repo_digests: names.filter_map(|name| name.parse().ok()).collect(),
            size: found.size.and_then(|size| u64::try_from(size).ok()),
        })
    }

    /// What the engine says about itself; `image` is only for messages.
    pub(crate) async fn storage(&self, image: &ImageSource) -> Result<EngineStorage, EngineError> {
        let asking = self.connect(image)?;
        let info =
            asking.connection.answer(asking.connection.api.info()).await.map_err(|fault| asking.failed(fault))?;
        let is_containerd = |line: &Vec<String>| {
            line.first().is_some_and(|key| key == "driver-type") && line.get(1).is_some_and(|kind| kind == CONTAINERD)
        };
        Ok(EngineStorage {
            root: info.docker_root_dir.map(PathBuf::from),
            driver: info.driver,
            is_containerd: info.driver_status.iter().flatten().any(is_containerd),
        })
    }

    /// Exports the image and hashes every layer: an error if one is not what `said` says.
    pub(crate) async fn check_layers(&self, image: &ImageSource, said: &EngineImage) -> Result<(), EngineError> {
        let asking = self.connect(image)?;
        let file = self.cache.scratch().map_err(|source| EngineError::Cache { image: image.clone(), source })?;
        let what = format!("{image} of the Docker engine");
        let tell = |received| self.observer.event(Event::Transfer { what: what.clone(), received, total: said.size });
        tell(0);
        let file = asking.receive(said.id, file, &tell).await?;
        let (source, host, expected) = (image.clone(), self.host.clone(), said.clone());
        let hashed = tokio::task::spawn_blocking(move || {
            let bad = |error| EngineError::Archive { image: source.clone(), source: error };
            let archive = DockerArchive::open(file).map_err(bad)?;
            if !archive.is_called(expected.id) {
                let (said, found) = (expected.id, archive.id());
                return Err(EngineError::Other { image: source.clone(), host, said, found });
            }
            if diff_ids(archive.config()).ok().as_ref() != Some(&expected.diff_ids) {
                let why = "its diff ids are not those of the config that it sends".to_owned();
                return Err(EngineError::Fault { image: source.clone(), host, fault: EngineFault::Strange(why) });
            }
            for index in 0..archive.layer_count() {
                archive.copy_layer(index, io::sink()).map_err(bad)?;
            }
            Ok(())
        });
        hashed.await.unwrap_or_else(|_| Err(asking.broken("the work on it was stopped")))?;
        // The id is the only digest that the export has.
        self.observer.event(Event::Transferred { what, digest: said.id, size: said.size.unwrap_or_default() });
        Ok(())
    }
}
