use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Command;

use super::*;
use crate::image::Document;
use crate::types::golden::output;

const GZIP: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";
const ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
const PLAIN: &str = "application/vnd.oci.image.layer.v1.tar";

pub(in crate::image::docker_archive) struct Folder {
    folder: tempfile::TempDir,
    blobs: HashMap<Digest, PathBuf>,
}

impl Folder {
    pub(in crate::image::docker_archive) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), blobs: HashMap::new() }
    }

    pub(in crate::image::docker_archive) fn add(&mut self, media_type: &str, bytes: &[u8]) -> Descriptor {
        let digest = Digest::of(bytes);
        let path = self.folder.path().join(digest.hex());
        fs_err::write(&path, bytes).unwrap();
        self.blobs.insert(digest, path);
        Descriptor { media_type: media_type.to_owned(), digest, size: bytes.len() as u64 }
    }

    pub(in crate::image::docker_archive) fn image(
        &mut self,
        layers: Vec<Descriptor>,
        diff_ids: &[Digest],
    ) -> ContainerImage {
        let config = serde_json::json!({
            "architecture": "amd64", "os": "linux", "config": {},
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        });
        let config = self.add("application/vnd.docker.container.image.v1+json", config.to_string().as_bytes());
        let manifest = Document {
            descriptor: Descriptor { media_type: String::new(), digest: Digest::of(b"{}"), size: 2 },
            bytes: b"{}".to_vec(),
        };
        ContainerImage {
            reference: "registry:2.7.1".parse().unwrap(),
            platform: "linux/amd64".parse().unwrap(),
            list: None,
            manifest,
            config,
            layers,
        }
    }
}

impl Blobs for Folder {
    fn open(&self, digest: Digest) -> io::Result<fs_err::File> {
        fs_err::File::open(self.blobs.get(&digest).ok_or(io::ErrorKind::NotFound)?)
    }

    fn discard(&self, digest: Digest) {
        fs_err::remove_file(&self.blobs[&digest]).unwrap();
    }
}

fn layer(content: &str) -> Vec<u8> {
    let mut tar = TarWriter::new(Vec::new(), Epoch::DEFAULT);
    tar.file(b"etc/file", 0o644, content.len() as u64, content.as_bytes()).unwrap();
    tar.finish().unwrap()
}

fn gzip(bytes: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(level));
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Three layers: gzip, plain, and the first again.
fn sample() -> (Folder, ContainerImage) {
    let mut folder = Folder::new();
    let (one, two) = (layer("one"), layer("two"));
    let layers = vec![folder.add(GZIP, &gzip(&one, 6)), folder.add(PLAIN, &two), folder.add(GZIP, &gzip(&one, 1))];
    let diff_ids = [Digest::of(&one), Digest::of(&two), Digest::of(&one)];
    let image = folder.image(layers, &diff_ids);
    (folder, image)
}

fn write(folder: &Folder, image: &ContainerImage) -> Result<Vec<u8>, DockerArchiveError> {
    write_docker_archive(image, folder, &image.reference, Epoch::DEFAULT, Vec::new())
}

#[test]
fn the_archive_has_config_layers_once_and_manifest() {
    let (folder, image) = sample();
    let bytes = write(&folder, &image).unwrap();
    assert_eq!(bytes, write(&folder, &image).unwrap());
    let mut archive = tar::Archive::new(&bytes[..]);
    let entries: Vec<(String, Vec<u8>)> = archive
        .entries()
        .unwrap()
        .map(|entry| {
            let mut entry = entry.unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            assert_eq!(entry.header().mtime().unwrap(), Epoch::DEFAULT.seconds());
            (entry.path().unwrap().display().to_string(), content)
        })
        .collect();
    let names: Vec<&str> = entries.iter().map(|(name, _)| name.as_str()).collect();
    assert!(names.is_sorted() && names.len() == 4);
    let (one, two) = (layer_name(Digest::of(&layer("one"))), layer_name(Digest::of(&layer("two"))));
    let content = |name: &str| &entries.iter().find(|entry| entry.0 == name).unwrap().1;
    assert!(content(&one) == &layer("one") && content(&two) == &layer("two"));
    let config = format!("{}.json", image.config.digest.hex());
    assert_eq!(Digest::of(content(&config)), image.config.digest);
    assert_eq!(
        String::from_utf8(content("manifest.json").clone()).unwrap(),
        format!(
            "[{{\"Config\":\"{config}\",\"RepoTags\":[\"registry:2.7.1\"],\"Layers\":[\"{one}\",\"{two}\",\"{one}\"]}}]\n"
        )
    );
}

#[test]
fn skopeo_reads_it() {
    let (folder, image) = sample();
    let file = folder.folder.path().join("image.tar");
    fs_err::write(&file, write(&folder, &image).unwrap()).unwrap();
    let mut inspect = Command::new("skopeo");
    inspect
        .args(["--override-os", "linux", "--override-arch", "amd64", "inspect", "--config"])
        .arg(format!("docker-archive:{}", file.display()));
    let Some(output) = output(&mut inspect) else { return };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let copy = Command::new("skopeo")
        .args(["copy", "--insecure-policy", "--override-os", "linux", "--override-arch", "amd64"])
        .arg(format!("docker-archive:{}:registry:2.7.1", file.display()))
        .arg(format!("dir:{}", folder.folder.path().join("copy").display()))
        .output()
        .unwrap();
    assert!(copy.status.success(), "{}", String::from_utf8_lossy(&copy.stderr));
}

