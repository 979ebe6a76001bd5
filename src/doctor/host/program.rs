//! A program asked for its version.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::process::{Limits, RunError, Stdin, run};

/// The most bytes of an answer.
const LIMIT: u64 = 64 << 10;

/// The program's stdout, or why there is none.
pub(super) fn ask(program: &Path, argument: &str, time: Duration) -> Result<String, String> {
    let limits = Limits { time, stdout: LIMIT, stderr: 0 };
    let output = run(Command::new(program).arg(argument), Stdin::Empty, limits).map_err(|error| match error {
        RunError::Start(error) => format!("cannot be started: {error}"),
        RunError::Slow | RunError::Wait(_) => format!("does not answer within {} s", time.as_secs_f32()),
        RunError::Long => format!("prints more than {LIMIT} bytes"),
    })?;
    if !output.status.success() {
        return Err(format!("ends with {}", output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn an_answer_is_taken_and_else_it_is_said_why_there_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let said = |text: &str, limit| {
            let path = folder.path().join("program");
            fs_err::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
            fs_err::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
            ask(&path, "version", limit)
        };
        let long = Duration::from_secs(20);
        assert_eq!(said("echo \"said $1\"; cat", long).as_deref(), Ok("said version\n"));
        assert_eq!(said("exit 3", long), Err("ends with exit status: 3".to_owned()));
        assert_eq!(said("head -c 100000 /dev/zero", long), Err("prints more than 65536 bytes".to_owned()));
        assert_eq!(said("sleep 100", Duration::from_millis(300)), Err("does not answer within 0.3 s".to_owned()));
        // A program that leaves a child with the pipe has also answered.
        assert_eq!(said("sleep 9 & echo v1", Duration::from_secs(3)).as_deref(), Ok("v1\n"));
    }
}
