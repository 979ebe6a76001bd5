//! Holds the modules to their layers: the table in `src/lib.rs`.

#![expect(clippy::unwrap_used, reason = "all of it is test code; clippy only knows functions with `#[test]` as such")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use regex::Regex;

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

/// Files that import each other, each group with the reason why it stays.
const CIRCLES: &[(&[&str], &str)] = &[
    (
        &["diff/container.rs", "diff/content.rs", "diff/members.rs"],
        "a file may be an archive, whose members are files, or a container image, whose layers are archives",
    ),
    (&["disk/dir.rs", "disk/walk.rs"], "a folder removes what is in it, and that walks over folders"),
    (&["document/de/access.rs", "document/de/mod.rs"], "a node's parts are nodes: serde's visitors call each other"),
    (&["plan/lock/document.rs", "plan/lock/mod.rs"], "serde reads and writes the lock by way of its document"),
];

/// The files of `src` that are not tests, by their module path, each with its code: no comments, no tests.
fn modules() -> BTreeMap<Vec<String>, (String, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let module = |file: PathBuf| {
        let name = file.strip_prefix(&src).unwrap().to_str().unwrap().to_owned();
        let is_test = name.ends_with("tests.rs") || name.contains("tests/");
        let mut path: Vec<String> = name.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
        if path.last().is_some_and(|last| last == "mod") {
            path.pop();
        }
        let text = fs_err::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let code: Vec<&str> = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        (!is_test).then(|| (path, (name, code.join("\n"))))
    };
    files.into_iter().filter_map(module).collect()
}

/// The paths of a `use`, its braces taken apart.
fn paths_of(import: &str) -> Vec<Vec<String>> {
    let Some((head, rest)) = import.split_once('{') else {
        let path = import.split(" as ").next().unwrap().split("::").map(|part| part.trim().to_owned());
        return vec![
            path.filter(|part| !matches!(part.as_str(), "self" | "*") || import.starts_with("self")).collect(),
        ];
    };
    let (mut depth, mut part, mut parts) = (0, String::new(), Vec::new());
    for letter in rest[..rest.rfind('}').unwrap()].chars() {
        depth += i32::from(letter == '{') - i32::from(letter == '}');
        if letter == ',' && depth == 0 {
            parts.push(std::mem::take(&mut part));
        } else {
            part.push(letter);
        }
    }
    parts.push(part);
    let parts = parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty());
    parts.flat_map(|part| paths_of(&format!("{head}{part}"))).collect()
}

/// Which file each file of `src` imports from. What a `mod.rs` hands on with `pub use` counts for the file that has it.
fn imports() -> BTreeMap<String, BTreeSet<String>> {
    let modules = modules();
    let import = Regex::new(r"(?m)^\s*(pub(?:\([^)]*\))? )?use ([a-z_:]+[^;`]*);").unwrap();
    let in_code = Regex::new(r"\b(?:crate|super|self)(?:::\w+)+").unwrap();
    let of_child = Regex::new(r"\b([a-z_]+)::\w").unwrap();
    let noise = Regex::new(r"\bmod \w+;|pub\([^)]*\)").unwrap();
    let mut handed_on: BTreeMap<(&[String], String), Vec<String>> = BTreeMap::new();
    let mut found = Vec::new();
    for (module, (name, code)) in &modules {
        for captures in import.captures_iter(code) {
            for path in paths_of(&captures[2].replace('\n', " ")) {
                let Some(last) = path.last() else { continue };
                handed_on.insert((module, last.clone()), path.clone());
                if captures.get(1).is_none() {
                    found.push((module, name, path));
                }
            }
        }
        let rest = noise.replace_all(&import.replace_all(code, ""), "").into_owned();
        for path in in_code.find_iter(&rest) {
            found.push((module, name, path.as_str().split("::").map(str::to_owned).collect()));
        }
        let children = of_child.captures_iter(&rest).filter(|found| !matches!(&found[1], "crate" | "super" | "self"));
        for captures in children {
            found.push((module, name, vec![captures[1].to_owned()]));
        }
    }
    let mut imports: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (module, name, path) in found {
        let file = definition(&modules, &handed_on, module, &path, 0).and_then(|path| modules.get(&path));
        if let Some((file, _)) = file.filter(|(file, _)| file != name) {
            imports.entry(name.clone()).or_default().insert(file.clone());
        }
    }
    imports
}

