//! A real sealer next to this program, which runs the commands on clusters.

use serde_json::Value;

use super::HostPlaces;
use super::program;
use crate::doctor::{Finding, Verdict};
use crate::upstream::{NoUpstream, VARIABLE};

/// A part of this program's own `version` output.
const OURS: &str = "compatible with sealer";
const WANTED: &str = "a sealer v0.8, which uses the same store, archives and images as this program";
const NEEDS: &str = "commands on clusters (`run`, `apply`, `join`, `delete` and others) need a real sealer";

pub(super) fn check(places: &HostPlaces) -> Vec<Finding> {
    let finding = |verdict, subject: &str, found: String| Finding::new(verdict, "real-sealer", subject, found);
    let other = match places.upstream.find() {
        Ok(other) => other,
        Err(NoUpstream::Named(program, why)) => {
            let found = format!("is named by {VARIABLE}, {why}; {NEEDS}");
            return vec![
                finding(Verdict::Warning, &program.display().to_string(), found)
                    .expected(WANTED)
                    .remedy(format!("set {VARIABLE} to the program's path, or unset it")),
            ];
        }
        Err(NoUpstream::NotOnPath(_)) => {
            return vec![
                finding(Verdict::Note, "PATH", format!("has no other sealer after this program; {NEEDS}"))
                    .remedy("nothing if you only build images; else install sealer v0.8, or set SEALER_UPSTREAM"),
            ];
        }
    };
    let subject = other.display().to_string();
    let found = match program::ask(&other, "version", places.limit) {
        Ok(said) => judge(&subject, &said),
        Err(why) => finding(Verdict::Warning, &subject, format!("{why} when asked for its version"))
            .expected(WANTED)
            .remedy(format!("run `{subject} version` and look at its output")),
    };
    vec![found]
}

/// Judges the output of `sealer version`.
fn judge(subject: &str, said: &str) -> Finding {
    let finding = |verdict, found: String| Finding::new(verdict, "real-sealer", subject, found);
    let install = "install sealer v0.8, or set SEALER_UPSTREAM to one";
    if said.contains(OURS) {
        return finding(Verdict::Warning, format!("is a copy of this program, not a real sealer; {NEEDS}"))
            .expected(WANTED)
            .remedy("remove the copy, or set SEALER_UPSTREAM to a real sealer");
    }
    let version = version(said);
    let Some((major, minor, patch)) = version.as_deref().and_then(numbers) else {
        let words = version.map_or_else(|| "no version".to_owned(), |version| format!("the version `{version}`"));
        return finding(Verdict::Note, format!("says {words}, so the format of its store is not known"))
            .expected(WANTED);
    };
    let shown = format!("is sealer v{major}.{minor}.{patch}");
    match (major, minor) {
        (0, 8) => finding(Verdict::Good, format!("{shown}, which uses the same store, archives and images")),
        (0, 7) => finding(Verdict::Note, format!("{shown}, which was not tested with this program's store"))
            .expected(WANTED)
            .remedy(install),
        (0, 0..=6) => finding(
            Verdict::Warning,
            format!(
                "{shown}, which has another format for its store, archives and pushed images: neither program can \
                     read the other's"
            ),
        )
        .expected(WANTED)
        .remedy(install),
        _ => finding(
            Verdict::Warning,
            format!(
                "{shown}: since v0.9 sealer keeps images in another store, and neither program can read the \
                     other's"
            ),
        )
        .expected(WANTED)
        .remedy(install),
    }
}

/// The version in a JSON object with `gitVersion`, as sealer writes it, else the first word.
fn version(said: &str) -> Option<String> {
    let said = said.trim();
    let of_json = serde_json::from_str::<Value>(said).ok();
    let of_json = of_json.as_ref().and_then(|value| value.get("gitVersion")).and_then(Value::as_str);
    let word = || said.split_whitespace().find(|word| numbers(word).is_some());
    of_json.or_else(word).map(|version| version.chars().take(80).collect())
}

