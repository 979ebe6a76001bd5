//! The engine's image and sealer images, brought together.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::hash::Hasher;
use super::known::{self, NoFiles};
use super::model::{Asked, Basis, Blob, EngineLayer, EngineSide, ImageLayer, Trace, TracedImage, TracedLayer};
use super::named::named;
use super::registry::Registry;
use crate::image::model::Image;
use crate::image::runs_on;
use crate::rootfs::Overlay;
use crate::store::{Store, StoreError};
use crate::transport::{Engine, EngineError, EngineFault, EngineImage};
use crate::types::{Digest, Event, Failure, FailureKind, ImageRef, ImageSource, Observer};

/// Looks for an engine's image in sealer images.
pub(crate) struct Tracer<'a> {
    /// The engine.
    pub engine: &'a Engine,
    /// The store with the sealer images; only read.
    pub store: &'a Store,
    /// Receives progress of long work, and warnings.
    pub observer: &'a dyn Observer,
    /// Trust no digest: the engine's layers are exported and hashed, and blobs are decompressed and hashed, including
    /// unreferenced ones if a layer is not found otherwise.
    pub is_deep: bool,
}

impl Tracer<'_> {
    /// Looks for the engine's image of that name in `images`, else in all of the store, as far as they are for its
    /// platform. A source of a registry means the engine's image of the same name.
    pub(crate) fn trace(&self, source: &ImageSource, images: Option<Vec<Image>>) -> Result<Trace, Failure> {
        let source = ImageSource::Engine(source.reference().clone());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let image = runtime.block_on(self.engine.describe(&source)).map_err(engine_failed)?;
        let images = self.images(images, &source, &image)?;
        let files = if self.engine.is_remote() {
            Err(NoFiles::because("the engine runs on another machine"))
        } else {
            match runtime.block_on(self.engine.storage(&source)) {
                Ok(about) => known::folder(&about),
                // It still works without the engine's files.
                Err(error) => Err(NoFiles::because(format!("the engine gives no information about itself: {error}"))),
            }
        };
        if let Err(NoFiles { why, is_denied: true }) = &files {
            let message = format!("cannot read the digests that the Docker engine knows: {why}; run this as root");
            self.observer.event(Event::Warning { message });
        }
        let layer = |diff_id: &Digest| {
            let read = files.as_ref().map_or(Ok(Vec::new()), |folder| known::read(folder, *diff_id));
            let (known, fault) = read.map_or_else(|fault| (Vec::new(), Some(fault)), |known| (known, None));
            EngineLayer { diff_id: *diff_id, known, fault }
        };
        let layers: Vec<EngineLayer> = image.diff_ids.iter().map(layer).collect();
        for message in layers.iter().filter_map(|layer| layer.fault.clone()) {
            self.observer.event(Event::Warning { message });
        }
        if self.is_deep {
            runtime.block_on(self.engine.check_layers(&source, &image)).map_err(engine_failed)?;
        }
        let asked = Asked { reference: source.reference().clone(), image, layers };
        let mut hasher = Hasher::new(self.observer);
        let traced = images.iter().map(|image| self.look(&asked, image, &mut hasher));
        let images = traced.collect::<io::Result<Vec<_>>>()?;
        let Asked { reference, image, layers } = asked;
        Ok(Trace {
            image: reference.familiar(),
            platform: image.platform,
            id: image.id,
            repo_digests: image.repo_digests.iter().map(ImageRef::familiar).collect(),
            engine: EngineSide {
                place: self.engine.host().to_string(),
                digests: files.as_ref().ok().cloned(),
                no_digests: files.err().map(|no| no.why),
                hashed: self.is_deep,
            },
            layers,
            found: images.iter().any(|image| image.found),
            images,
        })
    }

    /// The sealer images to search: never empty.
    fn images(
        &self,
        named: Option<Vec<Image>>,
        source: &ImageSource,
        asked: &EngineImage,
    ) -> Result<Vec<Image>, Failure> {
        let is_named = named.is_some();
        let images = match named {
            Some(images) => images,
            None => self.stored()?,
        };
        let there: BTreeSet<String> = images.iter().map(|image| image.platform.to_string()).collect();
        let fits = |image: &Image| runs_on(&asked.platform, &image.platform);
        let fitting: Vec<Image> = images.into_iter().filter(fits).collect();
        if !fitting.is_empty() {
            return Ok(fitting);
        }
        let (platform, root) = (&asked.platform, self.store.root().display());
        let there = there.into_iter().collect::<Vec<_>>().join(", ");
        let message = match (is_named, there.as_str()) {
            (_, "") => format!("cannot look for `{source}`: the store {root} has no sealer image"),
            (true, _) => format!("`{source}` is for {platform}, but the named sealer images are for {there}"),
            (false, _) => {
                format!("`{source}` is for {platform}, but the sealer images in the store {root} are for {there}")
            }
        };
        let help = format!("pull, load or build a sealer image for {platform} first");
        Err(Failure::new(FailureKind::Failed, message).with_help(help))
    }

    /// All images of the store that can be used.
    fn stored(&self) -> Result<Vec<Image>, StoreError> {
        let listing = self.store.images()?;
        for damage in listing.damaged {
            let message = format!("`{}` is damaged, so it was not searched: {}", damage.name, damage.error);
            self.observer.event(Event::Warning { message });
        }
        Ok(listing.images.into_iter().map(|stored| stored.document.image().clone()).collect())
    }

    fn look(&self, asked: &Asked, image: &Image, hasher: &mut Hasher<'_>) -> io::Result<TracedImage> {
        let merged = Overlay::new(image.layer_ids().map(|id| self.store.layer_dir(&id)).collect());
        let registry = Registry::read(&merged, &image.platform)?;
        let named = named(asked, image, &registry)?;
        let mut layers = Vec::new();
        for layer in &asked.layers {
            layers.push(self.layer(asked, layer, &registry, hasher)?);
        }
        let unmapped = registry.unmapped();
        if self.is_deep && layers.iter().any(|layer| !layer.found) {
            search(asked, &registry, &unmapped, &mut layers, hasher)?;
        }
        let titles = image.layers.iter().filter_map(|layer| {
            Some(ImageLayer { id: layer.id?, kind: layer.kind.as_str(), value: layer.value.clone() })
        });
        Ok(TracedImage {
            name: image.name.clone(),
            id: image.id,
            platform: image.platform.clone(),
            image_layers: titles.collect(),
            named,
            found: layers.iter().all(|layer| layer.found),
            layers,
            unmapped,
        })
    }

    /// Where a layer is, by the digests that the engine and the configs know.
    fn layer(
        &self,
        asked: &Asked,
        layer: &EngineLayer,
        registry: &Registry<'_>,
        hasher: &mut Hasher<'_>,
    ) -> io::Result<TracedLayer> {
        let mut candidates: BTreeMap<Digest, Vec<Basis>> = BTreeMap::new();
        let by_engine = layer.known.iter().map(|known| (known.digest, Basis::Engine));
        let by_config = registry.blobs(layer.diff_id).map(|digest| (digest, Basis::Config));
        for (digest, basis) in by_engine.chain(by_config) {
            let bases = candidates.entry(digest).or_default();
            if !bases.contains(&basis) {
                bases.push(basis);
            }
        }
        let mut blobs = Vec::new();
        for (digest, basis) in candidates {
            let is_expected = basis.contains(&Basis::Config);
            let mut blob = blob_of(asked, registry, digest, basis)?;
            // Most digests that only the engine knows belong to other registries.
            if blob.data.is_none() && blob.links.is_empty() && !is_expected {
                continue;
            }
            if self.is_deep {
                check_content(&mut blob, layer.diff_id, registry, hasher)?;
            } else if let Some(other) = registry.contradicts(digest, layer.diff_id) {
                blob.fault = Some(format!("is {other} according to a config there"));
            }
            blobs.push(blob);
        }
        let found = blobs.iter().any(Blob::is_there);
        Ok(TracedLayer { diff_id: layer.diff_id, blobs, found })
    }
}

