//! What RUN needs: root, the kernel's overlay, and a store on a file system that supports overlays.

use std::path::Path;

use rustix::fs::{Dir, FileType, Mode, OFlags};

use super::HostPlaces;
use super::folders::existing;
use crate::doctor::{Finding, Verdict};

pub(super) fn check(places: &HostPlaces) -> Vec<Finding> {
    let mut findings = vec![kernel(places)];
    if !places.is_root {
        findings.push(
            Finding::new(Verdict::Note, "root", "this user", "is not root, which only RUN in a Kubefile needs")
                .remedy("run builds with RUN as root; only root can keep the owners of files in layers"),
        );
    }
    let Ok(there) = existing(&places.root) else { return findings };
    let Ok(stat) = rustix::fs::statfs(&there) else { return findings };
    let types = || entry_types(&there);
    findings.push(store(&places.root.display().to_string(), u64::from_ne_bytes(stat.f_type.to_ne_bytes()), types));
    findings
}

fn kernel(places: &HostPlaces) -> Finding {
    let file = places.proc.join("filesystems");
    let finding = |verdict, found: String| Finding::new(verdict, "overlay", "the kernel", found);
    let text = match fs_err::read_to_string(&file) {
        Ok(text) => text,
        Err(error) => {
            return finding(Verdict::Note, format!("does not say whether it supports overlay: {error}"));
        }
    };
    if text.lines().any(|line| line.split_whitespace().last() == Some("overlay")) {
        return finding(Verdict::Good, "supports overlay, for RUN".to_owned());
    }
    let release = fs_err::read_to_string(places.proc.join("sys/kernel/osrelease")).unwrap_or_default();
    let folder = places.modules.join(release.trim());
    let has = |list: &str| {
        let text = fs_err::read_to_string(folder.join(list)).unwrap_or_default();
        text.lines().any(|line| {
            let path = line.split(':').next().unwrap_or_default();
            path.rsplit('/').next().is_some_and(|name| name.split('.').next() == Some("overlay"))
        })
    };
    if has("modules.dep") || has("modules.builtin") {
        return finding(Verdict::Good, "loads overlay as soon as RUN needs it".to_owned());
    }
    finding(Verdict::Warning, format!("does not support overlay, neither in `{}` nor as a module", file.display()))
        .expected("overlay: RUN in a Kubefile, a real sealer and engines need it; everything else does not")
        .remedy(
            "run a kernel with overlay, and install its modules; in a container, load it outside: `modprobe overlay`",
        )
}

/// A file system by its number, statfs(2), and whether an overlay can have its upper folder there.
const KNOWN: [(u64, &str, bool); 11] = [
    (0xef53, "ext4", true),
    (0x5846_5342, "xfs", true),
    (0x9123_683e, "btrfs", true),
    (0x0102_1994, "tmpfs", true),
    (0x794c_7630, "overlay", false),
    (0x6969, "nfs", false),
    (0xff53_4d42, "cifs", false),
    (0xfe53_4d42, "smb", false),
    (0x0102_1997, "9p", false),
    (0x4d44, "vfat", false),
    (0x2011_bab0, "exfat", false),
];

/// The store's file system. `types` says whether the folder's entries have their types.
fn store(subject: &str, number: u64, types: impl FnOnce() -> Option<bool>) -> Finding {
    let finding = |verdict, found: String| Finding::new(verdict, "store-file-system", subject, found);
    let good = "ext4, xfs with `ftype=1`, btrfs or tmpfs: RUN mounts the layers there; everything else works on any \
                file system";
    let elsewhere = "put the store elsewhere, `--root DIR`";
    match KNOWN.iter().find(|(known, ..)| *known == number) {
        Some((_, "xfs", _)) if types() == Some(false) => {
            finding(Verdict::Warning, "is on xfs made with `ftype=0`, which does not support overlays".to_owned())
                .expected(good)
                .remedy(format!("make the file system again, `mkfs.xfs -n ftype=1`, or {elsewhere}"))
        }
        Some((_, name, true)) => finding(Verdict::Good, format!("is on {name}, which supports the overlay of RUN")),
        Some((_, name, false)) => {
            finding(Verdict::Warning, format!("is on {name}, which does not support the overlay of RUN"))
                .expected(good)
                .remedy(elsewhere)
        }
        None => {
            let found = format!("is on an unknown file system (0x{number:x}); RUN may fail there");
            finding(Verdict::Note, found).expected(good)
        }
    }
}

