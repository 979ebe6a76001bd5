use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use serde_json::Value;

use super::*;
use crate::disk::{Dir, FileTime, is_root};
use crate::tar::Limits;
use crate::types::{Digest, Reportable as _, golden};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/go_tar.py");

fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}

fn time_of(value: &Value) -> FileTime {
    let text = value.to_string();
    let (seconds, fraction) = text.split_once('.').unwrap_or((&text, "0"));
    let nanos = format!("{fraction:0<9}").parse().unwrap();
    FileTime { seconds: seconds.parse().unwrap(), nanos }
}

/// Makes a tree of the table; false where it needs a privilege that we do not have.
fn make_tree(top: &Dir, entries: &[Value]) -> bool {
    let mut entries: Vec<&Value> = entries.iter().collect();
    entries.sort_by_key(|entry| (entry["type"] == "hardlink", entry["path"].as_str().unwrap().len()));
    let mut ends = Vec::new();
    for entry in entries {
        let path = Path::new(entry["path"].as_str().unwrap());
        let mut dir = top.duplicate().unwrap();
        for part in path.parent().unwrap() {
            dir = dir.folder_or_make(part, 0o755).unwrap();
        }
        let name = path.file_name().unwrap();
        let mode = entry["mode"].as_str().map(|mode| u32::from_str_radix(&mode[2..], 8).unwrap());
        match entry["type"].as_str().unwrap() {
            "file" => {
                let mut file = dir.create_file(name, 0o600).unwrap();
                std::io::Write::write_all(&mut file, entry["content"].as_str().unwrap().as_bytes()).unwrap();
            }
            "dir" => drop(dir.folder_or_make(name, 0o755).unwrap()),
            "opaque-dir" => {
                if dir.folder_or_make(name, 0o755).unwrap().set_opaque().is_err() {
                    return false;
                }
            }
            "whiteout" => {
                if dir.make_whiteout(name).is_err() {
                    return false;
                }
            }
            "hardlink" => {
                dir.link(entry["target"].as_str().unwrap(), &dir, name).unwrap();
                continue;
            }
            other => panic!("unknown type {other}"),
        }
        if let Some(uid) = entry["uid"].as_u64() {
            if !is_root() {
                return false;
            }
            let gid = entry["gid"].as_u64().unwrap();
            dir.set_owner(name, uid.try_into().unwrap(), gid.try_into().unwrap()).unwrap();
        }
        ends.push((dir, name, mode, time_of(&entry["mtime"])));
    }
    for (dir, name, mode, time) in ends.iter().rev() {
        if let Some(mode) = mode {
            dir.set_mode(name, *mode).unwrap();
        }
        dir.set_time(name, *time).unwrap();
    }
    true
}

#[test]
fn the_layer_ids_of_the_table_are_sealers() {
    let table: Value = serde_json::from_str(include_str!("../../../tests/data/layer-ids.json")).unwrap();
    let cases = table["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 22);
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let top = Dir::open(folder.path()).unwrap();
        if !make_tree(&top, case["entries"].as_array().unwrap()) {
            assert!(!(in_ci() && is_root()), "CI as root must be able to make the tree `{name}`");
            println!("skipped: the tree `{name}` needs a privilege that this process does not have");
            continue;
        }
        let found = layer_id(folder.path()).unwrap();
        let id = found.map(|id| id.digest.to_string()).unwrap_or_default();
        let size = found.map_or(0, |id| id.tar_size);
        assert_eq!((id.as_str(), Some(size)), (case["id"].as_str().unwrap(), case["tar_size"].as_u64()), "{name}");
    }
}

/// xorshift64*, so that a failure can be had again by its seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }

    fn pick<'a>(&mut self, choices: &[&'a [u8]]) -> &'a [u8] {
        choices[self.below(choices.len())]
    }

    fn name(&mut self, longest: usize) -> Vec<u8> {
        let pieces: [&[u8]; 12] =
            [b"a", b"B", b"-", b".c", b"z", b" ", b"0", "ü".as_bytes(), "文".as_bytes(), b"\t", b"\xff", b"name"];
        let ascii = self.below(3) > 0;
        let length = 1 + self.below(longest);
        let mut name = b"n".to_vec();
        while name.len() < length {
            name.extend_from_slice(if ascii { self.pick(&pieces[..7]) } else { self.pick(&pieces) });
        }
        name.truncate(length);
        name
    }

    fn time(&mut self) -> FileTime {
        let seconds = [1_600_000_000, 0, -1, -86_400, 1_700_000_000][self.below(5)];
        FileTime { seconds, nanos: [0, 499_999_999, 500_000_000, 999_999_999, 1][self.below(5)] }
    }

    fn tree(&mut self, dir: &Dir, depth: usize) {
        for _ in 0..=self.below(5) {
            let longest = [8, 60, 110, 200][self.below(4)];
            let name = self.name(longest);
            let name = OsStr::from_bytes(&name);
            if dir.meta_if_there(name).unwrap().is_some() {
                continue;
            }
            let mode = [0o644, 0o755, 0o4711, 0o1777, 0o600][self.below(5)];
            let kind = self.below(if depth < 4 { 8 } else { 5 });
            match kind {
                0 => {
                    let longest = [5, 150][self.below(2)];
                    let target = self.name(longest);
                    dir.make_symlink(name, &target).unwrap();
                }
                1 => drop(dir.make_whiteout(name)),
                2..=4 => {
                    let mut file = dir.create_file(name, 0o600).unwrap();
                    let size = [0, 1, 511, 512, 513, 70_000][self.below(6)];
                    std::io::Write::write_all(&mut file, &vec![b'x'; size]).unwrap();
                    if self.below(4) == 0 {
                        let mut second = name.as_bytes().to_vec();
                        second.truncate(200);
                        second.extend_from_slice(b"2");
                        drop(dir.link(name, dir, OsStr::from_bytes(&second)));
                    }
                }
                _ => {
                    let folder = dir.make_folder(name, 0o700).unwrap();
                    if is_root() && self.below(5) == 0 {
                        folder.set_opaque().unwrap();
                    }
                    self.tree(&folder, depth + 1);
                }
            }
            if dir.meta_if_there(name).unwrap().is_none() {
                continue;
            }
            if is_root() && self.below(4) == 0 {
                let owner = [1, 1000, 65534, 3_000_000, 4_000_000_000][self.below(5)];
                dir.set_owner(name, owner, owner).unwrap();
            }
            if kind > 1 {
                dir.set_mode(name, mode | 0o400 | if kind > 4 { 0o100 } else { 0 }).unwrap();
            }
            dir.set_time(name, self.time()).unwrap();
        }
    }
}