/// What a registry has of a blob that is taken for a layer.
fn blob_of(asked: &Asked, registry: &Registry<'_>, digest: Digest, basis: Vec<Basis>) -> io::Result<Blob> {
    let links = registry.links(digest, asked.reference.repository());
    let data = registry.data(digest)?;
    let fault = data.as_ref().and_then(|_| registry.size_fault(digest)).map(|fault| fault.to_string());
    Ok(Blob { digest, basis, data: data.map(|(spot, _)| spot), links, fault })
}

/// Decompresses the unknown blobs, and finds layers among them.
fn search(
    asked: &Asked,
    registry: &Registry<'_>,
    unmapped: &[Digest],
    layers: &mut [TracedLayer],
    hasher: &mut Hasher<'_>,
) -> io::Result<()> {
    for &digest in unmapped {
        let Some((_, file)) = registry.data(digest)? else { continue };
        // A blob that is not a layer's stream cannot be one of the layers.
        let Ok(diff_id) = hasher.diff_id(&file, digest) else { continue };
        for layer in layers.iter_mut().filter(|layer| layer.diff_id == diff_id) {
            if layer.blobs.iter().all(|blob| blob.digest != digest) {
                layer.blobs.push(blob_of(asked, registry, digest, vec![Basis::Content])?);
                layer.found = layer.blobs.iter().any(Blob::is_there);
            }
        }
    }
    Ok(())
}

/// Decompresses a blob, and notes what it is or that it is something else.
fn check_content(blob: &mut Blob, diff_id: Digest, registry: &Registry<'_>, hasher: &mut Hasher<'_>) -> io::Result<()> {
    let Some((_, file)) = registry.data(blob.digest)? else { return Ok(()) };
    match hasher.diff_id(&file, blob.digest) {
        Ok(found) if found == diff_id => blob.basis.push(Basis::Content),
        Ok(found) => blob.fault = Some(format!("decompresses to {found}")),
        Err(why) => blob.fault = Some(format!("cannot be decompressed: {why}")),
    }
    Ok(())
}

/// The failure for an engine's error here, where no image is made.
fn engine_failed(error: EngineError) -> Failure {
    let help = match error {
        EngineError::NoImage { near: None, .. } => "`docker images` lists its images",
        EngineError::Fault { fault: EngineFault::NoSocket | EngineFault::Unreachable(_), .. } => {
            "start the engine, or set DOCKER_HOST to where it listens"
        }
        error => return error.into(),
    };
    Failure { help: vec![help.to_owned()], ..error.into() }
}
