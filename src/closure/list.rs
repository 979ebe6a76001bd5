//! `manifests/imageList`: a reference a line.

use crate::edit::FoundImage;

/// Where the list is.
pub const IMAGE_LIST: &str = "manifests/imageList";

/// The lines of an image list: blank lines and comments skipped, remarks behind ` #` and a pair of quotes cut.
#[must_use]
pub fn listed_images(bytes: &[u8]) -> Vec<FoundImage> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let word = line.split_once(" #").map_or(line, |(word, _)| word).trim_end();
        let unquoted = ['"', '\''].iter().find_map(|quote| word.strip_prefix(*quote)?.strip_suffix(*quote));
        let reference = unquoted.unwrap_or(word).to_owned();
        found.push(FoundImage { reference, line: index + 1, route: String::new(), document: 0 });
    }
    found
}
