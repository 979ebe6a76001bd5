//! Keys without effect: mistyped, or not supported here.

use toml::de::{DeTable, DeValue};

use crate::types::{Source, Span, nearest};

/// Keys of the file itself. Keys for short names are known, but not used: an image's name means the same on every
/// machine.
const FILE: [&str; 6] = [
    "registry",
    "unqualified-search-registries",
    "short-name-mode",
    "aliases",
    "additional-layer-store-auth-helper",
    "registries",
];

/// Keys of `[[registry]]`.
const REGISTRY: [&str; 6] = ["prefix", "location", "insecure", "blocked", "mirror-by-digest-only", "mirror"];

/// Keys of `[[registry.mirror]]`.
const MIRROR: [&str; 3] = ["location", "insecure", "pull-from-mirror"];

/// One sentence for each key of a good file that does nothing.
pub(super) fn warnings(source: &Source) -> Vec<String> {
    let Ok(file) = DeTable::parse(source.text()) else { return Vec::new() };
    let mut found = Vec::new();
    let mut look = |table: &DeTable<'_>, of: &str, known: &[&str]| {
        for key in table.keys().filter(|key| !known.contains(&key.get_ref().as_ref())) {
            let (name, span) = (key.get_ref(), key.span());
            let place = source.place(Span::new(span.start, span.end));
            let hint = match nearest(name, known.iter().copied()) {
                _ if name == "credential-helpers" => {
                    "; name helpers in auth.json or Docker's config.json, `credHelpers`".to_owned()
                }
                Some(meant) => format!("; did you mean `{meant}`?"),
                None => String::new(),
            };
            found.push((span.start, format!("{place}: `{name}` {of} is unknown and is ignored{hint}")));
        }
    };
    look(file.get_ref(), "in registries.conf", &FILE);
    for registry in tables(file.get_ref(), "registry") {
        look(registry, "of `[[registry]]`", &REGISTRY);
        for mirror in tables(registry, "mirror") {
            look(mirror, "of `[[registry.mirror]]`", &MIRROR);
        }
    }
    found.sort();
    found.into_iter().map(|(_, warning)| warning).collect()
}

/// The tables of an array of tables.
fn tables<'a, 'i>(parent: &'a DeTable<'i>, key: &str) -> Vec<&'a DeTable<'i>> {
    match parent.get(key).map(toml::Spanned::get_ref) {
        Some(DeValue::Array(all)) => all.iter().filter_map(|one| one.get_ref().as_table()).collect(),
        _ => Vec::new(),
    }
}
