use std::io::Write;

use super::*;
use crate::disk::FileTime;
use crate::store::tests::{document, now, staged};
use crate::store::{Commit, Mending, StagedLayer, Staging};

struct Fixture {
    folder: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn store(&self) -> Store {
        Store::open(&self.folder.path().join("root"))
    }

    /// Commits `a:1` with one layer of one file; the layer.
    fn commit(&self, layer: impl FnOnce(&Staging) -> StagedLayer) -> Digest {
        let store = self.store();
        let staging = store.stage().unwrap();
        let layer = layer(&staging);
        let id = layer.id.digest;
        let images = vec![document("a:1", "linux/amd64", &[id])];
        store.commit(&staging, &Commit { images, layers: vec![layer], created: now() }).unwrap();
        id
    }

    fn marks(&self, layer: &Digest) -> Vec<Mark> {
        let path = self.folder.path().join("root/recipe/verified").join(layer.hex());
        serde_json::from_slice(&fs_err::read(path).unwrap()).unwrap()
    }
}

#[test]
fn a_mark_is_of_one_folder_and_no_copy() {
    let fixture = Fixture::new();
    let (store, layer) = (fixture.store(), fixture.commit(|staging| staged(staging, "hello")));
    assert!(store.was_verified(&layer).unwrap());
    let (folder, away) = (store.layer_dir(&layer), fixture.folder.path().join("away"));
    fs_err::rename(&folder, &away).unwrap();
    assert!(!store.was_verified(&layer).unwrap(), "nothing is there");
    let copied = std::process::Command::new("cp").arg("-a").arg(&away).arg(&folder).status().unwrap();
    assert!(copied.success() && !store.was_verified(&layer).unwrap());
    assert_eq!(store.check_layer(&layer).unwrap(), LayerState::Whole);
    fs_err::write(folder.join("file"), "jello").unwrap();
    assert_eq!(store.check_layer(&layer).unwrap(), LayerState::Different);
    fs_err::remove_dir_all(&folder).unwrap();
    fs_err::rename(&away, &folder).unwrap();
    assert!(store.was_verified(&layer).unwrap(), "moved there and back it is the same");
}

#[test]
fn what_changes_a_layer_does_not_change_whether_it_was_seen() {
    use std::os::unix::fs::{PermissionsExt, chown};
    let fixture = Fixture::new();
    let (store, layer) = (fixture.store(), fixture.commit(|staging| staged(staging, "hello")));
    let file = store.layer_dir(&layer).join("file");
    fs_err::set_permissions(&file, std::fs::Permissions::from_mode(0o777)).unwrap();
    assert_eq!(store.check_layer(&layer).unwrap(), LayerState::Changed);
    fs_err::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(store.check_layer(&layer).unwrap(), LayerState::Whole);
    if crate::disk::is_root() {
        chown(&file, Some(4321), Some(4321)).unwrap();
        assert_eq!(store.check_layer(&layer).unwrap(), LayerState::Changed);
    }
}

#[test]
fn owners_that_the_machine_may_call_otherwise_are_part_of_a_mark() {
    let fixture = Fixture::new();
    let store = fixture.store();
    let layer = fixture.commit(|staging| {
        let folder = staging.new_layer_dir().unwrap();
        drop(folder.dir().create_file("file", 0o644).unwrap());
        folder.dir().set_time("file", FileTime::of_seconds(1)).unwrap();
        if crate::disk::is_root() {
            folder.dir().set_owner("file", 4321, 4321).unwrap();
        }
        let id = layer_id_at(folder.dir(), &Owners::of_this_machine()).unwrap().unwrap();
        StagedLayer { folder, id, cache_id: None, verified: true }
    });
    let mark = fixture.marks(&layer).remove(0);
    assert_eq!(mark.owners, Some(Owners::of_this_machine().digest()));
    // Another passwd, and what the files hash to says nothing about who touched them.
    let other = Mark { owners: Some(Owners::new(b"x:x:4321:\n", b"", None).digest()), ..mark };
    let path = fixture.folder.path().join("root/recipe/verified").join(layer.hex());
    fs_err::write(path, serde_json::to_vec(&[other]).unwrap()).unwrap();
    assert!(!store.was_verified(&layer).unwrap());
}

