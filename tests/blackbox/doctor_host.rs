//! `doctor host` on the machine that runs the tests: what it says of what a test put there, and its exit code.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::program::{World, copy_program, tree};
use crate::support::real;

/// Runs it with `-o json` and holds the exit code to the verdict, and the verdict to the findings.
fn findings(world: &World, mut command: Command) -> Vec<Value> {
    let run = world.result(&command.output().unwrap());
    assert_eq!(run.stderr, "", "{run}");
    let report: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run}"));
    let findings = report["findings"].as_array().unwrap().clone();
    let bad = findings.iter().any(|finding| finding["verdict"] == "error" && finding["concern"] == "all");
    assert_eq!((report["verdict"] == "error", run.code), (bad, Some(i32::from(bad))), "{run}");
    findings
}

fn of<'a>(findings: &'a [Value], check: &str) -> Vec<&'a Value> {
    findings.iter().filter(|finding| finding["check"] == check).collect()
}

/// Settings that are nobody's.
fn command(world: &World) -> Command {
    let mut command = world.command();
    command.env("DOCKER_HOST", "unix:///nowhere/docker.sock").args(["doctor", "host"]);
    command
}

fn in_json(world: &World) -> Command {
    let mut command = command(world);
    command.args(["-o", "json"]);
    command
}

#[test]
fn all_that_is_looked_at_is_said_and_nothing_is_written() {
    let world = World::new();
    let before = tree(&world.path(""));
    let found = findings(&world, in_json(&world));
    assert_eq!(tree(&world.path("")), before);
    let checks: BTreeSet<&str> = found.iter().map(|finding| finding["check"].as_str().unwrap()).collect();
    for check in [
        "store",
        "cache",
        "temporary-folder",
        "disk-space",
        "overlay",
        "store-file-system",
        "registries-conf",
        "logins",
        "certificates",
        "clock",
        "real-sealer",
        "engine",
        "daemon-json",
    ] {
        assert!(checks.contains(check), "{check}: {checks:?}");
    }
    assert!(checks.contains("hosts") || checks.contains("resolver"), "{checks:?}");
    // The same for people: a line or more each, and one that counts.
    let text = world.result(&command(&world).output().unwrap());
    let heads = text.stdout.lines().filter(|line| !line.starts_with("  ")).count();
    assert_eq!(heads, found.len() + 1 + 6, "{text}");
    let count = |verdict| found.iter().filter(|finding| finding["verdict"] == verdict).count();
    let warnings = count("warning");
    let counted = format!("{warnings} warning{}", if warnings == 1 { "" } else { "s" });
    // What nobody can look at stands behind it.
    assert!(text.stdout.lines().nth_back(6).unwrap().contains(&counted), "{text}");
}

#[test]
fn an_error_that_concerns_everybody_is_exit_code_1() {
    let world = World::new();
    let mut command = in_json(&world);
    command.args(["--root", "/dev/null/store"]);
    let found = findings(&world, command);
    insta::assert_json_snapshot!(of(&found, "store"));
    // `findings` holds the code to the verdict, which this one decides.
    assert!(found.iter().any(|finding| finding["check"] == "store" && finding["verdict"] == "error"));
}

#[test]
fn a_real_sealer_on_path_is_asked_for_its_version() {
    let world = World::new();
    // It ends only if it is given no input.
    let text = "#!/bin/sh\nread -r line || [ \"$*\" = version ] && echo '{\"gitVersion\":\"v0.6.1\"}'\n";
    world.script("real/sealer", text);
    fs_err::create_dir(world.path("own")).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_sealer"), world.path("own/sealer")).unwrap();
    fs_err::create_dir(world.path("copy")).unwrap();
    copy_program(&world.path("copy/sealer"));
    let sealer = |folders: &[&str]| {
        let path = std::env::join_paths(folders.iter().map(|name| world.path(name))).unwrap();
        let mut command = in_json(&world);
        command.env("PATH", path);
        let found = findings(&world, command);
        of(&found, "real-sealer").into_iter().cloned().collect::<Vec<_>>()
    };
    insta::assert_json_snapshot!("old", sealer(&["own", "real"]));
    insta::assert_json_snapshot!("copy", sealer(&["own", "copy", "real"]));
    insta::assert_json_snapshot!("none", sealer(&["own"]));
}

