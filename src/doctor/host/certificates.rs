//! The folders with certificates of single registries.

use std::io;
use std::path::Path;

use super::folders::reason;
use crate::doctor::{Finding, Verdict};
use crate::transport::CertificatePlaces;

/// What is read of a registry's folder, by extension.
const FILES: [&str; 3] = ["crt", "cert", "key"];

pub(super) fn check(places: &CertificatePlaces) -> Vec<Finding> {
    let mut findings = Vec::new();
    for folder in &places.folders {
        for registry in entries(folder, "its registries are used without certificates", &mut findings) {
            if !registry.is_dir() {
                continue;
            }
            for file in entries(&registry, "this registry cannot be used", &mut findings) {
                let is_read = file.extension().is_some_and(|found| FILES.iter().any(|wanted| found == *wanted));
                if is_read && let Err(error) = fs_err::File::open(&file) {
                    findings.push(closed(&file, &error, "this registry cannot be used"));
                }
            }
        }
    }
    if findings.is_empty() {
        let found = "can be read, or do not exist";
        findings.push(Finding::new(Verdict::Good, "certificates", "the folders `certs.d`", found));
    }
    findings
}

/// What is in a folder, sorted; `means` says what it means where this user may not read it.
fn entries(folder: &Path, means: &str, findings: &mut Vec<Finding>) -> Vec<std::path::PathBuf> {
    match fs_err::read_dir(folder) {
        Ok(entries) => {
            let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
            paths.sort();
            paths
        }
        Err(error) => {
            if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) {
                findings.push(closed(folder, &error, means));
            }
            Vec::new()
        }
    }
}

fn closed(path: &Path, error: &io::Error, means: &str) -> Finding {
    let shown = path.display().to_string();
    let found = format!("cannot be read ({}), so {means}", reason(error));
    Finding::new(Verdict::Warning, "certificates", &shown, found)
        .expected("readable for every user that builds")
        .remedy(format!("give this user the right to read `{shown}`"))
}
