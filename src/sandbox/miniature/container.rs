//! The container images: what recipes pull, and what the base image has cached already.

use super::program::program;
use super::versions::{CALICO, KUBERNETES, KYVERNO, OPERATOR, REGISTRY, platforms};
use crate::sandbox::image_builder::{Form, ImageBuilder, ImageList};
use crate::sandbox::tree::Tree;
use crate::types::{ImageRef, Platform};

/// The lowest layer of all images of one vendor, so that they share it.
fn system() -> Tree {
    Tree::new().file("etc/os-release", "NAME=\"Stand-in\"\nID=standin\n").folder("tmp").file("etc/passwd", PASSWD)
}

const PASSWD: &str = "root:x:0:0:root:/root:/sbin/nologin\n";

/// An image that runs one program, for one platform.
fn image(name: &str, version: &str, platform: &Platform) -> ImageBuilder {
    let path = format!("bin/{name}");
    let own = Tree::new().program(&path, program(name, version, platform));
    ImageBuilder::new(platform).layer(system()).layer(own).entrypoint(&format!("/{path}"))
}

fn list(repository: &str, version: &str) -> (ImageRef, ImageList) {
    let name = repository.rsplit('/').next().unwrap_or(repository);
    let images = platforms().iter().map(|platform| image(name, version, platform).build()).collect();
    let reference = format!("{repository}:{version}").parse().expect("the miniatures' names are right");
    (reference, ImageList::new(Form::Docker, images))
}

/// The images that Calico's operator starts, and the operator.
pub(super) fn calico() -> Vec<(ImageRef, ImageList)> {
    let names = ["cni", "kube-controllers", "node", "pod2daemon-flexvol", "typha"];
    let mut images: Vec<_> = names.iter().map(|name| list(&format!("calico/{name}"), CALICO)).collect();
    images.push(list("quay.io/tigera/operator", OPERATOR));
    images
}

/// The images that kubeadm starts, by the names that the base image's registry has them under.
pub(super) fn control_plane() -> Vec<(ImageRef, ImageList)> {
    [
        ("coredns", "1.7.0"),
        ("etcd", "3.4.13-0"),
        ("kube-apiserver", KUBERNETES),
        ("kube-controller-manager", KUBERNETES),
        ("kube-proxy", KUBERNETES),
        ("kube-scheduler", KUBERNETES),
        ("pause", "3.2"),
    ]
    .iter()
    .map(|(name, version)| list(&format!("sea.hub:5000/{name}"), version))
    .collect()
}

/// The images in upstream registries.
pub(super) fn upstream() -> Vec<(ImageRef, ImageList)> {
    let mut images = calico();
    images.push(list("registry", REGISTRY));
    images.extend(["kyverno", "kyvernopre"].map(|name| list(&format!("ghcr.io/kyverno/{name}"), KYVERNO)));
    images
}

/// The registry that a base image brings along: another build than upstream's.
pub(super) fn packed_registry(platform: &Platform) -> crate::sandbox::BuiltImage {
    image("registry", "2.7.1-sealer", platform).build()
}

/// The registry that upstream has, as a base image brings it along.
pub(super) fn upstream_registry(platform: &Platform) -> crate::sandbox::BuiltImage {
    image("registry", REGISTRY, platform).build()
}
