//! What kubeadm asks for by itself, told by its configuration.

use crate::edit::KubernetesObject;
use crate::words::ImageRef;

/// The programs whose tag is the version of Kubernetes.
const OF_VERSION: [&str; 4] = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy"];
/// Those whose tags only kubeadm knows.
const OTHERS: [&str; 3] = ["pause", "etcd", "coredns"];

/// A configuration that sends kubeadm to the image's own registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Configuration {
    /// The line of `imageRepository`.
    pub(super) line: usize,
    /// The repository in front of the images' names, empty or with a final `/`.
    pub(super) prefix: String,
    /// The images that it names for certain.
    pub(super) images: Vec<ImageRef>,
}

/// The configuration that an object is, where it is one.
pub(super) fn configuration(object: &KubernetesObject, registry: &str) -> Option<Configuration> {
    if object.field("kind") != "ClusterConfiguration" || !object.field("apiVersion").starts_with("kubeadm.k8s.io/") {
        return None;
    }
    let repository = object.fields.get("imageRepository")?;
    let rest = repository.text.strip_prefix(registry)?.trim_end_matches('/');
    let prefix = match rest.strip_prefix('/') {
        Some(path) => format!("{path}/"),
        None if rest.is_empty() => String::new(),
        None => return None,
    };
    let version = object.field("kubernetesVersion");
    let is_version = version.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let images = OF_VERSION.iter().filter(|_| is_version);
    let images = images.filter_map(|name| format!("{registry}/{prefix}{name}:{version}").parse().ok()).collect();
    Some(Configuration { line: repository.line, prefix, images })
}

impl Configuration {
    /// Whether kubeadm may ask for an image of this repository.
    pub(super) fn may_ask_for(&self, repository: &str) -> bool {
        let name = repository.strip_prefix(&self.prefix).unwrap_or_default();
        OF_VERSION.contains(&name) || OTHERS.contains(&name) || name == "coredns/coredns"
    }
}
