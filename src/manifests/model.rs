//! What a search finds.

use std::collections::BTreeMap;
use std::fmt;

use super::place::Place;
use super::texts::DocumentText;
use crate::types::{ImageRef, Span};

/// Why a string is taken for an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// What a container runs, or what a volume shows.
    Container,
    /// A string at a key that is or ends in `image`.
    Key,
    /// A reference in several strings.
    Parts,
    /// Another string that looks like an image.
    Value,
    /// A string that an image list names.
    Listed,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Container => "the container image",
            Self::Key => "the value",
            Self::Parts => "the parts",
            Self::Value => "the string",
            Self::Listed => "the listed image",
        })
    }
}

/// A string, or several, that name a container image.
#[derive(Debug, Clone)]
pub(crate) struct Mention {
    pub(crate) kind: Kind,
    /// The reference as it is written, parts joined.
    pub(crate) reference: String,
    /// The same, complete.
    pub(crate) image: ImageRef,
    pub(crate) place: Place,
    /// Whether it is certainly an image, so that a missing one is an error.
    pub(crate) is_certain: bool,
    pub(super) text_index: usize,
    pub(super) pieces: Vec<Piece>,
}

/// A part of a reference, where it is in its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// The scalar's bytes; none in text.
    pub(super) node: Option<Span>,
    /// Its bytes in what the scalar means; in text, those of the text.
    pub(super) at: Span,
    pub(super) role: Role,
}

/// Which part of a reference a piece has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Role {
    /// Registry and repository, as they are written, and what may be after them.
    Reference(String),
    /// The registry, and what of the repository is with it, as it is written.
    Registry(String),
    /// The rest of the repository, as it is written.
    Repository(String),
}

/// Something about a file that a person should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) place: Place,
    pub(crate) problem: Problem,
}

/// The kinds of problems.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    /// A value in the place of a reference that is not one.
    NotAReference {
        /// The string, else the value's first line as it is written.
        text: String,
        /// A container would run it; anywhere else the key may mean anything.
        is_container: bool,
        /// Why it is not one.
        why: String,
    },
    /// It needs a template to become a reference.
    Template {
        /// As it is written.
        text: String,
    },
    /// The file is UTF-16, which nothing was found in.
    Utf16,
    /// The file is not YAML or JSON, and was searched as text.
    Unreadable {
        /// Why.
        why: String,
    },
    /// A key is twice in a map.
    RepeatedKey {
        /// The key.
        key: String,
        /// The line of the first, from 1.
        first: usize,
    },
    /// Sealer's line search takes it for an image, but this search does not.
    PassedOver {
        /// The reference that sealer reads there.
        reference: String,
    },
}

impl Problem {
    /// The warning for a file that is used nevertheless; `then` says what happens to a string that may be an image.
    pub(crate) fn doubt(&self, then: &str) -> Option<String> {
        Some(match self {
            Self::NotAReference { is_container: false, why, .. } => format!("{why}; {then}"),
            Self::Template { text } => format!("cannot tell which image `{text}` is; {then}"),
            Self::Unreadable { why } => format!("this is not YAML and was searched as text: {why}"),
            Self::RepeatedKey { key, first } => {
                format!("the key `{key}` is there twice, first in line {first}; Kubernetes uses the last one")
            }
            Self::PassedOver { reference } => {
                format!(
                    "sealer's own search would take `{reference}` for an image, but this program does not look for \
                     images here; {then}"
                )
            }
            Self::NotAReference { .. } | Self::Utf16 => return None,
        })
    }
}

/// A document with the `kind` or `apiVersion` of a Kubernetes object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KubernetesObject {
    /// The scalars at its top, and in the maps there two levels down, by their keys: `kind`, `etcd/local/imageTag`.
    pub(crate) fields: BTreeMap<String, Field>,
}

/// A scalar of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) text: String,
    /// From 1.
    pub(crate) line: usize,
}

impl KubernetesObject {
    /// The text of a scalar; empty if there is none.
    pub(crate) fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", |field| &field.text)
    }
}

/// All that a file says about images.
#[derive(Debug)]
pub(crate) struct Scanned {
    /// In the order of the text.
    pub(crate) mentions: Vec<Mention>,
    /// Of the file itself, in order.
    pub(crate) objects: Vec<KubernetesObject>,
    /// In the order of the text.
    pub(crate) findings: Vec<Finding>,
    pub(super) texts: Vec<DocumentText>,
    pub(super) has_mark: bool,
}
