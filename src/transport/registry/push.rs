//! Pushes sealer images, and artifacts that refer to them, to their registries.
//!
//! These rules always hold: a push goes to the registry itself, never to a mirror; blobs go before the manifests that
//! name them, manifests before the list, and the list goes last. So after a failed push, the tag is unchanged; after a
//! successful one, it has the whole image.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::join_all;
use tokio::sync::Semaphore;

use super::client::RegistryClient;
use super::upload::Placed;
use crate::image::pushed::{
    CONFIG_TYPE, EMPTY_CONFIG, merged_list, merged_referrers, pushed_manifest, referrer_manifest, referrers_tag,
};
use crate::image::{Descriptor, Document, Manifest, ManifestKind};
use crate::transport::http::{BlobContent, Content, Patience};
use crate::transport::{ConfError, Endpoint, RegistryError};
use crate::types::{Digest, Event, FailureKind, ImageRef, Observer, Platform, Reportable};

/// The most other repositories that are asked for a blob.
const CANDIDATES: usize = 4;

/// Pushes images. Cloning is cheap.
#[derive(Clone)]
pub struct Pusher {
    client: RegistryClient,
    observer: Arc<dyn Observer>,
    /// How many blobs are pushed in parallel.
    permits: Arc<Semaphore>,
}

/// One platform of an image, ready to be pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushImage {
    /// The platform.
    pub platform: Platform,
    /// The config's bytes.
    pub config: Vec<u8>,
    /// The layers from the lowest.
    pub layers: Vec<PushLayer>,
}

/// A layer, ready to be pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushLayer {
    /// The compressed layer.
    pub blob: Descriptor,
    /// The file with its bytes.
    pub path: PathBuf,
    /// Images that may have it too: if one is at the same registry, the blob is mounted from its repository.
    pub shared_with: Vec<ImageRef>,
}

/// The result of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// The new list under the tag.
    pub list: Descriptor,
    /// The manifest of each platform that was pushed.
    pub manifests: Vec<(Platform, Descriptor)>,
    /// Bytes of blobs that were sent.
    pub uploaded: u64,
    /// Bytes of blobs that the registry took from another of its repositories.
    pub mounted: u64,
    /// Bytes of blobs that were there.
    pub present: u64,
}

/// The result of attaching an artifact to an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// The manifest that refers to it.
    pub manifest: Descriptor,
    /// The tag of the index that names it, if the registry has no referrers API.
    pub tag: Option<String>,
}

/// A push to one repository.
struct Push<'a> {
    pusher: &'a Pusher,
    reference: &'a ImageRef,
    endpoint: Endpoint,
}

/// A blob in transfer.
struct Blob<'a> {
    content: Content,
    digest: Digest,
    shared_with: &'a [ImageRef],
}

impl Pusher {
    /// Pushes with `client`, with at most `parallel` blobs in parallel.
    pub fn new(client: RegistryClient, observer: Arc<dyn Observer>, parallel: usize) -> Self {
        Self { client, observer, permits: Arc::new(Semaphore::new(parallel.clamp(1, Semaphore::MAX_PERMITS))) }
    }

    /// Pushes platforms of an image under a tag. Other platforms that are there stay.
    pub async fn push(&self, reference: &ImageRef, images: &[PushImage]) -> Result<Pushed, PushError> {
        let (None, Some(tag)) = (reference.digest(), reference.tag()) else {
            return Err(PushError::Named(Box::new(reference.clone())));
        };
        let push = self.to(reference)?;
        let mut blobs: BTreeMap<Digest, Blob<'_>> = BTreeMap::new();
        let mut manifests = Vec::new();
        for PushImage { platform, config, layers } in images {
            let digest = Digest::of(config);
            let size = config.len() as u64;
            let content = Content::Bytes(config.clone().into());
            blobs.insert(digest, Blob { content, digest, shared_with: &[] });
            for layer in layers {
                blobs.entry(layer.blob.digest).or_insert_with(|| push.layer(layer));
            }
            let config = Descriptor { media_type: CONFIG_TYPE.to_owned(), digest, size };
            let layers: Vec<Descriptor> = layers.iter().map(|layer| layer.blob.clone()).collect();
            manifests.push((platform.clone(), pushed_manifest(&config, &layers)));
        }
        let [present, mounted, uploaded] = push.blobs(&blobs.into_values().collect::<Vec<_>>()).await?;
        for (_, manifest) in &manifests {
            push.manifest(manifest).await?;
        }
        let manifests: Vec<(Platform, Descriptor)> =
            manifests.into_iter().map(|(platform, manifest)| (platform, manifest.descriptor)).collect();
        // As late as possible, so that a parallel push of another platform is not lost.
        let there = push.list(tag).await?;
        let list = merged_list(there.as_deref(), &manifests);
        if there.as_ref() != Some(&list.bytes) {
            let put = self.client.put_manifest(&push.endpoint, tag, &list).await;
            put.map_err(|error| push.refused("its list of manifests", error))?;
        }
        let list = list.descriptor;
        self.observer.event(Event::ImagePushed {
            reference: reference.to_string(),
            digest: list.digest,
            size: present + mounted + uploaded,
            uploaded,
        });
        Ok(Pushed { list, manifests, uploaded, mounted, present })
    }

