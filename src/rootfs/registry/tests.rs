use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use super::*;
use crate::disk::Kind;
use crate::image::{Blobs, ContainerImage, Descriptor, Document};
use crate::rootfs::Overlay;
use crate::types::{ContextPath, Digest, Epoch, FailureKind, Reportable as _};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn add(&self, bytes: &[u8]) -> Descriptor {
        fs_err::write(self.0.path().join(Digest::of(bytes).hex()), bytes).unwrap();
        descriptor(bytes)
    }

    /// An image whose blobs are in the folder; with a list, if it is asked for.
    fn image(&self, reference: &str, layers: &[&str], list: bool) -> ContainerImage {
        let document = |text: String| Document { descriptor: descriptor(text.as_bytes()), bytes: text.into_bytes() };
        ContainerImage {
            reference: reference.parse().unwrap(),
            platform: "linux/amd64".parse().unwrap(),
            list: list.then(|| document(format!("list {layers:?}"))),
            manifest: document(format!("manifest {layers:?}")),
            config: self.add(format!("config {layers:?}").as_bytes()),
            layers: layers.iter().map(|layer| self.add(layer.as_bytes())).collect(),
        }
    }
}

impl Blobs for Folder {
    fn open(&self, digest: Digest) -> io::Result<fs_err::File> {
        fs_err::File::open(self.0.path().join(digest.hex()))
    }

    fn discard(&self, digest: Digest) {
        fs_err::remove_file(self.0.path().join(digest.hex())).unwrap();
    }
}

fn descriptor(bytes: &[u8]) -> Descriptor {
    Descriptor {
        media_type: "application/octet-stream".to_owned(),
        digest: Digest::of(bytes),
        size: bytes.len() as u64,
    }
}

/// All that an image lacks in layers, the topmost first.
fn missing(image: &ContainerImage, layers: &[&Path]) -> Vec<Missing> {
    RegistryStorage::new(&overlay(layers)).missing(image).unwrap()
}

fn overlay(layers: &[&Path]) -> Overlay {
    Overlay::new(layers.iter().rev().map(|layer| layer.to_path_buf()).collect())
}

/// Every path below, with mode and content; asserts the times.
fn tree(folder: &Path) -> BTreeMap<String, (u32, String)> {
    let mut found = BTreeMap::new();
    let mut todo = vec![folder.to_path_buf()];
    while let Some(next) = todo.pop() {
        for entry in fs_err::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let metadata = fs_err::symlink_metadata(&path).unwrap();
            assert_eq!((metadata.mtime(), metadata.mtime_nsec()), (315_532_800, 0), "{}", path.display());
            let content = if metadata.is_dir() { String::new() } else { fs_err::read_to_string(&path).unwrap() };
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            found.insert(name, (metadata.permissions().mode() & 0o7777, content));
            if metadata.is_dir() {
                todo.push(path);
            }
        }
    }
    found
}

/// How many blobs and links a folder has.
fn written(folder: &Path) -> (usize, usize) {
    let tree = tree(folder);
    let count = |end| tree.keys().filter(|path| path.ends_with(end)).count();
    (count("/data"), count("/link"))
}

fn write(images: &[ContainerImage], blobs: &Folder, lower: &[&Path], into: &Path) -> Result<(), RegistryTreeError> {
    write_registry_tree(images, blobs, &overlay(lower), into, Epoch::DEFAULT)
}

