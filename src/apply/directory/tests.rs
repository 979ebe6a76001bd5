use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use super::*;

const TIME: FileTime = FileTime { seconds: 1, nanos: 0 };

fn folder(files: &[(&str, u32)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (file, mode) in files {
        let path = folder.path().join(file);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(&path, file).unwrap();
        fs_err::set_permissions(path, PermissionsExt::from_mode(*mode)).unwrap();
    }
    folder
}

fn taken(from: &tempfile::TempDir, path: &str, to: &str, context: &tempfile::TempDir) -> Result<(), String> {
    let context = Dir::open(context.path()).unwrap();
    let folder = open(from.path(), &path.parse().unwrap());
    let result = folder.and_then(|folder| gather(&folder, &to.parse().unwrap(), &context, TIME, &Beside::default()));
    let shown = |failure: Failure| failure.render(None, false).replace(from.path().to_str().unwrap(), "[RECIPE]");
    result.map_err(shown)
}

/// Each path with its mode and time, or where it points.
fn tree(folder: &Path) -> Vec<String> {
    fn walk(top: &Path, folder: &Path, found: &mut Vec<String>) {
        let mut paths: Vec<_> = fs_err::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        for path in paths {
            let name = path.strip_prefix(top).unwrap().display().to_string();
            let metadata = fs_err::symlink_metadata(&path).unwrap();
            let (mode, time) = (metadata.mode() & 0o7777, metadata.mtime());
            if is_root() {
                assert_eq!((metadata.uid(), metadata.gid()), (0, 0), "{name}");
            }
            if metadata.is_symlink() {
                let target = fs_err::read_link(&path).unwrap();
                found.push(format!("{name} -> {} {time}", target.display()));
            } else {
                found.push(format!("{name} {mode:o} {time}"));
            }
            if metadata.is_dir() {
                walk(top, &path, found);
            }
        }
    }
    let mut found = Vec::new();
    walk(folder, folder, &mut found);
    found
}

#[test]
fn modes_owners_and_times_of_a_checkout_do_not_matter() {
    let from = folder(&[
        ("files/run.sh", 0o700),
        ("files/group.sh", 0o650),
        ("files/setuid", 0o4755),
        ("files/plain", 0o600),
        ("files/world", 0o666),
        ("files/.hidden/.git/config", 0o640),
    ]);
    fs_err::set_permissions(from.path().join("files/.hidden"), PermissionsExt::from_mode(0o700)).unwrap();
    fs_err::create_dir(from.path().join("files/empty")).unwrap();
    symlink("../plain", from.path().join("files/.hidden/link")).unwrap();
    if is_root() {
        std::os::unix::fs::chown(from.path().join("files/plain"), Some(1000), Some(1000)).unwrap();
    }
    let context = tempfile::tempdir().unwrap();
    taken(&from, "files", "in/here", &context).unwrap();
    let expected = [
        "in 755 1",
        "in/here 755 1",
        "in/here/.hidden 755 1",
        "in/here/.hidden/.git 755 1",
        "in/here/.hidden/.git/config 644 1",
        "in/here/.hidden/link -> ../plain 1",
        "in/here/empty 755 1",
        "in/here/group.sh 644 1",
        "in/here/plain 644 1",
        "in/here/run.sh 755 1",
        "in/here/setuid 755 1",
        "in/here/world 644 1",
    ];
    assert_eq!(tree(context.path()), expected);
}

#[test]
fn a_file_is_never_the_users_own_under_a_second_name() {
    let from = folder(&[("files/a", 0o644)]);
    let original = from.path().join("files/a");
    Dir::open(&from.path().join("files")).unwrap().set_time("a", TIME).unwrap();
    let context = tempfile::tempdir().unwrap();
    taken(&from, "files", ".", &context).unwrap();
    fs_err::write(original, "edited").unwrap();
    assert_eq!(fs_err::read_to_string(context.path().join("a")).unwrap(), "files/a");
}

#[test]
fn files_of_the_context_are_replaced_and_its_folders_kept() {
    let from = folder(&[("files/etc/a", 0o644), ("files/file", 0o644), ("files/folder/x", 0o644)]);
    let context = folder(&[("etc/a", 0o600), ("etc/b", 0o600), ("file", 0o600), ("folder", 0o644)]);
    let etc = Dir::open(&context.path().join("etc")).unwrap();
    for name in ["a", "b"] {
        etc.set_time(name, FileTime::of_seconds(5)).unwrap();
    }
    etc.set_own_mode(0o750).unwrap();
    etc.set_own_time(FileTime::of_seconds(7)).unwrap();
    taken(&from, "files", ".", &context).unwrap();
    let expected = ["etc 750 7", "etc/a 644 1", "etc/b 600 5", "file 644 1", "folder 755 1", "folder/x 644 1"];
    assert_eq!(tree(context.path()), expected);
    assert_eq!(fs_err::read_to_string(context.path().join("etc/a")).unwrap(), "files/etc/a");
}

#[test]
fn a_folder_of_the_context_is_no_file_s_to_replace() {
    let from = folder(&[("file/sub/etc", 0o644), ("link/x", 0o644)]);
    symlink("x", from.path().join("link/etc")).unwrap();
    let context = folder(&[("etc/a", 0o600), ("sub/etc/a", 0o600)]);
    let refused = ["file", "link"].map(|path| taken(&from, path, ".", &context).unwrap_err());
    insta::assert_snapshot!(refused.concat(), @"
    error: `sub/etc` is a folder in the context, and `[RECIPE]/file/sub/etc`, a file, would take its place
      help: give it another name, or leave the folder out of the earlier entry
    error: `etc` is a folder in the context, and `[RECIPE]/link/etc`, a symlink, would take its place
      help: give it another name, or leave the folder out of the earlier entry
    ");
    assert!(context.path().join("etc/a").is_file() && context.path().join("sub/etc/a").is_file());
}

#[test]
fn files_are_put_into_folders_alone() {
    let context = folder(&[("etc/daemon.json", 0o600)]);
    let dir = Dir::open(context.path()).unwrap();
    for good in [".", "etc", "etc/new/deep", "none"] {
        check_target(&good.parse().unwrap(), &dir).unwrap();
    }
    let refused = ["etc/daemon.json", "etc/daemon.json/x"]
        .map(|to| check_target(&to.parse().unwrap(), &dir).unwrap_err().render(None, false));
    insta::assert_snapshot!(refused.concat(), @"
    error: `etc/daemon.json` is a file in the context, expected a folder to put files into
      help: an earlier entry put it there: `to` names a folder, and the file keeps its name in it
    error: `etc/daemon.json` is a file in the context, expected a folder to put files into
      help: an earlier entry put it there: `to` names a folder, and the file keeps its name in it
    ");
}

#[test]
fn a_symlink_stays_inside_or_is_refused() {
    let rows = [
        ("a", 0, true),
        ("a/b", 0, true),
        ("./a/./b/", 0, true),
        ("../a", 1, true),
        ("../../a", 2, true),
        (".", 0, true),
        ("..", 1, true),
        ("..", 0, false),
        ("../a", 0, false),
        ("../../a", 1, false),
        ("/etc/passwd", 3, false),
        ("//", 0, false),
        ("a/..", 3, false),
        ("a/../../b", 3, false),
        ("...", 0, true),
    ];
    for (target, depth, inside) in rows {
        assert_eq!(stays_inside(target.as_bytes(), depth), inside, "{target} in {depth}");
    }
}

#[test]
fn what_cannot_be_taken_is_told() {
    let from = folder(&[("charts/app/Chart.yaml", 0o644), ("file", 0o644)]);
    let path = |name: &str| from.path().join(name);
    fs_err::create_dir(path("empty")).unwrap();
    symlink("/etc", path("link")).unwrap();
    for (name, target) in [("absolute", "/etc/passwd"), ("up", "../../file"), ("hidden", "app/../../../x")] {
        fs_err::create_dir_all(path(name).join("deep")).unwrap();
        symlink(target, path(name).join("deep/link")).unwrap();
    }
    fs_err::create_dir(path("pipe")).unwrap();
    let fifo = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, path("pipe/fifo"), fifo, rustix::fs::Mode::RUSR, 0).unwrap();
    fs_err::create_dir(path("bytes")).unwrap();
    symlink("/", path("bytes").join(OsStr::from_bytes(b"\xff"))).unwrap();
    let mut told = Vec::new();
    for name in [
        "chart",
        "charts/ap",
        "file",
        "charts/app/Chart.yaml",
        "empty",
        "link",
        "link/ssl",
        "absolute",
        "up",
        "hidden",
        "pipe",
        "bytes",
        "zzz",
    ] {
        told.push(format!("{name}: {}", taken(&from, name, ".", &tempfile::tempdir().unwrap()).unwrap_err()));
    }
    insta::assert_snapshot!(told.concat());
}
