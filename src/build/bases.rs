//! Base images that a lock knows, and those that were used.

use crate::image::model::Image;
use crate::plan::{Lock, Locked, LockedBase};
use crate::words::{Digest, Failure, FailureKind, Platform, SealerName};

/// What base images have to be.
#[derive(Debug, Clone, Default)]
pub struct Bases {
    locked: Lock,
    /// The recipe's file, for advice; where there is one, only what is locked will do.
    strict: Option<String>,
    used: Lock,
}

impl Bases {
    /// Those of a lock. Another image than the locked one is taken, and is seen in [`used`](Self::used).
    #[must_use]
    pub fn locked(lock: &Lock) -> Self {
        Self { locked: lock.clone(), ..Self::default() }
    }

    /// Those of a lock, and no others. `recipe` is the recipe's file as the user typed it.
    #[must_use]
    pub fn only_locked(lock: &Lock, recipe: &str) -> Self {
        Self { strict: Some(recipe.to_owned()), ..Self::locked(lock) }
    }

    pub(super) fn entry(&self, name: &SealerName, platform: &Platform) -> Option<&LockedBase> {
        self.locked.base(name, platform)
    }

    /// The entries for those that were used.
    #[must_use]
    pub fn used(&self) -> &Lock {
        &self.used
    }

    /// What stands against this image as the base of that name.
    pub fn refusal(&self, name: &SealerName, platform: &Platform, found: &Image) -> Option<Failure> {
        let recipe = self.strict.as_ref()?;
        let shown = name.familiar();
        let Some(entry) = self.entry(name, platform) else {
            let failure =
                Failure::new(FailureKind::Verification, format!("`{shown}` for {platform} is not in the lock"));
            let help =
                format!("`sealer recipe fetch {recipe}` adds what is missing, and so does apply without `--locked`");
            return Some(failure.with_help(help));
        };
        if is_same(entry, found) {
            return None;
        }
        let id = found.id.map_or_else(|| "one without an id".to_owned(), |id| id.to_string());
        let message = format!("the lock has {} for `{shown}`, what is there is {id}", entry.id);
        let help = format!("`sealer recipe lock {recipe} --update {shown}` takes what is there");
        Some(Failure::new(FailureKind::Verification, message).with_help(help))
    }

    /// Remembers what was used; `digest` is what a registry's tag stood for.
    pub(super) fn settle(&mut self, name: &SealerName, platform: &Platform, found: &Image, digest: Option<Digest>) {
        let known = self.entry(name, platform).filter(|entry| is_same(entry, found)).cloned();
        let entry = match known {
            Some(entry) => Some(LockedBase { digest: entry.digest.or(digest), ..entry }),
            None => base_entry(found, digest),
        };
        self.used.retain(|other| !matches!(other, Locked::Base(of, on, _) if of == name && on == platform));
        if let Some(entry) = entry {
            self.used.insert(Locked::Base(name.clone(), platform.clone(), entry));
        }
    }
}

/// A lock's entry for an image that is a base; none for one without an id, which no store holds.
#[must_use]
pub fn base_entry(image: &Image, digest: Option<Digest>) -> Option<LockedBase> {
    Some(LockedBase { id: image.id?, digest, layers: image.layer_ids().collect() })
}

/// Whether an image is what the lock says: another name gives it another id, but not other layers.
fn is_same(entry: &LockedBase, found: &Image) -> bool {
    found.id == Some(entry.id) || found.layer_ids().eq(entry.layers.iter().copied())
}
