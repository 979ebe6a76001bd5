//! The base image as a real sealer pushes it, its quirks included. Format: golden data, `push/`.

use std::collections::BTreeMap;

use serde_json::json;

use super::{KUBERNETES, container, platforms, registry_tree, root_filesystem};
use crate::image::model::{Image, ImageConfig, Layer, LayerKind};
use crate::sandbox::image_builder::{BuiltImage, Form, ImageBuilder, ImageList};
use crate::sandbox::tree::Tree;
use crate::words::{Digest, ImageRef, Platform, SealerName};

const REPOSITORY: &str = "registry.cn-qingdao.aliyuncs.com/sealer-io/kubernetes";
const COMMANDS: [&str; 2] = ["kubectl apply -f etc/tigera-operator.yaml", "kubectl apply -f etc/custom-resources.yaml"];

/// `kubernetes:v1.19.8` for both platforms.
pub(super) fn kubernetes() -> (ImageRef, ImageList) {
    let name: SealerName = format!("{REPOSITORY}:{KUBERNETES}").parse().expect("the miniatures' names are right");
    let images = platforms().iter().map(|platform| image(&name, platform)).collect();
    (name.reference().clone(), ImageList::new(Form::Docker, images))
}

/// A layer's type, its value and its files.
type MiniatureLayer = (LayerKind, &'static str, Tree);

fn layers(platform: &Platform) -> [MiniatureLayer; 5] {
    let calico = container::calico();
    let names: Vec<_> = calico.iter().map(|(reference, _)| format!("{reference}\n")).collect();
    let cluster = "apiVersion: sealer.cloud/v2\nkind: Cluster\nmetadata:\n  name: my-cluster\nspec:\n";
    let cluster = format!("{cluster}  image: kubernetes:{KUBERNETES}\n");
    let mut cache = Tree::new();
    registry_tree::add(&mut cache, &calico, platform);
    let manifests = Tree::new()
        .file("etc/custom-resources.yaml", include_str!("text/custom-resources.yaml"))
        .file("etc/tigera-operator.yaml", include_str!("text/tigera-operator.yaml"));
    [
        (LayerKind::Copy, ". .", root_filesystem::root_filesystem(platform)),
        (LayerKind::Copy, "Clusterfile etc/", Tree::new().file("etc/Clusterfile", cluster)),
        (LayerKind::Copy, "imageList manifests", Tree::new().file("manifests/imageList", names.concat())),
        (LayerKind::Copy, "etc .", manifests),
        (LayerKind::Base, "registry cache", cache),
    ]
}

fn image(name: &SealerName, platform: &Platform) -> BuiltImage {
    let layers = layers(platform);
    let document = document(name, platform, &layers);
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

fn document(name: &SealerName, platform: &Platform, layers: &[MiniatureLayer]) -> Image {
    let described = layers.iter().map(|(kind, value, tree)| Layer {
        id: Some(Digest::of(&tree.tar())),
        kind: *kind,
        value: (*value).to_owned(),
    });
    let mut config = ImageConfig::default();
    config.cmd.current = COMMANDS.map(str::to_owned).to_vec();
    Image::new(name, platform.clone(), described.collect(), config, BTreeMap::new())
}
