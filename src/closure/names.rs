//! The names in a root file system's registry, and which of them is nearest to a missing one.

use std::io;

use crate::rootfs::RegistryStorage;
use crate::types::{ImageRef, nearest};

/// The tags in a registry's storage, by repository.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Sorted.
    tagged: Vec<(String, Vec<String>)>,
}

impl Names {
    /// Reads only the names, no document.
    pub(super) fn read(storage: RegistryStorage<'_>) -> io::Result<Self> {
        let repositories = storage.repositories()?.repositories.into_iter();
        let tagged = repositories.map(|(name, repository)| (name, repository.tags));
        Ok(Self { tagged: tagged.filter(|(_, tags)| !tags.is_empty()).collect() })
    }

    /// Whether a repository has any tag.
    pub(super) fn has_tags(&self, repository: &str) -> bool {
        self.tagged.iter().any(|(known, tags)| known == repository && !tags.is_empty())
    }

    /// The nearest name to a missing one: another tag of the repository, else the same image below another path, else
    /// whatever is written most alike.
    pub(super) fn nearest(&self, image: &ImageRef) -> Option<String> {
        let (repository, tag) = (image.repository(), image.tag());
        let name = |repository: &str, tag: &str| format!("{repository}:{tag}");
        let of = |found: &str| self.tagged.iter().find(|(known, _)| known == found).map(|(_, tags)| tags);
        if let Some(tags) = of(repository) {
            let near = nearest(tag.unwrap_or_default(), tags.iter().map(String::as_str));
            // Another tag of it is nearer than any other image.
            return Some(name(repository, near.or_else(|| Some(tags.last()?.as_str()))?));
        }
        let best = |repositories: &[&str]| {
            let all = self.tagged.iter().filter(|(known, _)| repositories.contains(&known.as_str()));
            let all: Vec<String> =
                all.flat_map(|(repository, tags)| tags.iter().map(move |tag| name(repository, tag))).collect();
            let asked = name(repository, tag.unwrap_or_default());
            let same_tag = all.iter().find(|known| tag.is_some_and(|tag| known.ends_with(&format!(":{tag}"))));
            let near = || nearest(&asked, all.iter().map(String::as_str)).map(str::to_owned);
            same_tag.cloned().or_else(near).or_else(|| all.last().cloned())
        };
        let moved: Vec<&str> = self
            .tagged
            .iter()
            .map(|(known, _)| known.as_str())
            .filter(|known| ends_in(repository, known) || ends_in(known, repository))
            .collect();
        if !moved.is_empty() {
            return best(&moved);
        }
        let near = nearest(repository, self.tagged.iter().map(|(known, _)| known.as_str()))?;
        best(&[near])
    }
}

/// Whether one path is the end of another, longer one.
fn ends_in(long: &str, short: &str) -> bool {
    long.strip_suffix(short).is_some_and(|rest| rest.ends_with('/'))
}
