//! One difference: where, and what.

use std::fmt;

use serde::Serialize;

use super::DiffPath;
use crate::types::Digest;

/// One difference between two images.
///
/// Shown as `layer 1!/cri/docker.tar.gz!/runc: mode`, and with `{:#}` with what was there and what is:
/// `…: mode 0755 → 0700`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Difference {
    /// The path, down into archives and texts.
    pub path: DiffPath,
    /// The change.
    #[serde(flatten)]
    pub what: Change,
}

/// What differs. In JSON, `change` names the variant; `old` is the first image's side, `new` the second's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "camelCase")]
pub(crate) enum Change {
    /// Only the second image has it.
    Added {
        /// The second image's side.
        new: Thing,
    },
    /// Only the first image has it.
    Removed {
        /// The first image's side.
        old: Thing,
    },
    /// It is of another type.
    #[serde(rename = "type")]
    Kind {
        /// The kind in the first image.
        old: Kind,
        /// The kind in the second image.
        new: Kind,
    },
    /// Permission bits.
    Mode {
        /// Octal, four digits.
        old: Mode,
        /// Octal, four digits.
        new: Mode,
    },
    /// Numbers of owner and group.
    Owner {
        /// `UID:GID`
        old: String,
        /// `UID:GID`
        new: String,
    },
    /// Where a link leads.
    Target {
        /// As written.
        old: String,
        /// As written.
        new: String,
    },
    /// When it was changed, in whole seconds since 1970.
    Time {
        /// Seconds.
        old: i64,
        /// Seconds.
        new: i64,
    },
    /// Bytes of which nothing finer is known.
    Content {
        /// Size and digest.
        old: Bytes,
        /// Size and digest.
        new: Bytes,
    },
    /// Lines of a text.
    Lines {
        /// How many lines the first has and the second not.
        removed: usize,
        /// How many lines the second has and the first not.
        added: usize,
        /// The lines as a unified diff without a head; left out if there are too many, cut if it is long.
        #[serde(skip_serializing_if = "Option::is_none")]
        diff: Option<String>,
    },
    /// A key or element, or a whole document, that only the second has.
    KeyAdded {
        /// Its value, short.
        new: String,
    },
    /// A key or element, or a whole document, that only the first has.
    KeyRemoved {
        /// Its value, short.
        old: String,
    },
    /// The value of a key.
    Value {
        /// The first image's side, shortened.
        old: String,
        /// The second image's side, shortened.
        new: String,
    },
    /// A reference to a container image.
    Reference {
        /// As written.
        old: String,
        /// As written.
        new: String,
    },
    /// The order of a file's documents or of an object's keys, comments or layout: what it means is the same.
    Form,
    /// An archive's compression, times, owners or order: its members are the same.
    Packing,
    /// The container image in an archive for `docker load`.
    ContainerImage {
        /// Tags and id.
        old: Container,
        /// Tags and id.
        new: Container,
    },
    /// Layers of the container image in an archive for `docker load`, by their diff ids.
    ContainerLayers {
        /// How many both have.
        shared: usize,
        /// Those that only the first has.
        removed: Vec<Digest>,
        /// Those that only the second has.
        added: Vec<Digest>,
    },
    /// A whole layer with its content, where its files do not say why: owners' names, or what was never verified.
    LayerId {
        /// Its id.
        old: Digest,
        /// Its id.
        new: Digest,
    },
}

/// A file, folder, link or layer that only one side has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Thing {
    /// File, folder, link or layer.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Bytes of a file; of a layer, all its files together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// Types of what is in layers and archives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A folder that hides what lower layers have in it.
    OpaqueFolder,
    /// A symbolic link.
    Symlink,
    /// In an archive, a further name of a file.
    HardLink,
    /// In a layer, the mark that a lower layer's file is gone.
    Whiteout,
    /// A device, socket or FIFO.
    Special,
    /// A whole layer.
    Layer,
}

/// The 12 permission bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mode(pub u32);

/// What is known of a file's bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Bytes {
    /// How many.
    pub size: u64,
    /// Their digest.
    pub digest: Digest,
}

