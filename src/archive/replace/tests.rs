use globset::{Glob, GlobSetBuilder};

use super::super::compression::Compression;
use super::super::forge::{compress, elf, gzip};
use super::*;
use crate::tar::forge::{Forged, file, folder, hard_link, symlink, tar};
use crate::types::golden::shared;

fn path(text: &str) -> EntryPath {
    EntryPath::parse(text.as_bytes()).unwrap().unwrap()
}

fn scratch() -> [File; 2] {
    [tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap()]
}

/// Replaces, and gives what the result holds: path, mode and kind of each entry; or the whole chain of messages.
fn run(
    old: &[Forged],
    new: &[Forged],
    root: Option<&str>,
    allow: &[&str],
) -> Result<(ReplaceReport, Vec<String>), String> {
    let mut globs = GlobSetBuilder::new();
    for glob in allow {
        globs.add(Glob::new(glob).unwrap());
    }
    let globs = globs.build().unwrap();
    let platform: Platform = "linux/amd64".parse().unwrap();
    let options = ReplaceOptions {
        root: root.map(path),
        allow_missing: &globs,
        platform: &platform,
        epoch: Epoch::DEFAULT,
        form: PackedForm::TarGz,
        threads: NonZeroUsize::MIN,
        limits: Limits::RECIPE,
    };
    let mut out = Vec::new();
    let report = replace(&gzip(&tar(old))[..], &gzip(&tar(new))[..], scratch(), &options, &mut out);
    let report = report.map_err(|error| {
        assert!(out.is_empty(), "nothing is written where it fails");
        let mut text = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(error) = source {
            text = format!("{text}: {error}");
            source = error.source();
        }
        text
    })?;
    let spool = Spool::fill(&out[..], tempfile::tempfile().unwrap(), &Limits::RECIPE).unwrap();
    let shown = spool.members().iter().map(|member| {
        let kind = match &member.kind {
            MemberKind::File { size } => format!("file {size}"),
            MemberKind::Folder => "folder".to_owned(),
            MemberKind::Symlink { target } => format!("-> {}", shown(target)),
            MemberKind::HardLink { target, .. } => format!("= {target}"),
        };
        format!("{} {:o} {kind}", member.path, member.mode)
    });
    Ok((report, shown.collect()))
}

/// As the engine's archive in a base image is: programs at the top, no folder.
fn engine() -> Vec<Forged> {
    vec![file("dockerd", 0o755, &elf(62)), file("runc", 0o755, &elf(62)), file("note.txt", 0o644, b"x")]
}

#[test]
fn what_lies_under_the_root_takes_the_old_ones_place() {
    let new = [
        folder("docker/"),
        file("./docker/runc", 0o755, &elf(62)),
        file("docker/note.txt", 0o644, b"x"),
        file("docker/dockerd", 0o775, b"#!/bin/sh\n"),
        file("docker/ctr", 0o755, &elf(62)),
        hard_link("docker/alias", "docker/runc"),
        symlink("docker/link", "ctr"),
        file("README", 0o644, b"read"),
    ];
    let (report, packed) = run(&engine(), &new, Some("docker"), &[]).unwrap();
    let paths = |names: &[&str]| names.iter().map(|name| path(name)).collect::<Vec<_>>();
    assert_eq!(
        report,
        ReplaceReport {
            replaced: paths(&["dockerd"]),
            unchanged: paths(&["note.txt", "runc"]),
            added: paths(&["alias", "ctr", "link"]),
            missing_allowed: Vec::new(),
            left_out: paths(&["README"]),
        }
    );
    assert_eq!(
        packed,
        [
            "alias 755 file 64",
            "ctr 755 file 64",
            "dockerd 775 file 10",
            "link 777 -> ctr",
            "note.txt 644 file 1",
            "runc 755 = alias",
        ]
    );
}

