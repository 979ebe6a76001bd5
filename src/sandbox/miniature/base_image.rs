//! The base image as a real sealer pushes it, its quirks included. Format: golden data, `push/`.

use serde_json::{Value, json};

use super::{KUBERNETES, container, platforms, registry_tree, root_filesystem};
use crate::sandbox::image_builder::{BuiltImage, Form, ImageBuilder, ImageList};
use crate::sandbox::tree::Tree;
use crate::words::{Digest, ImageRef, Platform};

const REPOSITORY: &str = "registry.cn-qingdao.aliyuncs.com/sealer-io/kubernetes";
const COMMANDS: [&str; 2] = ["kubectl apply -f etc/tigera-operator.yaml", "kubectl apply -f etc/custom-resources.yaml"];

/// `kubernetes:v1.19.8` for both platforms.
pub(super) fn kubernetes() -> (ImageRef, ImageList) {
    let name = format!("{REPOSITORY}:{KUBERNETES}");
    let images = platforms().iter().map(|platform| image(&name, platform)).collect();
    (name.parse().expect("the miniatures' names are right"), ImageList::new(Form::Docker, images))
}

/// A layer's type, its value and its files.
type Layer = (&'static str, &'static str, Tree);

fn layers(platform: &Platform) -> [Layer; 5] {
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
        ("COPY", ". .", root_filesystem::root_filesystem(platform)),
        ("COPY", "Clusterfile etc/", Tree::new().file("etc/Clusterfile", cluster)),
        ("COPY", "imageList manifests", Tree::new().file("manifests/imageList", names.concat())),
        ("COPY", "etc .", manifests),
        ("BASE", "registry cache", cache),
    ]
}

fn image(name: &str, platform: &Platform) -> BuiltImage {
    let layers = layers(platform);
    let ids: Vec<Digest> = layers.iter().map(|(_, _, tree)| Digest::of(&tree.tar())).collect();
    let config = config(name, platform, &layers, &ids);
    let size = layers.iter().map(|(_, _, tree)| tree.size()).sum();
    let builder = layers.into_iter().fold(ImageBuilder::new(platform), |builder, (_, _, tree)| builder.layer(tree));
    // Sealer writes the image's size where the list should have the manifest's.
    BuiltImage { listed_size: Some(size), ..builder.config(config).build() }
}

/// The image's document as JSON, with the keys that sealer adds when it pushes.
fn config(name: &str, platform: &Platform, layers: &[Layer], ids: &[Digest]) -> Value {
    let cluster_file = cluster_file(name);
    let id = Digest::of(yaml(name, platform, layers, ids).as_bytes()).hex();
    let described = layers.iter().zip(ids);
    let described = described.map(|((kind, value, _), id)| json!({"id": id, "type": kind, "value": value}));
    let history = layers.iter().map(|(kind, value, _)| json!({"created_by": format!("{kind} {value}")}));
    json!({
        "kind": "Image",
        "metadata": {
            "name": name,
            "creationTimestamp": null,
            "annotations": {"sea.aliyun.com/ClusterFile": cluster_file},
        },
        "spec": {
            "id": id,
            "layers": described.collect::<Vec<_>>(),
            "sealer_version": "latest",
            "platform": json_platform(platform),
            "image_config": {"cmd": {"current": COMMANDS}, "args": {}},
        },
        "status": {},
        "architecture": platform.architecture(),
        "os": platform.os(),
        "history": history.collect::<Vec<_>>(),
    })
}

fn json_platform(platform: &Platform) -> Value {
    let mut value = json!({"architecture": platform.architecture(), "os": platform.os()});
    if let Some(variant) = platform.variant() {
        value["variant"] = json!(variant);
    }
    value
}

fn cluster_file(name: &str) -> String {
    format!(
        "apiVersion: sealer.cloud/v2\nkind: Cluster\nmetadata:\n  creationTimestamp: null\n  name: my-cluster\n\
         spec:\n  image: {name}\n  ssh:\n    port: \"22\"\n    user: root\nstatus: {{}}\n"
    )
}

/// The document as sealer's store keeps it, without `spec.id`: what the image id is the sha256 of.
fn yaml(name: &str, platform: &Platform, layers: &[Layer], ids: &[Digest]) -> String {
    let lines = |lines: Vec<String>| lines.concat();
    let cluster_file = lines(cluster_file(name).lines().map(|line| format!("      {line}\n")).collect());
    let commands = lines(COMMANDS.iter().map(|command| format!("      - {command}\n")).collect());
    let described = layers.iter().zip(ids);
    let described =
        described.map(|((kind, value, _), id)| format!("  - id: {id}\n    type: {kind}\n    value: {value}\n"));
    let described = lines(described.collect());
    let variant = platform.variant().map(|variant| format!("    variant: {variant}\n")).unwrap_or_default();
    format!(
        "kind: Image\nmetadata:\n  annotations:\n    sea.aliyun.com/ClusterFile: |\n{cluster_file}  \
         creationTimestamp: null\n  name: {name}\nspec:\n  image_config:\n    args: {{}}\n    cmd:\n      \
         current:\n{commands}  layers:\n{described}  platform:\n    architecture: {}\n    os: {}\n{variant}  \
         sealer_version: latest\nstatus: {{}}\n",
        platform.architecture(),
        platform.os(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_the_one_that_sealer_writes() {
        let arm64 = Platform::new("linux", "arm64", None);
        let layers = [("COPY", ". .", Tree::new().file("a", "1"))];
        let document = yaml("example.com/kubernetes:v1", &arm64, &layers, &[Digest::of(b"")]);
        insta::assert_snapshot!(document, @r#"
        kind: Image
        metadata:
          annotations:
            sea.aliyun.com/ClusterFile: |
              apiVersion: sealer.cloud/v2
              kind: Cluster
              metadata:
                creationTimestamp: null
                name: my-cluster
              spec:
                image: example.com/kubernetes:v1
                ssh:
                  port: "22"
                  user: root
              status: {}
          creationTimestamp: null
          name: example.com/kubernetes:v1
        spec:
          image_config:
            args: {}
            cmd:
              current:
              - kubectl apply -f etc/tigera-operator.yaml
              - kubectl apply -f etc/custom-resources.yaml
          layers:
          - id: sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
            type: COPY
            value: . .
          platform:
            architecture: arm64
            os: linux
            variant: v8
          sealer_version: latest
        status: {}
        "#);
    }
}
