//! Scripts that a shell cannot read.

use std::io::Read;

use super::super::Verdict;
use super::checks::Examined;
use super::finding::ImageFinding;
use crate::disk::Kind;
use crate::types::ContextPath;

/// The longest script that is looked into, in bytes.
const MAX_SCRIPT: u64 = 1 << 20;

/// Files of `scripts/` with Windows line ends: to a shell the carriage return is part of each command.
pub(super) fn examine(image: &Examined<'_>) -> Vec<ImageFinding> {
    let merged = &image.layers.merged;
    let scripts = merged.files(&"scripts".parse().expect("a plain word is a path")).unwrap_or_default();
    let has_windows_line_ends = |path: &ContextPath| {
        let entry = merged.entry(path).ok().flatten().filter(|entry| entry.meta.kind == Kind::File)?;
        let mut bytes = Vec::new();
        merged.open(path, &entry).ok()?.take(MAX_SCRIPT).read_to_end(&mut bytes).ok()?;
        let is_script = bytes.starts_with(b"#!")
            || std::path::Path::new(path.as_str()).extension().is_some_and(|extension| extension == "sh");
        (is_script && !bytes.contains(&0) && bytes.windows(2).any(|pair| pair == b"\r\n")).then_some(())
    };
    let found = scripts.iter().map(|(path, _)| path).filter(|path| has_windows_line_ends(path).is_some());
    found
        .map(|path| {
            let found = "has Windows line ends, which a shell takes for part of its commands";
            let remedy = "write it with Unix line ends (`sed -i 's/\\r$//'`) and build the image again";
            image.finding(Verdict::Error, "script-line-ends", path, found, remedy)
        })
        .collect()
}
