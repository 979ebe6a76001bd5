//! A report for people.

mod markdown;
mod text;

pub(crate) use markdown::markdown;
pub(crate) use text::text;

use super::{CachedDiff, CachedImage, Change, Difference, FileDiff, FileState, ImageDiff, ImageState};
use crate::types::{Platform, SealerName, human_size};

/// Differences of one file that are shown; JSON has all.
const SHOWN: usize = 100;

/// Whether something came, went or is another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Added,
    Removed,
    Changed,
    /// The same on both sides, shown next to the differences.
    Same,
}

impl Sign {
    fn of_sides<T>(old: Option<&T>, new: Option<&T>) -> Self {
        match (old.is_some(), new.is_some()) {
            (false, true) => Self::Added,
            (true, false) => Self::Removed,
            (true, true) | (false, false) => Self::Changed,
        }
    }

    fn of_change(change: &Change) -> Self {
        match change {
            Change::Added { .. } | Change::KeyAdded { .. } => Self::Added,
            Change::Removed { .. } | Change::KeyRemoved { .. } => Self::Removed,
            Change::Kind { .. }
            | Change::Mode { .. }
            | Change::Owner { .. }
            | Change::Target { .. }
            | Change::Time { .. }
            | Change::Content { .. }
            | Change::Lines { .. }
            | Change::Value { .. }
            | Change::Reference { .. }
            | Change::Form
            | Change::Packing
            | Change::ContainerImage { .. }
            | Change::ContainerLayers { .. }
            | Change::LayerId { .. } => Self::Changed,
        }
    }

    fn mark(self) -> char {
        match self {
            Self::Added => '+',
            Self::Removed => '-',
            Self::Changed => '~',
            Self::Same => '=',
        }
    }
}

/// A difference in a few words, without its path: `mode 0755 → 0700`; of a key, what its mark does not say.
fn words(change: &Change) -> String {
    match change {
        Change::Added { .. }
        | Change::Removed { .. }
        | Change::KeyAdded { .. }
        | Change::KeyRemoved { .. }
        | Change::Value { .. }
        | Change::Reference { .. } => change.detail(),
        Change::Kind { .. }
        | Change::Mode { .. }
        | Change::Owner { .. }
        | Change::Target { .. }
        | Change::Time { .. }
        | Change::Content { .. }
        | Change::Lines { .. }
        | Change::Form
        | Change::Packing
        | Change::ContainerImage { .. }
        | Change::ContainerLayers { .. }
        | Change::LayerId { .. } => [change.word(), &change.detail()].join(" ").trim_end().to_owned(),
    }
}

/// What is known of a file next to its path: its size or type, and its layers.
fn about(file: &FileDiff) -> String {
    let what = |state: &FileState| match (state.size, &state.target) {
        (Some(size), _) => human_size(size),
        (None, Some(target)) => format!("{} to {target}", state.kind),
        (None, None) => state.kind.to_string(),
    };
    let both = |old: String, new: String| if old == new { old } else { format!("{old} → {new}") };
    match (&file.old, &file.new) {
        (Some(old), Some(new)) => {
            let layers = both(old.layer.to_string(), new.layer.to_string());
            format!("{}, layer {layers}", both(what(old), what(new)))
        }
        (Some(one), None) | (None, Some(one)) => format!("{}, layer {}", what(one), one.layer),
        (None, None) => String::new(),
    }
}

/// An image in a line: name, platform, where it is from, id, size.
fn image_line(state: &ImageState, from: &str) -> String {
    let id = state.id.as_ref().map(|id| format!(", id {}", id.get(..12).unwrap_or(id))).unwrap_or_default();
    format!(
        "{} ({}) from the {from}{id}, {}, {}",
        familiar(&state.name),
        state.platform,
        counted(state.layers, "layer", "layers"),
        human_size(state.size)
    )
}

fn familiar(name: &str) -> String {
    name.parse::<SealerName>().map_or_else(|_| name.to_owned(), |name| name.familiar())
}

/// What a name in a registry stands for: digest, platforms of a list, size, and what is missing.
fn cached_words(image: &CachedImage) -> String {
    let platforms: Vec<String> = image.platforms.iter().map(Platform::to_string).collect();
    let list = if image.is_list { format!(" (list: {})", platforms.join(", ")) } else { String::new() };
    let lacks = match image.missing.len() {
        0 => String::new(),
        count => format!(", lacks {}", counted(count, "file", "files")),
    };
    format!("{}{list}{lacks}", image.digest)
}

/// The lines about a cached image after its name: one if it was added or removed, two if it changed.
fn cached_lines(cached: &CachedDiff) -> Vec<(Sign, String)> {
    let line = |sign, image: &Option<CachedImage>| image.as_ref().map(|image| (sign, cached_words(image)));
    [line(Sign::Removed, &cached.old), line(Sign::Added, &cached.new)].into_iter().flatten().collect()
}

fn counted(count: usize, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

/// One line that says how much differs: `2 files changed, 1 removed; 6 cached images changed; 1.2 MB → 1.0 MB`.
fn summary(image: &ImageDiff) -> String {
    let tally = |signs: Vec<Sign>, one: &str, several: &str| {
        let mut parts = Vec::new();
        for (sign, word) in [(Sign::Changed, "changed"), (Sign::Added, "added"), (Sign::Removed, "removed")] {
            let count = signs.iter().filter(|other| **other == sign).count();
            if count > 0 {
                parts.push(if parts.is_empty() {
                    format!("{} {word}", counted(count, one, several))
                } else {
                    format!("{count} {word}")
                });
            }
        }
        (!parts.is_empty()).then(|| parts.join(", "))
    };
    let files = image.files.iter().map(|file| Sign::of_sides(file.old.as_ref(), file.new.as_ref())).collect();
    let cached = image.cached_images.iter().map(|one| Sign::of_sides(one.old.as_ref(), one.new.as_ref())).collect();
    let (old, new) = (image.old.size, image.new.size);
    let (sign, by) = if new < old { ('−', old - new) } else { ('+', new - old) };
    let size = (old != new).then(|| format!("{} → {} ({sign}{})", human_size(old), human_size(new), human_size(by)));
    let parts = [tally(files, "file", "files"), tally(cached, "cached image", "cached images"), size];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// The lines about a file below its own line: the differences in it, and its own if it is on both sides.
fn below(file: &FileDiff) -> Vec<&Difference> {
    let is_whole = file.old.is_none() || file.new.is_none();
    if is_whole { Vec::new() } else { file.differences.iter().collect() }
}
