//! A program that runs until it is dropped.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How long a program may take to answer, and to end.
const PATIENCE: Duration = Duration::from_mins(1);

/// A child whose output goes to a file; asked to end when it is dropped, and killed if it does not.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    pub(crate) fn start(command: &mut Command, log: &Path) -> Self {
        let output = fs_err::File::create(log).unwrap().into_parts().0;
        command.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self { child, log: log.to_owned() }
    }

    /// Waits until the program answers; its log, if it ended before or did not in a minute.
    pub(crate) fn wait_until(&mut self, answers: impl Fn() -> bool) -> Result<(), String> {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Err(format!("it ended with {status}:\n{}", self.log()));
            }
            if answers() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Err(format!("it did not answer:\n{}", self.log()))
    }

    /// What it has written so far.
    pub(crate) fn log(&self) -> String {
        fs_err::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Asked first: dockerd then unmounts what it mounted and ends its containerd.
        if matches!(self.child.try_wait(), Ok(None)) {
            let asked = kill_process(Pid::from_child(&self.child), Signal::TERM);
            let until = Instant::now() + PATIENCE / 4;
            while asked.is_ok() && Instant::now() < until && matches!(self.child.try_wait(), Ok(None)) {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