#[test]
fn the_tree_is_docker_registrys() {
    let blobs = Folder::new();
    let into = tempfile::tempdir().unwrap();
    let image = blobs.image("quay.io/tigera/operator:v1", &["one"], true);
    write(std::slice::from_ref(&image), &blobs, &[], into.path()).unwrap();
    assert_eq!(written(into.path()), (4, 6));
    assert_eq!(missing(&image, &[into.path()]), []);
    let found = tree(into.path());
    let files =
        found.iter().filter(|(_, (mode, _))| *mode == 0o600).map(|(path, (_, content))| format!("{path} {content}"));
    assert!(found.values().all(|(mode, _)| matches!(mode, 0o600 | 0o750)));
    insta::assert_snapshot!(files.collect::<Vec<_>>().join("\n"), @r#"
    registry/docker/registry/v2/blobs/sha256/76/7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed/data one
    registry/docker/registry/v2/blobs/sha256/ba/ba5ce6fc8f088a34c1a0fe31f1e05d7cb2bdf2ac2f5c5dd1f68880f6caf4acd3/data config ["one"]
    registry/docker/registry/v2/blobs/sha256/ed/ed2814e236b48c7e936a0492d897ea20adfa11e0914fc02a3b8d8ca71f01f44d/data manifest ["one"]
    registry/docker/registry/v2/blobs/sha256/f3/f3c76dda0598dcc4fd9eb3b2b1432a5417826cb9d45b467c2cef015f58b3caca/data list ["one"]
    registry/docker/registry/v2/repositories/tigera/operator/_layers/sha256/7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed/link sha256:7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed
    registry/docker/registry/v2/repositories/tigera/operator/_layers/sha256/ba5ce6fc8f088a34c1a0fe31f1e05d7cb2bdf2ac2f5c5dd1f68880f6caf4acd3/link sha256:ba5ce6fc8f088a34c1a0fe31f1e05d7cb2bdf2ac2f5c5dd1f68880f6caf4acd3
    registry/docker/registry/v2/repositories/tigera/operator/_manifests/revisions/sha256/ed2814e236b48c7e936a0492d897ea20adfa11e0914fc02a3b8d8ca71f01f44d/link sha256:ed2814e236b48c7e936a0492d897ea20adfa11e0914fc02a3b8d8ca71f01f44d
    registry/docker/registry/v2/repositories/tigera/operator/_manifests/revisions/sha256/f3c76dda0598dcc4fd9eb3b2b1432a5417826cb9d45b467c2cef015f58b3caca/link sha256:f3c76dda0598dcc4fd9eb3b2b1432a5417826cb9d45b467c2cef015f58b3caca
    registry/docker/registry/v2/repositories/tigera/operator/_manifests/tags/v1/current/link sha256:f3c76dda0598dcc4fd9eb3b2b1432a5417826cb9d45b467c2cef015f58b3caca
    registry/docker/registry/v2/repositories/tigera/operator/_manifests/tags/v1/index/sha256/f3c76dda0598dcc4fd9eb3b2b1432a5417826cb9d45b467c2cef015f58b3caca/link sha256:f3c76dda0598dcc4fd9eb3b2b1432a5417826cb9d45b467c2cef015f58b3caca
    "#);
}

#[test]
fn what_lower_layers_have_is_not_stored_again_but_tags_are() {
    let blobs = Folder::new();
    let (base, top) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let old = blobs.image("docker.io/calico/node:v1", &["shared", "old"], false);
    write(std::slice::from_ref(&old), &blobs, &[], base.path()).unwrap();
    let new = blobs.image("docker.io/calico/node:v1", &["shared", "new"], false);
    let other = blobs.image("docker.io/calico/cni:v1", &["shared"], false);
    let images = [new.clone(), old.clone()];
    assert!(write(&images, &blobs, &[], top.path()).is_err());
    let images = [new.clone(), new.clone(), other.clone()];
    write(&images, &blobs, &[base.path()], top.path()).unwrap();
    assert_eq!(written(top.path()).0, 5);
    let found = tree(top.path());
    assert!(!found.contains_key(blob_data_path(Digest::of(b"shared")).as_str()));
    let merged = [top.path(), base.path()];
    for image in [&new, &other] {
        assert_eq!(missing(image, &merged), []);
    }
    // All of it again, over both: only the tags' links are new.
    let again = tempfile::tempdir().unwrap();
    write(&[new.clone(), other], &blobs, &merged, again.path()).unwrap();
    assert_eq!(written(again.path()), (0, 4));
    // The old image's tag is the new one's now.
    let missing = missing(&old, &merged);
    assert_eq!(missing.len(), 1);
    assert_eq!(
        missing[0].to_string(),
        format!(
            "the tag's `registry/docker/registry/v2/repositories/calico/node/_manifests/tags/v1/current/link` has \
             `{}`, expected `{}`",
            new.root().digest,
            old.root().digest
        )
    );
}

#[test]
fn two_sources_on_one_path_are_refused() {
    let blobs = Folder::new();
    for layers in [["one"], ["two"]] {
        let into = tempfile::tempdir().unwrap();
        let images = [
            blobs.image("quay.io/tigera/operator:v1", &["one"], false),
            blobs.image("docker.io/tigera/operator:v1", &layers, false),
        ];
        let error = write(&images, &blobs, &[], into.path()).unwrap_err();
        assert_eq!(error.kind(), FailureKind::Invalid);
        let (one, other) = (images[0].root().digest, images[1].root().digest);
        assert_eq!(
            error.to_string(),
            format!(
                "`quay.io/tigera/operator:v1` ({one}) and `docker.io/tigera/operator:v1` ({other}) get the same path \
                 in the image's registry, because it does not keep the host: give one of them another tag or repository"
            )
        );
        assert!(!into.path().join("registry").exists());
    }
    let into = tempfile::tempdir().unwrap();
    let images = [
        blobs.image("quay.io/tigera/operator:v1", &["one"], false),
        blobs.image("docker.io/tigera/operator:v2", &["two"], false),
    ];
    write(&images, &blobs, &[], into.path()).unwrap();
}

#[test]
fn damage_is_seen_and_named() {
    let blobs = Folder::new();
    let into = tempfile::tempdir().unwrap();
    let image = blobs.image("registry:2", &["one", "two"], true);
    write(std::slice::from_ref(&image), &blobs, &[], into.path()).unwrap();
    let files: Vec<String> =
        tree(into.path()).into_iter().filter(|(_, (mode, _))| *mode == 0o600).map(|(path, _)| path).collect();
    assert_eq!(files.len(), 5 + 7);
    for file in files {
        let full = into.path().join(&file);
        let good = fs_err::read(&full).unwrap();
        let whole = || missing(&image, &[into.path()]);
        let rewrite = || {
            let again = tempfile::tempdir().unwrap();
            write(std::slice::from_ref(&image), &blobs, &[into.path()], again.path())
        };
        fs_err::write(&full, [&good[..], b"\n"].concat()).unwrap();
        assert_eq!(whole().iter().map(|missing| missing.path.as_str()).collect::<Vec<_>>(), [file.as_str()]);
        // Tags are written anew, whatever was there.
        assert_eq!(
            rewrite().map_err(|error| error.kind()).err(),
            (!file.contains("/tags/")).then_some(FailureKind::Verification)
        );
        fs_err::remove_file(&full).unwrap();
        assert_eq!(whole().iter().map(|missing| &missing.fault).collect::<Vec<_>>(), [&Fault::Absent]);
        fs_err::create_dir(&full).unwrap();
        assert_eq!(whole().iter().map(|missing| &missing.fault).collect::<Vec<_>>(), [&Fault::NoFile(Kind::Folder)]);
        fs_err::remove_dir(&full).unwrap();
        fs_err::write(&full, good).unwrap();
        assert_eq!(whole(), []);
    }
}

#[test]
fn blobs_and_documents_are_verified_on_the_way() {
    let blobs = Folder::new();
    let mut image = blobs.image("registry:2", &["one"], false);
    for content in ["onf", "on", "onee"] {
        let file = blobs.0.path().join(Digest::of(b"one").hex());
        fs_err::write(&file, content).unwrap();
        let error = write(std::slice::from_ref(&image), &blobs, &[], tempfile::tempdir().unwrap().path()).unwrap_err();
        assert_eq!(error.kind(), FailureKind::Verification, "{content}");
        assert!(!file.exists(), "a damaged blob would fail for ever: {content}");
    }
    let error = write(std::slice::from_ref(&image), &blobs, &[], tempfile::tempdir().unwrap().path()).unwrap_err();
    assert_eq!(error.kind(), FailureKind::Failed);
    blobs.add(b"one");
    image.manifest.bytes.push(b' ');
    let error = write(std::slice::from_ref(&image), &blobs, &[], tempfile::tempdir().unwrap().path()).unwrap_err();
    assert!(matches!(error, RegistryTreeError::Document { .. }));
}

#[test]
fn a_reference_by_digest_has_no_tag_links() {
    let blobs = Folder::new();
    let into = tempfile::tempdir().unwrap();
    let digest = Digest::of(b"x");
    let image = blobs.image(&format!("quay.io/tigera/operator@{digest}"), &["one"], false);
    write(std::slice::from_ref(&image), &blobs, &[], into.path()).unwrap();
    assert!(tree(into.path()).keys().all(|path| !path.contains("/tags")));
    assert_eq!(missing(&image, &[into.path()]), []);
}

#[test]
fn a_repository_that_no_file_system_holds_is_refused() {
    let reference = format!("quay.io/{}:v1", "a".repeat(256)).parse();
    // Where the reference itself is refused already, there is nothing to ask.
    let Ok(reference) = reference else { return };
    assert_eq!(RepositoryPaths::of(&reference).unwrap_err().kind(), FailureKind::Invalid);
}

#[test]
fn what_an_image_relies_on_in_a_lower_layer_is_read() {
    let blobs = Folder::new();
    let (base, top) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let image = blobs.image("quay.io/tigera/operator:v1", &["one"], true);
    write(std::slice::from_ref(&image), &blobs, &[], base.path()).unwrap();
    let documents = [&image.manifest.descriptor, &image.list.as_ref().unwrap().descriptor];
    for descriptor in image.blobs().chain(documents) {
        let file = base.path().join(blob_data_path(descriptor.digest).as_path());
        let good = fs_err::read(&file).unwrap();
        let mut bad = good.clone();
        bad[1] ^= 1;
        fs_err::write(&file, &bad).unwrap();
        let again = tempfile::tempdir().unwrap();
        let error = write(std::slice::from_ref(&image), &blobs, &[base.path()], again.path()).unwrap_err();
        assert_eq!(error.kind(), FailureKind::Verification);
        assert_eq!(
            error.to_string(),
            format!(
                "`{}` of a lower layer, which `quay.io/tigera/operator:v1` needs, is damaged: it hashes to `{}`, \
                 expected `{}`; pull the base image that has it again",
                file.display(),
                Digest::of(&bad),
                descriptor.digest
            )
        );
        fs_err::write(&file, &good).unwrap();
    }
    write(&[image], &blobs, &[base.path()], top.path()).unwrap();
}

/// As root of another group, in a folder that hands down a third.
#[test]
fn all_of_the_tree_is_roots() {
    use std::os::unix::process::CommandExt;

    const NAME: &str = "rootfs::registry::tests::all_of_the_tree_is_roots";

    if !crate::disk::is_root() {
        println!("skipped: only root can give files away");
        return;
    }
    if std::env::var_os("SEALER_TEST_OTHER_GROUP").is_none() {
        let mut again = std::process::Command::new(std::env::current_exe().unwrap());
        again.args([NAME, "--exact"]).env("SEALER_TEST_OTHER_GROUP", "yes").gid(12345);
        let output = again.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("1 passed"), "{text}");
        return;
    }
    assert_eq!(rustix::process::getegid().as_raw(), 12345);
    let blobs = Folder::new();
    let into = tempfile::tempdir().unwrap();
    fs_err::os::unix::fs::chown(into.path(), Some(0), Some(54321)).unwrap();
    fs_err::set_permissions(into.path(), PermissionsExt::from_mode(0o2755)).unwrap();
    write(&[blobs.image("registry:2", &["one"], true)], &blobs, &[], into.path()).unwrap();
    for path in tree(into.path()).keys() {
        let metadata = fs_err::symlink_metadata(into.path().join(path)).unwrap();
        assert_eq!((metadata.uid(), metadata.gid()), (0, 0), "{path}");
    }
}

