//! Docker's programs: as sealer's base image packs them, and as upstream's static archives do.

use super::program::program;
use crate::sandbox::tree::{Tree, gzip};
use crate::types::Platform;

/// What a static archive of Docker 19.03 holds.
pub(super) const PROGRAMS: [&str; 9] = [
    "containerd",
    "containerd-shim",
    "containerd-shim-runc-v2",
    "ctr",
    "docker",
    "docker-init",
    "docker-proxy",
    "dockerd",
    "runc",
];

fn programs(platform: &Platform, version: &str) -> Tree {
    PROGRAMS.iter().fold(Tree::new(), |tree, name| tree.program(name, program(name, version, platform)))
}

/// `docker-VERSION.tgz` of download.docker.com: everything in the folder `docker`.
pub(super) fn static_archive(platform: &Platform, version: &str) -> Vec<u8> {
    gzip(&Tree::new().with("docker", programs(platform, version)).tar())
}

/// `cri/docker.tar.gz` of a base image: everything at the top.
pub(super) fn cri_archive(platform: &Platform, version: &str) -> Vec<u8> {
    gzip(&programs(platform, version).tar())
}

/// `nerdctl-VERSION-linux-ARCHITECTURE.tar.gz` of nerdctl's releases: the program at the top, among others.
pub(super) fn nerdctl_archive(platform: &Platform, version: &str) -> Vec<u8> {
    let setup = "#!/bin/sh\necho \"a stand-in from sealer's sandbox, which does nothing\"\n";
    let tree =
        Tree::new().program("containerd-rootless.sh", setup).program("nerdctl", program("nerdctl", version, platform));
    gzip(&tree.tar())
}
