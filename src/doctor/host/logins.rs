//! Files with logins: whether they can be parsed, and who may read them.

use std::ffi::OsStr;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::doctor::{Finding, Verdict};
use crate::process::on_path;
use crate::transport::{AuthFile, AuthPlaces, Logins};
use crate::types::chain;

pub(super) fn check(places: &AuthPlaces, path: Option<&OsStr>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Err(error) = Logins::load(places) {
        findings.push(
            Finding::new(
                Verdict::Error,
                "logins",
                "the files with logins",
                format!("cannot be used: {}", chain(&error)),
            )
            .remedy("fix the file: until then no image can be pulled or pushed"),
        );
    }
    let files: Vec<&PathBuf> = match &places.named {
        Some(named) => vec![named],
        None => places.usual.iter().collect(),
    };
    findings.extend(files.iter().flat_map(|file| helpers(file, path)));
    let open: Vec<Finding> = files.into_iter().filter_map(|file| readable_by_others(file)).collect();
    if findings.is_empty() && open.is_empty() {
        findings.push(Finding::new(
            Verdict::Good,
            "logins",
            "the files with logins",
            "are valid and closed to other users, or do not exist",
        ));
    }
    findings.extend(open);
    findings
}

/// Helpers in a file that cannot be run.
fn helpers(file: &Path, path: Option<&OsStr>) -> Vec<Finding> {
    let Ok(logins) = AuthFile::load(file) else { return Vec::new() };
    let missing = logins.helpers().filter(|(_, name)| {
        let program = format!("docker-credential-{name}");
        !name.is_empty() && (name.contains('/') || path.is_none_or(|path| on_path(path, &program).next().is_none()))
    });
    let subject = file.display().to_string();
    missing
        .map(|(registry, name)| {
            let (verdict, registries) = match registry {
                Some(registry) => (Verdict::Warning, format!("`{registry}`")),
                None => (Verdict::Error, "all registries".to_owned()),
            };
            let found =
                format!("names `docker-credential-{name}` for {registries}, but there is no such program on PATH");
            Finding::new(verdict, "login-helper", &subject, found)
                .remedy("install it, or remove it from the file: until then nothing can be pulled from there")
        })
        .collect()
}

