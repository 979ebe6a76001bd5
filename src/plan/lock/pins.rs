//! Locks and requests to the outside world.

use super::{Lock, Locked, LockedFile};
use crate::sources::{Pins, Resolved};
use crate::types::ImageSource;

impl Lock {
    /// The pins that the lock has for inputs; `recipe` is the recipe's file as the user typed it.
    #[must_use]
    pub fn pins(&self, recipe: &str) -> Pins {
        let mut pins = Pins { recipe: recipe.to_owned(), ..Pins::default() };
        pins.files = self.files.iter().map(|(url, file)| (url.clone(), (file.digest, file.size))).collect();
        for (key, digest) in &self.images {
            match digest {
                Some(digest) => drop(pins.images.insert(key.clone(), *digest)),
                None => drop(pins.refused.insert(key.clone())),
            }
        }
        for ((name, platform), base) in &self.bases {
            let key = (ImageSource::from(name.reference().clone()), platform.clone());
            match base.digest {
                Some(digest) => drop(pins.images.entry(key).or_insert(digest)),
                // Its layers are compared when it has arrived.
                None => drop(pins.by_content.insert(key)),
            }
        }
        pins
    }

    /// The entries for everything that came from outside: container images and files. Base images have entries of their
    /// own kind in `bases`.
    #[must_use]
    pub(crate) fn of_resolved(resolved: Resolved, bases: &Self) -> Self {
        let mut lock = Self { bases: bases.bases.clone(), ..Self::default() };
        for (url, (digest, size)) in resolved.files {
            lock.insert(Locked::File(url, LockedFile { digest, size }));
        }
        for (image, platform) in resolved.refused {
            lock.insert(Locked::Image(image, platform, None));
        }
        for ((image, platform), digest) in resolved.images {
            let is_base = |(name, of): &(crate::types::SealerName, crate::types::Platform)| {
                matches!(&image, ImageSource::Registry(reference) if reference == name.reference()) && *of == platform
            };
            if !bases.bases.keys().any(is_base) {
                lock.insert(Locked::Image(image, platform, Some(digest)));
            }
        }
        lock
    }
}
