use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::rootfs::Overlay;
use crate::types::ContextPath;

/// Entries of a layer, one for each word: `a/b` a file (its content is the word and the layer's number), `a/` a folder,
/// `a/!` an opaque folder, `a!` a whiteout, `a>b` a symlink to b. Folders without a word of their own are made too,
/// with a mode that only this layer's folders have.
fn layer(number: u32, words: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let top = Dir::open(folder.path()).unwrap();
    let mut folders = BTreeSet::new();
    for word in words.split_whitespace() {
        let (path, end) = match (word.strip_suffix('!'), word.split_once('>')) {
            (Some(path), _) => (path, "!"),
            (None, Some((path, target))) => (path, target),
            (None, None) => (word, ""),
        };
        let is_folder = path.ends_with('/');
        let path: ContextPath = path.parse().unwrap();
        let mut parent = top.duplicate().unwrap();
        let mut walked = ContextPath::root();
        for part in path.parent().unwrap().parts() {
            parent = parent.folder_or_make(part, 0o755).unwrap();
            walked = walked.join(&part.parse().unwrap());
            folders.insert(walked.clone());
        }
        let name = path.file_name().unwrap();
        if is_folder {
            let made = parent.folder_or_make(name, 0o755).unwrap();
            if end == "!" {
                made.set_opaque().unwrap();
            }
            folders.insert(path);
        } else if end == "!" {
            parent.make_whiteout(name).unwrap();
        } else if end.is_empty() {
            fs_err::write(folder.path().join(path.as_path()), format!("{path} {number}")).unwrap();
            parent.set_time(name, FileTime::of_seconds(number.into())).unwrap();
        } else {
            parent.make_symlink(name, end.as_bytes()).unwrap();
        }
    }
    for path in folders.iter().rev() {
        let folder = top.beneath(path.as_path()).unwrap();
        folder.set_own_mode(0o700 + number).unwrap();
        folder.set_own_time(FileTime::of_seconds(number.into())).unwrap();
    }
    folder
}