#[test]
fn the_forms_of_old_new_and_result_are_independent() {
    let none = GlobSetBuilder::new().build().unwrap();
    let platform: Platform = "linux/amd64".parse().unwrap();
    let new = [
        file("docker/dockerd", 0o755, &elf(62)),
        file("docker/runc", 0o755, b"#!"),
        file("docker/note.txt", 0o644, b"x"),
    ];
    let broken = &new[..2];
    let forms = [
        (Compression::Gzip, Compression::Xz, "a.txz"),
        (Compression::Xz, Compression::Zstd, "a.tar.zst"),
        (Compression::Zstd, Compression::Bzip2, "a.tar.bz2"),
        (Compression::Bzip2, Compression::None, "a.tgz"),
        (Compression::None, Compression::Gzip, "a.tar"),
    ];
    let replaced = |(was, is, name): (Compression, Compression, &str), new: &[Forged]| {
        let options = ReplaceOptions {
            root: Some(path("docker")),
            allow_missing: &none,
            platform: &platform,
            epoch: Epoch::DEFAULT,
            form: PackedForm::of_name(name).unwrap(),
            threads: NonZeroUsize::MIN,
            limits: Limits::RECIPE,
        };
        let mut out = Vec::new();
        let (old, new) = (compress(was, &tar(&engine())), compress(is, &tar(new)));
        let report = replace(&old[..], &new[..], scratch(), &options, &mut out)?;
        let spool = Spool::fill(&out[..], tempfile::tempfile().unwrap(), &Limits::RECIPE)?;
        let form = crate::archive::Decompressed::new(&out[..], &Limits::RECIPE)?.compression();
        Ok((report, spool.members().to_vec(), form))
    };
    let (report, members, _) = replaced(forms[0], &new).unwrap();
    assert_eq!(report.replaced, [path("runc")]);
    for (form, compression) in forms.into_iter().zip([
        Compression::Xz,
        Compression::Zstd,
        Compression::Bzip2,
        Compression::Gzip,
        Compression::None,
    ]) {
        assert_eq!(replaced(form, &new).unwrap(), (report.clone(), members.clone(), compression));
        let error: ArchiveError = replaced(form, broken).unwrap_err();
        assert!(error.to_string().contains("`note.txt` is missing"), "{form:?}: {error}");
    }
}

