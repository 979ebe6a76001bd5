use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::*;
use crate::disk::{Dir, FileTime};
use crate::image::layer::{LayerId, layer_id};
use crate::image::model::{Image, ImageConfig, ImageDocument, Layer, LayerKind, Metadata, inspect};
use crate::tar::Limits;
use crate::types::golden::shared;
use crate::types::{Digest, FailureKind, Platform, Reportable as _, SealerName};

struct Fixture {
    folder: tempfile::TempDir,
}

fn fixture() -> Fixture {
    Fixture { folder: tempfile::tempdir().unwrap() }
}

fn amd64() -> Platform {
    "linux/amd64".parse().unwrap()
}

pub(super) fn name(text: &str) -> SealerName {
    text.parse().unwrap()
}

pub(super) fn now() -> jiff::Timestamp {
    "2026-11-21T18:13:54.691417097Z".parse().unwrap()
}

impl Fixture {
    fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    fn store(&self) -> Store {
        Store::open(&self.root())
    }

    /// Commits an image of one layer with one file.
    fn commit(&self, image: &str, platform: &str, content: &str) -> Result<ImageDocument, StoreError> {
        let store = self.store();
        let staging = store.stage()?;
        let layer = staged(&staging, content);
        let document = document(image, platform, &[layer.id.digest]);
        store.commit(&staging, &Commit { images: vec![document.clone()], layers: vec![layer], created: now() })?;
        Ok(document)
    }
}

pub(super) fn staged(staging: &Staging, content: &str) -> StagedLayer {
    let folder = staging.new_layer_dir().unwrap();
    let mut file = folder.dir().create_file("file", 0o644).unwrap();
    file.write_all(content.as_bytes()).unwrap();
    folder.dir().set_time("file", FileTime::of_seconds(1)).unwrap();
    let id = layer_id(folder.path()).unwrap().unwrap();
    StagedLayer { folder, id, cache_id: None, verified: true }
}

pub(super) fn document(image: &str, platform: &str, layers: &[Digest]) -> ImageDocument {
    let layer = |id: &Digest| Layer { id: Some(*id), kind: LayerKind::Copy, value: ". .".to_owned() };
    let layers = layers.iter().map(layer).collect();
    let platform = platform.parse().unwrap();
    ImageDocument::new(Image::new(&name(image), platform, layers, ImageConfig::default(), BTreeMap::new()))
}

/// Every path below `dir` that is not a folder.
fn files(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                found.push(entry.path().strip_prefix(dir).unwrap().display().to_string());
            }
        }
    }
    found.sort();
    found
}

/// What must always hold, whatever happened: everything that is named is there, and every layer is what its id says.
fn check(root: &Path) {
    let store = Store::open(root);
    let listing = store.images().unwrap();
    assert!(listing.damaged.is_empty(), "{:?}", listing.damaged);
    let json = fs_err::read(root.join("metadata/images_metadata.json")).unwrap_or_default();
    assert!(json.is_empty() || Metadata::from_json(&json).unwrap().to_json() == json);
    for image in &listing.images {
        for layer in image.document.image().layer_ids() {
            let state = store.check_layer(&layer).unwrap();
            assert!(matches!(state, LayerState::Whole | LayerState::Unverified), "{layer}: {state:?}");
            let layerdb = root.join("metadata/layerdb/sha256").join(layer.hex());
            assert_eq!(fs_err::read_to_string(layerdb.join("id")).unwrap(), layer.to_string());
        }
    }
    assert!(files(&root.join("staging")).iter().all(|file| file == ".lock"), "the staging is empty");
    assert!(files(&root.join("tmp")).is_empty());
}