/// The module that has what a path names.
fn definition(
    modules: &BTreeMap<Vec<String>, (String, String)>,
    handed_on: &BTreeMap<(&[String], String), Vec<String>>,
    from: &[String],
    path: &[String],
    depth: usize,
) -> Option<Vec<String>> {
    let supers = path.iter().take_while(|part| *part == "super").count();
    let (mut at, rest) = match path.first()?.as_str() {
        "crate" => (Vec::new(), &path[1..]),
        "self" => (from.to_vec(), &path[1..]),
        "super" => (from[..from.len().checked_sub(supers)?].to_vec(), &path[supers..]),
        child => {
            let child = [from, &[child.to_owned()]].concat();
            (modules.contains_key(&child).then(|| from.to_vec())?, path)
        }
    };
    for (index, part) in rest.iter().enumerate() {
        let child = [at.as_slice(), std::slice::from_ref(part)].concat();
        if modules.contains_key(&child) {
            at = child;
            continue;
        }
        return match handed_on.get(&(at.as_slice(), part.clone())) {
            Some(next) if depth < 8 && (at != from || next != path) => {
                let next = [next, &rest[index + 1..]].concat();
                definition(modules, handed_on, &at.clone(), &next, depth + 1)
            }
            _ => Some(at),
        };
    }
    Some(at)
}

/// All files that a file imports from, directly or not.
fn reach<'a>(imports: &'a BTreeMap<String, BTreeSet<String>>, file: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&str> = imports.get(file).into_iter().flatten().map(String::as_str).collect();
    while let Some(next) = open.pop() {
        if reached.insert(next) {
            open.extend(imports.get(next).into_iter().flatten().map(String::as_str));
        }
    }
    reached
}

#[test]
fn no_files_import_each_other() {
    let imports = imports();
    assert!(imports.len() > 300, "the imports are found: {}", imports.len());
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        imports.keys().map(|file| (file.as_str(), reach(&imports, file))).collect();
    let mut circles: BTreeSet<Vec<&str>> = BTreeSet::new();
    for (file, others) in &reached {
        let back = others.iter().filter(|other| reached.get(**other).is_some_and(|back| back.contains(file)));
        let circle: BTreeSet<&str> = back.copied().chain([*file]).collect();
        if circle.len() > 1 {
            circles.insert(circle.into_iter().collect());
        }
    }
    let named: BTreeSet<Vec<&str>> = CIRCLES.iter().map(|(files, _)| files.to_vec()).collect();
    let edges = |circle: &Vec<&str>| {
        let of = |file: &&str| {
            let others = imports[*file].iter().filter(|other| circle.contains(&other.as_str()));
            format!("  {file} uses {}\n", others.map(String::as_str).collect::<Vec<_>>().join(", "))
        };
        circle.iter().map(of).collect::<String>()
    };
    let new: Vec<String> = circles.difference(&named).map(edges).collect();
    assert!(new.is_empty(), "files that import each other:\n{}", new.join("\n"));
    let gone: Vec<_> = named.difference(&circles).collect();
    assert!(gone.is_empty(), "these no longer import each other:\n{gone:#?}");
}

#[test]
fn most_items_are_seen_in_the_crate_only() {
    let (mut all, mut bare) = (0, 0);
    let item = Regex::new(
        r"(?m)^\s*pub(\([^)]*\))? (?:async |const |unsafe )*(?:fn|struct|enum|trait|type|const|static|mod|use)\b",
    )
    .unwrap();
    for (_, code) in modules().values() {
        for captures in item.captures_iter(code) {
            all += 1;
            bare += usize::from(captures.get(1).is_none());
        }
    }
    assert!(bare * 4 < all, "{bare} of {all} items are bare `pub`");
}
