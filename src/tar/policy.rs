//! Which parts of entries are kept, and which are refused because they would be lost.

use super::error::Refusal;
use super::error::shown;
use super::pax::{Attributes, Pax};

/// Which parts of an entry are kept, and so what it may contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policy {
    /// Names, permission bits and contents: an entry with more, which would be lost, is refused.
    Files,
    /// Everything in a layer, including whiteouts, owners, times and extended attributes.
    Layer,
}

impl Policy {
    /// The extended attributes that are kept, by their names.
    pub(super) fn attributes(self, said: Attributes) -> Result<Attributes, Refusal> {
        let mut kept = Vec::new();
        for (key, value) in said {
            match key.strip_prefix(b"SCHILY.xattr.") {
                Some(name) if self == Self::Layer => kept.push((name.to_vec(), value)),
                // Values that archivers repeat, and that a layer does not have.
                None if self == Self::Layer && is_of_archivers(&key) => {}
                Some(_) | None => return Err(Refusal::Attribute(shown(&key))),
            }
        }
        Ok(kept)
    }

    /// Checks a global header: it must not change anything that is kept of any entry.
    pub(super) fn check_global(self, pax: &Pax) -> Result<(), Refusal> {
        if let Some((key, _)) = pax.attributes.first() {
            return Err(Refusal::Attribute(shown(key)));
        }
        if pax.path.is_some() || pax.link.is_some() || pax.size.is_some() {
            return Err(Refusal::Pax("it gives all entries a name or a size"));
        }
        if self == Self::Layer && (pax.uid.is_some() || pax.gid.is_some() || pax.mtime.is_some()) {
            return Err(Refusal::Pax("it gives all entries an owner or a time"));
        }
        Ok(())
    }
}

/// Notes by libarchive and star about the file system that a file came from.
fn is_of_archivers(key: &[u8]) -> bool {
    [&b"LIBARCHIVE."[..], b"SCHILY.fflags", b"SCHILY.acl."].iter().any(|start| key.starts_with(start))
}
