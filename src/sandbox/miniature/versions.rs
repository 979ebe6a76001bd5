//! The versions and platforms of the miniatures.

use crate::types::Platform;

pub(super) const KUBERNETES: &str = "v1.19.8";

pub(super) const DOCKER: &str = "19.03.15";

pub(super) const REGISTRY: &str = "2.7.1";

pub(super) const CALICO: &str = "v3.19.1";

pub(super) const OPERATOR: &str = "v1.17.4";

pub(super) const KYVERNO: &str = "v1.5.1";

pub(super) const NERDCTL: &str = "1.7.7";

/// The platforms that there are miniatures for.
pub(super) fn platforms() -> [Platform; 2] {
    ["amd64", "arm64"].map(|architecture| Platform::new("linux", architecture, None))
}
