//! What the user names → images whose layers are in folders: a saved archive, an image of the store, or of a registry.

use std::path::{Path, PathBuf};

use super::report::{Asked, Origin, Report};
use super::{DiffError, Options, Side, compare};
use crate::build::Workspace;
use crate::image::model::{Image, ImageId};
use crate::sources::Sources;
use crate::store::{Staging, Store, StoreError};
use crate::tar::Limits;
use crate::types::{Event, Failure, FailureKind, Observer, Platform, ReferenceError, SealerName};

/// An image as the user names it, looked up.
#[derive(Debug, Clone)]
pub(crate) struct Input {
    text: String,
    found: Found,
}

#[derive(Debug, Clone)]
enum Found {
    Archive(PathBuf),
    /// The image for each platform.
    Stored(Vec<Image>),
    Registry(SealerName),
}

/// Why the user's input cannot be found.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FindError {
    /// It is neither a file nor a name.
    #[error("{0}; name an image as in the store or its registry, or a saved archive by its path")]
    Name(#[from] ReferenceError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A private folder for unpacked data, removed when it is dropped; leftovers of a killed process are removed by the
/// next one.
///
/// Archives and pulled images are unpacked into separate stores in it, never into the user's store.
pub(crate) struct Scratch {
    staging: Staging,
}

impl Scratch {
    /// Makes one below `folder`.
    pub(crate) fn new(folder: &Path) -> Result<Self, DiffError> {
        Ok(Self { staging: Store::open(folder).stage()? })
    }

    fn store(&self, name: &str) -> Store {
        Store::open(&self.staging.path().join(name))
    }

    /// The folder itself.
    #[must_use]
    pub(crate) fn path(&self) -> &Path {
        self.staging.path()
    }
}

impl Input {
    /// Looks up what the user named: a file is an archive; an id or a name is an image of `store`; any other name is left
    /// to its registry. Nothing is pulled yet.
    pub(crate) fn find(text: &str, store: &Store) -> Result<Self, FindError> {
        let input = |found| Self { text: text.to_owned(), found };
        let path = Path::new(text);
        let is_path = text.starts_with(['/', '.']) || path.extension().is_some_and(|extension| extension == "tar");
        if is_path || path.is_file() {
            // Opening it later says what is wrong with it.
            return Ok(input(Found::Archive(path.to_owned())));
        }
        if let Ok(id) = text.parse::<ImageId>() {
            let stored = store.find_by_id(&id)?;
            if let Some(image) = stored.first() {
                return Ok(input(Found::Stored(vec![image.document.image().clone()])));
            }
            return Err(StoreError::NoImage(text.to_owned()).into());
        }
        let name: SealerName = text.parse()?;
        let platforms = store.platforms(&name)?;
        let images = platforms.iter().map(|platform| store.find(&name, platform)).collect::<Result<Vec<_>, _>>()?;
        let images: Vec<Image> = images.into_iter().flatten().map(|stored| stored.document.image().clone()).collect();
        Ok(input(if images.is_empty() { Found::Registry(name) } else { Found::Stored(images) }))
    }

    /// Whether it must be pulled.
    #[must_use]
    pub(crate) fn needs_registry(&self) -> bool {
        matches!(self.found, Found::Registry(_))
    }

    fn asked(&self) -> Asked {
        let from = match self.found {
            Found::Archive(_) => Origin::Archive,
            Found::Stored(_) => Origin::Store,
            Found::Registry(_) => Origin::Registry,
        };
        Asked { image: self.text.clone(), from }
    }
}

/// Compares two images, or all platforms that both have.
pub(crate) struct Comparer<'a> {
    /// The user's store, which is only read.
    pub store: &'a Store,
    /// Pulls images; required if [`Input::needs_registry`] says so.
    pub sources: Option<&'a Sources>,
    /// Receives warnings about archives and pulled images.
    pub observer: &'a dyn Observer,
    /// For what is unpacked.
    pub scratch: &'a Scratch,
    /// Only these platforms; all if none is named.
    pub platforms: &'a [Platform],
    /// What is compared beyond what always is.
    pub options: Options,
}