/// The numbers of `v0.8.5`, also with something after a `-` or `+`.
fn numbers(version: &str) -> Option<(u32, u32, u32)> {
    let mut parts = version.strip_prefix('v')?.split(['-', '+']).next()?.split('.').map(str::parse);
    match (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?, parts.next()) {
        (major, minor, patch, None) => Some((major, minor, patch)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::time::Duration;

    use super::*;
    use crate::upstream::UpstreamPlaces;

    #[test]
    fn versions_are_judged_by_the_store_that_they_keep() {
        let json =
            |version| format!("{{\"gitVersion\":\"{version}\",\"buildDate\":\"x\",\"platform\":\"linux/amd64\"}}\n");
        let mut said = String::new();
        for text in [
            json("v0.8.5"),
            json("v0.8.4-beta.0"),
            json("v0.7.1"),
            json("v0.6.1"),
            json("v0.9.3"),
            json("v1.0.0"),
            json("latest"),
            "sealer v0.8.6 of somebody\n".to_owned(),
            "what?\n".to_owned(),
            "sealer 0.1.0 (linux/amd64), image format 1, compatible with sealer v0.8.5\n".to_owned(),
        ] {
            said.push_str(&judge("/usr/bin/sealer", &text).text());
        }
        insta::assert_snapshot!(said, @"
        good: /usr/bin/sealer: is sealer v0.8.5, which uses the same store, archives and images
        good: /usr/bin/sealer: is sealer v0.8.4, which uses the same store, archives and images
        note: /usr/bin/sealer: is sealer v0.7.1, which was not tested with this program's store
          expected: a sealer v0.8, which uses the same store, archives and images as this program
          remedy: install sealer v0.8, or set SEALER_UPSTREAM to one
        warning: /usr/bin/sealer: is sealer v0.6.1, which has another format for its store, archives and pushed images: neither program can read the other's
          expected: a sealer v0.8, which uses the same store, archives and images as this program
          remedy: install sealer v0.8, or set SEALER_UPSTREAM to one
        warning: /usr/bin/sealer: is sealer v0.9.3: since v0.9 sealer keeps images in another store, and neither program can read the other's
          expected: a sealer v0.8, which uses the same store, archives and images as this program
          remedy: install sealer v0.8, or set SEALER_UPSTREAM to one
        warning: /usr/bin/sealer: is sealer v1.0.0: since v0.9 sealer keeps images in another store, and neither program can read the other's
          expected: a sealer v0.8, which uses the same store, archives and images as this program
          remedy: install sealer v0.8, or set SEALER_UPSTREAM to one
        note: /usr/bin/sealer: says the version `latest`, so the format of its store is not known
          expected: a sealer v0.8, which uses the same store, archives and images as this program
        good: /usr/bin/sealer: is sealer v0.8.6, which uses the same store, archives and images
        note: /usr/bin/sealer: says no version, so the format of its store is not known
          expected: a sealer v0.8, which uses the same store, archives and images as this program
        warning: /usr/bin/sealer: is a copy of this program, not a real sealer; commands on clusters (`run`, `apply`, `join`, `delete` and others) need a real sealer
          expected: a sealer v0.8, which uses the same store, archives and images as this program
          remedy: remove the copy, or set SEALER_UPSTREAM to a real sealer
        ");
    }

    #[test]
    fn this_program_is_passed_over_by_whatever_name_it_has() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let script = |name: &str, text: &str| {
            fs_err::create_dir_all(at(name).parent().unwrap()).unwrap();
            fs_err::write(at(name), format!("#!/bin/sh\n{text}\n")).unwrap();
            fs_err::set_permissions(at(name), PermissionsExt::from_mode(0o755)).unwrap();
        };
        script("own/sealer", "echo this is never asked");
        script("real/sealer", "[ \"$*\" = version ] && cat && echo '{\"gitVersion\":\"v0.8.5\"}'");
        script("slow/sealer", "sleep 100");
        script("broken/sealer", "exit 7");
        for name in ["link", "hard", "later"] {
            fs_err::create_dir(at(name)).unwrap();
        }
        symlink("../own/sealer", at("link/sealer")).unwrap();
        fs_err::hard_link(at("own/sealer"), at("hard/sealer")).unwrap();
        let said = |folders: &[&str], upstream: Option<&str>| {
            let path = std::env::join_paths(folders.iter().map(|name| at(name))).unwrap();
            let places = HostPlaces {
                upstream: UpstreamPlaces {
                    named: upstream.map(at),
                    path,
                    called: "sealer".into(),
                    own: at("own/sealer"),
                },
                limit: if folders.contains(&"slow") { Duration::from_millis(200) } else { Duration::from_secs(20) },
                ..HostPlaces::from_env(folder.path(), folder.path())
            };
            check(&places).iter().map(Finding::text).collect::<String>()
        };
        let cases = [
            said(&["real", "later", "link", "hard", "own"], None),
            said(&["link", "own", "hard", "real", "broken"], None),
            said(&["slow"], None),
            said(&["broken"], None),
            said(&["broken"], Some("real/sealer")),
            said(&["real"], Some("hard/sealer")),
            said(&["real"], Some("nowhere/sealer")),
            said(&["real"], Some("later")),
        ];
        insta::assert_snapshot!(cases.concat().replace(folder.path().to_str().unwrap(), "[DIR]"), @"
        note: PATH: has no other sealer after this program; commands on clusters (`run`, `apply`, `join`, `delete` and others) need a real sealer
          remedy: nothing if you only build images; else install sealer v0.8, or set SEALER_UPSTREAM
        good: [DIR]/real/sealer: is sealer v0.8.5, which uses the same store, archives and images
        warning: [DIR]/slow/sealer: does not answer within 0.2 s when asked for its version
          expected: a sealer v0.8, which uses the same store, archives and images as this program
          remedy: run `[DIR]/slow/sealer version` and look at its output
        warning: [DIR]/broken/sealer: ends with exit status: 7 when asked for its version
          expected: a sealer v0.8, which uses the same store, archives and images as this program
          remedy: run `[DIR]/broken/sealer version` and look at its output
        good: [DIR]/real/sealer: is sealer v0.8.5, which uses the same store, archives and images
        warning: [DIR]/hard/sealer: is named by SEALER_UPSTREAM, which is this program itself: set it to a real sealer; commands on clusters (`run`, `apply`, `join`, `delete` and others) need a real sealer
          expected: a sealer v0.8, which uses the same store, archives and images as this program
          remedy: set SEALER_UPSTREAM to the program's path, or unset it
        warning: [DIR]/nowhere/sealer: is named by SEALER_UPSTREAM, which is not an existing file; commands on clusters (`run`, `apply`, `join`, `delete` and others) need a real sealer
          expected: a sealer v0.8, which uses the same store, archives and images as this program
          remedy: set SEALER_UPSTREAM to the program's path, or unset it
        warning: [DIR]/later: is named by SEALER_UPSTREAM, which is not an existing file; commands on clusters (`run`, `apply`, `join`, `delete` and others) need a real sealer
          expected: a sealer v0.8, which uses the same store, archives and images as this program
          remedy: set SEALER_UPSTREAM to the program's path, or unset it
        ");
    }
}
