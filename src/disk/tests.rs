use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::symlink;

use super::share::Shared;
use super::*;

fn folders() -> (tempfile::TempDir, Dir, Dir) {
    let top = tempfile::tempdir().unwrap();
    let dir = Dir::open(top.path()).unwrap();
    let (from, to) = (dir.make_folder("from", 0o755).unwrap(), dir.make_folder("to", 0o755).unwrap());
    (top, from, to)
}

fn inode(dir: &Dir, name: &str) -> u64 {
    fs_err::symlink_metadata(dir.path().join(name)).unwrap().ino()
}

#[test]
fn names_are_single_components() {
    let (_top, from, to) = folders();
    for name in ["", ".", "..", "a/b", "/etc", "a\0b"] {
        assert!(matches!(from.folder(name), Err(DiskError::Name { .. })), "{name:?}");
        assert!(from.create_file(name, 0o644).is_err(), "{name:?}");
        assert!(from.make_folder(name, 0o755).is_err(), "{name:?}");
        assert!(from.make_symlink(name, b"x").is_err(), "{name:?}");
        assert!(from.remove_all(name).is_err(), "{name:?}");
        assert!(from.rename("x", &to, name).is_err(), "{name:?}");
    }
}

#[test]
fn nothing_is_reached_through_a_symlink_or_upwards() {
    let (_top, from, to) = folders();
    write_atomic(&to, "file", b"x", 0o644).unwrap();
    from.make_symlink("link", to.path().to_str().unwrap().as_bytes()).unwrap();
    from.make_symlink("file", to.path().join("file").to_str().unwrap().as_bytes()).unwrap();
    assert!(from.folder("link").is_err());
    assert!(from.open_file("file").is_err());
    assert!(from.create_file("file", 0o644).is_err());
    assert!(from.set_mode("file", 0o777).is_err());
    for path in ["link", "../to", "..", "link/x", "/"] {
        assert!(from.beneath(std::path::Path::new(path)).is_err(), "{path}");
    }
    from.set_time("file", FileTime::of_seconds(5)).unwrap();
    assert_ne!(to.meta("file").unwrap().mtime, FileTime::of_seconds(5));
    from.remove_all("link").unwrap();
    assert_eq!(to.names().unwrap(), ["file"]);
}

#[test]
fn an_unchanged_file_is_shared_and_a_changed_one_is_its_own() {
    let (_top, from, to) = folders();
    write_atomic(&from, "file", b"content", 0o4755).unwrap();
    from.set_time("file", FileTime { seconds: 7, nanos: 8 }).unwrap();
    let meta = from.meta("file").unwrap();
    let share = |name: &str, meta: &Meta, sharing| share_file(&from, "file", &to, name, meta, sharing).unwrap();

    let same = share("same", &meta, Sharing::Auto);
    assert!(matches!(same, Shared::Linked | Shared::Reflinked));
    assert_eq!(same == Shared::Linked, inode(&from, "file") == inode(&to, "same"));
    for (name, wanted) in
        [("mode", Meta { mode: 0o644, ..meta }), ("time", Meta { mtime: FileTime::of_seconds(9), ..meta })]
    {
        assert_ne!(share(name, &wanted, Sharing::Auto), Shared::Linked);
        let made = to.meta(name).unwrap();
        assert_eq!((made.mode, made.mtime), (wanted.mode, wanted.mtime));
        assert_ne!(inode(&from, "file"), inode(&to, name));
    }
    assert_eq!(share("copy", &meta, Sharing::Copy), Shared::Copied);
    let copy = to.meta("copy").unwrap();
    assert_eq!((copy.mode, copy.mtime, copy.size), (0o4755, meta.mtime, 7));
    assert_eq!(from.meta("file").unwrap(), meta);
    assert!(share_file(&from, "file", &to, "copy", &meta, Sharing::Copy).unwrap_err().is_there_already());
}

