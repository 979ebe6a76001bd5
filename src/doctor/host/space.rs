//! Room on the disks of store, cache and temporary folder.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use super::HostPlaces;
use super::folders::existing;
use crate::doctor::{Finding, Verdict};
use crate::types::human_size;

const GB: u64 = 1_000_000_000;
/// An image is some thousand files, most of them in the storage of its registry; a store has several.
const FILES: u64 = 100_000;

/// The space that a folder needs.
#[derive(Debug, Clone, Copy)]
struct Want {
    /// Recommended bytes.
    bytes: u64,
    /// Minimum bytes for a real image.
    least: u64,
    /// The purpose, for the message.
    why: &'static str,
}

const STORE: Want = Want {
    bytes: 10 * GB,
    least: 12 * GB / 10,
    why: "for the store: a base image of 1.2 to 3 GB, an image made from it, and one that is being made",
};
const CACHE: Want =
    Want { bytes: 5 * GB, least: GB / 2, why: "for the cache: the compressed inputs of these, in two versions" };
const TEMPORARY: Want = Want { bytes: GB, least: GB / 10, why: "for temporary files of RUN and `--sandbox`" };

/// Folders on one disk, and what is left of it.
#[derive(Debug, Default)]
struct Disk {
    number: u64,
    folders: Vec<PathBuf>,
    wants: Vec<Want>,
    free: u64,
    /// Files that can be made still; `None` if the file system has no limit.
    files: Option<u64>,
}

pub(super) fn check(places: &HostPlaces) -> Vec<Finding> {
    let mut disks: Vec<Disk> = Vec::new();
    for (folder, want) in [(&places.root, STORE), (&places.cache, CACHE), (&places.temporary, TEMPORARY)] {
        // An unreachable folder is reported by the check for writing.
        let Ok(there) = existing(folder) else { continue };
        let (Ok(metadata), Ok(stat)) = (fs_err::metadata(&there), rustix::fs::statvfs(&there)) else { continue };
        let number = metadata.dev();
        let index = disks.iter().position(|disk| disk.number == number).unwrap_or_else(|| {
            let free = stat.f_bavail.saturating_mul(stat.f_frsize);
            let files = (stat.f_files > 0).then_some(stat.f_favail);
            disks.push(Disk { number, free, files, ..Disk::default() });
            disks.len() - 1
        });
        disks[index].folders.push(folder.clone());
        disks[index].wants.push(want);
    }
    disks.iter().flat_map(judge).collect()
}

fn judge(disk: &Disk) -> Vec<Finding> {
    let subject = disk.folders.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(", ");
    let sum = |part: fn(&Want) -> u64| disk.wants.iter().map(part).sum::<u64>();
    let (wanted, least) = (sum(|want| want.bytes), sum(|want| want.least));
    let free = human_size(disk.free);
    let together = if disk.folders.len() > 1 { " on their disk" } else { "" };
    let whys: Vec<String> = disk.wants.iter().map(|want| format!("{} {}", human_size(want.bytes), want.why)).collect();
    let remedy = "make room: `sealer prune` deletes what no image needs, and the cache may be deleted at any time; or use \
                  another disk, `--root DIR` and `--cache DIR`";
    let mut findings = Vec::new();
    let (verdict, said) = match disk.free {
        bytes if bytes < least => (Verdict::Error, format!("{free} are free{together}, not enough for one base image")),
        bytes if bytes < wanted => (Verdict::Warning, format!("only {free} are free{together}")),
        _ => (Verdict::Good, format!("{free} are free{together}; {} are wanted", human_size(wanted))),
    };
    let finding = Finding::new(verdict, "disk-space", &subject, said);
    findings.push(if verdict == Verdict::Good { finding } else { finding.expected(whys.join("; ")).remedy(remedy) });
    if let Some(files) = disk.files.filter(|files| *files < FILES) {
        let said = format!("only {files} more files can be created{together}");
        findings.push(
            Finding::new(Verdict::Warning, "disk-files", subject, said)
                .expected(format!("{FILES}: an image has some thousand files, and a store has several images"))
                .remedy(remedy),
        );
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wanted_is_added_up_for_each_disk() {
        let all = [("/s", STORE), ("/c", CACHE), ("/t", TEMPORARY)];
        let said = |folders: &[(&str, Want)], free, files| {
            let (folders, wants) = folders.iter().map(|(folder, want)| (PathBuf::from(folder), *want)).unzip();
            judge(&Disk { number: 1, folders, wants, free, files }).iter().map(Finding::text).collect::<String>()
        };
        let cases = [
            said(&all, 16 * GB, Some(FILES)),
            said(&all, 16 * GB - 1, None),
            said(&all, 18 * GB / 10 - 1, None),
            said(&all[..1], 10 * GB, Some(FILES - 1)),
            said(&all[1..2], GB / 2, None),
        ];
        insta::assert_snapshot!(cases.join("\n"), @"
        good: /s, /c, /t: 16.0 GB are free on their disk; 16.0 GB are wanted

        warning: /s, /c, /t: only 15.9 GB are free on their disk
          expected: 10.0 GB for the store: a base image of 1.2 to 3 GB, an image made from it, and one that is being made; 5.0 GB for the cache: the compressed inputs of these, in two versions; 1.0 GB for temporary files of RUN and `--sandbox`
          remedy: make room: `sealer prune` deletes what no image needs, and the cache may be deleted at any time; or use another disk, `--root DIR` and `--cache DIR`

        error: /s, /c, /t: 1.7 GB are free on their disk, not enough for one base image
          expected: 10.0 GB for the store: a base image of 1.2 to 3 GB, an image made from it, and one that is being made; 5.0 GB for the cache: the compressed inputs of these, in two versions; 1.0 GB for temporary files of RUN and `--sandbox`
          remedy: make room: `sealer prune` deletes what no image needs, and the cache may be deleted at any time; or use another disk, `--root DIR` and `--cache DIR`

        good: /s: 10.0 GB are free; 10.0 GB are wanted
        warning: /s: only 99999 more files can be created
          expected: 100000: an image has some thousand files, and a store has several images
          remedy: make room: `sealer prune` deletes what no image needs, and the cache may be deleted at any time; or use another disk, `--root DIR` and `--cache DIR`

        warning: /c: only 500.0 MB are free
          expected: 5.0 GB for the cache: the compressed inputs of these, in two versions
          remedy: make room: `sealer prune` deletes what no image needs, and the cache may be deleted at any time; or use another disk, `--root DIR` and `--cache DIR`
        ");
    }

    #[test]
    fn folders_of_one_disk_are_one_finding() {
        let folder = tempfile::tempdir().unwrap();
        let (root, cache) = (folder.path().join("not/there"), folder.path().to_owned());
        let places = HostPlaces { temporary: cache.clone(), ..HostPlaces::from_env(&root, &cache) };
        let findings = check(&places);
        let one = |finding: &&Finding| finding.check == "disk-space";
        let subject = format!("{}, {cache}, {cache}", root.display(), cache = cache.display());
        assert_eq!(findings.iter().filter(one).map(|finding| &finding.subject).collect::<Vec<_>>(), [&subject]);
    }
}