/// A real sealer writes the file with this mode.
fn readable_by_others(file: &Path) -> Option<Finding> {
    let metadata = fs_err::metadata(file).ok()?;
    let mode = metadata.permissions().mode() & 0o7777;
    let (group, others) = (mode & 0o070, mode & 0o007);
    let whose = match (group, others) {
        (0, 0) => return None,
        (_, 0) => format!("its group ({})", metadata.gid()),
        _ => "everybody on this machine".to_owned(),
    };
    // A file that cannot be parsed counts as one with logins.
    if !metadata.is_file() || AuthFile::load(file).is_ok_and(|file| !file.has_logins()) {
        return None;
    }
    let subject = file.display().to_string();
    let found = format!("has logins and can be read by {whose}: its mode is {mode:04o}");
    Some(
        Finding::new(Verdict::Warning, "logins-mode", &subject, found)
            .expected("0600; a real sealer's `login` writes it as 0644")
            .remedy(format!("`chmod 600 {subject}`")),
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn who_may_read_logins_is_told_and_what_they_are_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.json");
        let places = AuthPlaces { named: None, usual: vec![file.clone()], helper_limit: Duration::from_secs(1) };
        let login = r#"{"auths": {"quay.io": {"auth": "Ym9iOmh1bnRlcjI="}}}"#;
        let mut said = String::new();
        for (mode, text) in [
            (None, ""),
            (Some(0o600), login),
            (Some(0o644), login),
            (Some(0o640), login),
            (Some(0o644), r#"{"auths": {"quay.io": {}}, "credsStore": "pass"}"#),
            (Some(0o644), r#"{"auths": {"quay.io": {"identitytoken": "hunter3"}}}"#),
            (Some(0o644), r#"{"auths": {"quay.io": {"auth": hunter4}}}"#),
            (Some(0o644), " \n"),
        ] {
            if let Some(mode) = mode {
                fs_err::write(&file, text).unwrap();
                fs_err::set_permissions(&file, PermissionsExt::from_mode(mode)).unwrap();
            }
            let findings: String = check(&places, None).iter().map(Finding::text).collect();
            said = format!("{said}{mode:?} {}\n{findings}", text.replace("hunter", "*"));
        }
        assert!(!said.contains("hunter"), "{said}");
        let gid = fs_err::metadata(&file).unwrap().gid();
        let said = said.replace(folder.path().to_str().unwrap(), "[DIR]").replace(&format!("({gid})"), "([GID])");
        insta::assert_snapshot!(said, @r#"
        None 
        good: the files with logins: are valid and closed to other users, or do not exist
        Some(384) {"auths": {"quay.io": {"auth": "Ym9iOmh1bnRlcjI="}}}
        good: the files with logins: are valid and closed to other users, or do not exist
        Some(420) {"auths": {"quay.io": {"auth": "Ym9iOmh1bnRlcjI="}}}
        warning: [DIR]/config.json: has logins and can be read by everybody on this machine: its mode is 0644
          expected: 0600; a real sealer's `login` writes it as 0644
          remedy: `chmod 600 [DIR]/config.json`
        Some(416) {"auths": {"quay.io": {"auth": "Ym9iOmh1bnRlcjI="}}}
        warning: [DIR]/config.json: has logins and can be read by its group ([GID]): its mode is 0640
          expected: 0600; a real sealer's `login` writes it as 0644
          remedy: `chmod 600 [DIR]/config.json`
        Some(420) {"auths": {"quay.io": {}}, "credsStore": "pass"}
        error: [DIR]/config.json: names `docker-credential-pass` for all registries, but there is no such program on PATH
          remedy: install it, or remove it from the file: until then nothing can be pulled from there
        Some(420) {"auths": {"quay.io": {"identitytoken": "*3"}}}
        warning: [DIR]/config.json: has logins and can be read by everybody on this machine: its mode is 0644
          expected: 0600; a real sealer's `login` writes it as 0644
          remedy: `chmod 600 [DIR]/config.json`
        Some(420) {"auths": {"quay.io": {"auth": *4}}}
        error: the files with logins: cannot be used: [DIR]/config.json:1:32: expected a value
          remedy: fix the file: until then no image can be pulled or pushed
        warning: [DIR]/config.json: has logins and can be read by everybody on this machine: its mode is 0644
          expected: 0600; a real sealer's `login` writes it as 0644
          remedy: `chmod 600 [DIR]/config.json`
        Some(420)  

        good: the files with logins: are valid and closed to other users, or do not exist
        "#);
    }

    #[test]
    fn helpers_that_are_not_there_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let (file, program) = (folder.path().join("config.json"), folder.path().join("docker-credential-there"));
        fs_err::write(&program, "#!/bin/sh\n").unwrap();
        fs_err::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        let text = r#"{"credsStore": "gone", "credHelpers": {"a.io": "there", "b.io": "../x"}}"#;
        fs_err::write(&file, text).unwrap();
        fs_err::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
        let places = AuthPlaces { named: None, usual: vec![file], helper_limit: Duration::from_secs(1) };
        let said: String = check(&places, Some(folder.path().as_os_str())).iter().map(Finding::text).collect();
        insta::assert_snapshot!(said.replace(folder.path().to_str().unwrap(), "[DIR]"), @"
        error: [DIR]/config.json: names `docker-credential-gone` for all registries, but there is no such program on PATH
          remedy: install it, or remove it from the file: until then nothing can be pulled from there
        warning: [DIR]/config.json: names `docker-credential-../x` for `b.io`, but there is no such program on PATH
          remedy: install it, or remove it from the file: until then nothing can be pulled from there
        ");
    }
}