#[test]
fn what_the_hosts_file_says_is_only_of_interest_for_builds_with_an_engine() {
    if !real::is_root() || !real::available("unshare") || !real::available("mount") {
        return;
    }
    let world = World::new();
    let hosts = world.write("hosts", "127.0.0.1 localhost mysea.hub\r\n192.0.2.1\tx SEA.hub # a cluster's\r\n");
    let program = in_json(&world);
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-e", "-c", "mount --bind \"$1\" /etc/hosts; shift; exec \"$@\"", "sh"]).arg(hosts);
    command.arg(program.get_program()).args(program.get_args()).env_clear();
    command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let found = findings(&world, command);
    insta::assert_json_snapshot!(of(&found, "hosts"));
}

#[test]
fn an_ordinary_user_hears_what_is_closed_to_it() {
    if !real::is_root() || !real::available("setpriv") {
        return;
    }
    let world = World::new();
    let program = world.path("sealer");
    copy_program(&program);
    let mode = |path: &Path, mode| fs_err::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    let certificates = world.path("config/containers/certs.d");
    world.write("config/containers/certs.d/open.example/ca.crt", "");
    let key = world.write("config/containers/certs.d/half.example/client.key", "");
    world.write("config/containers/certs.d/shut.example/ca.crt", "");
    mode(&key, 0o600);
    mode(&certificates.join("shut.example"), 0o700);
    for open in ["", "config", "config/containers"] {
        mode(&world.path(open), 0o755);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=54321", "--regid=54321", "--clear-groups", "--no-new-privs", "--"]).arg(&program);
    command.args(["doctor", "host", "-o", "json", "--root"]).arg(world.path("mine/store")).env_clear();
    command.env("HOME", world.path("home")).env("XDG_CONFIG_HOME", world.path("config")).env("TMPDIR", "/tmp");
    command.env("SEALER_CACHE", "/tmp").env("XDG_RUNTIME_DIR", world.path("run")).current_dir("/");
    let found = findings(&world, command);
    let said: Vec<&Value> = ["store", "root", "certificates"].iter().flat_map(|check| of(&found, check)).collect();
    insta::assert_json_snapshot!(said);
}

#[test]
fn what_is_said_of_the_store_s_disk_is_what_run_finds() {
    if !real::is_root() || !real::available("unshare") || !real::available("mount") {
        return;
    }
    let world = World::new();
    world.write("context/Kubefile", "FROM scratch\nRUN touch made\n");
    for folder in ["lower", "upper", "work", "disk"] {
        fs_err::create_dir(world.path(folder)).unwrap();
    }
    let run = |mount: &str, arguments: &[&str]| {
        let mut command = Command::new("unshare");
        let script = format!("mount {mount} disk; exec \"$@\"");
        command.args(["--mount", "sh", "-e", "-c", &script, "sh", env!("CARGO_BIN_EXE_sealer")]);
        command.args(["--root", "disk/store"]).args(arguments).env_clear().envs(world.environment());
        world.result(&command.current_dir(world.path("")).output().unwrap())
    };
    for (mount, verdict, works) in [
        ("-t tmpfs none", "good", true),
        ("-t overlay none -o lowerdir=lower,upperdir=upper,workdir=work", "warning", false),
    ] {
        let said = run(mount, &["doctor", "host", "-o", "json"]);
        let report: Value = serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
        let found = of(report["findings"].as_array().unwrap(), "store-file-system")[0];
        assert_eq!(found["verdict"], verdict, "{mount}: {found}");
        let built = run(mount, &["build", "-t", "x:v1", "context"]);
        assert_eq!(built.code == Some(0), works, "{mount}: {built}");
    }
}
