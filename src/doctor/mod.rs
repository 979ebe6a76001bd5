//! What is wrong with a machine or an image, and how to fix it; sealer's FAQ as a command.
//!
//! Each module checks and reports [`Finding`]s in a useful order; it prints nothing and, except for a requested repair,
//! writes nothing.

mod finding;
mod host;
pub(crate) mod image;
pub(crate) mod trace;

pub(crate) use finding::{Finding, Verdict, worst};
pub(crate) use host::{HostPlaces, check_host};

/// What sealer v0.8.5, its scripts and kubeadm need on a cluster's machines. This cannot be checked on this machine or
/// in an image.
pub(crate) const NODE_NEEDS: [&str; 5] = [
    "root by ssh, systemd, and bash as `sh`: with dash, init-registry.sh does not notice that the registry has failed",
    "no Docker of their own: an installed Docker is used as it is, and cri/docker.tar.gz is not",
    "the kernel modules br_netfilter, overlay and ip_vs: without ip_vs no other machine can join",
    "in a cluster of masters only: pods that tolerate the taint NoSchedule of masters; all other pods stay Pending",
    "a platform that the image has: a cluster of amd64 and arm64 machines needs an image for both",
];

/// [`NODE_NEEDS`] for people.
#[must_use]
pub(crate) fn node_needs() -> String {
    let lines = NODE_NEEDS.iter().map(|need| format!("- {need}\n"));
    std::iter::once("the machines of a cluster also need:\n".to_owned()).chain(lines).collect()
}