/// A container image as an engine knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Container {
    /// The names that it is loaded under.
    pub tags: Vec<String>,
    /// Its id: the digest of its config.
    pub id: Digest,
}

impl Change {
    /// The change in a word or two.
    #[must_use]
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Added { .. } | Self::KeyAdded { .. } => "added",
            Self::Removed { .. } | Self::KeyRemoved { .. } => "removed",
            Self::Kind { .. } => "type",
            Self::Mode { .. } => "mode",
            Self::Owner { .. } => "owner",
            Self::Target { .. } => "link target",
            Self::Time { .. } => "time",
            Self::Content { .. } => "content",
            Self::Lines { .. } => "lines",
            Self::Value { .. } => "value",
            Self::Reference { .. } => "image reference",
            Self::Form => "only comments, order or layout",
            Self::Packing => "same members, packed in another way",
            Self::ContainerImage { .. } => "container image",
            Self::ContainerLayers { .. } => "layers of the container image",
            Self::LayerId { .. } => "id",
        }
    }

    /// What was there and what is, short; empty if there is no more to say.
    #[must_use]
    pub(crate) fn detail(&self) -> String {
        let arrow = |old: &dyn fmt::Display, new: &dyn fmt::Display| format!("{old} → {new}");
        match self {
            Self::Added { new: thing } | Self::Removed { old: thing } => thing.to_string(),
            Self::Kind { old, new } => arrow(old, new),
            Self::Mode { old, new } => arrow(old, new),
            Self::Owner { old, new }
            | Self::Target { old, new }
            | Self::Value { old, new }
            | Self::Reference { old, new } => arrow(old, new),
            Self::Time { old, new } => arrow(&time(*old), &time(*new)),
            Self::Content { old, new } => arrow(old, new),
            Self::Lines { removed, added, .. } => format!("−{removed} +{added}"),
            Self::KeyAdded { new: value } | Self::KeyRemoved { old: value } => value.clone(),
            Self::Form | Self::Packing => String::new(),
            Self::ContainerImage { old, new } => arrow(old, new),
            Self::ContainerLayers { shared, removed, added } => {
                format!("{shared} shared, {} removed, {} added", removed.len(), added.len())
            }
            Self::LayerId { old, new } => arrow(&short(*old), &short(*new)),
        }
    }
}

fn time(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |time| time.to_string())
}

/// A digest for people: its first 12 digits.
pub(super) fn short(digest: Digest) -> String {
    format!("sha256:{}", &digest.hex()[..12])
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.what.word())?;
        match self.what.detail() {
            detail if f.alternate() && !detail.is_empty() => write!(f, " {detail}"),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.kind, self.size) {
            (Kind::File, Some(size)) => f.write_str(&crate::types::human_size(size)),
            (kind, Some(size)) => write!(f, "{kind}, {}", crate::types::human_size(size)),
            (kind, None) => kind.fmt(f),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "file",
            Self::Folder => "folder",
            Self::OpaqueFolder => "opaque folder",
            Self::Symlink => "symlink",
            Self::HardLink => "hard link",
            Self::Whiteout => "whiteout",
            Self::Special => "special file",
            Self::Layer => "layer",
        })
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

impl Serialize for Mode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", crate::types::human_size(self.size), short(self.digest))
    }
}

impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tags = if self.tags.is_empty() { "(no tag)".to_owned() } else { self.tags.join(", ") };
        write!(f, "{tags} {}", short(self.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_shown_with_its_whole_path() {
        let path = DiffPath::layer(1).inner(b"cri/docker.tar.gz").inner(b"runc");
        let mode = Difference { path, what: Change::Mode { old: Mode(0o755), new: Mode(0o4755) } };
        assert_eq!(mode.to_string(), "layer 1!/cri/docker.tar.gz!/runc: mode");
        assert_eq!(format!("{mode:#}"), "layer 1!/cri/docker.tar.gz!/runc: mode 0755 → 4755");
        let packing = Difference { path: DiffPath::file(b"a.tar"), what: Change::Packing };
        assert_eq!(format!("{packing:#}"), "a.tar: same members, packed in another way");
    }
}