/// Whether the entries of a folder have their types, which overlays need; `None` if there is no entry to check.
fn entry_types(folder: &Path) -> Option<bool> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let opened = rustix::fs::open(folder, flags, Mode::empty()).ok()?;
    let entries = Dir::read_from(opened).ok()?;
    let mut others = entries.flatten().filter(|entry| !matches!(entry.file_name().to_bytes(), b"." | b".."));
    others.next().map(|entry| entry.file_type() != FileType::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_has_overlay_or_can_load_it() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let places =
            HostPlaces { proc: at("proc"), modules: at("modules"), ..HostPlaces::from_env(&at("r"), &at("c")) };
        let mut said = vec![kernel(&places).text()];
        fs_err::create_dir_all(at("proc/sys/kernel")).unwrap();
        fs_err::create_dir_all(at("modules/6.1.0")).unwrap();
        fs_err::write(at("proc/filesystems"), "nodev\tsysfs\n\text4\nnodev\toverlayish\n").unwrap();
        fs_err::write(at("proc/sys/kernel/osrelease"), "6.1.0\n").unwrap();
        fs_err::write(at("modules/6.1.0/modules.dep"), "kernel/fs/fuse/fuse.ko:\nkernel/x.ko: kernel/overlay.ko\n")
            .unwrap();
        said.push(kernel(&places).text());
        fs_err::write(at("modules/6.1.0/modules.dep"), "kernel/fs/overlayfs/overlay.ko.zst: x.ko\n").unwrap();
        said.push(kernel(&places).text());
        fs_err::write(at("proc/filesystems"), "nodev\tsysfs\nnodev\toverlay\n").unwrap();
        said.push(kernel(&places).text());
        insta::assert_snapshot!(said.concat().replace(folder.path().to_str().unwrap(), "[DIR]"), @"
        note: the kernel: does not say whether it supports overlay: failed to open file `[DIR]/proc/filesystems`: No such file or directory (os error 2)
        warning: the kernel: does not support overlay, neither in `[DIR]/proc/filesystems` nor as a module
          expected: overlay: RUN in a Kubefile, a real sealer and engines need it; everything else does not
          remedy: run a kernel with overlay, and install its modules; in a container, load it outside: `modprobe overlay`
        good: the kernel: loads overlay as soon as RUN needs it
        good: the kernel: supports overlay, for RUN
        ");
    }

    #[test]
    fn file_systems_are_told_by_their_numbers() {
        let said = |number, types| store("/s", number, || types).text();
        let cases = [
            said(0xef53, None),
            said(0x5846_5342, Some(true)),
            said(0x5846_5342, None),
            said(0x5846_5342, Some(false)),
            said(0x794c_7630, None),
            said(0x1234, None),
        ];
        insta::assert_snapshot!(cases.concat(), @"
        good: /s: is on ext4, which supports the overlay of RUN
        good: /s: is on xfs, which supports the overlay of RUN
        good: /s: is on xfs, which supports the overlay of RUN
        warning: /s: is on xfs made with `ftype=0`, which does not support overlays
          expected: ext4, xfs with `ftype=1`, btrfs or tmpfs: RUN mounts the layers there; everything else works on any file system
          remedy: make the file system again, `mkfs.xfs -n ftype=1`, or put the store elsewhere, `--root DIR`
        warning: /s: is on overlay, which does not support the overlay of RUN
          expected: ext4, xfs with `ftype=1`, btrfs or tmpfs: RUN mounts the layers there; everything else works on any file system
          remedy: put the store elsewhere, `--root DIR`
        note: /s: is on an unknown file system (0x1234); RUN may fail there
          expected: ext4, xfs with `ftype=1`, btrfs or tmpfs: RUN mounts the layers there; everything else works on any file system
        ");
    }

    #[test]
    fn this_machine_s_folders_come_with_types() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(entry_types(folder.path()), None);
        fs_err::write(folder.path().join("x"), "").unwrap();
        assert_eq!(entry_types(folder.path()), Some(true));
        assert_eq!(entry_types(&folder.path().join("x")), None);
    }
}
