//! Base images that a lock knows, and those that were used.

use crate::image::model::Image;
use crate::plan::{Lock, Locked, LockedBase};
use crate::types::{Digest, Failure, FailureKind, Platform, SealerName};

/// Which base images a build may use.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bases {
    locked: Lock,
    /// The recipe's file, for help texts; if set, only locked images may be used.
    strict: Option<String>,
    used: Lock,
    settled: Lock,
}

impl Bases {
    /// The base images of a lock. A build may use another image; [`used`](Self::used) shows it.
    #[must_use]
    pub(crate) fn locked(lock: &Lock) -> Self {
        Self { locked: lock.clone(), ..Self::default() }
    }

    /// The base images of a lock, and no others. `recipe` is the recipe's file as the user typed it.
    #[must_use]
    pub(crate) fn only_locked(lock: &Lock, recipe: &str) -> Self {
        Self { strict: Some(recipe.to_owned()), ..Self::locked(lock) }
    }

    pub(super) fn entry(&self, name: &SealerName, platform: &Platform) -> Option<&LockedBase> {
        self.locked.base(name, platform)
    }

    /// The base images that were used, as they were found.
    #[must_use]
    pub(crate) fn used(&self) -> &Lock {
        &self.used
    }

    /// The same, for a new lock: an image that equals the locked one under another id keeps its entry.
    #[must_use]
    pub(crate) fn settled(&self) -> &Lock {
        &self.settled
    }

    /// Whether the locked image is pulled and used instead of this one, which the store has under that name.
    pub(super) fn displace(&self, name: &SealerName, platform: &Platform, found: &Image) -> bool {
        self.entry(name, platform).is_some_and(|entry| entry.displaces(name, found))
    }

    /// Why this image may not be used as the base of that name.
    pub(crate) fn refusal(&self, name: &SealerName, platform: &Platform, found: &Image) -> Option<Failure> {
        let recipe = self.strict.as_ref()?;
        let shown = name.familiar();
        let Some(entry) = self.entry(name, platform) else {
            let failure =
                Failure::new(FailureKind::Verification, format!("`{shown}` for {platform} is not in the lock"));
            let help =
                format!("to add what is missing, run `sealer recipe fetch {recipe}`, or apply without `--locked`");
            return Some(failure.with_help(help));
        };
        if entry.is(name, found) {
            return None;
        }
        let id = found.id.map_or_else(|| "one without an id".to_owned(), |id| id.to_string());
        let message = format!("the lock has {} for `{shown}`, but it is {id} now", entry.id);
        let takes = if entry.digest.is_some() { "the one in its registry" } else { "the new one" };
        let help = format!("`sealer recipe lock {recipe} --update {shown}` locks {takes}");
        Some(Failure::new(FailureKind::Verification, message).with_help(help))
    }

    /// Remembers what was used; `digest` is what a registry's tag stood for.
    pub(super) fn settle(&mut self, name: &SealerName, platform: &Platform, found: &Image, digest: Option<Digest>) {
        let known = self.entry(name, platform).filter(|entry| entry.is(name, found)).cloned();
        let digest = known.as_ref().and_then(|entry| entry.digest).or(digest);
        let used = base_entry(found, digest);
        let settled = known.map(|entry| LockedBase { digest, ..entry }).or_else(|| used.clone());
        for (lock, entry) in [(&mut self.used, used), (&mut self.settled, settled)] {
            lock.retain(|other| !matches!(other, Locked::Base(of, on, _) if of == name && on == platform));
            if let Some(entry) = entry {
                lock.insert(Locked::Base(name.clone(), platform.clone(), entry));
            }
        }
    }
}

/// A lock's entry for a base image; `None` for an image without an id, which a store cannot have.
#[must_use]
pub(crate) fn base_entry(image: &Image, digest: Option<Digest>) -> Option<LockedBase> {
    Some(LockedBase { id: image.id?, digest, layers: image.layer_ids().collect() })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::image::model::{Commands, ImageConfig, Layer, LayerKind};

    fn image(name: &str, command: &str) -> Image {
        let layer = Layer { id: Some(Digest::of(b"layer")), kind: LayerKind::Copy, value: "file .".to_owned() };
        let cmd = Commands { current: vec![command.to_owned()], parent: Vec::new() };
        let config = ImageConfig { cmd, ..ImageConfig::default() };
        Image::new(&name.parse().unwrap(), Platform::host(), vec![layer], config, BTreeMap::new())
    }

    fn with_id(image: Image, of: &[u8]) -> Image {
        Image { id: Some(Digest::of(of).hex().parse().unwrap()), ..image }
    }

    #[test]
    fn an_image_is_the_locked_one_by_its_id_or_by_all_else_that_it_says() {
        let name: SealerName = "base:v1".parse().unwrap();
        let (original, platform) = (image("base:v1", "echo one"), Platform::host());
        let mut lock = Lock::default();
        lock.insert(Locked::Base(name.clone(), platform.clone(), base_entry(&original, None).unwrap()));
        let bases = Bases::only_locked(&lock, "r.yaml");
        for (found, is_it) in [
            (original.clone(), true),
            // A real sealer's `tag` gives it an id that cannot be computed.
            (with_id(original.clone(), b"tagged"), true),
            (image("other/name:v2", "echo one"), true),
            (with_id(image("other/name:v2", "echo one"), b"tagged"), true),
            (image("base:v1", "echo EVIL"), false),
            (with_id(image("base:v1", "echo EVIL"), b"tagged"), false),
        ] {
            assert_eq!(bases.refusal(&name, &platform, &found).is_none(), is_it, "{found:?}");
            let mut bases = Bases::locked(&lock);
            bases.settle(&name, &platform, &found, None);
            assert_eq!(Some(bases.used().base(&name, &platform).unwrap().id), found.id, "what was used is told");
            assert_eq!(*bases.settled() == lock, is_it, "the lock changes with the image alone");
        }
    }
}
