//! Small stand-ins for the inputs of the shipped recipes: correct form, tiny content, for amd64 and arm64.
//!
//! ```text
//! registry.cn-qingdao.aliyuncs.com/sealer-io/kubernetes:v1.19.8    a base image as sealer pushes it      base_image
//!   layer 0  COPY . .                 root file system, seven images in its registry                     root_filesystem
//!   layer 1  COPY Clusterfile etc/
//!   layer 2  COPY imageList manifests
//!   layer 3  COPY etc .               Calico's two manifests, in text/
//!   layer 4  BASE registry cache      Calico's six images                                                registry_tree
//! registry.cn-qingdao.aliyuncs.com/sealer-io/kubernetes-rawdocker:v1.19.8                          base_image
//!   the same with upstream's Docker: `COPY . .`, `COPY imageList manifests`, `COPY etc .`, registry cache
//! docker.io/library/registry:2.7.1, docker.io/calico/*:v3.19.1, quay.io/tigera/operator:v1.17.4,         container
//!   ghcr.io/kyverno/{kyverno,kyvernopre}:v1.5.1
//! https://download.docker.com/linux/static/stable/{x86_64,aarch64}/docker-19.03.15.tgz                   engine
//! https://github.com/containerd/nerdctl/releases/download/v1.7.7/nerdctl-1.7.7-linux-{amd64,arm64}.tar.gz  engine
//! https://raw.githubusercontent.com/kyverno/kyverno/v1.5.1/definitions/release/install.yaml              text/
//! ```
//!
//! There are exactly these versions: a request for another one is a plain 404. The same bytes come out each time.

mod base_image;
mod container;
mod engine;
mod program;
mod registry_tree;
mod root_filesystem;
mod saved;
#[cfg(test)]
mod tests;
mod versions;

use super::files::Files;
use super::registry::Registry;
use versions::{DOCKER, KYVERNO, NERDCTL, platforms};

/// Puts all miniatures into a registry and a web server.
pub fn fill(registry: &mut Registry, files: &mut Files) {
    for (reference, list) in container::upstream() {
        list.push(registry, &reference);
    }
    for (reference, list) in [base_image::kubernetes(), base_image::rawdocker()] {
        list.push(registry, &reference);
    }
    for platform in platforms() {
        let machine = platform.machine();
        let path = format!("download.docker.com/linux/static/stable/{machine}/docker-{DOCKER}.tgz");
        files.put(path, engine::static_archive(&platform, DOCKER));
    }
    for platform in platforms() {
        let name = format!("nerdctl-{NERDCTL}-linux-{}.tar.gz", platform.architecture());
        let path = format!("github.com/containerd/nerdctl/releases/download/v{NERDCTL}/{name}");
        files.put(path, engine::nerdctl_archive(&platform, NERDCTL));
    }
    let path = format!("raw.githubusercontent.com/kyverno/kyverno/{KYVERNO}/definitions/release/install.yaml");
    files.put(path, include_str!("text/kyverno-install.yaml"));
}
