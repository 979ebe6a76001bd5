//! The root file system of a base image: its first layer.

use super::program::program;
use super::versions::{DOCKER, KUBERNETES, REGISTRY};
use super::{container, engine, registry_tree, saved};
use crate::sandbox::tree::{Entry, Tree};
use crate::types::Platform;

/// Sealer's own engine, which upstream's replaces.
const PATCHED_DOCKER: &str = "19.03.14-sealer";
const SCRIPTS: [(&str, &str); 4] = [
    ("clean.sh", include_str!("text/clean.sh")),
    ("docker.sh", include_str!("text/docker.sh")),
    ("init-registry.sh", include_str!("text/init-registry.sh")),
    ("init.sh", include_str!("text/init.sh")),
];

/// Whose Docker and whose registry a base image runs.
#[derive(Debug, Clone, Copy)]
pub(super) enum Engine {
    /// Sealer's patched ones.
    Patched,
    /// Upstream's.
    Upstream,
}

/// The files of `COPY . .`.
pub(super) fn root_filesystem(platform: &Platform, engine: Engine) -> Tree {
    let (docker, daemon, registry) = match engine {
        Engine::Patched => (PATCHED_DOCKER, include_str!("text/daemon.json"), container::packed_registry(platform)),
        // Upstream's Docker refuses to start on the one key that only sealer's understands.
        Engine::Upstream => (DOCKER, include_str!("text/daemon-upstream.json"), container::upstream_registry(platform)),
    };
    let mut tree = Tree::new()
        .file("Kubefile", "FROM scratch\nCOPY . .\n")
        .file("Metadata", metadata(platform))
        .folder("certs")
        .file("cri/docker.tar.gz", engine::cri_archive(platform, docker))
        .file("etc/daemon.json", daemon)
        .file("etc/kubeadm.yml", include_str!("text/kubeadm.yml"))
        .file("statics/audit-policy.yml", include_str!("text/audit-policy.yml"));
    for (name, version) in [
        ("conntrack", "1.4.4"),
        ("crictl", "v1.19.0"),
        ("kubeadm", KUBERNETES),
        ("kubectl", KUBERNETES),
        ("kubelet", KUBERNETES),
        ("seautil", "v0.5.2"),
    ] {
        tree = tree.program(&format!("bin/{name}"), program(name, version, platform));
    }
    for (name, script) in SCRIPTS {
        tree = tree.program(&format!("scripts/{name}"), script);
    }
    let registry = saved::saved(&registry, "registry", REGISTRY);
    // `docker save -o` makes its file for the owner alone.
    tree = tree.entry("images/registry.tar", Entry::File(0o600, registry.into()));
    registry_tree::add(&mut tree, &container::control_plane(), platform);
    tree
}

fn metadata(platform: &Platform) -> String {
    format!("{{\n  \"version\": \"{KUBERNETES}\",\n  \"arch\": \"{}\"\n}}\n", platform.architecture())
}
