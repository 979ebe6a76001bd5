use std::fmt::Write as _;
use std::io::Seek as _;

use proptest::prelude::*;

use super::*;
use crate::tar::TarWriter;
use crate::types::{Epoch, Reportable as _};

/// An entry of a forged archive.
#[derive(Clone)]
enum Entry {
    File(String, Vec<u8>),
    Symlink(String, String),
    HardLink(String, String),
    Folder(String),
}

fn file(name: impl Into<String>, content: impl AsRef<[u8]>) -> Entry {
    Entry::File(name.into(), content.as_ref().to_vec())
}

fn bytes(entries: &[Entry]) -> Vec<u8> {
    let mut tar = TarWriter::new(Vec::new(), Epoch::DEFAULT);
    for entry in entries {
        match entry {
            Entry::File(name, content) => tar.file(name.as_bytes(), 0o644, content.len() as u64, &content[..]),
            Entry::Symlink(name, target) => tar.symlink(name.as_bytes(), target.as_bytes()),
            Entry::HardLink(name, target) => tar.hard_link(name.as_bytes(), target.as_bytes(), 0o644),
            Entry::Folder(name) => tar.folder(name.as_bytes(), 0o755),
        }
        .unwrap();
    }
    tar.finish().unwrap()
}

fn open(bytes: &[u8]) -> Result<DockerArchive, Error> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    DockerArchive::open(file)
}

/// Opens an archive and reads all its layers.
fn layers(bytes: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
    let archive = open(bytes)?;
    (0..archive.layer_count()).map(|index| archive.copy_layer(index, Vec::new())).collect()
}

fn hex(content: impl AsRef<[u8]>) -> String {
    Digest::of(content.as_ref()).hex()
}

fn config(layers: &[&[u8]]) -> String {
    let diff_ids: Vec<Digest> = layers.iter().map(|layer| Digest::of(layer)).collect();
    serde_json::json!({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": diff_ids}})
        .to_string()
}

fn manifest(config: &str, layers: &[String]) -> Entry {
    let image = serde_json::json!([{"Config": config, "RepoTags": ["foo:v1"], "Layers": layers}]);
    file(MANIFEST, image.to_string())
}

fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(error) = next {
        text = format!("{text}: {error}");
        next = error.source();
    }
    text
}

const LEGACY: [&str; 2] = [
    "1111111111111111111111111111111111111111111111111111111111111111",
    "2222222222222222222222222222222222222222222222222222222222222222",
];

#[test]
fn engines_before_25_have_a_folder_for_each_layer_and_links_between_them() {
    let config = config(&[b"one", b"one"]);
    let [first, second] = LEGACY;
    let name = format!("{}.json", hex(&config));
    let mut entries = Vec::new();
    for id in LEGACY {
        entries.extend([
            Entry::Folder(format!("{id}/")),
            file(format!("{id}/VERSION"), "1.0"),
            file(format!("{id}/json"), "{}"),
        ]);
    }
    entries.extend([
        file(format!("{first}/layer.tar"), "one"),
        Entry::Symlink(format!("{second}/layer.tar"), format!("../{first}/layer.tar")),
        file(&name, &config),
        manifest(&name, &[format!("{first}/layer.tar"), format!("{second}/layer.tar")]),
        file("repositories", "{}"),
    ]);
    let archive = open(&bytes(&entries)).unwrap();
    assert_eq!((archive.config(), archive.id()), (config.as_bytes(), Digest::of(config.as_bytes())));
    assert!(archive.is_called(archive.id()) && !archive.is_called(Digest::of(b"")));
    assert_eq!(layers(&bytes(&entries)).unwrap(), [b"one", b"one"]);
}

#[test]
fn engines_since_25_have_blobs_that_may_be_compressed() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(b"two").unwrap();
    let (packed, config) = (gzip.finish().unwrap(), config(&[b"one", b"two"]));
    let blob = |content: &[u8]| format!("blobs/sha256/{}", hex(content));
    let (image, other) = (Digest::of(b"manifest"), Digest::of(b"other"));
    let index = serde_json::json!({"schemaVersion": 2, "manifests": [{"digest": image, "size": 8}]});
    let archive = bytes(&[
        Entry::Folder("blobs/".to_owned()),
        Entry::Folder("blobs/sha256/".to_owned()),
        file(blob(b"one"), "one"),
        file(blob(&packed), &packed),
        file(blob(config.as_bytes()), &config),
        file("index.json", index.to_string()),
        manifest(&blob(config.as_bytes()), &[blob(b"one"), blob(&packed)]),
        file("oci-layout", "{\"imageLayoutVersion\": \"1.0.0\"}"),
    ]);
    assert_eq!(layers(&archive).unwrap(), [b"one", b"two"]);
    let archive = open(&archive).unwrap();
    assert!(archive.is_called(image) && archive.is_called(archive.id()) && !archive.is_called(other));
}