#[test]
fn every_breach_is_named() {
    let new = [
        file("dockerd", 0o755, &elf(183)),
        file("note.txt/inside", 0o644, b""),
        file("windows.exe", 0o755, b"MZ"),
        file("lib.conf", 0o755, b"text"),
    ];
    let mut old = engine();
    old.extend([folder("plugins"), file("plugins/a", 0o755, &elf(62)), file("windows.exe", 0o644, b"")]);
    insta::assert_snapshot!(run(&old, &new, None, &[]).unwrap_err(), @"
    the new archive cannot replace the old one:
      `dockerd` is a program for aarch64, expected x86_64
      `lib.conf` has an execute bit, but it is not ELF and does not start with `#!`
      `note.txt` was a file and is now a folder
      `plugins` is missing: if that is intended, add it to `allowMissing`
      `plugins/a` is missing: if that is intended, add it to `allowMissing`
      `runc` is missing: if that is intended, add it to `allowMissing`
      `windows.exe` has an execute bit, but it is a program for Windows
    ");
}

#[test]
fn as_executable_as_before_follows_links() {
    let old = [file("bin/real", 0o755, &elf(62)), symlink("docker", "bin/real"), symlink("out", "/usr/bin/x")];
    let same = [file("bin/real", 0o755, &elf(62)), file("docker", 0o755, &elf(62)), file("out", 0o644, b"")];
    run(&old, &same, None, &[]).unwrap();
    let less = [file("bin/real", 0o644, &elf(62)), symlink("docker", "./bin/../bin/real"), symlink("out", "nowhere")];
    insta::assert_snapshot!(run(&old, &less, None, &[]).unwrap_err(), @"
    the new archive cannot replace the old one:
      `bin/real` is less executable: its mode was 0755 and is 0644
      `docker` is less executable: its mode was 0755 and is 0644
    ");
    let dangling = [symlink("bin/real", "/usr/bin/real"), symlink("docker", "docker"), symlink("out", "a/b")];
    insta::assert_snapshot!(run(&old, &dangling, None, &[]).unwrap_err(), @"
    the new archive cannot replace the old one:
      `bin/real` is a link to `/usr/bin/real`, which does not exist in the new archive
      `docker` is a link to `docker`, which does not exist in the new archive
    ");
}

#[test]
fn missing_paths_can_be_allowed_by_glob() {
    let new = [file("dockerd", 0o755, &elf(62))];
    let (report, _) = run(&engine(), &new, None, &["note*", "runc"]).unwrap();
    assert_eq!(report.missing_allowed, [path("note.txt"), path("runc")]);
    assert!(run(&engine(), &new, None, &["note*"]).unwrap_err().contains("`runc` is missing"));
}

#[test]
fn a_root_that_is_not_there_lists_what_is() {
    let new = [file("moby/runc", 0o755, &elf(62)), file("README", 0o644, b""), file("moby/x", 0o644, b"")];
    insta::assert_snapshot!(run(&engine(), &new, Some("docker"), &[]).unwrap_err(), @"the new archive has nothing under `docker`; its top has `README`, `moby`");
    insta::assert_snapshot!(run(&engine(), &[file("docker", 0o644, b"")], Some("docker"), &[]).unwrap_err(), @"the new archive has nothing under `docker`; its top has `docker`");
    insta::assert_snapshot!(run(&engine(), &[], Some("docker"), &[]).unwrap_err(), @"the new archive has nothing under `docker`; its top has nothing");
}

#[test]
fn links_out_of_the_root_are_refused() {
    let with = |link: Forged| [file("lib/runc", 0o755, &elf(62)), file("docker/a", 0o644, b""), link];
    for link in [hard_link("docker/x", "lib/runc"), symlink("docker/x", "../lib/runc")] {
        let error = run(&[], &with(link), Some("docker"), &[]).unwrap_err();
        assert!(error.starts_with("cannot use the new archive: the archive's entry `docker/x` is refused: it is a"));
    }
    run(&[], &with(symlink("docker/x", "/usr/lib/runc")), Some("docker"), &[]).unwrap();
    run(&[], &with(symlink("docker/x", "../lib/runc")), None, &[]).unwrap();
}

#[test]
fn errors_say_which_archive_is_bad() {
    let device = crate::tar::forge::entry(b'3', b"null", b"", 0o666, b"");
    insta::assert_snapshot!(run(std::slice::from_ref(&device), &[], None, &[]).unwrap_err(), @"cannot read the archive to replace: the archive's entry `null` is refused: it is a device; only files, folders and links are taken");
    insta::assert_snapshot!(run(&[], &[device], None, &[]).unwrap_err(), @"cannot use the new archive: the archive's entry `null` is refused: it is a device; only files, folders and links are taken");
}

#[test]
fn the_archive_of_golden_is_replaced_by_itself() {
    let Some(saved) = shared("golden/kubernetes-v1.19.8.save.tar") else { return };
    let mut saved = tar::Archive::new(&saved[..]);
    let mut engine = Vec::new();
    for member in saved.entries().unwrap() {
        let mut member = member.unwrap();
        if member.path_bytes().ends_with(b"/cri/docker.tar.gz") {
            member.read_to_end(&mut engine).unwrap();
        }
    }
    let none = GlobSetBuilder::new().build().unwrap();
    let platform: Platform = "linux/amd64".parse().unwrap();
    let options = ReplaceOptions {
        root: None,
        allow_missing: &none,
        platform: &platform,
        epoch: Epoch::DEFAULT,
        form: PackedForm::of_name("cri/docker.tar.gz").unwrap(),
        threads: NonZeroUsize::MIN,
        limits: Limits::RECIPE,
    };
    let report = replace(&engine[..], &engine[..], scratch(), &options, Vec::new()).unwrap();
    assert!(report.unchanged.contains(&path("dockerd")) && report.replaced.is_empty() && report.added.is_empty());
}
