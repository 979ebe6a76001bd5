//! Looks up a plan's inputs without running the plan.

use std::collections::{BTreeMap, BTreeSet};

use crate::build;
use crate::plan::{Lock, Locked, LockedFile, Plan};
use crate::sources::{Need, Pulled, Sources, public_url};
use crate::store::Store;
use crate::types::{Failure, ImageSource, Platform, SealerName};

use super::inputs::{Input, add_new, all_well, asked, no_id};

/// The inputs that a plan names.
#[derive(Debug, Clone, Default)]
pub(crate) struct Inputs {
    needs: Vec<Need>,
    bases: Vec<(SealerName, Platform)>,
    platforms: BTreeSet<Platform>,
}

impl Inputs {
    /// The inputs of a plan.
    #[must_use]
    pub(crate) fn of(plan: &Plan) -> Self {
        let platforms = plan.stages.iter().map(|stage| stage.work.platform.clone()).collect();
        let mut inputs = Self { platforms, ..Self::default() };
        for one in asked(plan) {
            match one.input {
                Input::Outside(need) => inputs.needs.push(need),
                Input::Base(name, platform) => inputs.bases.push((name, platform)),
            }
        }
        inputs
    }

    /// The inputs of both.
    pub(crate) fn extend(&mut self, other: Self) {
        self.needs.extend(other.needs);
        self.bases.extend(other.bases);
        self.platforms.extend(other.platforms);
    }

    /// Whether a lock's entry is one of these inputs.
    #[must_use]
    pub(crate) fn name(&self, entry: &Locked) -> bool {
        match entry {
            Locked::File(url, _) => {
                self.needs.iter().any(|need| matches!(need, Need::File(named, _) if public_url(named) == *url))
            }
            Locked::Image(image, platform, _) => self.images(platform).any(|named| named == image),
            Locked::Base(name, platform, _) => self.bases.iter().any(|base| (&base.0, &base.1) == (name, platform)),
        }
    }

    /// Whether a lock's entry may still be of use. It is one of these inputs, or it is an image that only a build can
    /// find: it is for one of the plans' platforms, and the plans do not name another tag of its repository.
    #[must_use]
    pub(crate) fn may_need(&self, entry: &Locked) -> bool {
        let is_unknown = match entry {
            Locked::Image(image, platform, _) => {
                let repository = (image.reference().registry(), image.reference().repository());
                let mut named = self.images(platform).map(ImageSource::reference);
                let is_named = named.any(|named| (named.registry(), named.repository()) == repository);
                !is_named && self.platforms.contains(platform)
            }
            Locked::File(..) | Locked::Base(..) => false,
        };
        is_unknown || self.name(entry)
    }

    fn images<'a>(&'a self, platform: &'a Platform) -> impl Iterator<Item = &'a ImageSource> {
        self.needs.iter().filter_map(move |need| match need {
            Need::Image(named, on) if on == platform => Some(named),
            Need::Image(..) | Need::File(..) => None,
        })
    }
}

/// Looks up the inputs that a plan names and its lock does not have, and returns the lock with them. Files are fetched
/// for their digest; for images, only the documents are fetched. If a base image came from a registry according to the
/// `former` lock, the registry is asked again. The error has all failures.
pub(crate) fn look_up(plan: &Plan, former: &Lock, store: &Store, sources: &Sources) -> Result<Lock, Vec<Failure>> {
    sources.pin(plan.inputs.pins(&plan.file));
    let mut lock = plan.inputs.clone();
    let mut failures = Vec::new();
    let asked = asked(plan);
    let files: Vec<Need> = asked
        .iter()
        .filter_map(|one| match &one.input {
            Input::Outside(need @ Need::File(url, digest)) => {
                let known = lock.file(url).is_some_and(|file| digest.is_none_or(|digest| digest == file.digest));
                (!known).then(|| need.clone())
            }
            Input::Outside(Need::Image(..)) | Input::Base(..) => None,
        })
        .collect();
    let images: Vec<(ImageSource, Platform)> = asked
        .iter()
        .filter_map(|one| match &one.input {
            Input::Outside(Need::Image(image, on)) if lock.image(image, on).is_none() => {
                Some((image.clone(), on.clone()))
            }
            Input::Outside(_) | Input::Base(..) => None,
        })
        .collect();
    // All are asked at once; the failures are reported below, each with its place.
    sources.get_all(&files);
    let described: BTreeMap<&(ImageSource, Platform), Pulled> = images.iter().zip(sources.describe(&images)).collect();
    for one in &asked {
        let found = match &one.input {
            Input::Outside(need @ Need::File(url, digest)) if files.contains(need) => {
                sources.file(url, *digest).map(|file| {
                    let (digest, size) = (file.digest, file.size);
                    Some(Locked::File(url.clone(), LockedFile { digest, size }))
                })
            }
            Input::Outside(Need::File(..)) => Ok(None),
            Input::Outside(Need::Image(image, on)) => match described.get(&(image.clone(), on.clone())) {
                None => Ok(None),
                Some(Ok(found)) => Ok(Some(Locked::Image(image.clone(), on.clone(), Some(found.root().digest)))),
                Some(Err(failure)) => Err(failure.clone()),
            },
            Input::Base(name, platform) if lock.base(name, platform).is_some() => Ok(None),
            Input::Base(name, platform) => {
                let is_of_registry = former.base(name, platform).is_some_and(|base| base.digest.is_some());
                base(name, platform, (!is_of_registry).then_some(store), sources).map(Some)
            }
        };
        match found {
            Ok(Some(entry)) => lock.insert(entry),
            Ok(None) => {}
            Err(failure) => add_new(&mut failures, [failure.at(one.stage.places.find(&one.route))]),
        }
    }
    all_well(failures).map(|()| lock)
}

/// Looks up a base image: in the store if one is given and has it, else in its registry.
fn base(name: &SealerName, platform: &Platform, store: Option<&Store>, sources: &Sources) -> Result<Locked, Failure> {
    let stored = store.map_or(Ok(None), |store| store.find(name, platform));
    let stored = stored?;
    let (image, digest) = if let Some(stored) = stored {
        (stored.document.image().clone(), None)
    } else {
        let asked = (ImageSource::from(name.reference().clone()), platform.clone());
        let found = sources.describe(&[asked]).remove(0)?;
        let document = build::document(name, &found, sources.cache());
        (document?, Some(found.root().digest))
    };
    let entry = build::base_entry(&image, digest).ok_or_else(|| no_id(name))?;
    Ok(Locked::Base(name.clone(), platform.clone(), entry))
}