#[test]
fn a_commit_writes_what_sealer_reads() {
    let fixture = fixture();
    let document = fixture.commit("a:1", "linux/amd64", "hello").unwrap();
    check(&fixture.root());
    let layer = document.image().layer_ids().next().unwrap();
    let listed = files(&fixture.root()).join("\n").replace(&layer.hex(), "LAYER");
    insta::assert_snapshot!(listed.replace(&document.id().to_string(), "IMAGE"), @"
    data/overlay2/LAYER/file
    metadata/imagedb/IMAGE.yaml
    metadata/images_metadata.json
    metadata/layerdb/sha256/LAYER/distribution_layer_digest
    metadata/layerdb/sha256/LAYER/id
    metadata/layerdb/sha256/LAYER/size
    recipe/lock
    recipe/verified/LAYER
    staging/.lock
    ");
    let layerdb = fixture.root().join("metadata/layerdb/sha256").join(layer.hex());
    assert_eq!(fs_err::read_to_string(layerdb.join("size")).unwrap(), "2048");
    let found = fixture.store().find(&name("a:1"), &amd64()).unwrap().unwrap();
    assert_eq!((found.size, found.created.as_str()), (5, "2026-11-21T18:13:54.691417097Z"));
    assert_eq!(found.document, document);
}

#[test]
fn a_store_that_is_not_there_is_empty_and_stays_away() {
    let fixture = fixture();
    assert!(fixture.store().images().unwrap().images.is_empty());
    assert!(fixture.store().find(&name("a:1"), &amd64()).unwrap().is_none());
    assert!(!fixture.root().exists());
}

#[test]
fn names_and_platforms_do_not_lose_each_other() {
    let fixture = fixture();
    std::thread::scope(|scope| {
        for number in 0..8 {
            let fixture = &fixture;
            scope.spawn(move || {
                fixture
                    .commit(&format!("a:{}", number / 2), ["linux/amd64", "linux/arm64"][number % 2], "same")
                    .unwrap();
            });
        }
    });
    check(&fixture.root());
    assert_eq!(fixture.store().images().unwrap().images.len(), 8);
    assert_eq!(fixture.store().platforms(&name("a:3")).unwrap().len(), 2);
    assert_eq!(fs_err::read_dir(fixture.root().join("data/overlay2")).unwrap().count(), 1);
}

#[test]
fn an_image_without_its_layers_is_not_committed() {
    let fixture = fixture();
    fixture.commit("a:1", "linux/amd64", "hello").unwrap();
    let before = files(&fixture.root());
    let store = fixture.store();
    let lacking =
        Commit { images: vec![document("b:1", "linux/amd64", &[Digest::of(b"?")])], layers: vec![], created: now() };
    assert!(matches!(store.commit(&store.stage().unwrap(), &lacking), Err(StoreError::NoLayer { .. })));
    let staging = store.stage().unwrap();
    let stray = Commit { images: vec![], layers: vec![staged(&staging, "stray")], created: now() };
    assert!(matches!(store.commit(&staging, &stray), Err(StoreError::Stray(_))));
    drop((staging, stray));
    assert_eq!(files(&fixture.root()), before);
    check(&fixture.root());
}

#[test]
fn a_damaged_image_is_reported_and_the_others_work() {
    let fixture = fixture();
    let first = fixture.commit("a:1", "linux/amd64", "one").unwrap();
    fixture.commit("b:1", "linux/amd64", "two").unwrap();
    let yaml = fixture.root().join(format!("metadata/imagedb/{}.yaml", first.id()));
    fs_err::write(&yaml, "kind: [").unwrap();
    let store = fixture.store();
    let listing = store.images().unwrap();
    assert_eq!((listing.images.len(), listing.damaged.len()), (1, 1));
    assert!(store.find(&name("a:1"), &amd64()).is_err());
    assert!(store.find(&name("b:1"), &amd64()).unwrap().is_some());
    assert!(matches!(store.prune(), Err(StoreError::InTheWay(_))));
    store.remove(&name("b:1"), None).unwrap();
    store.remove(&name("a:1"), None).unwrap();
    assert_eq!(store.prune().unwrap().layers.len(), 2);
    check(&fixture.root());
}

#[test]
fn a_damaged_list_of_images_is_never_overwritten() {
    let fixture = fixture();
    fixture.commit("a:1", "linux/amd64", "one").unwrap();
    let list = fixture.root().join("metadata/images_metadata.json");
    for damage in ["{\"cut", "", "\n", r#"{"a:1": {"manifests": []}, "a:1": {"manifests": []}}"#] {
        fs_err::write(&list, damage).unwrap();
        assert!(matches!(fixture.commit("b:1", "linux/amd64", "two"), Err(StoreError::Metadata { .. })));
        assert!(fixture.store().images().is_err());
        assert_eq!(fs_err::read_to_string(&list).unwrap(), damage);
    }
}

#[test]
fn a_layer_that_was_changed_is_healed_by_the_next_commit_and_only_by_a_verified_one() {
    let fixture = fixture();
    let document = fixture.commit("a:1", "linux/amd64", "hello").unwrap();
    let layer = document.image().layer_ids().next().unwrap();
    let store = fixture.store();
    let file = store.layer_dir(&layer).join("file");
    fs_err::write(&file, "jello").unwrap();
    assert_eq!(store.check_layer(&layer).unwrap(), LayerState::Changed);

    let staging = store.stage().unwrap();
    let unverified =
        StagedLayer { verified: false, id: LayerId { digest: layer, tar_size: 1 }, ..staged(&staging, "x") };
    let commit = Commit { images: vec![document], layers: vec![unverified], created: now() };
    store.commit(&staging, &commit).unwrap();
    assert_eq!(fs_err::read_to_string(&file).unwrap(), "jello");
    assert!(!store.is_unverified(&layer).unwrap());
    drop((commit, staging));

    fixture.commit("a:1", "linux/amd64", "hello").unwrap();
    assert_eq!(fs_err::read_to_string(&file).unwrap(), "hello");
    check(&fixture.root());
}

#[test]
fn an_unverified_layer_is_marked_until_a_verified_one_comes() {
    let fixture = fixture();
    let store = fixture.store();
    let staging = store.stage().unwrap();
    let digest = staged(&staging, "hello").id.digest;
    let unverified = StagedLayer { verified: false, id: LayerId { digest, tar_size: 1 }, ..staged(&staging, "x") };
    let images = vec![document("a:1", "linux/amd64", &[digest])];
    store.commit(&staging, &Commit { images, layers: vec![unverified], created: now() }).unwrap();
    drop(staging);
    assert_eq!(store.check_layer(&digest).unwrap(), LayerState::Unverified);
    check(&fixture.root());
    fixture.commit("a:1", "linux/amd64", "hello").unwrap();
    assert_eq!(store.check_layer(&digest).unwrap(), LayerState::Whole);
    assert!(!store.is_unverified(&digest).unwrap());
    check(&fixture.root());
}

#[test]
fn remove_takes_what_nothing_else_needs() {
    let fixture = fixture();
    let store = fixture.store();
    fixture.commit("a:1", "linux/amd64", "shared").unwrap();
    fixture.commit("a:1", "linux/arm64", "own").unwrap();
    store.tag(&name("a:1"), &name("b:1"), now()).unwrap();
    assert_eq!(store.platforms(&name("b:1")).unwrap().len(), 2);
    assert!(store.remove(&name("a:1"), None).unwrap().layers.is_empty());
    check(&fixture.root());
    assert_eq!(store.remove(&name("b:1"), Some(&"linux/arm64".parse().unwrap())).unwrap().layers.len(), 1);
    check(&fixture.root());
    assert!(matches!(store.remove(&name("x:1"), None), Err(StoreError::NoImage(_))));
    store.remove(&name("b:1"), None).unwrap();
    assert_eq!(store.prune().unwrap(), Removed::default());
    insta::assert_snapshot!(files(&fixture.root()).join("\n"), @"
    metadata/images_metadata.json
    recipe/lock
    staging/.lock
    ");
}

#[test]
fn the_deepest_tree_that_a_layer_may_have_is_cleared_away() {
    let fixture = fixture();
    let store = fixture.store();
    let staging = store.stage().unwrap();
    let mut dir = staging.new_layer_dir().unwrap().dir().duplicate().unwrap();
    for _ in 0..=crate::disk::MAX_DEPTH {
        dir = dir.make_folder("d", 0o755).unwrap();
    }
    drop(staging);
    let staging = Dir::open(&fixture.root().join("staging")).unwrap();
    assert_eq!(staging.names().unwrap(), [".lock"]);
    drop(store.stage().unwrap());
}

#[test]
fn what_a_killed_process_left_is_cleared_away_and_what_a_living_one_has_stays() {
    let fixture = fixture();
    let store = fixture.store();
    let living = store.stage().unwrap();
    let staging = Dir::open(&fixture.root().join("staging")).unwrap();
    let killed = staging.make_folder("killed", 0o700).unwrap();
    drop(killed.create_file("lease", 0o644).unwrap());
    killed.make_folder("layer-0", 0o000).unwrap();
    staging.make_folder("killed-early", 0o700).unwrap();
    drop(store.stage().unwrap());
    assert_eq!(staging.names().unwrap().len(), 2);
    assert!(living.path().join("lease").exists());
    drop(living);
    assert_eq!(staging.names().unwrap(), [".lock"]);
}

#[test]
fn a_store_that_is_in_use_is_worth_a_retry() {
    let fixture = fixture();
    let dir = Dir::open(fixture.folder.path()).unwrap();
    let mode = crate::disk::LockMode::Exclusive;
    let _held = crate::disk::Lock::acquire(&dir, "lock", mode, std::time::Duration::ZERO).unwrap();
    let error = crate::disk::Lock::acquire(&dir, "lock", mode, std::time::Duration::from_millis(50)).unwrap_err();
    assert_eq!(error.kind(), FailureKind::Retry);
}

#[test]
fn goldens_archive_is_loaded_as_sealer_saved_it() {
    let (Some(archive), Some(listed)) =
        (shared("golden/kubernetes-v1.19.8.save.tar"), shared("golden/kubernetes-v1.19.8.inspect.yaml"))
    else {
        return;
    };
    let fixture = fixture();
    let store = fixture.store();
    let loaded = store.load(&archive[..], &Limits::SAVED, now()).unwrap();
    assert_eq!(loaded.warnings, [""; 0]);
    check(&fixture.root());
    let images = store.images().unwrap().images;
    let [image] = &images[..] else { panic!("one image") };
    assert_eq!((image.name.familiar(), image.size), ("kubernetes:v1.19.8".to_owned(), 363_700));
    let layers: Vec<Digest> = image.document.image().layer_ids().collect();
    assert_eq!(layers.len(), 5);
    assert!(layers.iter().all(|layer| store.check_layer(layer).unwrap() == LayerState::Whole));
    assert_eq!(inspect(&[image.document.image().clone()]), String::from_utf8(listed).unwrap());
    let metadata = fs_err::read(fixture.root().join("metadata/images_metadata.json")).unwrap();
    assert_eq!(Some(metadata), shared("golden/images_metadata.json"));
    assert_eq!(store.find_by_id(&image.document.id()).unwrap(), images);

    for cut in [archive.len() / 2, archive.len() - 1024, 512, 0] {
        assert!(self::fixture().store().load(&archive[..cut], &Limits::SAVED, now()).is_err(), "cut at {cut}");
    }
    let few = Limits { entries: 3, ..Limits::SAVED };
    assert!(self::fixture().store().load(&archive[..], &few, now()).is_err());
}

/// An archive of entries: name, type, content or target.
pub(super) fn archive(entries: &[(&str, u8, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, kind, content) in entries {
        let mut header = tar::Header::new_ustar();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(tar::EntryType::new(*kind));
        header.set_mode(if *kind == b'5' { 0o755 } else { 0o644 });
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(1);
        let is_link = matches!(kind, b'1' | b'2');
        header.set_size(if is_link { 0 } else { content.len() as u64 });
        if is_link {
            header.set_link_name_literal(content).unwrap();
        }
        header.set_cksum();
        builder.append(&header, if is_link { &b""[..] } else { content }).unwrap();
    }
    builder.into_inner().unwrap()
}

#[test]
fn hostile_archives_change_nothing() {
    let fixture = fixture();
    let kept = fixture.commit("kept:1", "linux/amd64", "kept").unwrap();
    let layer = Digest::of(b"layer").hex();
    let at = |path: &str| format!("{layer}/{path}");
    let image = document("a:1", "linux/amd64", &[Digest::from_hex(&layer).unwrap()]);
    let yaml = format!("{}.yaml", image.id());
    let before = files(&fixture.root());
    let outside = fixture.folder.path().join("outside");
    fs_err::create_dir(&outside).unwrap();
    let outside_text = outside.display().to_string();
    let attacks: Vec<Vec<(String, u8, &[u8])>> = vec![
        vec![("../x".into(), b'0', b"x")],
        vec![("/etc/x".into(), b'0', b"x")],
        vec![(at("../x"), b'0', b"x")],
        vec![(at("a\\b"), b'0', b"x")],
        vec![(at("link"), b'2', outside_text.as_bytes()), (at("link/x"), b'0', b"x")],
        vec![(at("link"), b'2', outside_text.as_bytes()), (at("link/sub"), b'5', b"")],
        vec![(at("file"), b'0', b"x"), (at("file/x"), b'0', b"x")],
        vec![(at("hard"), b'1', b"/etc/passwd")],
        vec![(at("hard"), b'1', b"../../etc/passwd")],
        vec![(at("s"), b'2', b"/etc/passwd"), (at("hard"), b'1', b"s")],
        vec![(at("fifo"), b'6', b"")],
        vec![(at("block"), b'4', b"")],
        vec![(at(".wh..wh..opq"), b'0', b"")],
        vec![(at(".wh."), b'0', b"")],
        vec![(at(".wh.."), b'0', b"")],
        vec![(at(".wh..."), b'0', b"")],
        vec![(at(".wh..wh.x"), b'0', b"")],
        vec![(at(".wh.x"), b'0', b""), (at("x"), b'0', b"x")],
        vec![(at(".wh.x"), b'0', b"content")],
        vec![(at("sparse"), b'S', b"")],
        vec![(layer.clone(), b'0', b"x")],
        vec![("stray".into(), b'0', b"x")],
        vec![("data/overlay2".into(), b'5', b"")],
        vec![("Metadata".into(), b'0', b"{}")],
        vec![(yaml.clone(), b'0', b"kind: Image")],
    ];
    for attack in attacks {
        let mut entries: Vec<(&str, u8, &[u8])> = vec![("Metadata", b'0', b"{}"), (&yaml, b'0', image.yaml())];
        entries.extend(attack.iter().map(|(name, kind, content)| (name.as_str(), *kind, *content)));
        let error = fixture.store().load(&archive(&entries)[..], &Limits::SAVED, now());
        assert!(error.is_err(), "{attack:?}");
        assert_eq!(files(&fixture.root()), before, "{attack:?}");
        assert!(files(&outside).is_empty(), "{attack:?}");
    }
    check(&fixture.root());
    assert!(fixture.store().has_layer(&kept.image().layer_ids().next().unwrap()).unwrap());
}

#[test]
fn odd_archives_are_taken_with_a_warning() {
    let fixture = fixture();
    let layer = Digest::of(b"layer");
    let (hex, image) = (layer.hex(), document("a:1", "linux/amd64", &[layer]));
    let at = |path: &str| format!("{hex}/{path}");
    let own_path = "/var/lib/sealer/tmp/.DTmp-1/etc/link";
    let yaml = format!("{}.yaml", image.id());
    let (top, etc, file, link, other) = (at(""), at("etc/"), at("etc/file"), at("etc/link"), at("etc/other"));
    let bytes = archive(&[
        ("./", b'5', b""),
        (&top, b'5', b""),
        (&etc, b'5', b""),
        (&file, b'0', b"first"),
        (&link, b'2', own_path.as_bytes()),
        (&other, b'2', b"file"),
        (&etc, b'5', b""),
        (&file, b'0', b"last"),
        (&yaml, b'0', image.yaml()),
        ("Metadata", b'0', b"{}"),
    ]);
    let store = fixture.store();
    let loaded = store.load(&bytes[..], &Limits::SAVED, now()).unwrap();
    insta::assert_snapshot!(loaded.warnings.join("\n"), @"
    layer sha256:dac1d7cfa95021764849fd102524e141488c5e3a90f861dbb5a12d9ac8584f85: `etc/link` is a symlink that sealer damaged (it points to itself); it was left out
    the content of layer sha256:dac1d7cfa95021764849fd102524e141488c5e3a90f861dbb5a12d9ac8584f85 does not hash to its id; it is marked unverified
    ");
    assert_eq!(store.check_layer(&layer).unwrap(), LayerState::Unverified);
    assert_eq!(fs_err::read_to_string(store.layer_dir(&layer).join("etc/file")).unwrap(), "last");
    assert_eq!(files(&store.layer_dir(&layer)), ["etc/file", "etc/other"]);
    check(&fixture.root());
}

/// The document of another image that says that it has this one's id.
fn impostor(image: &str, victim: &ImageDocument) -> Vec<u8> {
    let other = document(image, "linux/amd64", &[]);
    let yaml = String::from_utf8(other.yaml().to_vec()).unwrap();
    yaml.replace(&other.id().to_string(), &victim.id().to_string()).into_bytes()
}

#[test]
fn an_id_that_the_store_has_brings_no_other_document() {
    let fixture = fixture();
    let (store, victim) = (fixture.store(), fixture.commit("a:1", "linux/amd64", "hello").unwrap());
    let path = fixture.root().join(format!("metadata/imagedb/{}.yaml", victim.id()));
    let list = fixture.root().join("metadata/images_metadata.json");
    let before = (files(&fixture.root()), fs_err::read(&path).unwrap(), fs_err::read(&list).unwrap());
    let file = format!("{}.yaml", victim.id());
    for image in ["a:1", "evil:1"] {
        let yaml = impostor(image, &victim);
        let bytes = archive(&[("Metadata", b'0', b"{}"), (&file, b'0', &yaml)]);
        let error = store.load(&bytes[..], &Limits::SAVED, now()).unwrap_err();
        assert_eq!(error.kind(), FailureKind::Verification);
        let said = error.to_string();
        assert!(said.contains(&victim.id().to_string()) && said.contains("nothing was changed"), "{said}");
        assert_eq!((files(&fixture.root()), fs_err::read(&path).unwrap(), fs_err::read(&list).unwrap()), before);
    }
    // Nor do two of one commit share an id, and the same document again is fine.
    let twins =
        ["b:1", "c:1"].map(|image| ImageDocument::from_yaml(impostor(image, &document("x:1", "linux/amd64", &[]))));
    let images = twins.into_iter().map(Result::unwrap).collect();
    let twice = Commit { images, layers: vec![], created: now() };
    assert!(matches!(store.commit(&store.stage().unwrap(), &twice), Err(StoreError::OtherDocument { .. })));
    fixture.commit("a:1", "linux/amd64", "hello").unwrap();
    check(&fixture.root());
}

#[test]
fn a_name_whose_document_is_another_images_is_damaged() {
    let fixture = fixture();
    let victim = fixture.commit("a:1", "linux/amd64", "hello").unwrap();
    fixture.commit("b:1", "linux/amd64", "two").unwrap();
    let path = fixture.root().join(format!("metadata/imagedb/{}.yaml", victim.id()));
    fs_err::write(path, impostor("evil:1", &victim)).unwrap();
    let store = fixture.store();
    let listing = store.images().unwrap();
    assert_eq!((listing.images.len(), listing.damaged.len()), (1, 1));
    assert!(matches!(store.find(&name("a:1"), &amd64()), Err(StoreError::OtherName { .. })));
    // What the messages advise helps.
    store.remove(&name("a:1"), None).unwrap();
    fixture.commit("a:1", "linux/amd64", "hello").unwrap();
    check(&fixture.root());
}
