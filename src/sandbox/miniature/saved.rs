//! An image as `docker save` writes it. Format: Docker image specification v1.2, "Combined Image JSON + Filesystem".

use serde_json::json;

use crate::sandbox::image_builder::BuiltImage;
use crate::sandbox::tree::Tree;
use crate::types::Digest;

/// The archive, the image under one tag.
pub(super) fn saved(image: &BuiltImage, repository: &str, tag: &str) -> Vec<u8> {
    let mut tree = Tree::new();
    let mut layers = Vec::new();
    let mut parent = None;
    for tar in &image.tars {
        let layer = Digest::of(tar);
        // Docker chains these ids; any that are unique will do.
        let id = Digest::of(format!("{parent:?} {layer}").as_bytes()).hex();
        let document = json!({"id": id, "parent": parent, "os": image.platform.os()});
        tree = tree
            .file(&format!("{id}/VERSION"), "1.0")
            .file(&format!("{id}/json"), document.to_string())
            .file(&format!("{id}/layer.tar"), tar.clone());
        layers.push(format!("{id}/layer.tar"));
        parent = Some(id);
    }
    let config = format!("{}.json", image.config.0.digest.hex());
    let manifest = json!([{"Config": config, "RepoTags": [format!("{repository}:{tag}")], "Layers": layers}]);
    let repositories = json!({repository: {tag: parent}});
    tree.file(&config, image.config.1.clone())
        .file("manifest.json", manifest.to_string())
        .file("repositories", repositories.to_string())
        .tar()
}
