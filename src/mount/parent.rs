//! Starts the child, passes its output on, and reports how it ended.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;

use super::message::{CHILD_COMMAND, EMPTY, MAX_LOWER, Order, ROOT, Reason, Report, UPPER, WORK};
use crate::disk::{Dir, DiskError};
use crate::types::{FailureKind, Reportable};

/// The longest line that is handed on in one piece, in bytes.
const MAX_LINE: u64 = 16 * 1024;
/// How many lines of a command that failed are shown again.
const LAST_LINES: usize = 10;

/// A command and what it runs over.
#[derive(Debug)]
pub(crate) struct OverlayRun<'a> {
    /// The layers from the lowest; none is changed.
    pub lower: &'a [PathBuf],
    /// An empty folder, which takes what the command changes.
    pub upper: &'a Path,
    /// An empty folder on the same file system, for temporary use.
    pub scratch: &'a Dir,
    /// The command, as `/bin/sh -c` takes it.
    pub command: &'a str,
}

/// Why a command did not do its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MountError {
    /// The folders could not be prepared.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// There are more layers than the kernel mounts over each other.
    #[error("cannot mount {0} layers over each other: the limit of the kernel is {MAX_LOWER}")]
    TooMany(usize),
    /// The child could not be started or heard.
    #[error("could not {action}")]
    Child {
        /// The action that failed.
        action: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The child could not prepare the command.
    #[error("could not {action}")]
    Unready {
        /// The action that failed.
        action: String,
        /// Why.
        source: io::Error,
    },
    /// The child ended before the command did.
    #[error("the process that mounts the layers ended before the command did: {0}")]
    Vanished(ExitStatus),
    /// The command failed.
    #[error("the command ended with exit code {code}")]
    Exited {
        /// Its exit code.
        code: i32,
        /// The last lines of its output.
        last: Vec<String>,
    },
    /// The command was ended.
    #[error("the command was ended by {}", SignalName(*signal))]
    Killed {
        /// By which signal.
        signal: i32,
        /// The last lines of its output.
        last: Vec<String>,
    },
}

impl MountError {
    /// The last lines of a command's output before it failed.
    #[must_use]
    pub(crate) fn last_lines(&self) -> &[String] {
        match self {
            Self::Exited { last, .. } | Self::Killed { last, .. } => last,
            Self::Disk(_) | Self::TooMany(_) | Self::Child { .. } | Self::Unready { .. } | Self::Vanished(_) => &[],
        }
    }
}

impl Reportable for MountError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Disk(error) => error.kind(),
            Self::TooMany(_)
            | Self::Child { .. }
            | Self::Unready { .. }
            | Self::Vanished(_)
            | Self::Exited { .. }
            | Self::Killed { .. } => FailureKind::Failed,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Unready { .. } => Some(
                "RUN needs root with the right to mount, and a store on a file system that supports overlays: ext4, \
                 xfs, btrfs or tmpfs, not another overlay; `--root` chooses the folder of the store"
                    .to_owned(),
            ),
            Self::Disk(_)
            | Self::TooMany(_)
            | Self::Child { .. }
            | Self::Vanished(_)
            | Self::Exited { .. }
            | Self::Killed { .. } => None,
        }
    }
}

/// A signal by its number, and its name if it is a common one.
struct SignalName(i32);

impl fmt::Display for SignalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.0 {
            1 => "SIGHUP",
            2 => "SIGINT",
            3 => "SIGQUIT",
            4 => "SIGILL",
            6 => "SIGABRT",
            7 => "SIGBUS",
            8 => "SIGFPE",
            9 => "SIGKILL",
            11 => "SIGSEGV",
            13 => "SIGPIPE",
            14 => "SIGALRM",
            15 => "SIGTERM",
            other => return write!(f, "signal {other}"),
        };
        write!(f, "{name} (signal {})", self.0)
    }
}

