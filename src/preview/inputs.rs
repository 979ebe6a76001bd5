//! The inputs that a plan needs from outside, and how much of them is already here.

use std::collections::BTreeMap;

use serde::Serialize;
use url::Url;

use crate::cache::Cache;
use crate::image::model::Image;
use crate::image::{Descriptor, Manifest, ManifestKind, choose};
use crate::plan::{Lock, PlannedStage};
use crate::sources::Sources;
use crate::store::Store;
use crate::transport::redacted_url;
use crate::types::{BaseSource, Digest, Failure, ImageRef, ImageSource, Platform, SealerName};

use super::Need;

/// The largest manifest or list that is read, in bytes.
const MAX_DOCUMENT: u64 = 4 << 20;

/// Something from outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    /// The field of the recipe that names it, relative to the entry or step.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub field: String,
    /// The URL, without parts that may be secret, or the image's complete name.
    pub name: String,
    /// The image as people write it, or the URL.
    #[serde(skip)]
    pub familiar: String,
    /// The digest or id that it must have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// Where this requirement comes from.
    pub pin: Pin,
    /// Where it is now.
    #[serde(flatten)]
    pub state: InputState,
    /// Its size in bytes; for an image, the size for its platform, as its registry sends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// The number of bytes to fetch, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fetch: Option<u64>,
}

/// Where the requirement for an input comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Pin {
    /// The recipe: by a sha256, or by a digest in the reference.
    Recipe,
    /// The lock.
    Lock,
    /// There is no requirement: its content is known only when it is fetched.
    None,
}

/// Where an input is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "state")]
pub(crate) enum InputState {
    /// An image in the store.
    Store {
        /// Its id.
        id: String,
        /// The lock has another id for it.
        #[serde(rename = "locked", skip_serializing_if = "Option::is_none")]
        other: Option<String>,
    },
    /// An earlier stage makes it.
    Stage {
        /// The stage.
        stage: String,
    },
    /// Whole in the cache.
    Cached,
    /// The last version is in the cache; the server is asked whether it changed.
    CachedAsLast,
    /// Some of its parts are in the cache.
    Partly,
    /// Not here.
    Absent,
    /// An image by a tag that nothing pins: only its registry can tell what it is, and how much of it must be fetched.
    Asked,
    /// Perhaps in the local Docker engine: the engine is asked only when the image is needed.
    Engine,
}

impl Input {
    /// Whether it is here without any request.
    pub(super) fn is_at_hand(&self) -> bool {
        match self.state {
            InputState::Cached | InputState::CachedAsLast => true,
            InputState::Store { .. }
            | InputState::Stage { .. }
            | InputState::Partly
            | InputState::Absent
            | InputState::Asked
            | InputState::Engine => false,
        }
    }

    fn new(name: String, familiar: String, state: InputState) -> Self {
        let (field, digest, pin) = (String::new(), None, Pin::None);
        Self { field, name, familiar, digest, pin, state, size: None, fetch: None }
    }

    fn of_image(image: &ImageSource, state: InputState) -> Self {
        Self::new(image.to_string(), image.familiar(), state)
    }
}

/// Looks for inputs, and adds up what must be fetched.
pub(super) struct Inputs<'a> {
    pub(super) sources: &'a Sources,
    pub(super) store: &'a Store,
    pub(super) lock: &'a Lock,
    /// Everything that must be fetched, each once, with its size if it is known.
    fetches: BTreeMap<String, Option<u64>>,
}

/// The part of an image that the cache has.
struct Parts {
    /// The size of manifest, config and layers together.
    size: u64,
    missing: Vec<Descriptor>,
}

impl<'a> Inputs<'a> {
    pub(super) fn new(sources: &'a Sources, store: &'a Store, lock: &'a Lock) -> Self {
        Self { sources, store, lock, fetches: BTreeMap::new() }
    }

    /// The total that must be fetched.
    pub(super) fn fetches(&self) -> Need {
        let bytes = self.fetches.values().flatten().fold(0, |sum: u64, size| sum.saturating_add(*size));
        Need { bytes, unknown: self.fetches.values().filter(|size| size.is_none()).count() }
    }

    /// The digest that the lock or the recipe has for a file.
    pub(super) fn pinned_file(&self, url: &Url, said: Option<Digest>) -> Option<Digest> {
        said.or_else(|| self.lock.file(url).map(|locked| locked.digest))
    }

    /// The digest that the lock or the recipe has for an image's reference.
    pub(super) fn pinned_image(&self, image: &ImageSource, platform: &Platform) -> Option<Digest> {
        match image {
            ImageSource::Registry(reference) => reference.digest().or_else(|| self.lock.image(image, platform)),
            ImageSource::Engine(_) => None,
        }
    }

    /// A file by its URL.
    pub(super) fn file(&mut self, url: &Url, said: Option<Digest>) -> Result<Input, Failure> {
        let locked = self.lock.file(url);
        let digest = self.pinned_file(url, said);
        let shown = redacted_url(url);
        let mut input = Input::new(shown.clone(), shown, InputState::Absent);
        input.digest = digest;
        input.pin = match (said, locked) {
            (Some(_), _) => Pin::Recipe,
            (None, Some(_)) => Pin::Lock,
            (None, None) => Pin::None,
        };
        input.size = locked.filter(|locked| Some(locked.digest) == digest).map(|locked| locked.size);
        match self.sources.file(url, digest) {
            Ok(file) => {
                input.state = if digest.is_some() { InputState::Cached } else { InputState::CachedAsLast };
                (input.size, input.fetch) = (Some(file.size), Some(0));
            }
            // A file without a known digest is never fetched without TLS.
            Err(failure) if url.scheme() != "https" && digest.is_none() => return Err(failure),
            Err(_) => {
                input.fetch = input.size;
                self.fetches.insert(url.to_string(), input.size);
            }
        }
        Ok(input)
    }