#[test]
fn a_file_of_marks_speaks_of_both_folders_while_one_takes_the_other_s_place() {
    let fixture = Fixture::new();
    let (store, layer) = (fixture.store(), fixture.commit(|staging| staged(staging, "hello")));
    let file = store.layer_dir(&layer).join("file");
    fs_err::write(&file, "jello").unwrap();
    let old = fixture.marks(&layer);
    // As it is when somebody is killed between the mark and the layer.
    let staging = store.stage().unwrap();
    let new = staged(&staging, "hello");
    let both = store.marks_with(new.folder.dir(), &layer).unwrap();
    let path = fixture.folder.path().join("root/recipe/verified").join(layer.hex());
    fs_err::write(&path, &both).unwrap();
    assert_eq!(fixture.marks(&layer)[1..], old);
    assert_eq!(store.check_layer(&layer).unwrap(), LayerState::Changed);
    assert!(store.is_marked(new.folder.dir(), &layer).unwrap());
    // The next repair ends it; what was changed is aside.
    let mending = Mending { layers: vec![new], ..Mending::default() };
    let mended = store.mend(&staging, &mending).unwrap();
    assert_eq!(store.check_layer(&layer).unwrap(), LayerState::Whole);
    assert!(store.was_verified(&layer).unwrap());
    let aside: Vec<String> =
        mended.set_aside.iter().map(|path| fs_err::read_to_string(path.join("file")).unwrap_or_default()).collect();
    assert_eq!(aside, ["jello", ""]);
    // However often that happens the file speaks of two.
    fs_err::write(&file, "cello").unwrap();
    fixture.commit(|staging| staged(staging, "hello"));
    assert_eq!(fixture.marks(&layer).len(), 2);
}

#[test]
fn an_unverified_layer_gets_no_mark_and_takes_away_a_stale_one() {
    let fixture = Fixture::new();
    let (store, layer) = (fixture.store(), fixture.commit(|staging| staged(staging, "hello")));
    let path = fixture.folder.path().join("root/recipe/verified").join(layer.hex());
    fs_err::remove_dir_all(store.layer_dir(&layer)).unwrap();
    fixture.commit(|staging| {
        let other = staged(staging, "other");
        let id = LayerId { digest: layer, ..other.id };
        StagedLayer { id, verified: false, ..other }
    });
    assert!(!path.exists());
    assert_eq!(store.check_layer(&layer).unwrap(), LayerState::Unverified);
}

#[test]
fn a_file_where_a_layer_should_be_is_replaced() {
    let fixture = Fixture::new();
    let (store, layer) = (fixture.store(), fixture.commit(|staging| staged(staging, "hello")));
    let folder = store.layer_dir(&layer);
    fs_err::remove_dir_all(&folder).unwrap();
    fs_err::File::create(&folder).unwrap().write_all(b"no folder").unwrap();
    fixture.commit(|staging| staged(staging, "hello"));
    assert_eq!(store.check_layer(&layer).unwrap(), LayerState::Whole);
    assert!(store.was_verified(&layer).unwrap());
}

#[test]
fn a_mark_from_before_a_real_sealer_s_note_is_none_and_one_from_after_counts() {
    let fixture = Fixture::new();
    let (store, layer) = (fixture.store(), fixture.commit(|staging| staged(staging, "hello")));
    let (file, note) = (store.layer_dir(&layer).join("file"), store.layerdb_dir(&layer).join("tar-data.json.gz"));
    // It filled the folder: what differs then is its doing.
    fs_err::write(&note, "headers").unwrap();
    assert!(!store.was_verified(&layer).unwrap());
    fs_err::write(&file, "jello").unwrap();
    assert_eq!(store.check_layer(&layer).unwrap(), LayerState::Different);
    // Seen whole by a commit, it is known again, with the note that it has.
    fs_err::write(&file, "hello").unwrap();
    Dir::open(&store.layer_dir(&layer)).unwrap().set_time("file", FileTime::of_seconds(1)).unwrap();
    fixture.commit(|staging| staged(staging, "hello"));
    assert!(store.was_verified(&layer).unwrap() && note.exists());
    fs_err::write(&file, "jello").unwrap();
    assert_eq!(store.check_layer(&layer).unwrap(), LayerState::Changed);
}