const DOCKER: &str = "application/vnd.docker.distribution.manifest";

fn document(media_type: String, value: &serde_json::Value) -> Document {
    let bytes = value.to_string().into_bytes();
    Document { descriptor: Descriptor { media_type, ..descriptor(&bytes) }, bytes }
}

/// An image under a list that has one for arm64, too, and the digest of that.
fn readable(blobs: &Folder) -> (ContainerImage, Digest) {
    let said =
        |blob: &Descriptor| serde_json::json!({"mediaType": blob.media_type, "digest": blob.digest, "size": blob.size});
    let config = blobs.add(br#"{"os": "linux", "architecture": "amd64"}"#);
    let media_type = format!("{DOCKER}.v2+json");
    let value = serde_json::json!({"schemaVersion": 2, "mediaType": media_type, "config": said(&config), "layers": []});
    let manifest = document(media_type.clone(), &value);
    let arm = Digest::of(b"arm");
    let entries = [("amd64", manifest.descriptor.digest), ("arm64", arm)].map(|(architecture, digest)| {
        let platform = serde_json::json!({"os": "linux", "architecture": architecture});
        serde_json::json!({"mediaType": media_type, "digest": digest, "size": 9, "platform": platform})
    });
    let media_type = format!("{DOCKER}.list.v2+json");
    let value = serde_json::json!({"schemaVersion": 2, "mediaType": media_type, "manifests": entries});
    let (list, platform) = (Some(document(media_type, &value)), "linux/amd64".parse().unwrap());
    let reference = "sea.hub:5000/a/b:v1".parse().unwrap();
    (ContainerImage { reference, platform, list, manifest, config, layers: Vec::new() }, arm)
}

#[test]
fn an_image_is_read_or_what_stands_in_the_way_is_said() {
    let (blobs, into) = (Folder::new(), tempfile::tempdir().unwrap());
    let (image, arm) = readable(&blobs);
    write(std::slice::from_ref(&image), &blobs, &[], into.path()).unwrap();
    let read = |name: &str, platform: &str| {
        let overlay = overlay(&[into.path()]);
        let storage = RegistryStorage::new(&overlay);
        storage.image(&format!("sea.hub:5000/{name}").parse().unwrap(), &platform.parse().unwrap())
    };
    let put = |path: &ContextPath, bytes: &[u8]| {
        let file = into.path().join(path.as_path());
        fs_err::create_dir_all(file.parent().unwrap()).unwrap();
        fs_err::write(file, bytes).unwrap();
    };
    let broken = |what, path: &ContextPath, fault, document| {
        Err(Obstacle::Broken { missing: Missing { what, path: path.clone(), fault }, document })
    };
    let (paths, root) = (RepositoryPaths::of(&image.reference).unwrap(), image.root().digest);
    assert_eq!(read("a/b:v1", "linux/amd64"), Ok(image.clone()));
    assert_eq!(read("a/b:v2", "linux/amd64"), Err(Obstacle::Absent));
    assert_eq!(read(&format!("a/b@{arm}"), "linux/arm64"), Err(Obstacle::Absent));
    // By digest the tag does not matter.
    let by_digest = ContainerImage { reference: image.reference.by_digest(root), ..image.clone() };
    assert_eq!(read(&format!("a/b:v2@{root}"), "linux/amd64"), Ok(by_digest));
    let only_amd = Err(Obstacle::OtherPlatform(vec!["linux/amd64".to_owned()]));
    assert_eq!((read("a/b:v1", "linux/arm64"), read("a/b:v1", "linux/s390x")), (only_amd.clone(), only_amd));
    // What is linked was there: it is broken, and not another platform's.
    put(&paths.revision_link(arm), arm.to_string().as_bytes());
    let absent = broken("manifest", &blob_data_path(arm), Fault::Absent, Some(arm));
    assert_eq!(read("a/b:v1", "linux/arm64"), absent);
    put(&blob_data_path(root), &vec![b' '; (4 << 20) + 1]);
    let too_large = broken("manifest", &blob_data_path(root), Fault::TooLarge((4 << 20) + 1), Some(root));
    assert_eq!(read("a/b:v1", "linux/amd64"), too_large);
    // A registry takes a link to the byte.
    let tag = paths.tag_current_link().unwrap();
    put(&tag, format!("{root}\n").as_bytes());
    assert_eq!(read("a/b:v1", "linux/amd64"), broken("tag", &tag, Fault::NoDigest(format!("{root}\n")), None));
}

#[test]
fn names_are_listed_by_the_layout() {
    let (blobs, into) = (Folder::new(), tempfile::tempdir().unwrap());
    let images = [blobs.image("quay.io/a/b:v1", &["one"], false), blobs.image("c:1", &["one"], false)];
    write(&images, &blobs, &[], into.path()).unwrap();
    for folder in
        ["repositories/a/_uploads/x", "repositories/d/_odd", "repositories/e/_layers/sha256/odd", "blobs/sha256/xx/odd"]
    {
        fs_err::create_dir_all(into.path().join(STORAGE).join(folder)).unwrap();
    }
    let overlay = overlay(&[into.path()]);
    let contents = RegistryStorage::new(&overlay).contents().unwrap();
    let names = contents
        .repositories
        .iter()
        .map(|(name, one)| format!("{name} {:?} {} {}", one.tags, one.revisions.len(), one.layers.len()));
    assert_eq!(names.collect::<Vec<_>>(), ["a/b [\"v1\"] 1 2", "e [] 0 0", "library/c [\"1\"] 1 2"]);
    // One layer, one config and one manifest, which both share.
    assert_eq!(contents.blobs.len(), 3);
    let mut foreign: Vec<_> = contents.foreign.iter().map(|path| &path.as_str()[STORAGE.len()..]).collect();
    foreign.sort_unstable();
    assert_eq!(foreign, ["/blobs/sha256/xx/odd", "/repositories/d/_odd", "/repositories/e/_layers/sha256/odd"]);
}
