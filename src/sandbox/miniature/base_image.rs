//! Base images as a real sealer pushes them, its quirks included. Format: golden data, `push/`.

use std::collections::BTreeMap;

use serde_json::json;

use super::root_filesystem::{Engine, root_filesystem};
use super::versions::{KUBERNETES, platforms};
use super::{container, registry_tree};
use crate::image::model::{Image, ImageConfig, Layer, LayerKind};
use crate::sandbox::image_builder::{BuiltImage, Form, ImageBuilder, ImageList};
use crate::sandbox::tree::Tree;
use crate::types::{Digest, ImageRef, Platform, SealerName};

const DOMAIN: &str = "registry.cn-qingdao.aliyuncs.com/sealer-io";

/// A layer's type, its value and its files.
type MiniatureLayer = (LayerKind, &'static str, Tree);

/// `kubernetes:v1.19.8` for both platforms: sealer's patched Docker, which asks the cluster's registry for every image.
pub(super) fn kubernetes() -> (ImageRef, ImageList) {
    let commands = ["kubectl apply -f etc/tigera-operator.yaml", "kubectl apply -f etc/custom-resources.yaml"];
    list("kubernetes", &commands, |platform| {
        let manifests = Tree::new()
            .file("etc/custom-resources.yaml", include_str!("text/custom-resources.yaml"))
            .file("etc/tigera-operator.yaml", include_str!("text/tigera-operator.yaml"));
        let cluster = "apiVersion: sealer.cloud/v2\nkind: Cluster\nmetadata:\n  name: my-cluster\nspec:\n";
        let cluster = format!("{cluster}  image: kubernetes:{KUBERNETES}\n");
        vec![
            (LayerKind::Copy, ". .", root_filesystem(platform, Engine::Patched)),
            (LayerKind::Copy, "Clusterfile etc/", Tree::new().file("etc/Clusterfile", cluster)),
            (LayerKind::Copy, "imageList manifests", image_list()),
            (LayerKind::Copy, "etc .", manifests),
            (LayerKind::Base, "registry cache", cache(platform)),
        ]
    })
}

/// `kubernetes-rawdocker:v1.19.8` for both platforms: upstream's Docker, with manifests that name the cluster's registry
/// themselves. It has the layers of what `recipes/rawdocker.yaml` makes, but not their bytes.
pub(super) fn rawdocker() -> (ImageRef, ImageList) {
    let commands = ["kubectl apply -f etc/tigera-operator.yaml && kubectl apply -f etc/custom-resources.yaml"];
    list("kubernetes-rawdocker", &commands, |platform| {
        let resources = include_str!("text/custom-resources.yaml");
        let resources = resources.replacen("\nspec:\n", "\nspec:\n  registry: sea.hub:5000\n", 1);
        let operator = include_str!("text/tigera-operator.yaml").replace("image: quay.io/", "image: sea.hub:5000/");
        let manifests =
            Tree::new().file("etc/custom-resources.yaml", resources).file("etc/tigera-operator.yaml", operator);
        vec![
            (LayerKind::Copy, ". .", root_filesystem(platform, Engine::Upstream)),
            (LayerKind::Copy, "imageList manifests", image_list()),
            (LayerKind::Copy, "etc .", manifests),
            (LayerKind::Base, "registry cache", cache(platform)),
        ]
    })
}

fn image_list() -> Tree {
    let names: Vec<_> = container::calico().iter().map(|(reference, _)| format!("{reference}\n")).collect();
    Tree::new().file("manifests/imageList", names.concat())
}

fn cache(platform: &Platform) -> Tree {
    let mut cache = Tree::new();
    registry_tree::add(&mut cache, &container::calico(), platform);
    cache
}

fn list(name: &str, commands: &[&str], layers: impl Fn(&Platform) -> Vec<MiniatureLayer>) -> (ImageRef, ImageList) {
    let name: SealerName = format!("{DOMAIN}/{name}:{KUBERNETES}").parse().expect("the miniatures' names are right");
    let images = platforms().iter().map(|platform| image(&name, platform, commands, layers(platform))).collect();
    (name.reference().clone(), ImageList::new(Form::Docker, images))
}

fn image(name: &SealerName, platform: &Platform, commands: &[&str], layers: Vec<MiniatureLayer>) -> BuiltImage {
    let document = document(name, platform, commands, &layers);
    let history = layers.iter().map(|(kind, value, _)| json!({"created_by": format!("{} {value}", kind.as_str())}));
    // The image's document as JSON, with the keys that sealer adds when it pushes.
    let mut config = document.to_json();
    config["architecture"] = json!(platform.architecture());
    config["os"] = json!(platform.os());
    config["history"] = history.collect();
    let size = layers.iter().map(|(_, _, tree)| tree.size()).sum();
    let builder = layers.into_iter().fold(ImageBuilder::new(platform), |builder, (_, _, tree)| builder.layer(tree));
    // Sealer writes the image's size where the list should have the manifest's.
    BuiltImage { listed_size: Some(size), ..builder.config(config).build() }
}

fn document(name: &SealerName, platform: &Platform, commands: &[&str], layers: &[MiniatureLayer]) -> Image {
    let described = layers.iter().map(|(kind, value, tree)| Layer {
        id: Some(Digest::of(&tree.tar())),
        kind: *kind,
        value: (*value).to_owned(),
    });
    let mut config = ImageConfig::default();
    config.cmd.current = commands.iter().map(|command| (*command).to_owned()).collect();
    Image::new(name, platform.clone(), described.collect(), config, BTreeMap::new())
}