impl Comparer<'_> {
    /// Compares `old` with `new`.
    ///
    /// Of a registry, the platforms are pulled that were asked for, else those of the other image, else this machine's.
    pub(crate) fn compare(&self, old: &Input, new: &Input) -> Result<Report, Failure> {
        let (olds, news) = if old.needs_registry() && !new.needs_registry() {
            let news = self.open(new, "new", &[])?;
            (self.open(old, "old", &platforms(&news))?, news)
        } else {
            let olds = self.open(old, "old", &[])?;
            let news = self.open(new, "new", &platforms(&olds))?;
            (olds, news)
        };
        let mut images = Vec::new();
        for (old, new) in pairs(&olds, &news) {
            images.push(compare(old, new, self.scratch.path(), self.options)?);
        }
        let only = |these: &[Side], those: &[Side]| {
            let those = platforms(those);
            platforms(these).into_iter().filter(|platform| !those.contains(platform)).collect::<Vec<_>>()
        };
        // Two images that are compared for two platforms say so in their documents.
        let is_one_pair = olds.len() == 1 && news.len() == 1;
        let (only_old, only_new) =
            if is_one_pair { (Vec::new(), Vec::new()) } else { (only(&olds, &news), only(&news, &olds)) };
        if images.is_empty() {
            let listed =
                |sides: &[Side]| platforms(sides).iter().map(Platform::to_string).collect::<Vec<_>>().join(", ");
            let message = format!(
                "`{}` and `{}` have no platform in common: the first is for {}, the second for {}",
                old.text,
                new.text,
                listed(&olds),
                listed(&news)
            );
            return Err(Failure::new(FailureKind::Failed, message));
        }
        let is_same = only_old.is_empty() && only_new.is_empty() && images.iter().all(super::ImageDiff::is_same);
        Ok(Report { old: old.asked(), new: new.asked(), is_same, images, only_old, only_new })
    }

    /// The images of an input that were asked for, by platform; never none.
    fn open(&self, input: &Input, folder: &str, others: &[Platform]) -> Result<Vec<Side>, Failure> {
        let own = self.scratch.store(folder);
        let (store, images) = match &input.found {
            Found::Stored(images) => (self.store, images.clone()),
            Found::Archive(path) => (&own, self.load(path, &own)?),
            Found::Registry(name) => (&own, self.pull(name, others, &own)?),
        };
        let is_wanted = |image: &&Image| self.platforms.is_empty() || self.platforms.contains(&image.platform);
        let mut sides = Vec::new();
        for image in images.iter().filter(is_wanted) {
            sides.push(Side::of_store(store, image)?);
        }
        sides.sort_by(|one, other| one.image.platform.cmp(&other.image.platform));
        if sides.is_empty() {
            let there: Vec<String> = images.iter().map(|image| image.platform.to_string()).collect();
            let message = format!("`{}` is not for the requested platform; it is for {}", input.text, there.join(", "));
            return Err(Failure::new(FailureKind::Failed, message));
        }
        if let Some(twice) = sides.windows(2).find(|two| two[0].image.platform == two[1].image.platform) {
            let [one, other] = [0, 1].map(|index| twice[index].image.name.familiar());
            let message = format!("`{}` has several images for one platform: `{one}` and `{other}`", input.text);
            return Err(Failure::new(FailureKind::Failed, message)
                .with_help("load the archive, and compare its images by name"));
        }
        Ok(sides)
    }

    fn load(&self, path: &Path, store: &Store) -> Result<Vec<Image>, Failure> {
        let file = fs_err::File::open(path)?;
        let loaded = store.load(file, &Limits::SAVED, jiff::Timestamp::UNIX_EPOCH);
        let loaded = loaded.map_err(|error| {
            let failure = Failure::from(error);
            Failure { message: format!("cannot compare `{}`: {}", path.display(), failure.message), ..failure }
        })?;
        for warning in loaded.warnings {
            self.observer.event(Event::Warning { message: format!("{}: {warning}", path.display()) });
        }
        Ok(loaded.images.iter().map(|document| document.image().clone()).collect())
    }

    fn pull(&self, name: &SealerName, others: &[Platform], store: &Store) -> Result<Vec<Image>, Failure> {
        let sources = self.sources.expect("whoever has an input that needs a registry gives what pulls");
        let host = [Platform::host()];
        let platforms = [self.platforms, others, &host].into_iter().find(|platforms| !platforms.is_empty());
        let mut workspace = Workspace::new(store)?;
        let mut images = Vec::new();
        for platform in platforms.unwrap_or_default() {
            let pulled = sources.image(&name.reference().clone().into(), platform).map_err(|failure| {
                let root = self.store.root().display();
                failure.with_help(format!(
                    "`{}` is not in the store {root}, so it was looked up in its registry",
                    name.familiar()
                ))
            })?;
            images.push(workspace.import(name, &pulled, sources.cache(), self.observer)?);
        }
        workspace.commit()?;
        Ok(images)
    }
}

fn platforms(sides: &[Side]) -> Vec<Platform> {
    sides.iter().map(|side| side.image.platform.clone()).collect()
}

/// What is compared with what: images for one platform; or the only two that there are.
fn pairs<'s>(olds: &'s [Side], news: &'s [Side]) -> Vec<(&'s Side, &'s Side)> {
    if let ([old], [new]) = (olds, news) {
        return vec![(old, new)];
    }
    let partner = |old: &'s Side| Some((old, news.iter().find(|new| new.image.platform == old.image.platform)?));
    olds.iter().filter_map(partner).collect()
}