/// Runs a command over layers and passes each line of its output to `said`. Its changes are in the upper folder.
///
/// Needs root. Whatever happens, even if this process is killed, nothing stays mounted and no process of the command
/// remains.
pub(crate) fn run(run: &OverlayRun<'_>, said: &(dyn Fn(String) + Sync)) -> Result<(), MountError> {
    let lower = prepare(run)?;
    let order = Order { lower, command: run.command.to_owned() };
    let failed = |action| move |source| MountError::Child { action, source };
    let mut child = Command::new("/proc/self/exe")
        .arg(CHILD_COMMAND)
        .current_dir(run.scratch.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed("start the process that mounts the layers"))?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (stdin, stdout) = (stdin.expect("it is piped"), stdout.expect("it is piped"));
    let stderr = stderr.expect("it is piped");
    let (report, last) = thread::scope(|scope| {
        let output = scope.spawn(|| hand_on(stderr, said));
        let report = talk(&order, stdin, BufReader::new(stdout));
        (report, output.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    let status = child.wait().map_err(failed("wait for the process that mounted the layers"))?;
    let last = last.map_err(failed("read what the command says"))?;
    match report.map_err(failed("talk with the process that mounts the layers"))? {
        Some(Report::Exited(0)) => Ok(()),
        Some(Report::Exited(code)) => Err(MountError::Exited { code, last }),
        Some(Report::Killed(signal)) => Err(MountError::Killed { signal, last }),
        Some(Report::Failed { action, error }) => {
            let source = match error {
                Reason::System(number) => io::Error::from_raw_os_error(number),
                Reason::Text(text) => io::Error::other(text),
            };
            Err(MountError::Unready { action, source })
        }
        Some(Report::Ready) | None => Err(MountError::Vanished(status)),
    }
}

/// Makes the folders and links that the child mounts, and says how many lower layers there are.
fn prepare(run: &OverlayRun<'_>) -> Result<usize, MountError> {
    let scratch = run.scratch;
    for name in [WORK, ROOT, EMPTY] {
        scratch.make_folder(name, 0o755)?;
    }
    let link = |name: &str, target: &Path| {
        let complete = fs_err::canonicalize(target).map_err(|error| DiskError::io("find", target, error))?;
        scratch.make_symlink(name, complete.as_os_str().as_encoded_bytes())
    };
    link(UPPER, run.upper)?;
    // A folder cannot be in a mount twice. What is above hides what the same folder has below.
    let mut lower: Vec<&PathBuf> = Vec::new();
    for layer in run.lower.iter().rev() {
        if !lower.contains(&layer) {
            lower.push(layer);
        }
    }
    if lower.len() > MAX_LOWER {
        return Err(MountError::TooMany(lower.len()));
    }
    for (number, layer) in lower.iter().enumerate() {
        link(&number.to_string(), layer)?;
    }
    Ok(lower.len())
}

/// Sends the order when the child is ready, and returns its last report.
fn talk(order: &Order, mut to: impl Write, from: impl BufRead) -> io::Result<Option<Report>> {
    let mut lines = from.lines();
    let mut report = || -> io::Result<Option<Report>> {
        let Some(line) = lines.next().transpose()? else { return Ok(None) };
        Ok(Some(serde_json::from_str(&line)?))
    };
    match report()? {
        Some(Report::Ready) => {}
        other => return Ok(other),
    }
    match to.write_all(&serde_json::to_vec(order)?) {
        // It ended; the result is handled below.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error),
        Ok(()) | Err(_) => drop(to),
    }
    report()
}

/// Passes the output on line by line and keeps the last lines.
fn hand_on(output: impl Read, said: &(dyn Fn(String) + Sync)) -> io::Result<Vec<String>> {
    let mut output = BufReader::new(output);
    let mut last = VecDeque::new();
    loop {
        let mut line = Vec::new();
        if output.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)? == 0 {
            return Ok(last.into());
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end_matches(['\n', '\r']).to_owned();
        if last.len() == LAST_LINES {
            last.pop_front();
        }
        last.push_back(text.clone());
        said(text);
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn lines_are_handed_on_and_the_last_are_kept() {
        let long = "x".repeat(usize::try_from(MAX_LINE).unwrap());
        let mut text = String::new();
        for number in 0..20 {
            writeln!(text, "{number}\r").unwrap();
        }
        let bytes = [text.as_bytes(), long.as_bytes(), b"y\n\xff without an end"].concat();
        let said = Mutex::new(Vec::new());
        let last = hand_on(&bytes[..], &|line| said.lock().unwrap().push(line)).unwrap();
        let said = said.into_inner().unwrap();
        assert_eq!((said.len(), said[19].as_str(), said[21].as_str()), (23, "19", "y"));
        assert_eq!(said[22], "\u{fffd} without an end");
        assert_eq!(last, said[13..]);
    }

    #[test]
    fn how_a_command_ended_is_said_in_words() {
        let exited = MountError::Exited { code: 3, last: vec!["a".to_owned()] };
        assert_eq!(exited.to_string(), "the command ended with exit code 3");
        assert_eq!(exited.last_lines(), ["a"]);
        let killed = |signal| MountError::Killed { signal, last: Vec::new() }.to_string();
        assert_eq!(killed(9), "the command was ended by SIGKILL (signal 9)");
        assert_eq!(killed(34), "the command was ended by signal 34");
    }
}
