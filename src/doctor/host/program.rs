//! A program asked for its version: a limit of time, no input, a process group of its own that ends with it.

use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::fs::Access;
use rustix::process::{Pid, Signal, kill_process_group};

/// The most bytes of an answer.
const LIMIT: u64 = 64 << 10;
/// How often it is looked whether the program has ended.
const PULSE: Duration = Duration::from_millis(10);

/// What the program writes to stdout; why it says nothing where it fails.
pub(super) fn ask(program: &Path, arguments: &[&str], limit: Duration) -> Result<String, String> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
    let mut child = command.spawn().map_err(|error| format!("cannot be started: {error}"))?;
    let (sender, receiver) = mpsc::channel();
    let stdout = child.stdout.take();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(stdout) = stdout {
            // What came before an error is all there is.
            drop(stdout.take(LIMIT).read_to_end(&mut bytes));
        }
        // Nobody waits any more where the time is over.
        drop(sender.send(bytes));
    });
    let until = Instant::now() + limit;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() < until => std::thread::sleep(PULSE),
            Ok(None) | Err(_) => {
                // The group is there as long as its leader is not waited for.
                if kill_process_group(Pid::from_child(&child), Signal::KILL).is_err() {
                    drop(child.kill());
                }
                drop(child.wait());
                return Err(format!("does not answer within {} s", limit.as_secs_f32()));
            }
        }
    };
    // Something that it started may still hold the pipe.
    let left = until.saturating_duration_since(Instant::now()).max(PULSE);
    let said = receiver.recv_timeout(left).unwrap_or_default();
    if !status.success() {
        return Err(format!("ends with {status}"));
    }
    Ok(String::from_utf8_lossy(&said).into_owned())
}

/// The program's files in the folders of `PATH`, in their order. Relative folders are left out: what lies in the current
/// folder is no program that was installed.
pub(super) fn find(path: Option<&std::ffi::OsStr>, name: &str) -> Vec<PathBuf> {
    let Some(path) = path else { return Vec::new() };
    let folders = std::env::split_paths(path).filter(|folder| folder.is_absolute());
    folders.map(|folder| folder.join(name)).filter(|file| is_executable(file).is_ok_and(|is| is)).collect()
}

/// Whether it is a file that this user may execute; an error where it is not there.
pub(super) fn is_executable(file: &Path) -> io::Result<bool> {
    Ok(fs_err::metadata(file)?.is_file() && rustix::fs::access(file, Access::EXEC_OK).is_ok())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn script(folder: &Path, text: &str) -> PathBuf {
        let path = folder.join("program");
        fs_err::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs_err::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn an_answer_is_taken_and_a_program_that_gives_none_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let said = |text: &str, limit| ask(&script(folder.path(), text), &["version"], limit);
        let long = Duration::from_secs(20);
        assert_eq!(said("echo \"said $1\"; cat", long).as_deref(), Ok("said version\n"));
        assert_eq!(said("exit 3", long), Err("ends with exit status: 3".to_owned()));
        let noise = said("head -c 100000 /dev/zero | tr '\\0' x; true", long);
        assert_eq!(noise.map(|noise| noise.len()), Ok(usize::try_from(LIMIT).unwrap()));

        let marker = folder.path().join("alive");
        let text = format!("(sleep 2; touch '{}') & sleep 100", marker.display());
        let started = Instant::now();
        assert_eq!(said(&text, Duration::from_millis(300)), Err("does not answer within 0.3 s".to_owned()));
        assert!(started.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_secs(3));
        assert!(!marker.exists(), "what it started lives on");
        // One that leaves a child with the pipe has answered all the same.
        assert_eq!(said("sleep 9 & echo v1", Duration::from_secs(3)).map(|_| ()), Ok(()));
    }

    #[test]
    fn programs_are_looked_for_where_they_are_installed() {
        let folder = tempfile::tempdir().unwrap();
        for (name, mode) in [("a", 0o755), ("b", 0o644), ("c", 0o755)] {
            fs_err::create_dir(folder.path().join(name)).unwrap();
            fs_err::set_permissions(script(&folder.path().join(name), ""), PermissionsExt::from_mode(mode)).unwrap();
        }
        let path = ["a", "b", "c", "d"].map(|name| folder.path().join(name));
        let path = std::env::join_paths(path.into_iter().chain(["".into(), "a".into()])).unwrap();
        let found = find(Some(&path), "program");
        assert_eq!(found, ["a/program", "c/program"].map(|name| folder.path().join(name)));
        assert!(find(None, "program").is_empty());
    }
}
