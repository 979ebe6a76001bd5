//! What a plan needs from outside, and how much of it is at hand.

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
    /// The field of the recipe that asks for it, relative to the entry or step.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub field: String,
    /// The URL, without what may be secret in it, or the image's complete name.
    pub name: String,
    /// The image as people write it, or the URL.
    #[serde(skip)]
    pub familiar: String,
    /// What it must be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// Who says that.
    pub pin: Pin,
    /// Where it is now.
    #[serde(flatten)]
    pub state: InputState,
    /// How many bytes it has: of an image for its platform, as its registry sends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// How many of these are to be fetched, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fetch: Option<u64>,
}

/// Who says what an input must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Pin {
    /// The recipe: by a sha256, or by a digest in the reference.
    Recipe,
    /// The lock.
    Lock,
    /// Nobody: it is what it will be when it is asked for.
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
    /// In the cache as it was last; the server is asked whether it changed.
    CachedAsLast,
    /// Some of its parts are in the cache.
    Partly,
    /// Not here.
    Absent,
    /// An image by a tag that nothing pins: what it is, and what of it is to be fetched, is known when its registry is asked.
    Asked,
    /// In the local Docker engine, or not: that is asked only when it is needed.
    Engine,
}

impl Input {
    /// Whether nothing has to be asked for to have it.
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

/// Looks for inputs, and adds up what is to be fetched.
pub(super) struct Inputs<'a> {
    pub(super) sources: &'a Sources,
    pub(super) store: &'a Store,
    pub(super) lock: &'a Lock,
    /// What is to be fetched, each once, with its size where it is known.
    fetches: BTreeMap<String, Option<u64>>,
}

/// What the cache has of an image.
struct Parts {
    /// Of manifest, config and layers.
    size: u64,
    missing: Vec<Descriptor>,
}

impl<'a> Inputs<'a> {
    pub(super) fn new(sources: &'a Sources, store: &'a Store, lock: &'a Lock) -> Self {
        Self { sources, store, lock, fetches: BTreeMap::new() }
    }

    /// What is to be fetched in all.
    pub(super) fn fetches(&self) -> Need {
        let bytes = self.fetches.values().flatten().fold(0, |sum: u64, size| sum.saturating_add(*size));
        Need { bytes, unknown: self.fetches.values().filter(|size| size.is_none()).count() }
    }

    /// What the lock or the recipe says that a file is.
    pub(super) fn pinned_file(&self, url: &Url, said: Option<Digest>) -> Option<Digest> {
        said.or_else(|| self.lock.file(url).map(|locked| locked.digest))
    }

    /// What the lock or the recipe says that an image's reference stands for.
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
            // Whatever is asked for, it is never asked without TLS for what nobody can compare it with.
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

    /// An image to build on or to take files of, as apply finds it: of this run, of the store, or pulled. With it the
    /// image's document, where the store has it.
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

    /// The lock's image where it is in the store, else the store's of that name, if it is not another one than the lock's and
    /// a registry has that.
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

/// What the cache has of an image's platform; none where its documents are not there.
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