    /// Pushes a document that refers to `subject`, a manifest or list in the repository of `reference`; its tag and
    /// digest do not matter. Existing referrers stay.
    pub async fn attach(
        &self,
        reference: &ImageRef,
        subject: &Descriptor,
        artifact_type: &str,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<Attached, PushError> {
        let push = self.to(reference)?;
        let blob = |bytes: &[u8]| Blob {
            content: Content::Bytes(bytes.to_vec().into()),
            digest: Digest::of(bytes),
            shared_with: &[],
        };
        push.blobs(&[blob(EMPTY_CONFIG), blob(bytes)]).await?;
        let (media_type, digest, size) = (media_type.to_owned(), Digest::of(bytes), bytes.len() as u64);
        let referrer = referrer_manifest(subject, artifact_type, &Descriptor { media_type, digest, size });
        let manifest = referrer.manifest.descriptor.clone();
        // It is pushed even if it exists: only the answer says whether the registry has a referrers API.
        let put = self.client.put_manifest(&push.endpoint, &manifest.digest.to_string(), &referrer.manifest).await;
        if put.map_err(|error| push.refused("the artifact that refers to it", error))? {
            return Ok(Attached { manifest, tag: None });
        }
        let tag = referrers_tag(subject.digest);
        let there = push.list(&tag).await?;
        let index = merged_referrers(there.as_deref(), &referrer);
        if there.as_ref() != Some(&index.bytes) {
            let put = self.client.put_manifest(&push.endpoint, &tag, &index).await;
            put.map_err(|error| push.refused(&format!("the index `{tag}` of the artifact that refers to it"), error))?;
        }
        Ok(Attached { manifest, tag: Some(tag) })
    }

    fn to<'a>(&'a self, reference: &'a ImageRef) -> Result<Push<'a>, PushError> {
        let endpoint = self.location(reference);
        let endpoint =
            endpoint.map_err(|source| PushError::Settings { reference: Box::new(reference.clone()), source })?;
        Ok(Push { pusher: self, reference, endpoint })
    }

    /// The registry itself, which comes after its mirrors.
    fn location(&self, reference: &ImageRef) -> Result<Endpoint, ConfError> {
        let mut endpoints = self.client.conf().endpoints(reference)?;
        Ok(endpoints.pop().expect("every image has the place that its name says"))
    }
}

impl<'a> Push<'a> {
    fn layer(&self, layer: &'a PushLayer) -> Blob<'a> {
        let PushLayer { blob, path, shared_with } = layer;
        let what = format!("{} {}", self.reference, &blob.digest.hex()[..12]);
        let observer = Arc::clone(&self.pusher.observer);
        let content = BlobContent::new(path.clone(), blob.digest, blob.size, what, observer);
        Blob { content: Content::Blob(Arc::new(content)), digest: blob.digest, shared_with }
    }

    fn refused(&self, what: &str, source: RegistryError) -> PushError {
        PushError::Refused { reference: Box::new(self.reference.clone()), what: what.to_owned(), source }
    }

    /// Pushes all blobs, several in parallel; returns the bytes by how they got there. A failure does not stop the
    /// others.
    async fn blobs(&self, blobs: &[Blob<'_>]) -> Result<[u64; 3], PushError> {
        let outcomes = join_all(blobs.iter().map(|blob| async move {
            let _permit = self.pusher.permits.acquire().await.expect("the semaphore is never closed");
            (blob, self.blob(blob).await)
        }));
        let mut bytes = [0; 3];
        let mut first = None;
        for (blob, outcome) in outcomes.await {
            match outcome {
                Ok(placed) => bytes[placed as usize] += blob.content.size(),
                Err(error) => drop(first.get_or_insert((blob.digest, error))),
            }
        }
        match first {
            None => Ok(bytes),
            Some((digest, error)) => Err(self.refused(&format!("its blob {digest}"), error)),
        }
    }

    async fn blob(&self, blob: &Blob<'_>) -> Result<Placed, RegistryError> {
        let client = &self.pusher.client;
        let size = blob.content.size();
        if client.has_blob(&self.endpoint, blob.digest, size).await? {
            return Ok(Placed::Present);
        }
        let from = self.other_repository(blob).await;
        let placed = client.put_blob(&self.endpoint, blob.digest, &blob.content, from.as_deref()).await?;
        if let (Placed::Uploaded, Content::Blob(content)) = (placed, &blob.content) {
            let (what, digest) = (content.what().to_owned(), blob.digest);
            self.pusher.observer.event(Event::Transferred { what, digest, size });
        }
        Ok(placed)
    }

    /// Another repository of the registry that has the blob.
    async fn other_repository(&self, blob: &Blob<'_>) -> Option<String> {
        let mut asked: Vec<Endpoint> = Vec::new();
        for image in blob.shared_with {
            let Ok(other) = self.pusher.location(image) else { continue };
            if other.host != self.endpoint.host
                || other.repository == self.endpoint.repository
                || asked.contains(&other)
            {
                continue;
            }
            if asked.len() == CANDIDATES {
                break;
            }
            if self.pusher.client.may_have_blob(&other, blob.digest, blob.content.size()).await {
                return Some(other.repository);
            }
            asked.push(other);
        }
        None
    }

    async fn manifest(&self, manifest: &Document) -> Result<(), PushError> {
        let (client, digest) = (&self.pusher.client, manifest.descriptor.digest);
        let refused = |error| self.refused(&format!("its manifest {digest}"), error);
        if !client.has_manifest(&self.endpoint, digest).await.map_err(refused)? {
            client.put_manifest(&self.endpoint, &digest.to_string(), manifest).await.map_err(refused)?;
        }
        Ok(())
    }

    /// The list or index of a tag; `None` if there is none. Anything else under the tag is reported, because it will be
    /// replaced.
    async fn list(&self, tag: &str) -> Result<Option<Vec<u8>>, PushError> {
        let there = match self.pusher.client.manifest(&self.endpoint, Ok(tag), Patience::Full).await {
            Ok(there) => there,
            Err(RegistryError::Missing(_)) => return Ok(None),
            Err(error) => return Err(self.refused(&format!("the current image of the tag `{tag}`"), error)),
        };
        let what = match Manifest::parse(&there.bytes, there.media_type.as_deref()).map(|manifest| manifest.kind) {
            Ok(ManifestKind::List(_)) => return Ok(Some(there.bytes)),
            Ok(ManifestKind::Image { .. }) => "the manifest of one image".to_owned(),
            Err(error) => format!("something that cannot be read: {error}"),
        };
        let repository = &self.endpoint.repository;
        let message = format!(
            "`{tag}` of `{}/{repository}` is {what}; the list of this push replaces it, and {} can still be pulled by \
             its digest",
            self.endpoint.name(),
            there.digest
        );
        self.pusher.observer.event(Event::Warning { message });
        Ok(None)
    }
}

/// Why an image could not be pushed. References are boxed, being large.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The user's settings forbid it.
    #[error("`{reference}` cannot be pushed")]
    Settings {
        /// The image.
        reference: Box<ImageRef>,
        /// Why.
        source: ConfError,
    },
    /// It is named by a digest.
    #[error("cannot push `{0}`: it is named by a digest, and only a push gives a digest; name it by a tag")]
    Named(Box<ImageRef>),
    /// The registry did not accept a part of it. The tag is unchanged.
    #[error("`{reference}`: {what} cannot be pushed")]
    Refused {
        /// The image.
        reference: Box<ImageRef>,
        /// Which part of it: `its blob sha256:…`.
        what: String,
        /// The registry's error.
        source: RegistryError,
    },
}

impl Reportable for PushError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Settings { source, .. } => source.kind(),
            Self::Named(_) => FailureKind::Failed,
            Self::Refused { source, .. } => source.kind(),
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Refused { source: RegistryError::Http(error), .. } => error
                .help("a push goes to the registry itself, not to a mirror; registries.conf can change its address"),
            Self::Refused { source, .. } => source.help(),
            Self::Settings { .. } | Self::Named(_) => None,
        }
    }
}