/// The content of a folder: files with the number of their layer, folders with the number in their mode and time.
fn tree(folder: &Path) -> String {
    fn walk(top: &Path, folder: &Path, found: &mut BTreeMap<String, String>) {
        for entry in fs_err::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(top).unwrap().to_str().unwrap().to_owned();
            let metadata = fs_err::symlink_metadata(&path).unwrap();
            if metadata.is_dir() {
                let mode = metadata.permissions().mode() & 0o777;
                assert!(!Dir::open(&path).unwrap().is_opaque().unwrap(), "{name}");
                assert_eq!(i64::from(mode) - 0o700, metadata.mtime(), "{name}");
                found.insert(format!("{name}/"), metadata.mtime().to_string());
                walk(top, &path, found);
            } else if metadata.is_symlink() {
                found.insert(name, format!("->{}", fs_err::read_link(&path).unwrap().display()));
            } else {
                assert!(metadata.is_file(), "{name}: {metadata:?}");
                let content = fs_err::read_to_string(&path).unwrap();
                let number = content.strip_prefix(&format!("{name} ")).unwrap_or("?").to_owned();
                assert_eq!(number, metadata.mtime().to_string());
                found.insert(name, number);
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(folder, folder, &mut found);
    found.into_iter().map(|(name, what)| format!("{name}={what}")).collect::<Vec<_>>().join(" ")
}

struct Merge {
    layers: Vec<tempfile::TempDir>,
}

impl Merge {
    /// Layers, the lowest first.
    fn of(layers: &[&str]) -> Self {
        Self { layers: (1..).zip(layers).map(|(number, words)| layer(number, words)).collect() }
    }

    fn folders(&self) -> Vec<PathBuf> {
        self.layers.iter().map(|layer| layer.path().to_owned()).collect()
    }

    /// What globs copy into an empty context, and the numbers of the globs that match nothing.
    fn gather(&self, globs: &[&str]) -> (String, Vec<usize>) {
        let context = tempfile::tempdir().unwrap();
        let unmatched = self.gather_into(context.path(), globs);
        (tree(context.path()), unmatched)
    }

    fn gather_into(&self, context: &Path, globs: &[&str]) -> Vec<usize> {
        let layers = Overlay::new(self.folders());
        let globs: Vec<String> = globs.iter().map(|glob| (*glob).to_owned()).collect();
        let dir = Dir::open(context).unwrap();
        let time = FileTime::of_seconds(9);
        gather(&layers.top().unwrap(), &globs, &ContextPath::root(), &dir, Sharing::Auto, time).unwrap()
    }
}

#[test]
fn layers_are_merged_as_a_mount_shows_them() {
    let rows: &[(&[&str], &str)] = &[
        // The topmost layer decides on files, and on the mode and time of folders.
        (&["a b/c b/d", "a b/c", "x/"], "a=2 b/=2 b/c=2 b/d=1 x/=3"),
        (&["a/b/c", "a/b/", "a/x"], "a/=3 a/b/=2 a/b/c=1 a/x=3"),
        // A whiteout hides what is in the layers below it, and nothing above it.
        (&["a b/c b/d", "a! b/c!"], "b/=2 b/d=1"),
        (&["a/b", "a!", "a/c"], "a/=3 a/c=3"),
        (&["a", "a!", "a"], "a=3"),
        (&["a/b", "a/b!", "a/b/c"], "a/=3 a/b/=3 a/b/c=3"),
        (&["x", "none! y"], "x=1 y=2"),
        // Files over folders and the other way round.
        (&["a/b a/c", "a"], "a=2"),
        (&["a", "a/b"], "a/=2 a/b=2"),
        (&["a/b", "a", "a/c"], "a/=3 a/c=3"),
        // Names that sort between a folder and what is in it.
        (&["a/b a/c a-b d/e f", "a/b"], "a-b=1 a/=2 a/b=2 a/c=1 d/=1 d/e=1 f=1"),
        (&["a/b a/c a-b d/e f", "a!"], "a-b=1 d/=1 d/e=1 f=1"),
        (&["a/b a/c a-b d/e f", "a/c!"], "a-b=1 a/=2 a/b=1 d/=1 d/e=1 f=1"),
        (&["a/b a-b d/e", "d>a"], "a-b=1 a/=1 a/b=1 d=->a"),
        (&["a/b a-b f", "f/g"], "a-b=1 a/=1 a/b=1 f/=2 f/g=2"),
        // A symlink is a file like others: what is in a folder with its name is not searched behind it.
        (&["lib/a usr/x", "lib>usr"], "lib=->usr usr/=1 usr/x=1"),
        (&["lib>usr usr/x", "lib/b"], "lib/=2 lib/b=2 usr/=1 usr/x=1"),
        (&["out>/etc in>out/passwd"], "in=->out/passwd out=->/etc"),
    ];
    for (layers, expected) in rows {
        assert_eq!(Merge::of(layers).gather(&[]), ((*expected).to_owned(), vec![]), "{layers:?}");
    }
}

#[test]
fn opaque_folders_hide_what_is_below_them() {
    if !crate::disk::is_root() {
        // Only root can set the attribute.
        return;
    }
    let rows: &[(&[&str], &str)] = &[
        (&["a/b a/c x", "a/! a/d"], "a/=2 a/d=2 x=1"),
        (&["a/b a/c a-b", "a/! a/x"], "a-b=1 a/=2 a/x=2"),
        (&["a/b", "a/! a/c", "a/d"], "a/=3 a/c=2 a/d=3"),
        (&["a/b/c", "a/!", "a/b/d"], "a/=3 a/b/=3 a/b/d=3"),
        (&["a/!  a/b"], "a/=1 a/b=1"),
    ];
    for (layers, expected) in rows {
        assert_eq!(Merge::of(layers).gather(&[]), ((*expected).to_owned(), vec![]), "{layers:?}");
    }
}

#[test]
fn globs_see_the_merged_tree() {
    let merge = Merge::of(&["etc/a.yaml etc/b.yaml etc/deep/c.yaml bin/x", "etc/b.yaml! bin/y etc/deep/d.yaml"]);
    let rows: &[(&[&str], &str, &[usize])] = &[
        (&["etc/*.yaml"], "etc/=2 etc/a.yaml=1", &[]),
        (&["**/*.yaml"], "etc/=2 etc/a.yaml=1 etc/deep/=2 etc/deep/c.yaml=1 etc/deep/d.yaml=2", &[]),
        (&["bin"], "bin/=2 bin/x=1 bin/y=2", &[]),
        (&["bin/x", "bin"], "bin/=2 bin/x=1 bin/y=2", &[]),
        (&["etc/b.yaml", "bin/y", "none"], "bin/=2 bin/y=2", &[0, 2]),
    ];
    for (globs, expected, unmatched) in rows {
        assert_eq!(merge.gather(globs), ((*expected).to_owned(), unmatched.to_vec()), "{globs:?}");
    }
}

#[test]
fn what_the_context_has_is_kept_or_replaced() {
    let context = layer(7, "a/old a/same b c/d");
    Merge::of(&["a/same a/new", "b/in c"]).gather_into(context.path(), &[]);
    assert_eq!(tree(context.path()), "a/=1 a/new=1 a/old=7 a/same=1 b/=2 b/in=2 c=2");
}

#[test]
fn files_are_shared_with_their_layer_unless_copies_are_asked_for() {
    let merge = Merge::of(&["a", "b"]);
    let original = |index: usize, name: &str| fs_err::metadata(merge.layers[index].path().join(name)).unwrap().ino();
    let context = tempfile::tempdir().unwrap();
    merge.gather_into(context.path(), &[]);
    let shared = |name: &str| fs_err::metadata(context.path().join(name)).unwrap();
    // A reflink has an inode of its own; without reflinks, a file is a hard link to its layer's file.
    for (index, name) in ["a", "b"].into_iter().enumerate() {
        assert!(shared(name).ino() == original(index, name) || shared(name).nlink() == 1);
    }
    let layers = Overlay::new(merge.folders());
    let copies = tempfile::tempdir().unwrap();
    let (dir, time) = (Dir::open(copies.path()).unwrap(), FileTime::of_seconds(9));
    gather(&layers.top().unwrap(), &[], &ContextPath::root(), &dir, Sharing::Copy, time).unwrap();
    assert_eq!(fs_err::metadata(copies.path().join("a")).unwrap().nlink(), 1);
}

#[test]
fn more_layers_and_deeper_folders_than_a_process_has_handles() {
    let deep = "d/".repeat(40);
    let layers: Vec<String> = (0..60).map(|number| format!("{deep}{number}")).collect();
    let layers: Vec<&str> = layers.iter().map(String::as_str).collect();
    let context = tempfile::tempdir().unwrap();
    assert_eq!(Merge::of(&layers).gather_into(context.path(), &[]), [0_usize; 0]);
    assert_eq!(fs_err::read_dir(context.path().join(deep)).unwrap().count(), 60);
}

/// What is at a name in a random layer.
#[derive(Debug, Clone)]
enum Node {
    Nothing,
    File,
    Symlink,
    Whiteout,
    Folder { opaque: bool, nodes: Vec<Node> },
}

fn node() -> impl Strategy<Value = Node> {
    let leaf = prop_oneof![Just(Node::Nothing), Just(Node::File), Just(Node::Symlink), Just(Node::Whiteout)];
    leaf.prop_recursive(3, 12, 2, |inner| {
        let nodes = proptest::collection::vec(inner, 0..3);
        (proptest::bool::weighted(0.2), nodes).prop_map(|(opaque, nodes)| Node::Folder { opaque, nodes })
    })
}

/// The words for [`layer`].
fn words(nodes: &[Node], path: &str, found: &mut String) {
    for (name, node) in ["a", "b"].iter().zip(nodes) {
        let path = format!("{path}{name}");
        match node {
            Node::Nothing => {}
            Node::File => found.extend([" ", &path]),
            Node::Symlink => found.extend([" ", &path, ">a"]),
            Node::Whiteout => found.extend([" ", &path, "!"]),
            Node::Folder { opaque, nodes } => {
                found.extend([" ", &path, "/", if *opaque { "!" } else { "" }]);
                words(nodes, &format!("{path}/"), found);
            }
        }
    }
}

/// The kernel's view of layers, copied into a folder; `None` if the kernel cannot be asked.
fn mounted(layers: &[PathBuf]) -> Option<tempfile::TempDir> {
    let folder = tempfile::tempdir().unwrap();
    let lower: Vec<_> = layers.iter().rev().map(|layer| layer.to_str().unwrap()).collect();
    // If only one layer has a folder, the kernel also lists its whiteouts, but they cannot be opened: cp prints errors.
    let script = "mount -t overlay overlay -o \"lowerdir=$1\" \"$2\" && { cp -a \"$2/.\" \"$3\" || true; }";
    let (mount, copy) = (folder.path().join("mount"), folder.path().join("copy"));
    fs_err::create_dir(&mount).unwrap();
    fs_err::create_dir(&copy).unwrap();
    // The mount ends with the namespace.
    let mut command = std::process::Command::new("unshare");
    command.args(["--mount", "sh", "-c", script, "sh", &lower.join(":")]).arg(&mount).arg(&copy);
    command.output().is_ok_and(|output| output.status.success()).then_some(folder)
}

#[test]
fn the_kernel_shows_the_same() {
    let known = Merge::of(&["a", "b"]);
    if mounted(&known.folders()).is_none() {
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "CI=true, and overlays cannot be mounted");
        // This is not `eprintln!`, because the test harness hides that output if tests pass.
        io::Write::write_all(&mut io::stderr(), b"skipped: overlays cannot be mounted\n").unwrap();
        return;
    }
    let layer = proptest::collection::vec(node(), 2);
    let layers = proptest::collection::vec(layer, 2..5);
    let config = ProptestConfig { cases: 30, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(layers in layers)| {
        let texts: Vec<String> = layers.iter().map(|nodes| {
            let mut text = String::new();
            words(nodes, "", &mut text);
            text
        }).collect();
        let merge = Merge::of(&texts.iter().map(String::as_str).collect::<Vec<_>>());
        let shown = mounted(&merge.folders()).unwrap();
        prop_assert_eq!(merge.gather(&[]).0, tree(&shown.path().join("copy")), "{:?}", texts);
        let overlay = Overlay::new(merge.folders());
        for path in ["a", "b", "a/a", "a/b", "b/a", "b/b", "a/a/a", "a/b/a", "b/b/b"] {
            let path: ContextPath = path.parse().unwrap();
            let copy = Dir::open(&shown.path().join("copy")).unwrap();
            let folder = copy.beneath(path.parent().unwrap().as_path());
            let is_there = folder.is_ok_and(|folder| folder.meta(path.file_name().unwrap()).is_ok());
            prop_assert_eq!(overlay.find(&path).unwrap().is_some(), is_there, "{} {:?}", path, texts);
        }
    });
}