#[test]
fn an_outline_is_no_second_name_and_holds_only_what_is_small() {
    let (_top, from, to) = folders();
    write_atomic(&from, "file", b"content", 0o4755).unwrap();
    from.set_time("file", FileTime { seconds: 7, nanos: 8 }).unwrap();
    let meta = from.meta("file").unwrap();
    let share = |name: &str, sharing| share_file(&from, "file", &to, name, &meta, sharing).unwrap();
    assert!(matches!(share("whole", Sharing::Outline(7)), Shared::Copied | Shared::Reflinked));
    assert_eq!(share("outline", Sharing::Outline(6)), Shared::Outlined);
    for (name, content) in [("whole", b"content"), ("outline", b"\0\0\0\0\0\0\0")] {
        let made = to.meta(name).unwrap();
        assert_eq!((made.mode, made.mtime, made.size), (0o4755, meta.mtime, 7));
        assert_ne!(inode(&from, "file"), inode(&to, name));
        assert_eq!(fs_err::read(to.path().join(name)).unwrap(), content);
    }
    assert_eq!(from.meta("file").unwrap(), meta);
}

fn copy_all(from: &Dir, to: &Dir, rules: CopyRules) -> Result<(), DiskError> {
    from.names()?.iter().try_for_each(|name| copy_entry(from, name, to, name, rules))
}

#[test]
fn a_tree_is_copied_with_all_that_a_layer_stores() {
    let (_top, from, to) = folders();
    let folder = from.make_folder("folder", 0o700).unwrap();
    write_atomic(&folder, "file", b"x", 0o4711).unwrap();
    folder.make_symlink("link", b"/nowhere").unwrap();
    folder.make_whiteout("gone").unwrap();
    if is_root() {
        folder.set_opaque().unwrap();
        folder.set_owner("file", 5, 6).unwrap();
        folder.set_mode("file", 0o4711).unwrap();
    }
    for name in ["file", "link", "gone"] {
        folder.set_time(name, FileTime { seconds: -3, nanos: 4 }).unwrap();
    }
    from.set_mode("folder", 0o1555).unwrap();
    from.set_time("folder", FileTime { seconds: 1, nanos: 2 }).unwrap();

    let id = |dir: &Dir, name: &str| {
        let meta = dir.meta(name).unwrap();
        (meta.kind, meta.mode, meta.uid, meta.gid, meta.mtime, meta.size)
    };
    for (name, sharing) in [("shared", Sharing::Auto), ("copied", Sharing::Copy)] {
        let there = to.make_folder(name, 0o755).unwrap();
        copy_all(&from, &there, CopyRules { sharing, owner: Owner::Kept }).unwrap();
        let copy = there.folder("folder").unwrap();
        let size = |(kind, mode, uid, gid, time, _)| (kind, mode, uid, gid, time);
        assert_eq!(size(id(&there, "folder")), size(id(&from, "folder")));
        for name in ["file", "link", "gone"] {
            assert_eq!(id(&copy, name), id(&folder, name), "{name}");
        }
        assert_eq!(copy.is_opaque().unwrap(), is_root());
        assert_eq!(tree_size(&there).unwrap(), 9);
    }
    let there = to.make_folder("of-root", 0o755).unwrap();
    copy_all(&from, &there, CopyRules { sharing: Sharing::Auto, owner: Owner::Root }).unwrap();
    let file = there.folder("folder").unwrap().meta("file").unwrap();
    assert_eq!(file.mode, 0o4711);
    assert!(!is_root() || (file.uid, file.gid) == (0, 0));
    to.remove_all("of-root").unwrap();
    assert_eq!(to.names().unwrap(), ["copied", "shared"]);
}

#[test]
fn what_no_layer_holds_is_refused_by_name() {
    let (_top, from, to) = folders();
    let _socket = std::os::unix::net::UnixListener::bind(from.path().join("socket")).unwrap();
    let rules = CopyRules { sharing: Sharing::Auto, owner: Owner::Kept };
    let error = copy_all(&from, &to, rules).unwrap_err();
    assert!(matches!(error, DiskError::Special { what: "socket", .. }), "{error}");
    assert!(matches!(from.open_file("socket"), Err(DiskError::Io { .. })));
}

