use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::super::tests::document;
use super::super::{Commit, StagedFolder, StagedLayer};
use super::*;
use crate::disk::is_root;
use crate::image::layer::layer_id_at;
use crate::tar::Limits;

/// What may lie at a path of a layer.
#[derive(Debug, Clone)]
enum Thing {
    Folder(u32),
    File(u32, Vec<u8>),
    Symlink(&'static str),
    /// To the nth file of the tree.
    HardLink(usize),
    Whiteout,
}

/// Names that sort in odd ways, that need PAX records, or look like more than they are.
const NAMES: [&[u8]; 12] = [
    b"a",
    b"a-b",
    b"a.c",
    b"aa",
    b".",
    b"...",
    b" ",
    b"\xff\xfe",
    "ü".as_bytes(),
    b"Metadata",
    b"x.yaml",
    &[b'n'; 130],
];
const TARGETS: [&str; 5] = ["a", "../a", "/etc/passwd", "nowhere/at all", "ü"];

fn thing() -> impl Strategy<Value = Thing> {
    let mode = prop_oneof![Just(0o755), Just(0o644), Just(0o4755), Just(0o1777), Just(0o700)];
    prop_oneof![
        mode.clone().prop_map(|mode| Thing::Folder(mode | 0o700)),
        (mode, prop::collection::vec(any::<u8>(), 0..700)).prop_map(|(mode, content)| Thing::File(mode, content)),
        prop::sample::select(&TARGETS[..]).prop_map(Thing::Symlink),
        any::<usize>().prop_map(Thing::HardLink),
        Just(Thing::Whiteout),
    ]
}

type Tree = Vec<(Vec<&'static [u8]>, Thing)>;

fn tree() -> impl Strategy<Value = Tree> {
    let name = prop::sample::select(&NAMES[..]).prop_filter("no ordinary name", |name| *name != b".");
    prop::collection::vec((prop::collection::vec(name, 1..4), thing()), 1..16)
}

/// Makes what can be made of a tree: what is there already stays, and nothing is made below what is not a folder.
fn make(top: &Path, tree: &Tree) {
    let mut files: Vec<PathBuf> = Vec::new();
    let mut folders: Vec<(PathBuf, u32)> = Vec::new();
    for (parts, thing) in tree {
        let path = parts.iter().fold(top.to_owned(), |path, part| path.join(OsStr::from_bytes(part)));
        let mut above = path.ancestors().skip(1).take_while(|above| *above != top);
        if fs_err::symlink_metadata(&path).is_ok() || above.any(Path::is_symlink) {
            continue;
        }
        if fs_err::create_dir_all(path.parent().unwrap()).is_err() {
            continue;
        }
        match thing {
            Thing::Folder(mode) => {
                fs_err::create_dir(&path).unwrap();
                folders.push((path, *mode));
            }
            Thing::File(mode, content) => {
                fs_err::write(&path, content).unwrap();
                fs_err::set_permissions(&path, std::fs::Permissions::from_mode(*mode)).unwrap();
                files.push(path);
            }
            Thing::Symlink(target) => symlink(target, &path).unwrap(),
            Thing::HardLink(at) if !files.is_empty() => fs_err::hard_link(&files[at % files.len()], &path).unwrap(),
            Thing::Whiteout if is_root() => {
                let kind = rustix::fs::FileType::CharacterDevice;
                rustix::fs::mknodat(rustix::fs::CWD, &path, kind, rustix::fs::Mode::RUSR, 0).unwrap();
            }
            Thing::HardLink(_) | Thing::Whiteout => {}
        }
    }
    for (path, mode) in folders {
        fs_err::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
}

/// All that is below a folder and that a layer's stream says, by its path.
fn listed(top: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![top.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let about = fs_err::symlink_metadata(&path).unwrap();
            let content = match about.file_type() {
                kind if kind.is_file() => format!("{:?}", fs_err::read(&path).unwrap()),
                kind if kind.is_symlink() => fs_err::read_link(&path).unwrap().display().to_string(),
                kind if kind.is_dir() => {
                    folders.push(path.clone());
                    String::new()
                }
                _ => format!("device {}", about.rdev()),
            };
            // A whiteout's own permissions are not kept.
            let mode = if content.starts_with("device") { 0 } else { about.mode() };
            found.insert(path.strip_prefix(top).unwrap().to_owned(), format!("{mode:o} {} {content}", about.uid()));
        }
    }
    found
}

/// What is left of an archive after a real sealer's load, which deletes whatever an entry names before it writes it.
fn after_a_real_load(names: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut there: Vec<Vec<u8>> = Vec::new();
    for name in names {
        let bare = name.strip_suffix(b"/").unwrap_or(name);
        let below = [bare, b"/"].concat();
        there.retain(|other| other != bare && !other.starts_with(&below));
        there.push(bare.to_vec());
    }
    there
}

fn staged(folder: StagedFolder) -> Option<StagedLayer> {
    let id = layer_id_at(folder.dir(), &Owners::of_this_machine()).unwrap()?;
    Some(StagedLayer { folder, id, cache_id: None, verified: true })
}

fn check(trees: &[Tree]) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("root"));
    let staging = store.stage().unwrap();
    let mut layers: BTreeMap<Digest, StagedLayer> = BTreeMap::new();
    for tree in trees {
        let folder = staging.new_layer_dir().unwrap();
        make(folder.path(), tree);
        if let Some(layer) = staged(folder) {
            layers.entry(layer.id.digest).or_insert(layer);
        }
    }
    // The first layer is both platforms', each of the others one's.
    let ids: Vec<Digest> = layers.keys().copied().collect();
    let of = |odd: usize| -> Vec<Digest> {
        ids.iter().enumerate().filter(|(at, _)| *at == 0 || at % 2 == odd).map(|(_, id)| *id).collect()
    };
    let images = vec![document("a:1", "linux/amd64", &of(0)), document("a:1", "linux/arm64", &of(1))];
    let created = jiff::Timestamp::UNIX_EPOCH;
    store.commit(&staging, &Commit { images, layers: layers.into_values().collect(), created }).unwrap();
    drop(staging);