#[test]
fn names_become_familiar() {
    for (name, familiar_name) in [
        ("registry:2.7.1", "registry:2.7.1"),
        ("docker.io/library/nginx", "nginx:latest"),
        ("calico/node:v3", "calico/node:v3"),
        ("quay.io/tigera/operator:v1", "quay.io/tigera/operator:v1"),
        ("docker.io/foo.bar/x:1", "docker.io/foo.bar/x:1"),
    ] {
        let name: ImageRef = name.parse().unwrap();
        let short = familiar(&name).unwrap();
        assert_eq!(short, familiar_name);
        assert_eq!(short.parse::<ImageRef>().unwrap(), name);
    }
    let digest = Digest::of(b"");
    for name in [format!("nginx@{digest}"), format!("nginx:1@{digest}")] {
        assert_eq!(familiar(&name.parse().unwrap()).unwrap_err().kind(), FailureKind::Invalid);
    }
}

fn chain(error: &DockerArchiveError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

#[test]
fn a_layer_in_zstd_is_one_like_any_other() {
    let (folder, image) = sample();
    let expected = write(&folder, &image).unwrap();
    let (one, two) = (layer("one"), layer("two"));
    let zstd = |tar: &[u8]| zstd::bulk::compress(tar, 3).unwrap();
    let mut folder = Folder::new();
    let layers = vec![folder.add(ZSTD, &zstd(&one)), folder.add(GZIP, &zstd(&two)), folder.add(PLAIN, &one)];
    let in_zstd = folder.image(layers, &[Digest::of(&one), Digest::of(&two), Digest::of(&one)]);
    assert!(write(&folder, &in_zstd).unwrap() == expected);
}

#[test]
fn what_is_not_as_the_config_says_is_refused() {
    let mut folder = Folder::new();
    let blob = folder.add(GZIP, &gzip(&layer("one"), 6));
    let image = folder.image(vec![blob.clone()], &[Digest::of(b"other")]);
    let error = write(&folder, &image).unwrap_err();
    assert_eq!(error.kind(), FailureKind::Verification);
    assert_eq!(
        error.to_string(),
        format!(
            "the layer `{}` of `docker.io/library/registry:2.7.1` decompresses to `{}`, but its config says `{}`",
            blob.digest,
            Digest::of(&layer("one")),
            Digest::of(b"other")
        )
    );
    let image = folder.image(vec![blob.clone()], &[]);
    insta::assert_snapshot!(write(&folder, &image).unwrap_err(), @"`docker.io/library/registry:2.7.1` is inconsistent: its manifest has 1 layers, its config 0");
    let zstd = folder.add(ZSTD, b"\x28\xb5\x2f\xfd rest");
    let image = folder.image(vec![zstd], &[Digest::of(b"")]);
    insta::assert_snapshot!(chain(&write(&folder, &image).unwrap_err()), @"cannot decompress the layer `sha256:559bbc0b6339eb188c746eeefbe330eb69275a97a00a52557cf49779ae385f36` of `docker.io/library/registry:2.7.1`: the archive's zstd stream is damaged, or other data follows it: Data corruption detected");
    // A blob that is what its digest says stays, whatever else is wrong with it.
    assert!(folder.blobs[&blob.digest].exists());
    let short = folder.add(GZIP, &gzip(&layer("one"), 6)[..20]);
    let image = folder.image(vec![short], &[Digest::of(&layer("one"))]);
    insta::assert_snapshot!(chain(&write(&folder, &image).unwrap_err()), @"cannot decompress the layer `sha256:a2f2218eb2b1dd81addf6f9cb11a748791a1ca37f712d942415f25eefcbd9ad0` of `docker.io/library/registry:2.7.1`: the archive ends too early, after 9 decompressed bytes: fetch it again");
    let mut image = folder.image(Vec::new(), &[]);
    image.config = folder.add("x", b"{}");
    insta::assert_snapshot!(chain(&write(&folder, &image).unwrap_err()), @"the config `sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a` of `docker.io/library/registry:2.7.1` is not the config of a container image: missing field `rootfs` at line 1 column 2");
}

#[test]
fn a_flipped_bit_anywhere_in_a_blob_is_seen_and_the_blob_thrown_away() {
    let (folder, image) = sample();
    for blob in image.blobs() {
        let path = &folder.blobs[&blob.digest];
        let good = fs_err::read(path).unwrap();
        for at in (0..good.len()).step_by(7) {
            let mut bad = good.clone();
            bad[at] ^= 4;
            fs_err::write(path, bad).unwrap();
            let error = write(&folder, &image).unwrap_err();
            assert_eq!(error.kind(), FailureKind::Verification, "{at} of {}: {error}", blob.digest);
            assert!(!path.exists(), "{at} of {}", blob.digest);
        }
        fs_err::write(path, [&good[..], b"x"].concat()).unwrap();
        assert_eq!(write(&folder, &image).unwrap_err().kind(), FailureKind::Verification);
        assert!(!path.exists());
        fs_err::write(path, &good).unwrap();
    }
    write(&folder, &image).unwrap();
}
