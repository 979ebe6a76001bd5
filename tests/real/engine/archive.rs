//! Archives for `docker load`, forged: images that no build here can make.

use sealer::testing::tar::TarWriter;
use sealer::testing::types::{Digest, Epoch};
use serde_json::json;

/// A tar of files in this order.
pub(crate) fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = TarWriter::new(Vec::new(), Epoch::DEFAULT);
    for (name, content) in files {
        tar.file(name.as_bytes(), 0o644, content.len() as u64, *content).unwrap();
    }
    tar.finish().unwrap()
}

/// An archive of an image for linux and the architecture, of these layers.
pub(crate) fn loadable(architecture: &str, name: &str, layers: &[Vec<u8>]) -> Vec<u8> {
    let diff_ids: Vec<Digest> = layers.iter().map(|layer| Digest::of(layer)).collect();
    let config = json!({
        "architecture": architecture, "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": diff_ids},
    });
    let (config, names) = (config.to_string(), (0..layers.len()).map(|index| format!("{index}/layer.tar")));
    let (config_name, names) = (format!("{}.json", Digest::of(config.as_bytes()).hex()), names.collect::<Vec<_>>());
    let manifest = json!([{"Config": config_name, "RepoTags": [name], "Layers": names}]).to_string();
    let layers = names.iter().map(String::as_str).zip(layers.iter().map(Vec::as_slice));
    let documents = [(config_name.as_str(), config.as_bytes()), ("manifest.json", manifest.as_bytes())];
    tar(&layers.chain(documents).collect::<Vec<_>>())
}