#[test]
fn an_image_without_layers_is_one() {
    let config = config(&[]);
    let name = format!("{}.json", hex(&config));
    for none in [serde_json::json!(null), serde_json::json!([])] {
        let image = serde_json::json!([{"Config": name, "RepoTags": null, "Layers": none}]).to_string();
        assert!(layers(&bytes(&[file(&name, &config), file(MANIFEST, image)])).unwrap().is_empty());
    }
}

#[test]
fn attacks_are_refused_by_name() {
    let good = config(&[b"one"]);
    let name = format!("{}.json", hex(&good));
    let layer = format!("{}/layer.tar", LEGACY[0]);
    let honest = [file(&name, &good), file(&layer, "one"), manifest(&name, std::slice::from_ref(&layer))];
    assert_eq!(layers(&bytes(&honest)).unwrap(), [b"one"]);

    let with = |index: usize, entries: &[Entry]| {
        let mut all = honest.to_vec();
        all.splice(index..=index, entries.to_vec());
        all
    };
    let named = |config: &str, layer: &str| with(2, &[manifest(config, &[layer.to_owned()])]);
    let json = |text: &str| with(2, &[file(MANIFEST, text)]);
    let other = config(&[b"one", b"one"]);
    let other_name = format!("{}.json", hex(&other));
    let deep = format!("blobs/sha256/{}", "3".repeat(63));
    let cases: Vec<(&str, Vec<Entry>)> = vec![
        ("no manifest", with(2, &[])),
        ("two manifests", with(2, &[honest[2].clone(), honest[2].clone()])),
        ("two manifests by two spellings", with(2, &[honest[2].clone(), file("./manifest.json", "[]")])),
        ("manifest a link", with(2, &[file("m", "[]"), Entry::Symlink(MANIFEST.to_owned(), "m".to_owned())])),
        ("manifest a hard link", with(2, &[file("m", "[]"), Entry::HardLink(MANIFEST.to_owned(), "m".to_owned())])),
        ("manifest a folder", with(2, &[Entry::Folder("manifest.json/".to_owned())])),
        ("manifest no JSON", json("[{]")),
        ("manifest a map", json("{}")),
        ("no image", json("[]")),
        ("two images", json(&format!("[{0},{0}]", format_args!("{{\"Config\":\"{name}\",\"Layers\":[]}}")))),
        ("config named twice", json(&format!("[{{\"Config\":\"{name}\",\"Config\":\"{name}\",\"Layers\":[]}}]"))),
        ("manifest too large", json(&" ".repeat((8 << 20) + 1))),
        ("config outside", named("../../etc/shadow", &layer)),
        ("config absolute", named("/etc/shadow", &layer)),
        ("config of another name", named("config.json", &layer)),
        ("config of orders to a terminal", named("\u{1b}[2J", &layer)),
        ("config missing", with(0, &[])),
        ("config another", with(0, &[file(&name, &other)])),
        ("config a link", with(0, &[file("c", &good), Entry::Symlink(name.clone(), "c".to_owned())])),
        (
            "config no config",
            vec![file(format!("{}.json", hex("[]")), "[]"), manifest(&format!("{}.json", hex("[]")), &[])],
        ),
        (
            "too few layers",
            vec![file(&other_name, &other), file(&layer, "one"), manifest(&other_name, std::slice::from_ref(&layer))],
        ),
        ("layer outside", named(&name, "../layer.tar")),
        ("layer by a detour", named(&name, &format!("x/../{layer}"))),
        ("layer a document", named(&name, MANIFEST)),
        ("layer of a short name", named(&name, &deep)),
        ("layer missing", with(1, &[])),
        ("layer another", with(1, &[file(&layer, "two")])),
        ("layer cut", with(1, &[file(&layer, b"\x1f\x8b\x08\0\0")])),
        ("layer a folder", with(1, &[Entry::Folder(layer.clone())])),
        ("layer a hard link", with(1, &[file("l", "one"), Entry::HardLink(layer.clone(), "l".to_owned())])),
        ("layer a link outside", with(1, &[Entry::Symlink(layer.clone(), "/etc/shadow".to_owned())])),
        ("layer a link above", with(1, &[Entry::Symlink(layer.clone(), format!("../../{layer}"))])),
        ("layer a link to nothing", with(1, &[Entry::Symlink(layer.clone(), format!("../{}/layer.tar", LEGACY[1]))])),
        ("layer a link to itself", with(1, &[Entry::Symlink(layer.clone(), format!("../{layer}"))])),
        ("an entry above", with(2, &[honest[2].clone(), file("../x", "")])),
        ("an absolute entry", with(2, &[honest[2].clone(), file("/x", "")])),
        ("a file over a folder", with(2, &[honest[2].clone(), file(LEGACY[0], "")])),
    ];
    let mut messages = String::new();
    for (case, entries) in cases {
        let error = layers(&bytes(&entries)).expect_err(case);
        writeln!(messages, "{case}: {:?}: {}", error.kind(), chain(&error)).unwrap();
    }
    insta::assert_snapshot!(messages);
}