#[test]
fn a_file_is_written_whole_or_not_at_all() {
    let (_top, from, _to) = folders();
    write_atomic(&from, "file", b"old", 0o600).unwrap();
    write_atomic(&from, "file", b"new", 0o644).unwrap();
    assert_eq!(fs_err::read(from.path().join("file")).unwrap(), b"new");
    assert_eq!(from.meta("file").unwrap().mode, 0o644);
    from.make_folder("folder", 0o755).unwrap();
    assert!(write_atomic(&from, "folder", b"x", 0o644).is_err());
    assert_eq!(from.names().unwrap(), ["file", "folder"]);
}

#[test]
fn readers_share_a_lock_and_a_writer_has_it_alone() {
    let (_top, dir, _to) = folders();
    let acquire = |mode| Lock::acquire(&dir, "lock", mode, std::time::Duration::ZERO);
    assert!(Lock::acquire_if_there(&dir, "lock", LockMode::Shared, std::time::Duration::ZERO).unwrap().is_none());
    let readers = (acquire(LockMode::Shared).unwrap(), acquire(LockMode::Shared).unwrap());
    assert!(matches!(acquire(LockMode::Exclusive), Err(DiskError::Busy { .. })));
    drop(readers);
    let writer = acquire(LockMode::Exclusive).unwrap();
    assert!(acquire(LockMode::Shared).is_err());
    assert!(Lock::try_acquire(&dir, "lock").unwrap().is_none());
    drop(writer);
    assert!(Lock::try_acquire(&dir, "lock").unwrap().is_some());
}

#[test]
fn a_tree_of_any_depth_is_removed() {
    let (_top, from, to) = folders();
    let mut deep = from.make_folder("deep", 0o755).unwrap();
    for _ in 0..3000 {
        drop(deep.create_file("file", 0o644).unwrap());
        deep.make_folder("z", 0o000).unwrap();
        deep = deep.make_folder("in", 0o755).unwrap();
    }
    deep.make_symlink("out", to.path().to_str().unwrap().as_bytes()).unwrap();
    write_atomic(&to, "kept", b"x", 0o644).unwrap();
    from.remove_all("deep").unwrap();
    assert_eq!((from.names().unwrap().len(), to.names().unwrap().len()), (0, 1));
}

#[test]
fn the_way_back_up_leads_where_it_came_from() {
    let (_top, from, to) = folders();
    let inner = from.make_folder("inner", 0o755).unwrap();
    assert_eq!(inner.parent(from.own_meta().unwrap().identity).unwrap().path(), from.path());
    from.rename("inner", &to, "moved").unwrap();
    assert!(inner.parent(from.own_meta().unwrap().identity).is_err());
}

#[test]
fn an_unfinished_file_never_writes_to_what_stands_at_its_name_and_is_gone_unless_finished() {
    let folder = tempfile::tempdir().unwrap();
    let dir = Dir::open(folder.path()).unwrap();
    let victim = folder.path().join("victim");
    fs_err::write(&victim, "mine").unwrap();
    let temporary = folder.path().join(format!(".x.{}.part", std::process::id()));
    symlink(&victim, &temporary).unwrap();
    let unfinished = Unfinished::create(&dir, "x").unwrap();
    unfinished.file().write_all(b"new").unwrap();
    unfinished.finish().unwrap();
    assert_eq!(fs_err::read(folder.path().join("x")).unwrap(), b"new");
    assert!(fs_err::symlink_metadata(folder.path().join("x")).unwrap().is_file());
    drop(Unfinished::create(&dir, "y").unwrap());
    assert_eq!(fs_err::read_to_string(&victim).unwrap(), "mine");
    assert_eq!(dir.names().unwrap(), ["victim", "x"]);
}
