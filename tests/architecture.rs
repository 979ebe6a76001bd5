//! Holds the modules to the floors of the house: the table in `src/lib.rs`.

#![expect(clippy::unwrap_used, reason = "all of it is test code; clippy only knows functions with `#[test]` as such")]

use std::path::{Path, PathBuf};

/// The rooms, floor by floor; a room may use those of earlier floors, and of its own floor those to its left.
const FLOORS: [&[&str]; 12] = [
    &["words"],
    &["syntax", "recipe"],
    &["edit", "kubefile"],
    &["disk", "process", "mount"],
    &["tar", "archive"],
    &["image", "rootfs", "manifests"],
    &["store", "cache"],
    &["transport", "fetch", "supply"],
    &["plan", "validate", "closure"],
    &["steps", "build", "apply", "preview"],
    &["diff", "provenance", "verify", "upstream", "doctor", "sandbox"],
    &["cli"],
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs_err::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Each room with the rooms that one of its lines names, and that line.
fn uses() -> Vec<(String, String, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let mut uses = Vec::new();
    for file in files {
        let relative = file.strip_prefix(&src).unwrap();
        let room =
            relative.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned();
        if matches!(room.as_str(), "lib" | "main") || file.file_name().is_some_and(|name| name == "tests.rs") {
            continue;
        }
        let text = fs_err::read_to_string(&file).unwrap();
        // What tests use is not part of the house.
        let code = text.split("#[cfg(test)]").next().unwrap();
        for (number, line) in code.lines().enumerate() {
            if line.trim_start().starts_with("//") {
                continue;
            }
            for named in line.split("crate::").skip(1) {
                let named: String = named.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
                uses.push((room.clone(), named, format!("{}:{}", relative.display(), number + 1)));
            }
        }
    }
    uses
}

fn place(room: &str) -> Option<(usize, usize)> {
    FLOORS.iter().enumerate().find_map(|(floor, rooms)| Some((floor, rooms.iter().position(|other| *other == room)?)))
}

#[test]
fn every_room_uses_only_those_above_it() {
    let wrong: Vec<String> = uses()
        .into_iter()
        .filter(|(room, named, _)| room != named)
        .filter(|(room, named, _)| match (place(room), place(named)) {
            (Some(user), Some(used)) => used >= user,
            _ => true,
        })
        .map(|(room, named, line)| format!("{line}: `{room}` uses `{named}`"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_file_is_too_long_to_live_in() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let long: Vec<String> = files
        .into_iter()
        .filter_map(|file| {
            let lines = fs_err::read_to_string(&file).unwrap().lines().count();
            (lines > 500).then(|| format!("{}: {lines} lines", file.display()))
        })
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}
