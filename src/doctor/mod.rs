//! What is wrong with a machine or an image, and how to mend it; sealer's FAQ as a command.
//!
//! Each module looks and reports [`Finding`]s, in the order in which a reader wants them; it prints nothing and, but for
//! a repair that was asked for, writes nothing.

mod finding;
mod host;
pub mod image;
pub mod trace;

pub use finding::{Concern, Finding, Verdict, worst};
pub use host::{HostPlaces, check_host};

/// What sealer v0.8.5, its scripts and kubeadm want of a cluster's machines, which no look at this machine or at an image
/// can tell.
pub const NODE_NEEDS: [&str; 5] = [
    "root by ssh, systemd, and bash as `sh`: with dash, init-registry.sh does not notice that the registry has failed",
    "no Docker of their own: one that is there is used as it is, and cri/docker.tar.gz is not",
    "the kernel modules br_netfilter, overlay and ip_vs: without ip_vs no further machine can join",
    "on a cluster with masters only, pods that tolerate the taint NoSchedule of masters: all others stay Pending",
    "a platform of the image: a cluster of amd64 and arm64 machines needs an image of both",
];

/// [`NODE_NEEDS`] for people.
#[must_use]
pub fn node_needs() -> String {
    let lines = NODE_NEEDS.iter().map(|need| format!("- {need}\n"));
    std::iter::once("the machines of a cluster need besides:\n".to_owned()).chain(lines).collect()
}