    /// A container image.
    pub(super) fn image(&mut self, image: &ImageSource, platform: &Platform) -> Input {
        let digest = self.pinned_image(image, platform);
        match image {
            ImageSource::Registry(reference) => {
                let pin = match (reference.digest(), digest) {
                    (Some(_), _) => Pin::Recipe,
                    (None, Some(_)) => Pin::Lock,
                    (None, None) => Pin::None,
                };
                self.of_registry(reference, platform, digest, pin)
            }
            ImageSource::Engine(_) => Input::of_image(image, InputState::Engine),
        }
    }

    fn of_registry(&mut self, reference: &ImageRef, platform: &Platform, digest: Option<Digest>, pin: Pin) -> Input {
        let mut input = Input::of_image(&ImageSource::Registry(reference.clone()), InputState::Absent);
        (input.digest, input.pin) = (digest, pin);
        let Some(parts) = digest.and_then(|digest| parts(self.sources.cache(), digest, platform)) else {
            self.fetches.insert(format!("{reference} {platform}"), None);
            if digest.is_none() {
                input.state = InputState::Asked;
            }
            return input;
        };
        let missing = parts.missing.iter().fold(0, |sum: u64, blob| sum.saturating_add(blob.size));
        (input.size, input.fetch) = (Some(parts.size), Some(missing));
        input.state = if parts.missing.is_empty() { InputState::Cached } else { InputState::Partly };
        self.fetches.extend(parts.missing.into_iter().map(|blob| (blob.digest.to_string(), Some(blob.size))));
        input
    }

    /// An image to build on or to take files from, as apply finds it: from this run, from the store, or pulled. The
    /// second value is the image's document, if the store has it.
    pub(super) fn base(
        &mut self,
        of: &BaseSource,
        platform: &Platform,
        earlier: &[PlannedStage],
    ) -> Result<(Input, Option<Image>), Failure> {
        let name = match of {
            BaseSource::Sealer(name) => name,
            BaseSource::Engine(_) => return Ok((Input::of_image(&of.image(), InputState::Engine), None)),
        };
        let at_hand = |state| Input { fetch: Some(0), ..Input::new(name.to_string(), name.familiar(), state) };
        let made = earlier.iter().find(|stage| stage.work.image == *name && stage.work.platform == *platform);
        if let Some(stage) = made {
            return Ok((at_hand(InputState::Stage { stage: stage.work.stage.clone() }), None));
        }
        let locked = self.lock.base(name, platform);
        if let Some(image) = self.stored(name, platform)? {
            let id = image.id.map(|id| id.to_string()).unwrap_or_default();
            let other = locked.filter(|locked| !locked.is(name, &image)).map(|locked| locked.id.to_string());
            let mut input = at_hand(InputState::Store { id, other });
            input.pin = if locked.is_some() { Pin::Lock } else { Pin::None };
            return Ok((input, Some(image)));
        }
        let reference = name.reference();
        let (digest, pin) = match (reference.digest(), locked.and_then(|locked| locked.digest)) {
            (Some(digest), _) => (Some(digest), Pin::Recipe),
            (None, Some(digest)) => (Some(digest), Pin::Lock),
            (None, None) => (None, Pin::None),
        };
        let input = self.of_registry(reference, platform, digest, pin);
        Ok((Input { familiar: name.familiar(), ..input }, None))
    }

    /// The lock's image if the store has it, else the store's image with that name. But there is none if that is
    /// another image than the lock's, and a registry has the lock's.
    fn stored(&self, name: &SealerName, platform: &Platform) -> Result<Option<Image>, Failure> {
        let locked = self.lock.base(name, platform);
        if let Some(locked) = locked {
            let found = self.store.find_by_id(&locked.id)?;
            let mut images = found.into_iter().map(|stored| stored.document.image().clone());
            if let Some(image) = images.find(|image| image.platform == *platform) {
                return Ok(Some(image));
            }
        }
        let found = self.store.find(name, platform)?;
        let found = found.map(|stored| stored.document.image().clone());
        Ok(found.filter(|image| !locked.is_some_and(|locked| locked.displaces(name, image))))
    }
}

/// The part of an image's platform that the cache has; `None` if its documents are not there.
fn parts(cache: &Cache, digest: Digest, platform: &Platform) -> Option<Parts> {
    let bytes = cache.document(digest, MAX_DOCUMENT)?;
    let (mut size, mut kind) = (bytes.len() as u64, Manifest::parse(&bytes, None).ok()?.kind);
    if let ManifestKind::List(entries) = &kind {
        let chosen = &choose(entries, platform).ok()?.descriptor;
        let bytes = cache.document(chosen.digest, MAX_DOCUMENT)?;
        (size, kind) = (bytes.len() as u64, Manifest::parse(&bytes, Some(&chosen.media_type)).ok()?.kind);
    }
    let ManifestKind::Image { config, layers } = kind else { return None };
    let mut missing: Vec<Descriptor> = Vec::new();
    for blob in std::iter::once(config).chain(layers) {
        size = size.saturating_add(blob.size);
        let is_here = cache.look(blob.digest, Some(blob.size)).size().is_some();
        if !is_here && !missing.contains(&blob) {
            missing.push(blob);
        }
    }
    Some(Parts { size, missing })
}
