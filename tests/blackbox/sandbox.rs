//! The sandbox's layers beside one that sealer itself made.

use std::io::Read;

use sealer::testing::sandbox::{Entry, Sandbox, Tree};
use sealer::testing::types::Digest;

#[test]
fn a_layer_of_sealers_comes_out_byte_for_byte() {
    let blob = "golden/push/blobs/825b5c10ec6801a0b116ce83cad86ad4e1662ee7dd3cc74744e43a0077e1613b";
    let Some(path) = crate::support::shared_file(blob) else { return };
    let mut stream = Vec::new();
    flate2::read::GzDecoder::new(fs_err::File::open(path).unwrap()).read_to_end(&mut stream).unwrap();
    let mut archive = tar::Archive::new(stream.as_slice());
    let tree = archive.entries().unwrap().fold(Tree::new(), |tree, entry| {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_str().unwrap().to_owned();
        let mode = entry.header().mode().unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        let is_folder = entry.header().entry_type().is_dir();
        tree.entry(&path, if is_folder { Entry::Folder(mode) } else { Entry::File(mode, content.into()) })
    });
    assert_eq!(Digest::of(&tree.tar()), Digest::of(&stream));
}

#[test]
fn it_writes_its_settings_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start(&folder.path().join("new")).unwrap();
    let names = fs_err::read_dir(folder.path().join("new")).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(names.collect::<Vec<_>>(), ["registries.conf"]);
    let settings: toml::Table = fs_err::read_to_string(sandbox.registries_conf()).unwrap().parse().unwrap();
    let registries = settings["registry"].as_array().unwrap();
    let hosts: Vec<_> = registries.iter().filter_map(|registry| registry.get("prefix")?.as_str()).collect();
    assert_eq!(hosts, ["docker.io", "ghcr.io", "quay.io", "registry.cn-qingdao.aliyuncs.com"]);
    let mirror = |host: &str| format!("https://{host}/={}", sandbox.server().url(&format!("/files/{host}/")));
    assert_eq!(sandbox.url_mirrors(), ["download.docker.com", "github.com", "raw.githubusercontent.com"].map(mirror));
}