#[test]
fn what_is_no_plain_tar_is_refused() {
    for bytes in [&b""[..], b"[]", &[0; 511], b"\x1f\x8b\x08 compressed"] {
        assert!(matches!(layers(bytes), Err(Error::Archive(ArchiveError::NotTar))), "{bytes:?}");
    }
    let config = config(&[]);
    let good =
        bytes(&[file(format!("{}.json", hex(&config)), &config), manifest(&format!("{}.json", hex(&config)), &[])]);
    open(&good).unwrap();
    for cut in (0..good.len()).step_by(100) {
        assert!(open(&good[..cut]).is_err(), "{cut}");
    }
    assert!(open(&[&good[..], b"more"].concat()).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// What the writer writes, the reader reads: the same config, the same layers.
    #[test]
    fn what_is_written_is_read_again(contents in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..2000), 0..5)) {
        // First bytes that are no compression's.
        let contents: Vec<Vec<u8>> = contents.into_iter().map(|content| [b"tar:".to_vec(), content].concat()).collect();
        let all: Vec<&[u8]> = contents.iter().map(Vec::as_slice).collect();
        let mut folder = crate::image::docker_archive::write::tests::Folder::new();
        let blobs = all.iter().map(|content| folder.add("x", content)).collect();
        let image = folder.image(blobs, &all.iter().map(|content| Digest::of(content)).collect::<Vec<_>>());
        let name = "foo:v1".parse().unwrap();
        let written = crate::image::write_docker_archive(&image, &folder, &name, Epoch::DEFAULT, Vec::new()).unwrap();
        let archive = open(&written).unwrap();
        prop_assert_eq!(archive.id(), image.config.digest);
        prop_assert_eq!(layers(&written).unwrap(), contents);
    }

    /// No flipped bit of an archive gives other layers or another config than the honest ones.
    #[test]
    fn a_flipped_bit_is_seen_or_changes_nothing(at in 0usize..6000, bit in 0u32..8) {
        let config = config(&[b"one", b"two"]);
        let name = format!("{}.json", hex(&config));
        let names: Vec<String> = LEGACY.iter().map(|id| format!("{id}/layer.tar")).collect();
        let mut archive = bytes(&[
            file(&name, &config),
            file(&names[0], "one"),
            file(&names[1], "two"),
            manifest(&name, &names),
        ]);
        let at = at % archive.len();
        archive[at] ^= 1 << bit;
        if let Ok(opened) = open(&archive) {
            prop_assert_eq!(opened.config(), config.as_bytes());
            if let Ok(found) = layers(&archive) {
                prop_assert_eq!(found, vec![b"one".to_vec(), b"two".to_vec()]);
            }
        }
    }
}
