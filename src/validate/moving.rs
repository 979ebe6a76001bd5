//! Finds names whose content changes with every release.

use url::Url;

/// Words that always name the newest version.
const MOVING: [&str; 9] = ["latest", "main", "master", "head", "nightly", "edge", "stable", "dev", "rolling"];

/// Whether a tag is known to move from image to image: `latest`, `stable`, `v1`, or a word without any number.
pub(super) fn is_moving_tag(tag: &str) -> bool {
    let number = tag.strip_prefix('v').unwrap_or(tag);
    let is_one_number = !number.is_empty() && number.len() < 4 && number.bytes().all(|byte| byte.is_ascii_digit());
    let has_word = tag.split(['-', '_', '.']).any(|part| MOVING.contains(&part.to_ascii_lowercase().as_str()));
    is_one_number || (has_word && !tag.bytes().any(|byte| byte.is_ascii_digit()))
}

/// Whether the file of a URL is known to change: the URL has `latest` or a branch in it.
pub(super) fn is_moving_url(url: &Url) -> bool {
    let mut segments: Vec<&str> = url.path_segments().map(Iterator::collect).unwrap_or_default();
    // A file with a version in its name does not change, even if its folder's name suggests it.
    let file = segments.pop().unwrap_or_default();
    let has_version = file
        .split(['-', '_'])
        .any(|part| part.matches('.').count() >= 2 && part.contains(|c: char| c.is_ascii_digit()));
    let is_moving = |segment: &str| MOVING.contains(&segment.to_ascii_lowercase().as_str());
    !has_version && (segments.into_iter().any(is_moving) || file.split(['-', '_', '.']).any(is_moving))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_that_move_are_known() {
        for tag in ["latest", "stable", "main", "v1", "2", "17", "stable-slim", "Nightly"] {
            assert!(is_moving_tag(tag), "{tag}");
        }
        for tag in
            ["v1.19.8", "2.7.1", "3.2", "v1.19.8-alpine", "20210305", "2024", "alpine", "stable-1.2.3", "1.0-dev"]
        {
            assert!(!is_moving_tag(tag), "{tag}");
        }
    }

    #[test]
    fn urls_that_move_are_known() {
        for (url, moves) in [
            ("https://github.com/a/b/releases/latest/download/c.tgz", true),
            ("https://raw.githubusercontent.com/a/b/main/c.yaml", true),
            ("https://a/b-latest.tgz", true),
            ("https://a/stable/docker-19.03.15.tgz", false),
            ("https://a/v1.2.3/b.tgz", false),
            ("https://a/b.tgz", false),
        ] {
            assert_eq!(is_moving_url(&url.parse().unwrap()), moves, "{url}");
        }
    }
}
