//! Real programs: docker-registry, dockerd and skopeo from Debian's packages.

mod docker_archive;
mod docker_registry;
mod dockerd;
mod http;
mod process;
mod push;
mod skopeo;

use std::path::{Path, PathBuf};

pub(crate) use docker_archive::{PROGRAMS, docker_archive};
pub(crate) use docker_registry::{DockerRegistry, docker_registry, docker_registry_on, docker_registry_with};
pub(crate) use dockerd::{Dockerd, dockerd, dockerd_from};
pub(crate) use http::ask;
pub(crate) use push::{push, push_all};
pub(crate) use skopeo::skopeo;

/// Whether the program is installed; where it is not, [`super::missing`] has its say.
pub(crate) fn available(program: &str) -> bool {
    let found = find(program).is_some();
    if !found {
        super::missing(&format!("the program `{program}`"));
    }
    found
}

/// Whether we are root, as dockerd and loop devices need it.
pub(crate) fn is_root() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        super::missing("root");
    }
    is_root
}

/// Where a package installed the program. `/usr/local` does not count: what lies there is no package's.
fn find(program: &str) -> Option<PathBuf> {
    let folders = ["/usr/bin", "/usr/sbin", "/bin", "/sbin", "/usr/libexec/docker"];
    folders.iter().map(|folder| Path::new(folder).join(program)).find(|path| path.is_file())
}
