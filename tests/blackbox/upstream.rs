//! Cluster commands, which another sealer does: a script on PATH plays it.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::support::program::{copy_program, write_script};

const OWN: &str = env!("CARGO_BIN_EXE_sealer");

/// Says who it is and writes its arguments, each ended by a NUL, beside itself.
const SCRIPT: &str = "#!/bin/sh\nprintf '%s\\0' \"$@\" > \"$(dirname \"$0\")/arguments\"\necho \"this is $0\"\n";

/// Folders for programs, on the file system of the program itself, so that it can have hard links.
struct Machine(TempDir);

impl Machine {
    fn new() -> Self {
        Self(TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A script as `FOLDER/sealer`.
    fn script(&self, folder: &str, script: &str) -> PathBuf {
        let program = self.path(folder).join("sealer");
        write_script(&program, script);
        program
    }

    /// This program as `FOLDER/sealer`: a name for the same file, or a file of its own.
    fn own(&self, folder: &str, place: impl Fn(&Path, &Path)) -> PathBuf {
        fs_err::create_dir_all(self.path(folder)).unwrap();
        let program = self.path(folder).join("sealer");
        place(Path::new(OWN), &program);
        program
    }

    /// `program`, as a shell calls it that found it on PATH.
    fn command(&self, program: &Path, folders: &[&str]) -> Command {
        let mut command = Command::new(program);
        let folders = folders.iter().map(|folder| match *folder {
            relative @ ("" | "." | "here") => PathBuf::from(relative),
            folder => self.path(folder),
        });
        let path = std::env::join_paths(folders.chain(["/usr/bin".into(), "/bin".into()])).unwrap();
        command.arg0("sealer").env_clear().env("PATH", path).current_dir(self.0.path());
        command
    }

    /// How it ended and what it said, with the machine's folder as a word.
    fn said(&self, output: &Output) -> String {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(self.0.path().to_str().unwrap(), "[M]");
        format!("exit {:?}\n{}{}", output.status.code(), text(&output.stdout), text(&output.stderr))
    }
}

fn symlinked(from: &Path, to: &Path) {
    symlink(from, to).unwrap();
}

fn linked(from: &Path, to: &Path) {
    fs_err::hard_link(from, to).unwrap();
}

fn copied(_: &Path, to: &Path) {
    copy_program(to);
}

#[test]
fn arguments_stdin_and_exit_code_are_the_other_s() {
    let machine = Machine::new();
    let own = machine.own("own", linked);
    let script = format!("{SCRIPT}cat\necho to stderr >&2\nexit 42\n");
    machine.script("other", &script);
    for name in
        ["run", "apply", "join", "delete", "upgrade", "check", "exec", "cert", "debug", "gen", "merge", "search"]
    {
        let odd = OsString::from_vec(b"a\xff\n".to_vec());
        let plain = ["--help", "", "-h", "--root", "x y", "--", "--version", "-vv", "--progress=json", "help"]
            .map(OsString::from);
        let arguments = [&[OsString::from(name)][..], &plain, &[odd]].concat();
        let mut command = machine.command(&own, &["own", "other"]);
        command.args(&arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(b"from stdin\n").unwrap();
        let output = child.wait_with_output().unwrap();
        let expected = "exit Some(42)\nthis is [M]/other/sealer\nfrom stdin\nto stderr\n";
        assert_eq!(machine.said(&output), expected, "{name}");
        let given = fs_err::read(machine.path("other/arguments")).unwrap();
        let expected: Vec<u8> =
            arguments.iter().flat_map(|argument| [argument.as_encoded_bytes(), b"\0"].concat()).collect();
        assert_eq!(given, expected, "{name}");
    }
    // What only looks like one is ours.
    let output = machine.command(&own, &["own", "other"]).args(["recipe", "apply", "nowhere.yaml"]).output().unwrap();
    assert!(machine.said(&output).contains("nowhere.yaml"), "{output:?}");
}

/// Starts a script in place of a cluster command and waits for its first line.
fn started(machine: &Machine, script: &str) -> (Child, String) {
    let own = machine.own("own", symlinked);
    machine.script("other", script);
    let mut command = machine.command(&own, &["own", "other"]);
    let mut child = command.arg("run").stdout(Stdio::piped()).process_group(0).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    (child, line)
}

#[test]
fn it_is_the_same_process_so_signals_reach_the_other() {
    for (signal, trap) in [(Signal::TERM, "TERM"), (Signal::INT, "INT")] {
        let machine = Machine::new();
        let script =
            format!("#!/bin/sh\ntrap 'exit 7' {trap}\necho $$ $(ps -o pgid= -p $$)\nwhile :; do sleep 0.1; done\n");
        let (mut child, line) = started(&machine, &script);
        let pid = child.id().to_string();
        assert_eq!(line.split_whitespace().collect::<Vec<_>>(), [&pid, &pid], "process and group");
        kill_process(Pid::from_child(&child), signal).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(7));
    }
    let machine = Machine::new();
    let (mut child, _) = started(&machine, "#!/bin/sh\necho\nkill -KILL $$\n");
    assert_eq!(child.wait().unwrap().signal(), Some(9));
}

#[test]
fn the_next_one_on_path_is_the_one_after_this_that_is_not_this() {
    let machine = Machine::new();
    let own = machine.own("own", linked);
    machine.own("link", linked);
    machine.own("symlink", symlinked);
    machine.own("link-of-link", |_, to| symlinked(&machine.path("link/sealer"), to));
    for folder in ["before", "after", "later", "here"] {
        machine.script(folder, SCRIPT);
    }
    fs_err::create_dir_all(machine.path("folder/sealer")).unwrap();
    let dull = machine.script("dull", SCRIPT);
    fs_err::set_permissions(dull, std::fs::Permissions::from_mode(0o644)).unwrap();
    let mine = ["link", "symlink", "link-of-link", "folder", "dull", "nowhere"];
    let found = |folders: &[&str], called: &OsStr| {
        let output = machine.command(&own, folders).arg0(called).arg("run").output().unwrap();
        machine.said(&output)
    };
    let path = |start: &[&'static str], end: &[&'static str]| [start, &mine, end].concat();
    let bare = OsStr::new("sealer");
    assert_eq!(found(&path(&["own"], &["after", "later"]), bare), "exit Some(0)\nthis is [M]/after/sealer\n");
    assert_eq!(found(&path(&["before", "own"], &["after"]), bare), "exit Some(0)\nthis is [M]/after/sealer\n");
    // Called by a path, its place on PATH means nothing.
    assert_eq!(
        found(&path(&["before", "own"], &["after"]), own.as_os_str()),
        "exit Some(0)\nthis is [M]/before/sealer\n"
    );
    assert_eq!(found(&["before", "after"], bare), "exit Some(0)\nthis is [M]/before/sealer\n");
    // What depends on the current folder is not searched, and that is said.
    let none = found(&path(&["before", "own"], &[]), bare);
    let relative = found(&["own", "", ".", "here"], bare);
    assert!(!machine.path("here/arguments").exists());
    insta::assert_snapshot!(format!("{none}{relative}"), @"
    exit Some(1)
    error: `run` is a cluster command, which needs another sealer, and there is no other on PATH after this one
      help: install sealer (https://github.com/sealerio/sealer) after this one on PATH, or set `SEALER_UPSTREAM` to its program
    exit Some(1)
    error: `run` is a cluster command, which needs another sealer, and there is no other on PATH after this one
      help: install sealer (https://github.com/sealerio/sealer) after this one on PATH, or set `SEALER_UPSTREAM` to its program
      help: parts of PATH that are not absolute paths are not searched
    ");
}

#[test]
fn copies_of_this_program_do_not_call_each_other_for_ever() {
    let machine = Machine::new();
    let (one, two) = (machine.own("one", copied), machine.own("two", copied));
    let run = |program: &Path, folders: &[&str], called: &Path, upstream: Option<&Path>| {
        let mut command = machine.command(program, folders);
        command.arg0(called).arg("run").envs(upstream.map(|upstream| ("SEALER_UPSTREAM", upstream)));
        machine.said(&command.output().unwrap())
    };
    let bare = Path::new("sealer");
    machine.script("other", SCRIPT);
    for (program, called) in [(&one, bare), (&one, one.as_path()), (&two, two.as_path())] {
        let to_the_other = run(program, &["one", "two", "other"], called, None);
        assert_eq!(to_the_other, "exit Some(0)\nthis is [M]/other/sealer\n", "{}", called.display());
    }
    let alone = run(&one, &["one", "two"], bare, None);
    assert!(alone.starts_with("exit Some(1)\nerror: `run` is a cluster command"), "{alone}");
    let each_other = run(&one, &[], bare, Some(&two));
    // Scripts that come back to us, as this process and as a child of it.
    let again = machine.script("again", &format!("#!/bin/sh\nexec {} \"$@\"\n", one.display()));
    let child = machine.script("child", &format!("#!/bin/sh\n{} \"$@\"\n", one.display()));
    let circle = run(&one, &[], bare, Some(&again));
    assert_eq!(run(&one, &[], bare, Some(&child)), circle);
    insta::assert_snapshot!(format!("{each_other}{circle}"), @"
    exit Some(1)
    error: `SEALER_UPSTREAM` names `[M]/two/sealer`, which is this program itself: set it to a real sealer
    exit Some(1)
    error: `run` was passed on 8 times, from one program to the next, and no program ran it
      help: a program from `SEALER_UPSTREAM` or PATH calls this program again: set `SEALER_UPSTREAM` to a real sealer
    ");
    // A sealer whose script calls this program for another command is no circle.
    let nested = format!("#!/bin/sh\ntest \"$1\" = exec || exec sh -c '{} exec'\necho inner\n", one.display());
    let nested = machine.script("nested", &nested);
    assert_eq!(run(&one, &[], bare, Some(&nested)), "exit Some(0)\ninner\n");
}

#[test]
fn the_variable_names_a_program() {
    let machine = Machine::new();
    let own = machine.own("own", symlinked);
    let program = machine.script("named", SCRIPT);
    machine.script("other", SCRIPT);
    let run = |upstream: &Path| {
        let mut command = machine.command(&own, &["own", "other"]);
        machine.said(&command.arg("run").env("SEALER_UPSTREAM", upstream).output().unwrap())
    };
    assert_eq!(run(&program), "exit Some(0)\nthis is [M]/named/sealer\n");
    assert_eq!(run(Path::new("")), "exit Some(0)\nthis is [M]/other/sealer\n");
    let dull = machine.path("dull");
    fs_err::write(&dull, SCRIPT).unwrap();
    let broken = machine.script("broken", "#!/nowhere/sh\n");
    let wrong = [Path::new("named/sealer"), &machine.path("nowhere"), &machine.path("own"), &own, &dull, &broken];
    insta::assert_snapshot!(wrong.map(run).join(""), @"
    exit Some(1)
    error: `SEALER_UPSTREAM` names `named/sealer`, which is not an absolute path
    exit Some(1)
    error: `SEALER_UPSTREAM` names `[M]/nowhere`, which is not an existing file
    exit Some(1)
    error: `SEALER_UPSTREAM` names `[M]/own`, which is not an existing file
    exit Some(1)
    error: `SEALER_UPSTREAM` names `[M]/own/sealer`, which is this program itself: set it to a real sealer
    exit Some(1)
    error: `SEALER_UPSTREAM` names `[M]/dull`, which cannot be executed
    exit Some(1)
    error: `run` needs `[M]/broken/sealer`, which cannot be started: No such file or directory (os error 2)
    ");
}

#[test]
fn options_before_the_command_are_kept_to_or_refused() {
    let machine = Machine::new();
    let own = machine.own("own", symlinked);
    machine.script("other", SCRIPT);
    let run = |arguments: &[&str]| {
        let output = machine.command(&own, &["own", "other"]).args(arguments).output().unwrap();
        machine.said(&output)
    };
    for (arguments, given) in [
        (&["--root", "/var/lib/sealer", "run", "--root", "x"] as &[&str], "run --root x "),
        (&["--root=/var/lib/sealer", "--progress=plain", "run"], "run "),
        // Those that the other one knows.
        (
            &["-d", "--config", "run", "-q", "--color=never", "--root", "/var/lib/sealer", "run", "a"],
            "-d --config run -q --color=never run a ",
        ),
    ] {
        assert_eq!(run(arguments), "exit Some(0)\nthis is [M]/other/sealer\n", "{arguments:?}");
        let found = fs_err::read_to_string(machine.path("other/arguments")).unwrap().replace('\0', " ");
        assert_eq!(found, given, "{arguments:?}");
    }
    fs_err::remove_file(machine.path("other/arguments")).unwrap();
    let refused = [
        &["--root", "/srv", "run"] as &[&str],
        &["--cache=/srv", "apply", "-f", "x"],
        &["--threads", "2", "run"],
        &["-vv", "run"],
        &["--url-mirror", "a=b", "run"],
        &["--progress", "json", "run"],
        &["--progress", "often", "run"],
        &["--nope", "run"],
        &["--config"],
    ];
    let said: Vec<String> = refused.iter().map(|arguments| run(arguments)).collect();
    assert!(said.iter().all(|said| said.starts_with("exit Some(2)\n")), "{said:#?}");
    // The time in front of an event is another one in each run.
    let first = |said: &String| {
        let line = said.lines().nth(1).unwrap();
        line.split_once(",\"event\":").map_or(line, |(_, event)| event).to_owned()
    };
    let shown: Vec<String> = said.iter().map(first).collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    error: another sealer runs `run`, and its store is always `/var/lib/sealer`: it does not support `--root`
    error: another sealer runs `apply`, and does not know `--cache`: write its options after `apply`
    error: another sealer runs `run`, and does not know `--threads`: write its options after `run`
    error: another sealer runs `run`, and does not know `-v`: write its options after `run`
    error: another sealer runs `run`, and does not know `--url-mirror`: write its options after `run`
    "failed","kind":"usage","place":null,"message":"another sealer runs `run`, and does not know `--progress`: write its options after `run`","causes":[],"help":[]}
    error: invalid value 'often' for '--progress <HOW>'
    error: unexpected argument '--nope' found
    error: unexpected argument '--config' found
    "#);
    assert!(!machine.path("other/arguments").exists());
}

#[test]
fn help_lists_them_in_a_group_of_their_own() {
    let machine = Machine::new();
    let own = machine.own("own", symlinked);
    machine.script("other", SCRIPT);
    let run = |arguments: &[&str]| {
        let output = machine.command(&own, &["own", "other"]).args(arguments).output().unwrap();
        machine.said(&output)
    };
    let help = run(&["-h"]);
    let (ours, theirs) = help.split_once("Cluster commands").unwrap();
    assert!(!ours.contains("upgrade") && ours.contains("\n  push "), "{ours}");
    insta::assert_snapshot!(format!("{theirs}{}", run(&["help", "run"])), @"
    , which run the next `sealer` on PATH (or `SEALER_UPSTREAM`):
      run         Create a cluster from an image
      apply       Change a cluster to match a Clusterfile
      join        Add nodes to a cluster
      delete      Delete a cluster, or some of its nodes
      upgrade     Upgrade a cluster to a newer image
      check       Check the machines of a cluster
      exec        Run a command on the nodes of a cluster
      cert        Renew the certificate of a cluster's API server with additional names
      debug       Debug a pod or a node
      gen         Write the Clusterfile of an existing cluster
      merge       Merge several images into one
      search      List the tags of an image in its registry
    exit Some(0)
    Create a cluster from an image

    Usage: sealer run [OPTIONS] [ARGUMENT]...

    Another sealer does this, and takes all arguments as they are: the next one on PATH
    after this one, or the program that SEALER_UPSTREAM names.
    ");
    // Theirs is their own.
    assert_eq!(run(&["run", "--help"]), "exit Some(0)\nthis is [M]/other/sealer\n");
    for shell in ["bash", "zsh", "fish"] {
        assert!(run(&["completion", shell]).contains("upgrade"), "{shell}");
    }
}