    let mut bytes = Vec::new();
    let saved = store.save(store.find_all(&"a:1".parse().unwrap(), &[]).unwrap(), "a:1", &mut bytes).unwrap();
    assert_eq!(saved.warnings, [""; 0]);
    let mut names: Vec<Vec<u8>> = Vec::new();
    for entry in tar::Archive::new(&bytes[..]).entries().unwrap() {
        let mut entry = entry.unwrap();
        entry.read_to_end(&mut Vec::new()).unwrap();
        names.push(entry.path_bytes().into_owned());
    }
    for name in &names {
        let shown = String::from_utf8_lossy(name);
        let parts: Vec<&[u8]> = name.strip_suffix(b"/").unwrap_or(name).split(|byte| *byte == b'/').collect();
        assert!(!parts.iter().any(|part| matches!(*part, b"" | b"." | b"..")) && !name.contains(&b'\\'), "{shown}");
        let is_layer = Digest::from_hex(str::from_utf8(parts[0]).unwrap()).is_ok();
        assert!(is_layer == (parts.len() > 1), "{shown}: a layer's own folder, or a stray file");
    }
    let mut sorted = names.clone();
    sorted.sort();
    let mut left: Vec<Vec<u8>> = after_a_real_load(&names);
    left.sort();
    assert_eq!(left, sorted, "a real sealer's load would lose something");
    assert_eq!(names.iter().filter(|name| name.ends_with(b".yaml") && !name.contains(&b'/')).count(), 2);
    assert_eq!(names.last().unwrap(), b"Metadata");

    let other = Store::open(&folder.path().join("other"));
    let loaded = other.load(&bytes[..], &Limits::SAVED, created).unwrap();
    let news: Vec<&String> = loaded.warnings.iter().filter(|said| !said.contains("is setuid or setgid")).collect();
    assert_eq!(news, [""; 0]);
    assert_eq!(listed(&other.root().join("data/overlay2")), listed(&store.root().join("data/overlay2")));
    let mut again = Vec::new();
    other.save(other.find_all(&"a:1".parse().unwrap(), &[]).unwrap(), "a:1", &mut again).unwrap();
    // Only `created` may differ, and both were committed at one time.
    assert!(again == bytes, "the same images give the same bytes");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_archive_has_what_a_real_load_would_delete_for(trees in prop::collection::vec(tree(), 1..4)) {
        check(&trees);
    }
}

#[test]
fn the_model_of_a_real_load_knows_what_it_deletes() {
    let names = |names: &[&str]| names.iter().map(|name| name.as_bytes().to_vec()).collect::<Vec<_>>();
    assert_eq!(after_a_real_load(&names(&["a/", "a/b", "c"])), names(&["a", "a/b", "c"]));
    assert_eq!(after_a_real_load(&names(&["a/", "a/b", "a/"])), names(&["a"]));
    assert_eq!(after_a_real_load(&names(&["a/b", "a"])), names(&["a"]));
}

#[test]
fn what_nobody_would_load_is_not_saved() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("root"));
    let staging = store.stage().unwrap();
    let layer = staging.new_layer_dir().unwrap();
    fs_err::create_dir(layer.path().join("etc")).unwrap();
    fs_err::write(layer.path().join("etc/dev-disk\\x2d1.swap"), "").unwrap();
    let layer = staged(layer).unwrap();
    let image = document("a:1", "linux/amd64", &[layer.id.digest]);
    let commit = Commit { images: vec![image], layers: vec![layer], created: jiff::Timestamp::UNIX_EPOCH };
    store.commit(&staging, &commit).unwrap();
    let error = store.save(store.find_all(&"a:1".parse().unwrap(), &[]).unwrap(), "a:1", &mut Vec::new()).unwrap_err();
    insta::assert_snapshot!(error, @r"the layer's entry `etc/dev-disk\x2d1.swap` is refused: sealer cannot load an archive with a `\` in a name; push the image instead, or name the file otherwise");
}
