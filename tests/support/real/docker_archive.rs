//! A static archive of Docker made of Debian's programs: real ones, in upstream's form.

use std::fmt::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use sealer::testing::types::Digest;

/// Upstream's nine. Debian's `docker-init` is a link to tini-static.
pub(crate) const PROGRAMS: [&str; 9] = [
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

/// `docker-19.03.15.tgz` with `docker/` and the nine programs in it; made once and kept in the target folder.
pub(crate) fn docker_archive() -> Option<PathBuf> {
    if !PROGRAMS.iter().all(|program| super::available(program)) {
        return None;
    }
    let programs: Vec<PathBuf> = PROGRAMS.iter().filter_map(|program| super::find(program)).collect();
    let mut key = String::new();
    for program in &programs {
        let about = fs_err::metadata(program).unwrap();
        writeln!(key, "{} {} {}", program.display(), about.size(), about.mtime()).unwrap();
    }
    let key = &Digest::of(key.as_bytes()).hex()[..16];
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("docker-archive-{key}"));
    let archive = folder.join("docker-19.03.15.tgz");
    if !archive.exists() {
        fs_err::create_dir_all(&folder).unwrap();
        pack(&programs, &folder, &archive);
    }
    Some(archive)
}

fn pack(programs: &[PathBuf], folder: &Path, archive: &Path) {
    let scratch = tempfile::TempDir::new_in(folder).unwrap();
    let docker = scratch.path().join("docker");
    fs_err::create_dir(&docker).unwrap();
    for (name, program) in PROGRAMS.iter().zip(programs) {
        // `tar -h` follows it: what is packed are the programs themselves.
        std::os::unix::fs::symlink(fs_err::canonicalize(program).unwrap(), docker.join(name)).unwrap();
    }
    let packed = scratch.path().join("packed");
    let status = Command::new("tar")
        .args(["--create", "--dereference", "--sort=name", "--owner=0", "--group=0", "--mtime=@0"])
        .args(["--use-compress-program", "gzip -1 -n", "--file"])
        .arg(&packed)
        .arg("--directory")
        .arg(scratch.path())
        .arg("docker")
        .status();
    assert!(status.unwrap().success(), "tar failed");
    // Another process may have made it meanwhile: the same bytes.
    fs_err::rename(&packed, archive).unwrap();
}
