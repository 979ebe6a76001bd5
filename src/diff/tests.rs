//! Two images whose layers are folders that a test makes.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::*;
use crate::archive::Spool;
use crate::disk::{Dir, FileTime};
use crate::image::layer::{LayerId, Owners, layer_id_at};
use crate::image::model::{Image, ImageConfig, ImageDocument, Layer, LayerKind};
use crate::store::{Commit, StagedLayer, Store};
use crate::tar::Limits;
use crate::types::Digest;

/// A store of its own with one image in it.
pub(super) struct Fixture {
    folder: tempfile::TempDir,
    side: Side,
}

/// Paths with content. A path that ends in `/` is a folder, one that ends in `!` a whiteout, one with `->` a symlink.
pub(super) type Tree<'a> = &'a [(&'a str, &'a [u8])];

pub(super) fn fixture(layers: &[Tree<'_>]) -> Fixture {
    changed(layers, |_| {})
}

/// Layers in which something is changed before they are taken; the folder holds them as `0`, `1` and so on.
fn changed(layers: &[Tree<'_>], change: impl Fn(&Path)) -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("root"));
    let staging = store.stage().unwrap();
    let mut staged = Vec::new();
    let trees = tempfile::tempdir().unwrap();
    for (number, tree) in layers.iter().enumerate() {
        let made = staging.new_layer_dir().unwrap();
        std::os::unix::fs::symlink(made.path(), trees.path().join(number.to_string())).unwrap();
        for (path, content) in *tree {
            put(made.dir(), made.path(), path, content);
        }
        staged.push(made);
    }
    change(trees.path());
    let mut taken = Vec::new();
    let mut described = Vec::new();
    for (number, made) in staged.into_iter().enumerate() {
        set_times(made.dir());
        let id: LayerId = layer_id_at(made.dir(), &Owners::of_this_machine()).unwrap().unwrap();
        described.push(Layer { id: Some(id.digest), kind: LayerKind::Copy, value: format!("{number} .") });
        taken.push(StagedLayer { folder: made, id, cache_id: None, verified: true });
    }
    let (name, platform) = ("a:1".parse().unwrap(), "linux/amd64".parse().unwrap());
    let image = Image::new(&name, platform, described, ImageConfig::default(), BTreeMap::new());
    let images = vec![ImageDocument::new(image.clone())];
    store.commit(&staging, &Commit { images, layers: taken, created: jiff::Timestamp::UNIX_EPOCH }).unwrap();
    let side = Side::of_store(&store, &image).unwrap();
    Fixture { folder, side }
}

fn put(dir: &Dir, top: &Path, path: &str, content: &[u8]) {
    let full = top.join(path.trim_end_matches(['/', '!']));
    fs_err::create_dir_all(full.parent().unwrap()).unwrap();
    if let Some((link, target)) = path.split_once("->") {
        fs_err::create_dir_all(top.join(link).parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(target, top.join(link)).unwrap();
    } else if path.ends_with('/') {
        fs_err::create_dir_all(full).unwrap();
    } else if path.ends_with('!') {
        let parent = dir.beneath(Path::new(path).parent().unwrap()).unwrap();
        parent.make_whiteout(full.file_name().unwrap()).unwrap();
    } else {
        fs_err::write(full, content).unwrap();
    }
}

/// All that was made just now gets one time, unless it has one that a test gave it.
fn set_times(dir: &Dir) {
    for name in dir.names().unwrap() {
        let meta = dir.meta(&name).unwrap();
        if meta.kind == crate::disk::Kind::Folder {
            set_times(&dir.folder(&name).unwrap());
        }
        if meta.mtime.seconds > 1_000_000 {
            dir.set_time(&name, FileTime::of_seconds(1_000_000)).unwrap();
        }
    }
}

pub(super) fn diff(old: &Fixture, new: &Fixture) -> ImageDiff {
    compare(&old.side, &new.side, old.folder.path(), Options::default()).unwrap()
}

/// All differences of files with all that is said of them, and the notes.
fn files(old: &Fixture, new: &Fixture) -> Vec<String> {
    let files = diff(old, new).files;
    let lines = files.iter().flat_map(|file| {
        file.differences
            .iter()
            .map(|one| format!("{one:#}"))
            .chain(file.notes.iter().map(|note| format!("note: {note}")))
    });
    lines.collect()
}

fn first(old: &Fixture, new: &Fixture) -> Option<String> {
    let first = first_difference(&old.side, &new.side, old.folder.path()).unwrap();
    first.map(|first| first.to_string())
}

/// A tar of files and folders.
fn tar(members: &[(&str, u32, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, mode, content) in members {
        let mut header = tar::Header::new_ustar();
        let folder = name.ends_with('/');
        header.set_entry_type(if folder { tar::EntryType::Directory } else { tar::EntryType::Regular });
        header.set_size(content.len() as u64);
        header.set_mode(*mode);
        header.set_path(name).unwrap();
        header.set_cksum();
        builder.append(&header, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

fn gzip(data: &[u8], level: u32) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(level));
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn an_image_is_the_same_as_itself() {
    let tree: Tree<'_> = &[("a/b", b"x"), ("l->a/b", b""), ("m.json", b"{}"), ("n.tar", b"no tar"), ("empty/", b"")];
    let one = fixture(&[tree, &[("a/c", b"y"), ("m.json!", b"")]]);
    let again = fixture(&[tree, &[("a/c", b"y"), ("m.json!", b"")]]);
    for other in [&one, &again] {
        let diff = diff(&one, other);
        assert!(diff.is_same(), "{diff:?}");
        assert_eq!(first(&one, other), None);
    }
}

#[test]
fn layers_count_only_by_what_a_cluster_sees_of_them() {
    let low: Tree<'_> = &[("a", b"1"), ("b", b"2"), ("d/e", b"3")];
    let old = fixture(&[low, &[("a", b"0"), ("b!", b"")]]);
    let new = fixture(&[&[("a", b"0"), ("d/e", b"3")]]);
    assert_eq!(files(&old, &new), [""; 0]);
    let diff = diff(&old, &new);
    assert_eq!((diff.layers.len(), diff.old.layers, diff.new.layers), (3, 2, 1));
    assert_eq!(first(&old, &new).unwrap(), "layer 1!/a: lines");
}

#[test]
fn every_kind_of_difference_is_told() {
    let old: Tree<'_> = &[
        ("bin", &[0, 1]),
        ("gone", b"x"),
        ("gone-too/", b""),
        ("kind", b"x"),
        ("link->a", b""),
        ("mode", b"x"),
        ("same", b"x"),
        ("text", b"one\n"),
        ("x.json", br#"{"a": 1}"#),
        ("y.yaml", b"a: 1 # one\n"),
        ("z.yaml", b"{{ template }}: 1\n"),
    ];
    let new: Tree<'_> = &[
        ("bin", &[0, 2, 3]),
        ("kind->x", b""),
        ("link->b", b""),
        ("mode", b"x"),
        ("n\nw\\", b"x"),
        ("same", b"x"),
        ("text", b"one\ntwo\n"),
        ("x.json", br#"{"a": 2}"#),
        ("y.yaml", b"a: 1 # two\n"),
        ("z.yaml", b"{{ template }}: 2\n"),
    ];
    let (old, new) = (
        fixture(&[old]),
        changed(&[new], |top| {
            fs_err::set_permissions(top.join("0/mode"), std::fs::Permissions::from_mode(0o4755)).unwrap();
        }),
    );
    insta::assert_snapshot!(files(&old, &new).join("\n"), @r"
    bin: content 2 B sha256:b413f47d13ee → 3 B sha256:e9969bdc6774
    gone: removed 1 B
    gone-too: removed folder
    kind: type file → symlink
    link: link target a → b
    mode: mode 0644 → 4755
    n\nw\\: added 1 B
    text: lines −0 +1
    x.json#/a: value 1 → 2
    y.yaml: only comments, order or layout
    z.yaml: lines −1 +1
    ");
}

#[test]
fn times_count_where_they_are_asked_for() {
    let tree: Tree<'_> = &[("a", b"x")];
    let old = fixture(&[tree]);
    let new = changed(&[tree], |top| {
        let layer = Dir::open(&top.join("0")).unwrap();
        layer.set_time("a", FileTime::of_seconds(60)).unwrap();
    });
    let with_times = |times| compare(&old.side, &new.side, old.folder.path(), Options { times }).unwrap().files;
    assert_eq!(with_times(false), []);
    let difference = format!("{:#}", with_times(true)[0].differences[0]);
    assert_eq!(difference, "a: time 1970-01-12T13:46:40Z → 1970-01-01T00:01:00Z");
    assert_eq!(first(&old, &new).unwrap(), "layer 1!/a: time");
}

#[test]
fn owners_are_told() {
    if !crate::disk::is_root() {
        return;
    }
    let old = fixture(&[&[("a", b"x")]]);
    let new = changed(&[&[("a", b"x")]], |top| {
        Dir::open(&top.join("0")).unwrap().set_owner("a", 12, 34).unwrap();
    });
    assert_eq!(files(&old, &new), ["a: owner 0:0 → 12:34"]);
    assert_eq!(first(&old, &new).unwrap(), "layer 1!/a: owner");
}

#[test]
fn archives_are_opened_down_to_their_members() {
    let inner = |mode, text: &[u8]| gzip(&tar(&[("deep.json", mode, text)]), 6);
    let old = tar(&[
        ("bin/", 0o755, b""),
        ("bin/runc", 0o755, &[0, 1]),
        ("gone", 0o644, b"x"),
        ("i.tgz", 0o644, &inner(0o644, b"{\"a\": 1}")),
    ]);
    let new = tar(&[
        ("bin/", 0o755, b""),
        ("bin/runc", 0o700, &[0, 1]),
        ("i.tgz", 0o644, &inner(0o600, b"{\"a\": 2}")),
        ("new", 0o644, b"xy"),
    ]);
    let fixture = |archive: &[u8]| fixture(&[&[("cri/docker.tar.gz", &gzip(archive, 6))]]);
    let (one, other) = (fixture(&old), fixture(&new));
    insta::assert_snapshot!(files(&one, &other).join("\n"), @"
    cri/docker.tar.gz!/bin/runc: mode 0755 → 0700
    cri/docker.tar.gz!/gone: removed 1 B
    cri/docker.tar.gz!/i.tgz!/deep.json#/a: value 1 → 2
    cri/docker.tar.gz!/i.tgz!/deep.json: mode 0644 → 0600
    cri/docker.tar.gz!/new: added 2 B
    ");
    assert_eq!(first(&one, &other).unwrap(), "layer 1!/cri/docker.tar.gz!/bin/runc: mode");
    assert_eq!(first(&other, &one).unwrap(), "layer 1!/cri/docker.tar.gz!/bin/runc: mode");

    let packed = self::fixture(&[&[("cri/docker.tar.gz", &gzip(&old, 1))]]);
    assert_ne!(gzip(&old, 6), gzip(&old, 1));
    assert_eq!(files(&one, &packed), ["cri/docker.tar.gz: same members, packed in another way"]);
    assert_eq!(first(&one, &packed).unwrap(), "layer 1!/cri/docker.tar.gz: same members, packed in another way");
}

#[test]
fn what_is_no_archive_is_compared_as_bytes_and_says_so() {
    let good = gzip(&tar(&[("a", 0o644, b"x")]), 6);
    let evil = gzip(&tar(&[("a", 0o4755, b"x")]), 6);
    let fixture = |bytes: &[u8]| fixture(&[&[("a.tgz", bytes)]]);
    let (good, evil) = (&good[..], &evil[..]);
    for (old, new, why) in [
        (good, &b"text"[..], "the new one: this is not an archive"),
        (evil, good, "the old one: the archive's entry `a` is refused: it has setuid, setgid or sticky bits (4000)"),
        (good, &good[..good.len() - 9], "the new one: the archive ends too early"),
    ] {
        let said = files(&fixture(old), &fixture(new));
        let [content, note] = &said[..] else { panic!("{said:?}") };
        assert!(content.starts_with(&format!("a.tgz: content {} B sha256:", old.len())), "{content}");
        assert!(note.starts_with(&format!("note: a.tgz was compared as bytes: {why}")), "{note}");
    }
}

#[test]
fn hostile_archives_are_compared_as_bytes_with_the_readers_own_words() {
    let good = fixture(&[&[("a.tar", &tar(&[("good", 0o644, b"x")]))]]);
    for (name, entries) in crate::tar::corpus::attacks("/outside") {
        let archive = crate::tar::forge::tar(&entries);
        let said = files(&good, &fixture(&[&[("a.tar", &archive)]]));
        match Spool::fill(&archive[..], tempfile::tempfile().unwrap(), &Limits::RECIPE) {
            Ok(_) => assert!(said.iter().all(|line| !line.starts_with("note: ")), "{name}: {said:?}"),
            Err(why) => assert_eq!(said[1..], [format!("note: a.tar was compared as bytes: the new one: {why}")]),
        }
    }
}

/// An archive for `docker load`.
fn docker_archive(tag: &str, env: &str, layer: &[u8], more: &[(&str, u32, &[u8])]) -> Vec<u8> {
    let diff_id = Digest::of(layer);
    let config = serde_json::json!({
        "architecture": "amd64", "os": "linux", "created": tag,
        "config": {"Env": [env], "Cmd": ["serve"], "Hostname": ""},
        "rootfs": {"type": "layers", "diff_ids": [diff_id]},
    });
    let config = config.to_string();
    let name = format!("{}.json", Digest::of(config.as_bytes()).hex());
    let layer_name = format!("{}/layer.tar", diff_id.hex());
    let manifest = serde_json::json!([{"Config": name, "RepoTags": [tag], "Layers": [layer_name]}]).to_string();
    let mut members: Vec<(&str, u32, &[u8])> = vec![
        (&name, 0o644, config.as_bytes()),
        ("manifest.json", 0o644, manifest.as_bytes()),
        (&layer_name, 0o644, layer),
    ];
    members.extend(more);
    tar(&members)
}

#[test]
fn archives_for_an_engine_are_compared_as_images() {
    let fixture = |archive: Vec<u8>| fixture(&[&[("images/registry.tar", &archive)]]);
    let old = fixture(docker_archive("registry:2.7.1", "A=1", b"layer", &[]));
    let new = fixture(docker_archive("registry:2.8", "A=2", b"other", &[]));
    insta::assert_snapshot!(files(&old, &new).join("\n"), @r#"
    images/registry.tar: container image registry:2.7.1 sha256:16bb9fc75c62 → registry:2.8 sha256:0ab369415ebe
    images/registry.tar: layers of the container image 0 shared, 1 removed, 1 added
    images/registry.tar#/config/Env/0: value "A=1" → "A=2"
    "#);
    // The same image says nothing of what else differs.
    let more = fixture(docker_archive("registry:2.7.1", "A=1", b"layer", &[("repositories", 0o644, b"{}")]));
    assert_eq!(files(&old, &more), ["images/registry.tar!/repositories: added 2 B"]);
    assert_eq!(first(&old, &more).unwrap(), "layer 1!/images/registry.tar!/repositories: added");
}

#[test]
fn a_layer_more_or_less_and_documents_are_the_last_to_be_told() {
    let one = fixture(&[&[("a", b"x")]]);
    let two = fixture(&[&[("a", b"x")], &[("b", b"y")]]);
    let first = |old: &Fixture, new: &Fixture| {
        format!("{:#}", first_difference(&old.side, &new.side, old.folder.path()).unwrap().unwrap())
    };
    assert_eq!(first(&one, &two), "layer 2: added layer, 1 B");
    assert_eq!(first(&two, &one), "layer 2: removed layer, 1 B");
    let mut renamed = fixture(&[&[("a", b"x")]]);
    renamed.side.image.config.cmd.current.push("true".to_owned());
    assert_eq!(first(&one, &renamed), "image#/spec/image_config/cmd/current: added [\"true\"]");
    assert!(diff(&one, &renamed).files.is_empty() && !diff(&one, &renamed).is_same());
}

/// A registry's storage with one image under a tag, but for the paths that are left out.
fn registry(tag: &str, manifest_text: &str, left_out: &[&str]) -> Vec<(String, Vec<u8>)> {
    let (config, layer) = (&br#"{"architecture":"amd64","os":"linux"}"#[..], &b"layer"[..]);
    let kind = "application/vnd.docker.distribution.manifest.v2+json";
    let blob = |media: &str, bytes: &[u8]| serde_json::json!({"mediaType": media, "size": bytes.len(), "digest": Digest::of(bytes)});
    let manifest = serde_json::json!({
        "schemaVersion": 2, "mediaType": kind, "annotations": {"text": manifest_text},
        "config": blob("application/vnd.docker.container.image.v1+json", config),
        "layers": [blob("application/vnd.docker.image.rootfs.diff.tar.gzip", layer)],
    });
    let manifest = manifest.to_string().into_bytes();
    let top = "registry/docker/registry/v2";
    let repository = format!("{top}/repositories/calico/cni");
    let digest = Digest::of(&manifest);
    let link = |digest: Digest| digest.to_string().into_bytes();
    let data = |bytes: &[u8]| {
        let hex = Digest::of(bytes).hex();
        (format!("{top}/blobs/sha256/{}/{hex}/data", &hex[..2]), bytes.to_vec())
    };
    let layer_link = |bytes: &[u8]| {
        let digest = Digest::of(bytes);
        (format!("{repository}/_layers/sha256/{}/link", digest.hex()), link(digest))
    };
    let mut files = vec![
        data(config),
        data(layer),
        data(&manifest),
        layer_link(config),
        layer_link(layer),
        (format!("{repository}/_manifests/revisions/sha256/{}/link", digest.hex()), link(digest)),
        (format!("{repository}/_manifests/tags/{tag}/current/link"), link(digest)),
        (format!("{repository}/_manifests/tags/{tag}/index/sha256/{}/link", digest.hex()), link(digest)),
    ];
    files.retain(|(path, _)| !left_out.iter().any(|part| path.contains(part)));
    files
}

fn with_registry(files: &[(String, Vec<u8>)]) -> Fixture {
    let tree: Vec<(&str, &[u8])> = files.iter().map(|(path, bytes)| (path.as_str(), &bytes[..])).collect();
    fixture(&[&tree])
}

#[test]
fn registries_are_compared_by_what_their_tags_stand_for() {
    let v1 = with_registry(&registry("v1", "one", &[]));
    let moved = with_registry(&registry("v1", "two", &[]));
    let v2 = with_registry(&registry("v2", "one", &[]));
    let broken = with_registry(&registry("v1", "one", &[&Digest::of(b"layer").hex()[..12]]));
    let empty = with_registry(&[("x".to_owned(), b"x".to_vec())]);
    let said = |old: &Fixture, new: &Fixture| {
        let diff = diff(old, new);
        let short = |image: &CachedImage| format!("{} lacks {}", &image.digest.hex()[..6], image.missing.len());
        let cached = diff.cached_images.iter().map(|one| {
            let side = |image: &Option<CachedImage>| image.as_ref().map_or("none".to_owned(), short);
            format!("{}: {} → {}", one.name, side(&one.old), side(&one.new))
        });
        let files = diff.files.iter().flat_map(|file| file.differences.iter().map(|one| format!("{one:#}")));
        cached.chain(files).collect::<Vec<_>>().join("\n")
    };
    let cases = [(&v1, &v1), (&v1, &moved), (&v1, &v2), (&v1, &broken), (&v1, &empty), (&empty, &v1)];
    insta::assert_snapshot!(cases.map(|(old, new)| said(old, new)).join("\n--\n"), @"

    --
    calico/cni:v1: 461fdc lacks 0 → de3dbf lacks 0
    --
    calico/cni:v1: 461fdc lacks 0 → none
    calico/cni:v2: none → 461fdc lacks 0
    --
    calico/cni:v1: 461fdc lacks 0 → 461fdc lacks 2
    --
    calico/cni:v1: 461fdc lacks 0 → none
    x: added 1 B
    --
    calico/cni:v1: none → 461fdc lacks 0
    x: removed 1 B
    ");
}

#[test]
fn what_no_image_of_a_registry_explains_is_told_as_files() {
    let mut files = registry("v1", "one", &[]);
    let plain = with_registry(&files);
    let stray = "registry/docker/registry/v2/blobs/sha256/aa/stray/data".to_owned();
    files.push((stray.clone(), b"x".to_vec()));
    let with_stray = with_registry(&files);
    assert_eq!(self::files(&plain, &with_stray), [format!("{stray}: added 1 B")]);
    // A blob of the right size with other bytes.
    let layer = files.iter_mut().find(|(_, bytes)| bytes == b"layer").unwrap();
    layer.1 = b"Layer".to_vec();
    let path = layer.0.clone();
    let damaged = with_registry(&files);
    assert_eq!(self::files(&with_stray, &damaged).join("\n"), format!("{path}: lines −1 +1"));
}

#[test]
fn layers_that_were_never_verified_are_read() {
    let one = fixture(&[&[("a", b"x")]]);
    let other = fixture(&[&[("a", b"x")]]);
    let layer = &other.side.layers[0];
    fs_err::write(layer.folder.join("a"), "y").unwrap();
    assert_eq!(files(&one, &other), [""; 0], "an id that was verified says what is in it");
    let store = Store::open(&other.folder.path().join("root"));
    let mark = store.root().join("recipe/unverified");
    fs_err::create_dir_all(&mark).unwrap();
    fs_err::write(mark.join(layer.id.hex()), "").unwrap();
    let doubtful = Side::of_store(&store, &other.side.image).unwrap();
    let diff = compare(&one.side, &doubtful, one.folder.path(), Options::default()).unwrap();
    assert_eq!(diff.files.len(), 1);
}
