//! Keys of daemon.json, and what an engine wants their values to be: with another kind of value it does not start.

use crate::syntax::{Node, Value};

/// A kind of value, in the words of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `true` or `false`.
    Switch,
    /// A whole number.
    Number,
    /// A text.
    Text,
    /// A list of texts.
    Texts,
    /// An object whose values are texts.
    Words,
    /// A list of objects: `mirror-registries`.
    Objects,
}

/// Common keys in base images and for registries; an engine knows a hundred more.
const KEYS: [(&str, Kind); 20] = [
    ("bridge", Kind::Text),
    ("data-root", Kind::Text),
    ("debug", Kind::Switch),
    ("dns", Kind::Texts),
    ("exec-opts", Kind::Texts),
    ("exec-root", Kind::Text),
    ("experimental", Kind::Switch),
    ("hosts", Kind::Texts),
    ("insecure-registries", Kind::Texts),
    ("iptables", Kind::Switch),
    ("live-restore", Kind::Switch),
    ("log-driver", Kind::Text),
    ("log-level", Kind::Text),
    ("log-opts", Kind::Words),
    ("max-concurrent-downloads", Kind::Number),
    ("max-concurrent-uploads", Kind::Number),
    ("mirror-registries", Kind::Objects),
    ("registry-mirrors", Kind::Texts),
    ("storage-driver", Kind::Text),
    ("storage-opts", Kind::Texts),
];

/// Flags whose keys have other names: as keys they are accepted, but have no effect.
pub(super) const FLAGS: [(&str, &str); 2] =
    [("insecure-registry", "insecure-registries"), ("registry-mirror", "registry-mirrors")];

/// The expected type of a wrong value, and the innermost wrong node.
pub(super) fn wrong<'a>(key: &str, value: &'a Node) -> Option<(&'a Node, Kind)> {
    let (_, kind) = KEYS.iter().find(|(name, _)| *name == key)?;
    misfit(value, *kind)
}

/// The correct spelling of a key with wrong upper or lower case.
pub(super) fn in_small_letters(key: &str) -> Option<&'static str> {
    KEYS.iter().map(|(name, _)| *name).find(|name| *name != key && name.eq_ignore_ascii_case(key))
}

fn misfit(node: &Node, kind: Kind) -> Option<(&Node, Kind)> {
    let fits = |is: bool| (!is).then_some((node, kind));
    match (&node.value, kind) {
        // A null counts as a missing value.
        (Value::Plain(text), _) if text == "null" => None,
        (Value::Plain(text), Kind::Switch) => fits(text == "true" || text == "false"),
        (Value::Plain(text), Kind::Number) => fits(text.parse::<i64>().is_ok()),
        (Value::Text(_), Kind::Text) => None,
        (Value::List(all), Kind::Texts) => all.iter().find_map(|one| misfit(one, Kind::Text)),
        (Value::Map(all), Kind::Words) => all.iter().find_map(|(_, one)| misfit(one, Kind::Text)),
        (Value::List(all), Kind::Objects) => {
            all.iter().find(|one| !matches!(one.value, Value::Map(_))).map(|one| (one, kind))
        }
        (Value::Plain(_) | Value::Text(_) | Value::Map(_) | Value::List(_) | Value::Alias(_), _) => fits(false),
    }
}

impl Kind {
    /// The expected type, with its article.
    pub(super) fn wanted(self) -> &'static str {
        match self {
            Self::Switch => "`true` or `false`, without quotes",
            Self::Number => "a whole number, without quotes",
            Self::Text => "a string in quotes",
            Self::Texts => "a list of strings, `[\"…\"]`",
            Self::Words => "an object of strings, `{\"…\": \"…\"}`",
            Self::Objects => "a list of objects, `[{\"domain\": \"*\", \"mirrors\": [\"…\"]}]`",
        }
    }
}