#[test]
fn random_trees_hash_as_an_independent_writer_says_and_come_back_from_their_streams() {
    if golden::output(std::process::Command::new("python3").arg("--version")).is_none() {
        return;
    }
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0x5EA1_E12D_u64);
    println!("seed {seed}");
    let mut random = Random(seed);
    let folder = tempfile::tempdir().unwrap();
    let top = Dir::open(folder.path()).unwrap();
    let names: Vec<String> = (0..200).map(|number| format!("{number:03}")).collect();
    for name in &names {
        random.tree(&top.make_folder(name, 0o755).unwrap(), 0);
    }
    let paths = names.iter().map(|name| folder.path().join(name));
    let done = std::process::Command::new("python3").arg(SCRIPT).args(paths).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let lines = String::from_utf8(done.stdout).unwrap();
    assert_eq!(lines.lines().count(), names.len());
    for (name, line) in names.iter().zip(lines.lines()) {
        let tree = folder.path().join(name);
        let id = layer_id(&tree).unwrap().unwrap();
        assert_eq!(format!("{} {}", id.digest.hex(), id.tar_size), line, "tree {name} of seed {seed}");
        let mut stream = Vec::new();
        write_layer_at(&Dir::open(&tree).unwrap(), &Owners::of_this_machine(), &mut stream).unwrap();
        assert_eq!(Digest::of(&stream), id.digest);
        let copy = top.make_folder(format!("{name}-back"), 0o700).unwrap();
        let unpacked = unpack(&stream[..], &copy, &Limits::LAYER).unwrap();
        assert_eq!((unpacked.stream, unpacked.stream_size), (id.digest, id.tar_size));
        assert!(unpacked.is_faithful(), "{:?}", unpacked.notes);
        assert_eq!(layer_id(copy.path()).unwrap().unwrap(), id, "tree {name} of seed {seed}, unpacked");
    }
}

#[test]
fn a_stream_with_one_byte_changed_is_refused_or_has_another_digest() {
    let folder = tempfile::tempdir().unwrap();
    let top = Dir::open(folder.path()).unwrap();
    let tree = top.make_folder("tree", 0o755).unwrap();
    Random(42).tree(&tree, 4);
    let mut stream = Vec::new();
    write_layer_at(&Dir::open(tree.path()).unwrap(), &Owners::of_this_machine(), &mut stream).unwrap();
    let right = Digest::of(&stream);
    for at in (0..stream.len()).step_by(stream.len() / 120 + 1) {
        for change in [0x01, 0x80, 0xff] {
            let mut changed = stream.clone();
            changed[at] ^= change;
            let to = top.make_folder("to", 0o700).unwrap();
            let unpacked = unpack(&changed[..], &to, &Limits::LAYER);
            assert!(unpacked.is_err() || unpacked.unwrap().stream != right, "byte {at}");
            top.remove_all("to").unwrap();
        }
    }
    for length in (0..stream.len() - 1).step_by(stream.len() / 40 + 1) {
        let to = top.make_folder("to", 0o700).unwrap();
        assert!(unpack(&stream[..length], &to, &Limits::LAYER).is_err(), "cut at {length}");
        top.remove_all("to").unwrap();
    }
}

#[test]
fn a_stream_that_fails_its_digest_is_a_failed_verification() {
    let folder = tempfile::tempdir().unwrap();
    let top = Dir::open(folder.path()).unwrap();
    let tree = top.make_folder("tree", 0o755).unwrap();
    crate::disk::write_atomic(&tree, "file", &[b'x'; 9000], 0o644).unwrap();
    let mut stream = Vec::new();
    write_layer_at(&Dir::open(tree.path()).unwrap(), &Owners::of_this_machine(), &mut stream).unwrap();
    let size = stream.len() as u64;
    let reader = crate::types::VerifyingReader::new(&stream[..], Digest::of(b"other"), size);
    let error = unpack(reader, &top.make_folder("to", 0o700).unwrap(), &Limits::LAYER).unwrap_err();
    assert_eq!(error.kind(), crate::types::FailureKind::Verification, "{error}");
}
