//! `sealer login` as it is spoken to: arguments, stdin, the terminal.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::missing;
use crate::support::program::{Run, World, project};

const LOGIN: (&str, &str) = ("bob", "s3cret of böb");

/// A world whose registry asks for a login.
fn closed() -> World {
    let world = World::new();
    world.server().require_password(Some(LOGIN));
    let rule = format!("[[registry]]\nlocation = \"{}\"\ninsecure = true\n", world.server().address());
    world.write("registries.conf", rule);
    world
}

fn run(world: &World, arguments: &[&str], stdin: &[u8]) -> Run {
    let host = world.server().address().to_string();
    let mut command = world.command();
    command.args(arguments.iter().map(|argument| argument.replace("HOST", &host)));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // It may end before it reads.
    drop(child.stdin.take().unwrap().write_all(stdin));
    world.result(&child.wait_with_output().unwrap())
}

#[test]
fn passwords_come_by_stdin_or_with_a_warning_as_an_argument() {
    let world = closed();
    let stdin = ["login", "HOST", "--username", LOGIN.0, "--password-stdin"];
    for end in ["", "\n", "\r\n"] {
        let run = run(&world, &stdin, format!("{}{end}", LOGIN.1).as_bytes());
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{end:?}: {run}");
    }
    // Just one.
    for other in ["\n\n", " ", "\n "] {
        assert_eq!(run(&world, &stdin, format!("{}{other}", LOGIN.1).as_bytes()).code, Some(1), "{other:?}");
    }
    for option in ["-p", "--password", "--passwd"] {
        let run = run(&world, &["login", "HOST", "-u", LOGIN.0, option, LOGIN.1], b"");
        assert_eq!(run.code, Some(0), "{run}");
        insta::allow_duplicates! { insta::assert_snapshot!(run, @"
        exit 0
        --- stdout
        logged in to `[SERVER]` as `bob`; the login is in `[WORLD]/home/.docker/config.json`
        --- stderr
        warning: other users can see a password in the list of processes, and shells keep it in their history: `--password-stdin` avoids that
        "); }
    }
}

#[test]
fn what_makes_no_sense_is_said_before_anybody_is_asked_and_without_passwords() {
    let world = closed();
    let mut said = Vec::new();
    for (arguments, stdin) in [
        (&["login", "HOST"] as &[&str], ""),
        (&["login", "HOST", "-u", "bob"], "pass"),
        (&["login", "HOST", "-p", "pa-ss"], ""),
        (&["login", "HOST", "-u", "bob", "--password-stdin"], ""),
        (&["login", "HOST", "-u", "bob", "--password-stdin"], "\n"),
        (&["login", "HOST", "-u", "bob", "--password-stdin"], "pa\0ss"),
        (&["login", "HOST", "-u", "bob:x", "--password-stdin"], "pa-ss"),
        (&["login", "HOST", "-u", "", "--password-stdin"], "pa-ss"),
        (&["login", "registry", "-u", "bob", "--password-stdin"], "pa-ss"),
        (&["login", "https://bob:pa-ss@r.example", "-u", "bob", "--password-stdin"], "pa-ss"),
        (&["login", "r.example/app:v1\u{1b}[0m", "-u", "bob", "--password-stdin"], "pa-ss"),
        (&["logout", "registry"], ""),
    ] {
        let run = run(&world, arguments, stdin.as_bytes());
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{run}");
        assert!(!run.stderr.contains("pa-ss"), "{run}");
        said.push(run.stderr);
    }
    insta::assert_snapshot!(said.join(""), @r"
    error: cannot ask for the user's name, because stdin is not a terminal: use `-u USER --password-stdin`, and write the password to stdin
    error: cannot ask for the password, because stdin is not a terminal: use `-u USER --password-stdin`, and write the password to stdin
    warning: other users can see a password in the list of processes, and shells keep it in their history: `--password-stdin` avoids that
    error: cannot ask for the user's name, because stdin is not a terminal: use `-u USER --password-stdin`, and write the password to stdin
    error: the password is empty
    error: the password is empty
    error: the password contains a NUL, which a login cannot have
    error: the user name contains a `:`, which ends the name in a login
    error: the user name is empty
    error: `registry` is not a registry: a registry needs a `.` or a port in its name; write `HOST:PORT` (`HOST:443`)
    error: `r.example` is not a registry: expected `HOST[:PORT]`, without user, tag or digest
    error: `r.example/app:v1\u{1b}[0m` is not a registry: expected `HOST[:PORT]`, or `HOST[:PORT]/PATH` for a part of it
    error: `registry` is not a registry: a registry needs a `.` or a port in its name; write `HOST:PORT` (`HOST:443`)
    ");
    for (arguments, stdin) in [
        (&["login"] as &[&str], b"".as_slice()),
        (&["login", "HOST", "--password-stdin"], b"pa-ss"),
        (&["login", "HOST", "-u", "bob", "-p", "-pa-ss", "--password-stdin"], b""),
        (&["login", "HOST", "-u", "bob", "--password-stdin"], b"pa-ss\xff"),
        (&["login", "HOST", "-u", "bob", "--password-stdin"], "x".repeat(70_000).as_bytes()),
        (&["login", "HOST", "-u", "bob", "-ppa-ss", "-ppa-ss"], b""),
    ] {
        let run = run(&world, arguments, stdin);
        assert!(run.code == Some(2) && !run.stderr.contains("pa-ss"), "{run}");
    }
    assert!(world.server().requests().is_empty() && !world.path("home").exists());
    // A broken file is told before a password is looked for.
    world.write("home/.docker/config.json", "{\"auths\": {\n  \"a\": \"x\"}}\n");
    let broken = run(&world, &["login", "HOST"], b"");
    assert_eq!(broken.code, Some(1));
    assert_eq!(broken.stderr, "error: [WORLD]/home/.docker/config.json:2:8: the login for `a` is not an object\n");
}

#[test]
fn a_file_that_was_open_to_others_is_closed_and_older_spellings_go() {
    let world = closed();
    let host = world.server().address().to_string();
    let text = format!(
        "{{\"auths\": {{\"https://{host}/v1/\": {{\"auth\": \"YTpi\"}}, \"{host}/x\": {{\"auth\": \"YTpi\"}}}}}}"
    );
    world.write("home/.docker/config.json", text);
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o640);
    fs_err::set_permissions(world.path("home/.docker/config.json"), mode).unwrap();
    let stdin = LOGIN.1.as_bytes();
    let into = run(&world, &["login", "HOST", "-u", LOGIN.0, "--password-stdin"], stdin);
    let json =
        run(&world, &["login", "HOST", "-u", LOGIN.0, "--password-stdin", "-o", "json", "--progress", "json"], stdin);
    let out = run(&world, &["logout", "HOST"], b"");
    insta::assert_snapshot!(format!("{into}{}{out}", json.stdout), @r#"
    exit 0
    --- stdout
    logged in to `[SERVER]` as `bob`; the login is in `[WORLD]/home/.docker/config.json`
    --- stderr
    warning: other users could read `[WORLD]/home/.docker/config.json` (mode 0640); its mode is now 0600
    warning: an older login for the same registry was removed from `[WORLD]/home/.docker/config.json`: `https://[SERVER]/v1/`
    warning: `[WORLD]/home/.docker/config.json` has another login for a part of the registry, which is used there: `[SERVER]/x`
    {
      "registry": "[SERVER]",
      "username": "bob",
      "file": "[WORLD]/home/.docker/config.json",
      "helper": null,
      "identityToken": false
    }
    exit 0
    --- stdout
    logged out of `[SERVER]`: removed from `[WORLD]/home/.docker/config.json`
    --- stderr
    warning: the login for `[SERVER]/x` in `[WORLD]/home/.docker/config.json` is still there: `sealer logout [SERVER]/x` removes it too
    "#);
}

/// Runs `sealer login` on a terminal: what was seen on it, and how it ended.
fn on_terminal(world: &World, steps: &[(&str, &str)], arguments: &[&str]) -> String {
    let mut command = Command::new("/usr/bin/python3");
    command.arg(project().join("tests/support/terminal.py")).arg(serde_json::to_string(steps).unwrap());
    command.arg(env!("CARGO_BIN_EXE_sealer")).args(arguments);
    command.env_clear().envs(world.environment()).env("TERM", "xterm");
    let run = world.result(&command.output().unwrap());
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{run}");
    run.stdout
}

#[test]
fn a_terminal_is_asked_and_does_not_show_the_password() {
    if !Path::new("/usr/bin/python3").is_file() {
        return missing("the program `python3`");
    }
    let world = closed();
    let host = world.server().address().to_string();
    let password = format!("{}\r", LOGIN.1);
    let asked = on_terminal(&world, &[("Password", &password)], &["login", &host, "-u", LOGIN.0]);
    insta::assert_snapshot!(asked, @"
    Password of bob for [SERVER]: 
    logged in to `[SERVER]` as `bob`; the login is in `[WORLD]/home/.docker/config.json`
    exit 0, echoes
    ");
    // With mistakes on the way, of the name too.
    let mistyped = format!("wrong\u{15}xé\u{7f}\u{7f}{}y\u{7f}\r", LOGIN.1);
    let both = on_terminal(&world, &[("User name", "bobo\u{7f}\r"), ("Password", &mistyped)], &["login", &host]);
    assert!(both.contains("bob") && both.ends_with("exit 0, echoes\n") && !both.contains("s3cret"), "{both}");
    // Given up: by an interrupt as a signal, by an end of file as an error.
    fs_err::remove_dir_all(world.path("home")).unwrap();
    let interrupted = on_terminal(&world, &[("Password", "s3cr\u{3}")], &["login", &host, "-u", LOGIN.0]);
    let ended = on_terminal(&world, &[("Password", "\u{4}")], &["login", &host, "-u", LOGIN.0]);
    let stdin = on_terminal(&world, &[], &["login", &host, "-u", LOGIN.0, "--password-stdin"]);
    let name = on_terminal(&world, &[("User name", "bob:x\r")], &["login", &host]);
    let name = name.split_once('\n').unwrap().1;
    insta::assert_snapshot!(format!("{interrupted}---\n{ended}---\n{stdin}---\n{name}"), @"
    Password of bob for [SERVER]: 
    signal 2, echoes
    ---
    Password of bob for [SERVER]: 
    error: there was no answer on the terminal, and nothing was written
    exit 1, echoes
    ---
    error: `--password-stdin` reads a pipe or a file, but stdin is a terminal: remove it, and sealer asks for the password
    exit 2, echoes
    ---
    error: the user name contains a `:`, which ends the name in a login
    exit 2, echoes
    ");
    assert!(!world.path("home").exists());
    // stderr is for a machine: the question is not.
    let json = on_terminal(&world, &[("Password", &password)], &["login", &host, "-u", LOGIN.0, "--progress", "json"]);
    assert!(json.starts_with("Password of bob for [SERVER]: \n") && json.contains("{\"elapsedMs\""), "{json}");
}
