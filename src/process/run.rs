//! One run of a child.

use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

/// How often to check whether the child has ended.
const PULSE: Duration = Duration::from_millis(5);

/// How long to wait for the rest of the output if the time is over.
const GRACE: Duration = Duration::from_secs(1);

/// The limits of a child.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) time: Duration,
    /// Bytes of its standard output; more is an error.
    pub(crate) stdout: u64,
    /// Bytes of its standard error that are kept; more is read and forgotten.
    pub(crate) stderr: u64,
}

/// The standard input of a child.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stdin<'a> {
    Empty,
    /// These bytes, and then its end. A child that does not read them is not an error.
    Bytes(&'a [u8]),
    /// A pipe that stays open as long as the child may live: for a [`tethered`](super::tethered) one.
    Open,
}

/// The result of a child that ended.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    /// Whether no remaining process can write any more.
    pub(crate) is_whole: bool,
}

/// Why a child failed. It is dead then, with its group.
#[derive(Debug)]
pub(crate) enum RunError {
    Start(io::Error),
    /// The system could not report how it ended.
    Wait(io::Error),
    /// It did not end in time.
    Slow,
    /// It wrote more than it may.
    Long,
}

/// Runs a child until it ends or uses up what it may.
pub(crate) fn run(command: &mut Command, stdin: Stdin<'_>, limits: Limits) -> Result<Output, RunError> {
    let input = if matches!(stdin, Stdin::Empty) { Stdio::null() } else { Stdio::piped() };
    command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut child = command.spawn().map_err(RunError::Start)?;
    let until = Instant::now() + limits.time;
    let stdout = Listener::start(child.stdout.take(), limits.stdout);
    let stderr = Listener::start(child.stderr.take(), limits.stderr);
    let mut open = child.stdin.take();
    if let (Stdin::Bytes(bytes), Some(mut pipe)) = (stdin, open.take_if(|_| !matches!(stdin, Stdin::Open))) {
        let bytes = bytes.to_vec();
        thread::spawn(move || drop(pipe.write_all(&bytes)));
    }
    let ended = wait(&mut child, until, &stdout);
    if ended.is_err() {
        // The group is there as long as its leader is not waited for.
        if kill_process_group(Pid::from_child(&child), Signal::KILL).is_err() {
            drop(child.kill());
        }
        drop(child.wait());
    }
    drop(open);
    let status = ended?;
    let until = until.max(Instant::now() + GRACE);
    let is_whole = [&stdout, &stderr].map(|listener| listener.is_whole(until)) == [true; 2];
    if stdout.heard().is_over {
        return Err(RunError::Long);
    }
    let [stdout, stderr] = [stdout, stderr].map(|listener| std::mem::take(&mut listener.heard().bytes));
    Ok(Output { status, stdout, stderr, is_whole })
}

fn wait(child: &mut Child, until: Instant, stdout: &Listener) -> Result<ExitStatus, RunError> {
    loop {
        if stdout.heard().is_over {
            return Err(RunError::Long);
        }
        match child.try_wait().map_err(RunError::Wait)? {
            Some(status) => return Ok(status),
            None if Instant::now() >= until => return Err(RunError::Slow),
            None => thread::sleep(PULSE),
        }
    }
}

/// The output of a pipe so far.
#[derive(Debug, Default)]
struct Heard {
    bytes: Vec<u8>,
    /// Whether there was more than is kept.
    is_over: bool,
}

/// Reads a pipe in a thread of its own, so that it never fills up. Nobody waits for the thread: a process that left the
/// group could hold the pipe open forever.
struct Listener {
    heard: Arc<Mutex<Heard>>,
    /// Disconnected when the pipe has ended.
    ended: Receiver<()>,
}

