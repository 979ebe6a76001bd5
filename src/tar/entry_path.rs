//! Names of archive members: bytes, cut in components that cannot leave the archive's top.

use std::fmt;

use super::error::{Refusal, shown};
use super::limits::Limits;

/// A `/`-separated relative path of bytes without empty, `.` or `..` components; never empty.
///
/// Ordered by its bytes, so that a folder comes before what is in it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct EntryPath(Vec<u8>);

impl EntryPath {
    /// The path that an archive's name means, or `None` for the top itself (`./`).
    ///
    /// A leading `./`, repeated and trailing slashes are ordinary in archives and dropped.
    pub(crate) fn parse(name: &[u8]) -> Result<Option<Self>, Refusal> {
        if name.is_empty() {
            return Err(Refusal::EmptyName);
        }
        if name.contains(&0) {
            return Err(Refusal::Nul);
        }
        if name[0] == b'/' {
            return Err(Refusal::Absolute);
        }
        if name.len() > Limits::PATH {
            return Err(Refusal::LongPath);
        }
        let mut path = Vec::with_capacity(name.len());
        let mut depth = 0;
        for component in name.split(|byte| *byte == b'/').filter(|part| !part.is_empty() && *part != b".") {
            if component == b".." {
                return Err(Refusal::Parent);
            }
            if component.len() > Limits::COMPONENT {
                return Err(Refusal::LongComponent);
            }
            depth += 1;
            // A file may be in the deepest folder that there may be.
            if depth > Limits::DEPTH + 1 {
                return Err(Refusal::Deep);
            }
            if depth > 1 {
                path.push(b'/');
            }
            path.extend_from_slice(component);
        }
        Ok((depth > 0).then_some(Self(path)))
    }

    /// The path's bytes, without a leading or trailing `/`.
    #[must_use]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The folder that it is in, empty at the top, and its last component.
    #[must_use]
    pub(crate) fn split(&self) -> (&[u8], &[u8]) {
        match self.0.iter().rposition(|byte| *byte == b'/') {
            Some(slash) => (&self.0[..slash], &self.0[slash + 1..]),
            None => (b"", &self.0),
        }
    }

    /// The components from the top down.
    pub(crate) fn components(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.0.split(|byte| *byte == b'/')
    }

    /// The folders above it, the nearest first; without the top.
    pub(crate) fn ancestors(&self) -> impl Iterator<Item = Self> + '_ {
        let slashes = self.0.iter().enumerate().rev().filter(|(_, byte)| **byte == b'/');
        slashes.map(|(at, _)| Self(self.0[..at].to_vec()))
    }

    /// Whether it is below `folder`.
    #[must_use]
    pub(crate) fn is_below(&self, folder: &Self) -> bool {
        self.below(folder).is_some()
    }

    /// The path relative to `folder`, if it is below it.
    #[must_use]
    pub(crate) fn below(&self, folder: &Self) -> Option<Self> {
        let rest = self.0.strip_prefix(folder.0.as_slice())?.strip_prefix(b"/")?;
        Some(Self(rest.to_vec()))
    }

    /// Where a symbolic link at this path leads, as far as the text alone tells; `None` if it is absolute or leaves the
    /// top. The top itself is the empty list.
    pub(crate) fn leads_to(&self, target: &[u8]) -> Option<Vec<Vec<u8>>> {
        if target.first() == Some(&b'/') {
            return None;
        }
        let mut place: Vec<Vec<u8>> = self.components().map(<[u8]>::to_vec).collect();
        place.pop();
        for component in target.split(|byte| *byte == b'/').filter(|part| !part.is_empty() && *part != b".") {
            if component == b".." {
                place.pop()?;
            } else {
                place.push(component.to_vec());
            }
        }
        Some(place)
    }

    /// A path of components that come from other paths; `None` for no components.
    pub(crate) fn from_components(components: &[Vec<u8>]) -> Option<Self> {
        (!components.is_empty()).then(|| Self(components.join(&b'/')))
    }
}

impl fmt::Display for EntryPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(&self.0))
    }
}

impl fmt::Debug for EntryPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> EntryPath {
        EntryPath::parse(text.as_bytes()).unwrap().unwrap()
    }

    #[test]
    fn names_are_normalised_and_the_top_is_none() {
        for (name, normal) in [("./docker/x", "docker/x"), ("a//b/", "a/b"), ("a/./b", "a/b"), ("...", "...")] {
            assert_eq!(path(name).to_string(), normal);
        }
        for top in ["./", ".", "././"] {
            assert_eq!(EntryPath::parse(top.as_bytes()), Ok(None));
        }
    }

    #[test]
    fn below_means_components_not_letters() {
        assert_eq!(path("docker/a/b").below(&path("docker")).unwrap().to_string(), "a/b");
        assert!(!path("docker-ce/a").is_below(&path("docker")) && !path("docker").is_below(&path("docker")));
        assert_eq!(path("a/b/c").ancestors().map(|p| p.to_string()).collect::<Vec<_>>(), ["a/b", "a"]);
    }

    #[test]
    fn links_lead_where_the_words_say() {
        let lead = |from: &str, to: &str| path(from).leads_to(to.as_bytes()).map(|parts| parts.join(&b'/'));
        assert_eq!(lead("bin/sh", "../lib/x"), Some(b"lib/x".to_vec()));
        assert_eq!(lead("a", "."), Some(Vec::new()));
        assert_eq!((lead("a", "../x"), lead("a", "/x")), (None, None));
    }
}
