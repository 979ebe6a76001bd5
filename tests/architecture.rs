//! Holds the modules to their layers: the table in `src/lib.rs`.

#![expect(clippy::unwrap_used, reason = "all of it is test code; clippy only knows functions with `#[test]` as such")]

use std::path::{Path, PathBuf};

/// The modules by layer; a module may use those of earlier layers, and of its own layer those to its left.
const LAYERS: [&[&str]; 12] = [
    &["types"],
    &["syntax", "document"],
    &["edit", "kubefile"],
    &["disk", "process", "mount"],
    &["tar", "archive"],
    &["image", "rootfs", "manifests"],
    &["store", "cache"],
    &["transport", "fetch", "sources"],
    &["closure", "steps", "recipe", "plan", "validate"],
    &["build", "apply", "preview"],
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

/// Each module with the modules that one of its lines names, and that line.
fn uses() -> Vec<(String, String, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let mut uses = Vec::new();
    for file in files {
        let relative = file.strip_prefix(&src).unwrap();
        let module =
            relative.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned();
        if matches!(module.as_str(), "lib" | "main") || relative.to_string_lossy().ends_with("tests.rs") {
            continue;
        }
        let text = fs_err::read_to_string(&file).unwrap();
        // What tests use does not count.
        let code = text.split("#[cfg(test)]").next().unwrap();
        for (number, line) in code.lines().enumerate() {
            if line.trim_start().starts_with("//") {
                continue;
            }
            for named in line.split("crate::").skip(1) {
                let named: String = named.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
                uses.push((module.clone(), named, format!("{}:{}", relative.display(), number + 1)));
            }
        }
    }
    uses
}

fn place(module: &str) -> Option<(usize, usize)> {
    LAYERS
        .iter()
        .enumerate()
        .find_map(|(layer, modules)| Some((layer, modules.iter().position(|other| *other == module)?)))
}

#[test]
fn every_module_uses_only_those_above_it() {
    let wrong: Vec<String> = uses()
        .into_iter()
        .filter(|(module, named, _)| module != named)
        .filter(|(module, named, _)| match (place(module), place(named)) {
            (Some(user), Some(used)) => used >= user,
            _ => true,
        })
        .map(|(module, named, line)| format!("{line}: `{module}` uses `{named}`"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_file_is_too_long() {
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