impl Listener {
    fn start(pipe: Option<impl Read + Send + 'static>, limit: u64) -> Self {
        let (sender, ended) = channel();
        let heard = Arc::<Mutex<Heard>>::default();
        let mut keep = Keep { heard: Arc::clone(&heard), limit: usize::try_from(limit).unwrap_or(usize::MAX), sender };
        if let Some(mut pipe) = pipe {
            // What came before an error is all there is.
            thread::spawn(move || drop(io::copy(&mut pipe, &mut keep)));
        }
        Self { heard, ended }
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the end of the pipe; returns whether it ended.
    fn is_whole(&self, until: Instant) -> bool {
        let left = until.saturating_duration_since(Instant::now());
        self.ended.recv_timeout(left) == Err(RecvTimeoutError::Disconnected)
    }
}

struct Keep {
    heard: Arc<Mutex<Heard>>,
    limit: usize,
    #[expect(dead_code, reason = "its drop says that the pipe has ended")]
    sender: Sender<()>,
}

impl Write for Keep {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let room = self.limit.saturating_sub(heard.bytes.len());
        heard.bytes.extend_from_slice(&piece[..piece.len().min(room)]);
        heard.is_over |= piece.len() > room;
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { time: Duration::from_mins(1), stdout: 100_000, stderr: 5 };

    /// What a script says: how it ended, and both outputs.
    fn said(script: &str, stdin: Stdin<'_>, limits: Limits) -> Result<(Option<i32>, String, String, bool), String> {
        let output = run(Command::new("/bin/sh").args(["-c", script]), stdin, limits);
        let text = |bytes| String::from_utf8(bytes).unwrap();
        output
            .map_err(|error| format!("{error:?}"))
            .map(|Output { status, stdout, stderr, is_whole }| (status.code(), text(stdout), text(stderr), is_whole))
    }

    #[test]
    fn a_child_reads_what_it_is_given_and_both_its_outputs_are_kept() {
        let ended = |code, stdout: &str, stderr: &str| Ok((Some(code), stdout.to_owned(), stderr.to_owned(), true));
        assert_eq!(said("cat; echo no >&2; exit 3", Stdin::Bytes(b"in"), LIMITS), ended(3, "in", "no\n"));
        assert_eq!(said("cat; echo out", Stdin::Empty, LIMITS), ended(0, "out\n", ""));
        // More than a pipe holds, in every direction.
        let long = "x".repeat(99_999);
        assert_eq!(said("cat", Stdin::Bytes(long.as_bytes()), LIMITS), ended(0, &long, ""));
        assert_eq!(said("exec 0<&-; echo out", Stdin::Bytes(long.as_bytes()), LIMITS), ended(0, "out\n", ""));
        assert_eq!(said("head -c 300000 /dev/zero | tr '\\0' y >&2", Stdin::Empty, LIMITS), ended(0, "", "yyyyy"));
    }

    #[test]
    fn who_says_too_much_or_takes_too_long_is_ended_with_all_that_it_started() {
        assert_eq!(said("exec yes", Stdin::Empty, LIMITS), Err("Long".to_owned()));
        assert_eq!(said("head -c 100001 /dev/zero", Stdin::Empty, LIMITS), Err("Long".to_owned()));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("beats");
        let script = format!("(while :; do echo x >> {}; sleep 0.02; done) & exec sleep 60", file.display());
        let start = Instant::now();
        for stdin in [Stdin::Empty, Stdin::Open] {
            let limits = Limits { time: Duration::from_millis(500), ..LIMITS };
            assert_eq!(said(&script, stdin, limits), Err("Slow".to_owned()));
            let beats = || fs_err::metadata(&file).unwrap().len();
            let at_the_end = beats();
            thread::sleep(Duration::from_millis(200));
            assert!(at_the_end > 0 && beats() <= at_the_end + 2, "what it started lives on");
        }
        assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
        assert!(matches!(run(&mut Command::new("/no/program"), Stdin::Empty, LIMITS), Err(RunError::Start(_))));
    }

    #[test]
    fn what_was_said_counts_also_where_something_else_holds_the_pipe() {
        let limits = Limits { time: Duration::from_millis(500), ..LIMITS };
        let ended = said("sleep 30 & echo out", Stdin::Empty, limits);
        assert_eq!(ended, Ok((Some(0), "out\n".to_owned(), String::new(), false)));
    }
}
